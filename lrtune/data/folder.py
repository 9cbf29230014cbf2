"""Images of one's own: a folder with one sub-folder a class."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

import numpy as np

from lrtune._util.printable import printable
from lrtune.data.dataset import FLOAT_BYTES, RawImages, check_memory
from lrtune.data.split import stratified_split
from lrtune.errors import ArgumentError, DataError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from numpy.typing import NDArray
    from PIL import Image

SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".ppm", ".pgm", ".tif", ".tiff")
# What those files hold. Pillow looks into a file whatever it is called and knows many more formats;
# for one of them, PostScript, it runs Ghostscript, and then a program in the file is executed.
FORMATS = ("PNG", "JPEG", "BMP", "GIF", "WEBP", "PPM", "TIFF")

TEST_FRACTION = 0.2

# A photograph has at most some tens of megapixels; decoded, one of 50 takes 150 MB.
MAX_PIXELS = 50_000_000


def load_folder(
    path: Path,
    *,
    image_size: tuple[int, int] = (32, 32),
    seed: int = 0,
    notify: Callable[[str], None],
) -> RawImages:
    """Read a folder of images, one sub-folder a class, named after the class.

    A folder with the sub-folders `train` and `test`, each with one sub-folder a class, is taken as
    split already; of any other, a stratified fifth becomes the test part. Hidden files and folders
    and files without an image's suffix are passed over.

    Args:
        path: the folder.
        image_size: (height, width) in pixels, both >= 1; every image is resized to it.
        seed: int >= 0, of the split into training and test images.
        notify: called with one line of text for each sub-folder that is left unused.

    Returns:
        uint8 RGB images [n, height, width, 3]; the classes are the folders' names in sorted order;
        `source` is the folder's name with a slash at its end.

    Raises:
        ArgumentError: an image size outside its domain.
        DataError: no classes, a class without images, an image that cannot be decoded (named), or
            more images than memory can hold.
    """
    if len(image_size) != 2 or min(image_size) < 1:
        raise ArgumentError(
            f"image_size must be (height, width), both >= 1. Received: {image_size}"
        )
    source = f"{printable(path.resolve().name)}/"
    parts = _parts(path, notify)
    train = _classes(parts["train"])
    names = tuple(train)
    if len(names) < 2:
        raise DataError(
            f"{_shown(parts['train'])}: must hold 2 sub-folders or more, one for each class of "
            f"images. Received: {printable(', '.join(names)) or 'none'}"
        )
    if "test" not in parts:
        check_memory(_bytes([train], image_size), _shown(path))
        x, y = _decode(train, names, image_size)
        kept, off = stratified_split(
            y, fraction=TEST_FRACTION, seed=seed, class_names=names, where=_shown(path), part="test"
        )
        return RawImages(x[kept], y[kept], x[off], y[off], names, source)
    test = _classes(parts["test"])
    unknown = [name for name in test if name not in train]
    if unknown:
        raise DataError(
            f"{_shown(parts['test'])}: must hold classes that {_shown(parts['train'])} holds too. "
            f"Received: {printable(', '.join(unknown))}"
        )
    if not test:
        raise DataError(
            f"{_shown(parts['test'])}: must hold one sub-folder for each class of images"
        )
    check_memory(_bytes([train, test], image_size), _shown(path))
    return RawImages(
        *_decode(train, names, image_size), *_decode(test, names, image_size), names, source
    )


def _parts(path: Path, notify: Callable[[str], None]) -> dict[str, Path]:
    """Return where the training and, if it is split off already, the test classes lie."""
    folders = {folder.name: folder for folder in _entries(path) if folder.is_dir()}
    # Folders of images that happen to be called train and test are two classes like any others.
    if not all(name in folders and _holds_folders(folders[name]) for name in ("train", "test")):
        return {"train": path}
    unused = sorted(set(folders) - {"train", "test"})
    if unused:
        notify(printable(f"{path}: only train and test are used, not {', '.join(unused)}"))
    return {"train": folders["train"], "test": folders["test"]}


def _holds_folders(path: Path) -> bool:
    return any(entry.is_dir() for entry in _entries(path))


def _entries(path: Path) -> list[Path]:
    try:
        # Sorted: a file system's own order differs from one machine to the next.
        return sorted(entry for entry in path.iterdir() if not entry.name.startswith((".", "__")))
    except OSError as error:
        raise DataError(f"{_shown(path)}: the folder cannot be read ({error.strerror})") from error


def _classes(path: Path) -> dict[str, list[Path]]:
    """Return the image files of each class, by the name of its folder, both sorted."""
    found = {
        folder.name: [file for file in _entries(folder) if file.suffix.lower() in SUFFIXES]
        for folder in _entries(path)
        if folder.is_dir()
    }
    for name, files in found.items():
        if not files:
            raise DataError(
                f"{_shown(path / name)}: holds no image. A class needs files that end in "
                f"{', '.join(SUFFIXES)}"
            )
    return found


def _bytes(parts: Sequence[dict[str, list[Path]]], image_size: tuple[int, int]) -> int:
    """Memory that the images of all parts take: bytes as stored, and float32 to train on."""
    images = sum(len(files) for part in parts for files in part.values())
    return images * image_size[0] * image_size[1] * 3 * (1 + FLOAT_BYTES)


def _decode(
    classes: dict[str, list[Path]], names: Sequence[str], image_size: tuple[int, int]
) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    files = [file for paths in classes.values() for file in paths]
    x = np.empty((len(files), *image_size, 3), dtype=np.uint8)
    for index, file in enumerate(files):
        x[index] = _decode_one(file, image_size)
    labels = [names.index(name) for name, paths in classes.items() for _ in paths]
    return x, np.array(labels, dtype=np.int64)


def _decode_one(file: Path, image_size: tuple[int, int]) -> NDArray[np.uint8]:
    from PIL import Image, ImageOps

    height, width = image_size
    if not file.is_file():  # a pipe would be waited on for ever, a device never ends
        raise DataError(f"{_shown(file)}: is not a file")
    try:
        with warnings.catch_warnings():
            # Pillow warns of a bomb past 89 megapixels and decodes it all the same.
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            image = Image.open(file, formats=FORMATS)
        with image:
            _check_header(image, file)
            # Telephones store photographs sideways, with a note on how to turn them.
            upright = _rgb(ImageOps.exif_transpose(image))
            return np.asarray(upright.resize((width, height), Image.Resampling.BILINEAR))
    except DataError:
        raise
    except (Image.DecompressionBombWarning, Image.DecompressionBombError) as error:
        raise _too_large(file, str(error)) from error
    except Exception as error:  # Pillow's decoders raise whatever their parsers happen to
        reason = printable(" ".join(str(error).replace(repr(str(file)), "it").split()))
        raise DataError(f"{_shown(file)}: is no image that can be decoded ({reason})") from error


def _check_header(image: Image.Image, file: Path) -> None:
    """Refuse an image by what its header says, before a pixel of it is decoded."""
    if image.width * image.height > MAX_PIXELS:
        raise _too_large(file, f"{image.width} x {image.height}")
    if image.mode.startswith(("I", "F")):
        raise DataError(
            f"{_shown(file)}: must have 8 bits a channel. Received: Pillow's mode {image.mode!r}"
        )


def _too_large(file: Path, received: str) -> DataError:
    return DataError(
        f"{_shown(file)}: must have at most {MAX_PIXELS // 1_000_000} megapixels. "
        f"Received: {received}"
    )


def _rgb(image: Image.Image) -> Image.Image:
    if image.mode == "P" and "transparency" in image.info:
        image = image.convert("RGBA")  # straight to RGB, Pillow warns
    return image if image.mode == "RGB" else image.convert("RGB")


def _shown(path: Path) -> str:
    return printable(str(path))
