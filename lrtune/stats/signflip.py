"""The exact sign-flip test of paired differences, and the interval that inverts it.

Under the null hypothesis a seed's difference between two arms is as likely d as -d, so each of the
2**n ways to flip signs is equally likely (Fisher, "The Design of Experiments", 1935, section 21).
For a positive observed sum, flipping the signs of a subset S gives a sum that is no smaller if and
only if the sum over S is <= 0. Hence, with N = 2**n and the means of the N - 1 non-empty subsets,

    p = 2 (1 + number of subset means <= 0) / N             if the mean difference is positive,

and a difference theta is rejected at the level a if and only if it is below the K-th smallest or
above the K-th largest subset mean, K = floor(a N / 2) (Hartigan, "Using subsample values as typical
values", Journal of the American Statistical Association 64, 1969,
https://doi.org/10.1080/01621459.1969.10501057). One enumeration thus gives a p-value and an
interval that cannot disagree: the interval excludes 0 if and only if p <= a.

NOTE: scipy.stats.permutation_test gives the same p-value (a test compares them), but no interval,
and takes .3 s for 16 pairs and a second to import; this takes 1 ms for 16 pairs and .03 s for 20.

The test is exact if differences are symmetric around their mean. They are if both arms vary alike,
however skewed. If they do not, the 95 % interval still covers the mean .927 to .968 of the time for
an arm of skewness 2 against a normal one, with the same standard deviation or twice as much, at 6
to 20 seeds. BCa covers .81 to .93 in the same cases, and is no better if both vary alike. Like any
method, the interval fails if one arm alone has rare seeds at chance: it covers .82 to .90
(tests/stats/test_coverage.py).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from lrtune.errors import ArgumentError

if TYPE_CHECKING:
    import numpy.typing as npt

    FloatArray = npt.NDArray[np.float64]

EXACT = 20
"""Up to this many pairs all subsets are enumerated: 2**20 means take 8 MB."""

DRAWN = 19_999
"""For more pairs this many subsets are drawn: a p-value of .05 has a standard error of .0022."""

_TIED = 1e-9
"""Relative to the largest difference: means closer to 0 differ from 0 only by rounding.

Accuracies on 2,000 images are multiples of .0005, so subset means of exactly 0 are common, but are
computed as about 1e-17.
"""


def subset_means(differences: FloatArray, *, seed: int = 0) -> FloatArray:
    """The mean of every non-empty subset of the pairs.

    Args:
        differences: shape (..., n), n >= 1, finite: paired differences, a sample a row.
        seed: int >= 0, of the subsets drawn where n > `EXACT`.

    Returns:
        Shape (..., 2**n - 1), or (..., about `DRAWN`) if n > `EXACT`; not sorted. Means that differ
        from 0 only by rounding are 0.

    Raises:
        ArgumentError: no pairs, or a difference that is not finite.
    """
    differences = np.asarray(differences, dtype=np.float64)
    n = differences.shape[-1] if differences.ndim else 0
    if n < 1 or not np.isfinite(differences).all():
        raise ArgumentError(
            "differences must be finite numbers, at least one pair a row. "
            f"Received: differences={differences!r}."
        )
    means = _all_means(differences) if n <= EXACT else _drawn_means(differences, seed)
    largest = np.abs(differences).max(axis=-1, keepdims=True)
    means[np.abs(means) <= _TIED * largest] = 0.0
    return means


def p_value(means: FloatArray) -> FloatArray:
    """The two-sided p-value of no difference.

    Args:
        means: shape (..., m), as `subset_means` returns them.

    Returns:
        Shape (...), each >= 2 / (m + 1) and <= 1; 1 for differences that are all 0.
    """
    opposite = np.minimum((means <= 0).sum(axis=-1), (means >= 0).sum(axis=-1))
    p: FloatArray = np.minimum(2.0 * (1 + opposite) / (means.shape[-1] + 1), 1.0)
    return p


def interval(means: FloatArray, confidence: float = 0.95) -> tuple[FloatArray, FloatArray]:
    """The mean differences that the test does not reject.

    Args:
        means: shape (..., m), as `subset_means` returns them.
        confidence: float > 0 and < 1, 1 - the level of the test.

    Returns:
        Lower and upper bound, both included, each of shape (...); infinite if the test cannot reach
        that level with so few pairs. It covers the true mean of symmetric differences with a
        probability of 1 - 2 K / N: .969 for 6 pairs, .953 for 7 to 9, .950 to .951 from 10 on.
    """
    m = means.shape[-1]
    rank = math.floor((1 - confidence) / 2 * (m + 1) + 1e-9)
    if rank < 1:
        unbounded = np.full(means.shape[:-1], np.inf)
        return -unbounded, unbounded
    ordered = np.partition(means, [rank - 1, m - rank], axis=-1)
    return ordered[..., rank - 1], ordered[..., m - rank]


def _all_means(differences: FloatArray) -> FloatArray:
    # Each further pair doubles the subsets: those without it, and the same with it.
    sums = np.zeros((*differences.shape[:-1], 1))
    sizes = np.zeros(1)
    for index in range(differences.shape[-1]):
        sums = np.concatenate([sums, sums + differences[..., index : index + 1]], axis=-1)
        sizes = np.concatenate([sizes, sizes + 1])
    means: FloatArray = sums[..., 1:] / sizes[1:]
    return means


def _drawn_means(differences: FloatArray, seed: int) -> FloatArray:
    draw = np.random.default_rng(seed)
    members = draw.integers(0, 2, size=(DRAWN, differences.shape[-1])).astype(np.float64)
    members = members[members.any(axis=-1)]
    means: FloatArray = differences @ members.T / members.sum(axis=-1)
    return means
