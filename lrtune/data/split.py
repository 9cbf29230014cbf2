"""Splits validation off the training part: stratified, seeded, the same on every machine."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from lrtune.data.refuse import require

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray


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
        fraction: float from 0 to 1 exclusive, the share that is split off: of each class the
            nearest whole number of images, but at least one, and never all of them.
        seed: int >= 0.
        class_names: the names of the classes, for the error message.
        where: the source of the images, for the error message.
        part: what is split off, for the error message.

    Returns:
        The indices that stay and the indices that are split off, both int64 and ascending.

    Raises:
        DataError: a class has fewer than two images.
    """
    rng = np.random.default_rng(seed)
    off = np.zeros(len(y), dtype=bool)
    for label, name in enumerate(class_names):
        members = np.flatnonzero(y == label)
        count = len(members)
        right = (
            f"{where}: class {name!r} must have at least 2 images, so that one can be split off "
            f"for the {part} part"
        )
        require(count >= 2, right, count)
        # NOTE: scikit-learn's StratifiedShuffleSplit can leave a small class without a single image
        # on one side, and takes a second to import. We sort uniform draws instead of calling
        # rng.permutation: NumPy keeps the bit stream across its versions, not the shuffling.
        order = np.argsort(rng.random(count), kind="stable")
        off[members[order[: min(max(1, round(count * fraction)), count - 1)]]] = True
    return np.flatnonzero(~off), np.flatnonzero(off)
