"""Splits validation off the training part: stratified, seeded, the same on every machine."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from lrtune.errors import ArgumentError, DataError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray


def check_split(fraction: float, seed: int, *, part: str = "validation") -> None:
    """Check the arguments of a split on their own, before anything is fetched for it.

    Raises:
        ArgumentError: `fraction` is not from 0 to 1 exclusive, or `seed` is below 0.
    """
    if not 0 < fraction < 1:
        raise ArgumentError(
            f"{part}_fraction must be a float from 0 to 1, both excluded. Received: {fraction}"
        )
    if seed < 0:
        raise ArgumentError(f"seed must be an int >= 0. Received: {seed}")


def stratified_split(
    y: NDArray[np.int64],
    *,
    fraction: float = 0.2,
    seed: int = 0,
    class_names: Sequence[str],
    where: str,
    part: str = "validation",
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Split image indices in two, each class in the same proportion.

    Args:
        y: int64 [n], class indices.
        fraction: float from 0 to 1 exclusive, the share that is split off. Of each class that
            is the nearest whole number of images, yet never none and never all.
        seed: int >= 0.
        class_names: the names of the classes, for the error message.
        where: the source of the images, for the error message.
        part: what is split off, for the error message.

    Returns:
        The indices that stay and those split off, both int64, both ascending.

    Raises:
        ArgumentError: `fraction` or `seed` outside its domain.
        DataError: a class with fewer than two images.
    """
    check_split(fraction, seed, part=part)
    rng = np.random.default_rng(seed)
    off = np.zeros(len(y), dtype=bool)
    for label, name in enumerate(class_names):
        members = np.flatnonzero(y == label)
        count = len(members)
        if count < 2:
            raise DataError(
                f"{where}: class {name!r} has too few training images to split {part} off: "
                f"a class needs at least 2. Received: {count}"
            )
        # NOTE: not scikit-learn's StratifiedShuffleSplit, which can leave a small class without a
        # single image on one side and costs a second to import. Sorting uniform draws rather than
        # rng.permutation: NumPy guards the bit stream across its versions, not the shuffling.
        order = np.argsort(rng.random(count), kind="stable")
        off[members[order[: min(max(1, round(count * fraction)), count - 1)]]] = True
    return np.flatnonzero(~off), np.flatnonzero(off)
