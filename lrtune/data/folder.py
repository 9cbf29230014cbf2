"""Your own images: a folder with one sub-folder per class."""

from __future__ import annotations

import math
import warnings
from typing import TYPE_CHECKING

import numpy as np

from lrtune._util.printable import printable
from lrtune.data.dataset import RawImages
from lrtune.data.refuse import FLOAT_BYTES, check_memory, reason, require
from lrtune.data.split import stratified_split
from lrtune.errors import ArgumentError, DataError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".ppm", ".pgm", ".tif", ".tiff")
# What those files hold. Pillow looks at a file's content, not its name, and knows many more
# formats; for one of them, PostScript, it runs Ghostscript, which executes the program in the file.
FORMATS = ("PNG", "JPEG", "BMP", "GIF", "WEBP", "PPM", "TIFF")

TEST_FRACTION = 0.2

# A photograph has at most some tens of megapixels; one of 50 takes 150 MB when decoded.
MAX_PIXELS = 50_000_000


def load_folder(
    path: Path,
    *,
    image_size: tuple[int, int] = (32, 32),
    seed: int = 0,
    notify: Callable[[str], None],
) -> RawImages:
    """Read a folder of images, one sub-folder per class, named after the class.

    If the folder has the sub-folders `train` and `test`, each with one sub-folder per class, these
    are the training and the test part. Of any other folder, a stratified fifth becomes the test
    part. Hidden files and folders, and files without an image's suffix, are skipped.

    Args:
        path: the folder.
        image_size: (height, width) in pixels, both >= 1; every image is resized to it.
        seed: int >= 0, of the split into training and test images.
        notify: called with one line of text if sub-folders are left unused.

    Returns:
        uint8 RGB images [n, height, width, 3]; the classes are the folders' names in sorted order;
        `source` is the folder's name with a slash at its end.

    Raises:
        ArgumentError: an image size outside its domain.
        DataError: fewer than two classes, a class without images, an image that cannot be decoded
            or has more than 50 megapixels (named), or more images than fit into memory.
    """
    if len(image_size) != 2 or min(image_size) < 1:
        raise ArgumentError(
            f"image_size must be (height, width), both >= 1. Received: {image_size}"
        )
    parts = _parts(path, notify)
    classes = [_classes(part) for part in parts]
    names = tuple(classes[0])
    right = f"{_shown(parts[0])}: must hold 2 sub-folders or more, one per class of images"
    require(len(names) > 1, right, printable(", ".join(names)) or "none")
    unknown = [name for name in classes[-1] if name not in names]
    right = f"{_shown(parts[-1])}: must hold only classes that {_shown(parts[0])} has too"
    require(not unknown, right, printable(", ".join(unknown)))
    images = sum(len(files) for part in classes for files in part.values())
    check_memory(images * image_size[0] * image_size[1] * 3 * (1 + FLOAT_BYTES), _shown(path))
    decoded = [_decode(part, names, image_size) for part in classes]
    if len(decoded) == 1:
        x, y = decoded[0]
        kept, off = stratified_split(
            y, fraction=TEST_FRACTION, seed=seed, class_names=names, where=_shown(path), part="test"
        )
        decoded = [(x[kept], y[kept]), (x[off], y[off])]
    return RawImages(*decoded[0], *decoded[1], names, f"{printable(path.resolve().name)}/")


def _parts(path: Path, notify: Callable[[str], None]) -> list[Path]:
    """Return the folder of the training classes and, if there is one, that of the test classes."""
    names = [folder.name for folder in _folders(path)]
    parts = [path / "train", path / "test"]
    # Folders of images that happen to be called train and test are two classes like any others.
    if not all(part.name in names and _folders(part) for part in parts):
        return [path]
    unused = [name for name in names if name not in ("train", "test")]
    if unused:
        notify(printable(f"{path}: only train and test are used, not {', '.join(unused)}"))
    return parts


def _folders(path: Path) -> list[Path]:
    return [entry for entry in _entries(path) if entry.is_dir()]


def _entries(path: Path) -> list[Path]:
    try:
        # Sorted: a file system's own order differs from one machine to the next.
        return sorted(entry for entry in path.iterdir() if not entry.name.startswith((".", "__")))
    except OSError as error:
        raise DataError(f"{_shown(path)}: the folder cannot be read ({error.strerror})") from error


def _classes(path: Path) -> dict[str, list[Path]]:
    """Return the image files of each class, by the name of its folder, both sorted."""
    found = {}
    for folder in _folders(path):
        files = [file for file in _entries(folder) if file.suffix.lower() in SUFFIXES]
        if not files:
            raise DataError(
                f"{_shown(folder)}: holds no image. A class needs files that end in "
                f"{', '.join(SUFFIXES)}"
            )
        found[folder.name] = files
    return found


def _decode(
    classes: dict[str, list[Path]], names: Sequence[str], image_size: tuple[int, int]
) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    files = [(file, names.index(name)) for name, paths in classes.items() for file in paths]
    x = np.empty((len(files), *image_size, 3), dtype=np.uint8)
    with warnings.catch_warnings():
        # About palettes, damaged EXIF data and sizes past 89 megapixels, which we refuse ourselves.
        warnings.simplefilter("ignore")
        for index, (file, _) in enumerate(files):
            x[index] = _decode_one(file, image_size)
    return x, np.array([label for _, label in files], dtype=np.int64)


def _decode_one(file: Path, image_size: tuple[int, int]) -> NDArray[np.uint8]:
    from PIL import Image, ImageOps

    height, width = image_size
    if not file.is_file():  # reading a pipe would wait for ever, reading a device never ends
        raise DataError(f"{_shown(file)}: is not a file")
    try:
        with Image.open(file, formats=FORMATS) as image:
            # By what the header says, before a pixel is decoded.
            right = f"{_shown(file)}: must have at most {MAX_PIXELS // 1_000_000} megapixels"
            size = image.width, image.height
            require(math.prod(size) <= MAX_PIXELS, right, f"{size[0]} x {size[1]}")
            is_deep = image.mode.startswith(("I", "F"))
            right = f"{_shown(file)}: must have 8 bits per channel"
            require(not is_deep, right, f"Pillow's mode {image.mode!r}")
            # Phones store photographs sideways, with a note on how to turn them.
            upright = ImageOps.exif_transpose(image).convert("RGB")
            return np.asarray(upright.resize((width, height), Image.Resampling.BILINEAR))
    except DataError:
        raise
    except Exception as error:  # Pillow's decoders have errors of many kinds
        said = reason(error).replace(repr(str(file)), "it")
        raise DataError(f"{_shown(file)}: cannot be decoded as an image ({said})") from error


def _shown(path: Path) -> str:
    return printable(str(path))
