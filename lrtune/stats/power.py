"""How many seeds a verdict takes."""

from __future__ import annotations

import bisect
import math
from typing import TYPE_CHECKING

from lrtune.errors import ArgumentError

if TYPE_CHECKING:
    from collections.abc import Callable

POWER = 0.8
MOST = 1_000
"""More seeds than these nobody trains: `seeds_to_show` then gives one more."""


def fewest_seeds(comparisons: int = 1, alpha: float = 0.05) -> int:
    """The fewest seeds with which any verdict is possible at all.

    The smallest p-value of a two-sided sign-flip test of n pairs is 2 / 2**n, and the first step of
    Holm's correction needs one of alpha / comparisons or less (Holm, "A Simple Sequentially
    Rejective Multiple Test Procedure", Scandinavian Journal of Statistics 6, 1979,
    https://www.jstor.org/stable/4615733).

    Args:
        comparisons: int >= 1, number of arms without the baseline.
        alpha: float > 0 and < 1, the family-wise level.

    Returns:
        int >= 1; for alpha = .05: 6 for one comparison, 7 for 2 and 3, 8 for 4 to 6, 9 up to 12.
    """
    if comparisons < 1:
        raise ArgumentError(f"comparisons must be >= 1. Received: comparisons={comparisons!r}.")
    if not 0 < alpha < 1:
        raise ArgumentError(f"alpha must be > 0 and < 1. Received: alpha={alpha!r}.")
    return math.ceil(1 + math.log2(comparisons / alpha) - 1e-9)


def seeds_to_show(
    difference: float, std: float, n: int, comparisons: int = 1, alpha: float = 0.05
) -> int | None:
    """About how many seeds would show a difference of this size, with a power of .8.

    For the paired t-test at the level alpha / comparisons, which is what the first step of Holm's
    correction leaves: the sign-flip test needs as many where noise is normal. The level that the
    last step leaves, alpha, would promise less than the run needs wherever the other arms show
    nothing either.

    Args:
        difference: mean paired difference; its sign does not matter.
        std: float >= 0, sample standard deviation (n - 1) of the paired differences.
        n: int >= 1, number of pairs that did not show it: the answer is more than these.
        comparisons: int >= 1, number of arms without the baseline.
        alpha: float > 0 and < 1, the family-wise level.

    Returns:
        int > n; `MOST` + 1 for more than `MOST`; None for a difference of 0 and for NaN.
    """
    if not (math.isfinite(difference) and math.isfinite(std)) or difference == 0:
        return None
    fewest = max(n + 1, fewest_seeds(comparisons, alpha))
    if std == 0:
        return min(fewest, MOST + 1)

    size, level = abs(difference) / std, alpha / comparisons
    return min(_first(fewest, lambda seeds: _shows(size, seeds, level)), MOST + 1)


def _first(fewest: int, shows: Callable[[int], bool]) -> int:
    """The first number from `fewest` on that shows, and so do all above it; else `MOST` + 1."""
    return bisect.bisect_left(range(MOST + 1), True, lo=fewest, key=shows)  # noqa: FBT003


def _shows(size: float, seeds: int, level: float) -> bool:
    """Whether the two-sided paired t-test has the power.

    NOTE: as statsmodels' `TTestPower` (a test compares them), which takes .5 s to import.

    Args:
        size: float > 0, mean difference in standard deviations.
        seeds: int >= 2, number of pairs.
        level: float > 0 and < 1, of the test.
    """
    from scipy.special import nctdtr, stdtrit

    critical, shift = stdtrit(seeds - 1, 1 - level / 2), size * math.sqrt(seeds)
    power = 1 - nctdtr(seeds - 1, shift, critical) + nctdtr(seeds - 1, shift, -critical)
    # A power of NaN is one that SciPy cannot tell from 1 (1.17: from a shift of 6 on, at most).
    return not power < POWER
