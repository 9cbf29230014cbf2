"""Images of one's own: an `.npz` file."""

from __future__ import annotations

import zipfile
from typing import TYPE_CHECKING, Any

import numpy as np

from lrtune._util import npz
from lrtune._util.printable import printable
from lrtune.data.dataset import FLOAT_BYTES, RawImages, check_memory
from lrtune.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

KEYS = ("x_train", "y_train", "x_test", "y_test")


def load_npz(path: Path) -> RawImages:
    """Read images and labels from an `.npz` file, never unpickling anything.

    Args:
        path: a file with the keys
            `x_train`, `x_test`: images [n, h, w, c], c from 1 to 4, or greyscale [n, h, w]; either
            uint8, or float16/32/64 from 0 to 1 or from 0 to 255. Floats are kept as they are if
            the largest of both arrays is at most 1, else all are divided by 255.
            `y_train`, `y_test`: labels [n] or [n, 1] of any integer dtype. They need not start at 0
            nor be without gaps: the sorted labels of `y_train` become the classes 0 to k - 1.
            `class_names`, optional: k strings, in the order of the sorted labels; without it the
            labels themselves are the names.

    Returns:
        uint8 images as they are, or float32 images from 0 to 1; `source` is the file's name.

    Raises:
        DataError: the file or one of its arrays cannot be used; the message names both.
    """
    arrays = _read(path)
    name = printable(path.name)
    x_train = _images(arrays["x_train"], f"{name}: x_train")
    x_test = _images(arrays["x_test"], f"{name}: x_test")
    if x_train.shape[1:] != x_test.shape[1:]:
        raise DataError(
            f"{name}: x_test must hold images of the shape of x_train's, {x_train.shape[1:]}. "
            f"Received: {x_test.shape[1:]}"
        )
    y_train = _labels(arrays["y_train"], len(x_train), f"{name}: y_train", "x_train")
    y_test = _labels(arrays["y_test"], len(x_test), f"{name}: y_test", "x_test")
    classes = np.unique(y_train)
    if len(classes) < 2:
        raise DataError(
            f"{name}: y_train must hold 2 classes or more. Received: only label {classes[0]}"
        )
    unknown = np.setdiff1d(y_test, classes)
    if len(unknown):
        raise DataError(
            f"{name}: y_test must hold labels that y_train holds too. "
            f"Received: {_some(unknown.tolist())}"
        )
    bright = [x for x in (x_train, x_test) if x.dtype.kind == "f" and x.max() > 1]
    return RawImages(
        x_train=_scaled(x_train, divide=bool(bright)),
        y_train=np.searchsorted(classes, y_train).astype(np.int64),
        x_test=_scaled(x_test, divide=bool(bright)),
        y_test=np.searchsorted(classes, y_test).astype(np.int64),
        class_names=_class_names(arrays.get("class_names"), classes, name),
        source=name,
    )


def _read(path: Path) -> dict[str, NDArray[Any]]:
    if not path.exists():
        raise DataError(f"{printable(str(path))}: no such file")
    if not path.is_file():  # a pipe would be waited on for ever, a device never ends
        raise DataError(f"{printable(str(path))}: not a file")
    try:
        with zipfile.ZipFile(path) as stored:
            return _read_all(stored, printable(path.name))
    except DataError:
        raise
    except zipfile.BadZipFile as error:
        raise DataError(
            f"{printable(str(path))}: not an .npz file. Write one with numpy.savez(path, "
            f"{', '.join(f'{key}={key}' for key in KEYS)})"
        ) from error
    except Exception as error:  # a closed file; a directory of the zip that makes no sense
        raise DataError(f"{printable(str(path))}: cannot be read ({_reason(error)})") from error


def _read_all(stored: zipfile.ZipFile, name: str) -> dict[str, NDArray[Any]]:
    there = npz.keys(stored)
    missing = [key for key in KEYS if key not in there]
    if missing:
        raise DataError(
            f"{name}: lacks {', '.join(missing)}. It must hold {', '.join(KEYS)}. "
            f"Received: {printable(_some(there)) or 'nothing'}"
        )
    wanted = [key for key in (*KEYS, "class_names") if key in there]
    headers = {key: _header(stored, key, name) for key in wanted}
    pixels = headers["x_train"].size + headers["x_test"].size
    needed = sum(header.nbytes for header in headers.values())
    check_memory(needed + FLOAT_BYTES * pixels, name)
    return {key: _array(stored, key, name) for key in wanted}


