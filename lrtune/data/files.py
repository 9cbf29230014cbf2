"""Your own images: an `.npz` file."""

from __future__ import annotations

import zipfile
from typing import TYPE_CHECKING, Any

import numpy as np

from lrtune._util import npz
from lrtune._util.listing import some
from lrtune._util.printable import printable
from lrtune.data.dataset import RawImages
from lrtune.data.refuse import FLOAT_BYTES, check_memory, reason, require
from lrtune.errors import DataError

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

KEYS = ("x_train", "y_train", "x_test", "y_test")


def load_npz(path: Path) -> RawImages:
    """Read images and labels from an `.npz` file, never unpickling anything.

    Args:
        path: a file with the keys
            `x_train`, `x_test`: images [n, h, w, c], c from 1 to 4, or greyscale [n, h, w]; either
            uint8, or float16/32/64 from 0 to 1 or from 0 to 255. Floats stay as they are if no
            pixel of either array is above 1, else all are divided by 255.
            `y_train`, `y_test`: labels [n] or [n, 1] of any integer dtype. They need not start at 0
            and may have gaps: the sorted labels of `y_train` become the classes 0 to k - 1.
            `class_names`, optional: k strings, in the order of the sorted labels; without it the
            labels themselves are the names.

    Returns:
        uint8 images as they are, or float32 images from 0 to 1; `source` is the file's name.

    Raises:
        DataError: the file or one of its arrays cannot be used; the message names both.
    """
    name = printable(path.name)
    arrays = _read(path, name)
    x_train = _images(arrays["x_train"], f"{name}: x_train")
    x_test = _images(arrays["x_test"], f"{name}: x_test")
    require(
        x_train.shape[1:] == x_test.shape[1:],
        f"{name}: x_test must hold images of the same shape as x_train, {x_train.shape[1:]}",
        x_test.shape[1:],
    )
    y_train = _labels(arrays["y_train"], len(x_train), f"{name}: y_train", "x_train")
    y_test = _labels(arrays["y_test"], len(x_test), f"{name}: y_test", "x_test")
    classes = np.unique(y_train)
    require(
        len(classes) > 1, f"{name}: y_train must hold 2 classes or more", f"only label {classes[0]}"
    )
    unknown = np.setdiff1d(y_test, classes)
    right = f"{name}: y_test must hold only labels that y_train has too"
    require(not len(unknown), right, some(map(str, unknown.tolist())))
    top = 1
    if any(x.dtype.kind == "f" and x.max() > 1 for x in (x_train, x_test)):
        top = 255
    return RawImages(
        x_train=_scaled(x_train, top),
        y_train=np.searchsorted(classes, y_train).astype(np.int64),
        x_test=_scaled(x_test, top),
        y_test=np.searchsorted(classes, y_test).astype(np.int64),
        class_names=_class_names(arrays.get("class_names"), classes, f"{name}: class_names"),
        source=name,
    )


def _read(path: Path, name: str) -> dict[str, NDArray[Any]]:
    """Read the arrays we use, once the headers of all of them have been checked."""
    shown, key = printable(str(path)), ""
    if not path.is_file():  # reading a pipe would wait for ever, reading a device never ends
        raise DataError(f"{shown}: {'not a file' if path.exists() else 'no such file'}")
    try:
        with zipfile.ZipFile(path) as archive:
            found = npz.keys(archive)
            missing = [key for key in KEYS if key not in found]
            right = f"{name}: {', '.join(missing)} missing. The file must hold {', '.join(KEYS)}"
            require(not missing, right, printable(some(found)) or "nothing")
            headers = {}
            for key in sorted({*KEYS, "class_names"}.intersection(found)):
                headers[key] = npz.read_header(archive, key)
                is_plain = not headers[key].dtype.hasobject
                kind = "dtype str" if key == "class_names" else "numbers"
                right = f"{name}: {key} must be an array of {kind}"
                require(is_plain, right, "pickled Python objects, which can run code when loaded")
            pixels = headers["x_train"].size + headers["x_test"].size
            stored = sum(header.nbytes for header in headers.values())
            check_memory(stored + FLOAT_BYTES * pixels, name)
            arrays = {}
            for key in headers:
                arrays[key] = npz.read_array(archive, key)
            return arrays
    except DataError:
        raise
    except Exception as error:  # zip, zlib and NumPy's parsers each have errors of their own
        if key:
            raise DataError(f"{name}: {key} is damaged ({reason(error)})") from error
        raise DataError(
            f"{shown}: must be an .npz file of {', '.join(KEYS)}, as numpy.savez writes it, but it "
            f"cannot be read ({reason(error)})"
        ) from error


def _images(x: NDArray[Any], where: str) -> NDArray[Any]:
    """Check images and give greyscale ones a channel axis; the pixels stay as they are."""
    is_float = x.dtype.kind == "f"
    require(is_float or x.dtype == np.uint8, f"{where} must be uint8 or float", x.dtype)
    shape = x.shape
    x = x[..., None] if x.ndim == 3 else x
    axes = f"{where} must be [images, height, width, channels] or [images, height, width]"
    require(x.ndim == 4, axes, f"shape {shape}")
    require(0 not in shape, f"{where} must hold at least one image of one pixel", shape)
    require(x.shape[3] <= 4, f"{where} must have 1 to 4 channels, as its last axis", shape)
    if is_float:
        # The extremes show everything, NaN included, without an array of truth values.
        low, high = float(x.min()), float(x.max())
        if not np.isfinite([low, high]).all():
            bad = np.flatnonzero(~np.isfinite(x).all(axis=(1, 2, 3)))
            found = f"NaN or infinity in {len(bad)} of {len(x)} images, the first at index {bad[0]}"
            require(not len(bad), f"{where} must hold finite pixels", found)
        right = f"{where} must hold floats from 0 to 1 or from 0 to 255"
        require(low >= 0 and high <= 255, right, f"from {low:g} to {high:g}")
    return x


def _labels(y: NDArray[Any], images: int, where: str, of: str) -> NDArray[Any]:
    require(y.dtype.kind in "iu", f"{where} must be of an integer dtype", y.dtype)
    right = f"{where} must hold one class number per image, as [n] or [n, 1], not one-hot rows"
    require(y.ndim == 1 or (y.ndim == 2 and y.shape[1] == 1), right, f"shape {y.shape}")
    right = f"{where} must hold one label for each of the {images} images of {of}"
    require(len(y) == images, right, len(y))
    return y.reshape(-1)


def _scaled(x: NDArray[Any], top: int) -> NDArray[Any]:
    return x if x.dtype == np.uint8 else np.divide(x, np.float32(top), dtype=np.float32)


def _class_names(names: NDArray[Any] | None, classes: NDArray[Any], where: str) -> tuple[str, ...]:
    if names is None:
        return tuple(str(label) for label in classes.tolist())
    is_list = names.dtype.kind == "U" and names.ndim == 1
    require(is_list, f"{where} must be a list of strings", f"{names.dtype}, shape {names.shape}")
    try:
        found = tuple(names.tolist())
    except (ValueError, SystemError) as error:  # a number beyond Unicode's
        raise DataError(f"{where} is damaged ({reason(error)})") from error
    right = f"{where} must be {len(classes)} different names, one for each label of y_train"
    require(len(found) == len(set(found)) == len(classes), right, printable(some(found)))
    return found