def _header(stored: zipfile.ZipFile, key: str, name: str) -> npz.Header:
    try:
        header = npz.read_header(stored, key)
    except Exception as error:  # a hostile header raises whatever its parsers happen to
        raise DataError(f"{name}: {key} is damaged ({_reason(error)})") from error
    if header.dtype.hasobject:
        raise DataError(
            f"{name}: {key} holds pickled Python objects, which can run code when loaded. "
            f"Save it as an array of numbers{' or of dtype str' if key == 'class_names' else ''}"
        )
    return header


def _array(stored: zipfile.ZipFile, key: str, name: str) -> NDArray[Any]:
    try:
        return npz.read_array(stored, key)
    except Exception as error:  # zip, zlib and NumPy each have errors of their own
        raise DataError(f"{name}: {key} is damaged ({_reason(error)})") from error


def _reason(error: Exception) -> str:
    return printable(" ".join(str(error).split())) or type(error).__name__


def _images(x: NDArray[Any], where: str) -> NDArray[Any]:
    """Check images and give greyscale ones a channel axis; the pixels stay as they are."""
    if x.dtype != np.uint8 and x.dtype.kind != "f":
        raise DataError(f"{where} must be uint8 or float. Received: {x.dtype}")
    if x.ndim == 3:
        x = x[..., None]
    if x.ndim != 4:
        raise DataError(
            f"{where} must be [images, height, width, channels] or [images, height, width]. "
            f"Received: shape {x.shape}"
        )
    if 0 in x.shape:
        raise DataError(f"{where} must hold at least one image of one pixel. Received: {x.shape}")
    if x.shape[3] > 4:
        raise DataError(f"{where} must have 1 to 4 channels, as its last axis. Received: {x.shape}")
    if x.dtype.kind == "f":
        # The extremes tell everything, NaN included, without an array of truth values.
        low, high = float(x.min()), float(x.max())
        if not np.isfinite([low, high]).all():
            spoilt = [i for i, image in enumerate(x) if not np.isfinite(image).all()]
            raise DataError(
                f"{where} must hold finite pixels. Received: NaN or infinity in {len(spoilt)} of "
                f"{len(x)} images, the first of them number {spoilt[0]}"
            )
        if low < 0 or high > 255:
            raise DataError(
                f"{where} must hold floats from 0 to 1 or from 0 to 255. "
                f"Received: from {low:g} to {high:g}"
            )
    return x


def _labels(y: NDArray[Any], images: int, where: str, of: str) -> NDArray[Any]:
    if y.dtype.kind not in "iu":
        raise DataError(f"{where} must be of an integer dtype. Received: {y.dtype}")
    if y.ndim != 1 and (y.ndim != 2 or y.shape[1] != 1):
        raise DataError(
            f"{where} must hold one class number an image, as [n] or [n, 1], not one-hot rows. "
            f"Received: shape {y.shape}"
        )
    if len(y) != images:
        raise DataError(
            f"{where} must hold one label for each of the {images} images of {of}. "
            f"Received: {len(y)}"
        )
    return y.reshape(-1)


def _scaled(x: NDArray[Any], *, divide: bool) -> NDArray[Any]:
    if x.dtype == np.uint8:
        return x
    x = x.astype(np.float32, copy=False)
    if divide:
        x /= np.float32(255)  # in place: the array was read from the file for us alone
    return x


def _class_names(names: NDArray[Any] | None, classes: NDArray[Any], file: str) -> tuple[str, ...]:
    if names is None:
        return tuple(str(label) for label in classes.tolist())
    if names.dtype.kind != "U" or names.ndim != 1:
        raise DataError(
            f"{file}: class_names must be a list of strings. "
            f"Received: {names.dtype}, shape {names.shape}"
        )
    try:
        found = tuple(names.tolist())
    except (ValueError, SystemError) as error:  # a number beyond Unicode's
        raise DataError(f"{file}: class_names is damaged ({_reason(error)})") from error
    if len(found) != len(classes) or len(set(found)) != len(found):
        raise DataError(
            f"{file}: class_names must be {len(classes)} different names, one for each label of "
            f"y_train. Received: {printable(_some(found))}"
        )
    return found


def _some(values: Sequence[object], most: int = 5) -> str:
    more = f" and {len(values) - most} more" if len(values) > most else ""
    return ", ".join(str(value) for value in values[:most]) + more
