"""How many seeds a verdict needs."""

from __future__ import annotations

import math

from lrtune.errors import ArgumentError

POWER = 0.8
MOST = 1_000
"""`seeds_to_show` returns `MOST` + 1 for any larger number."""


def fewest_seeds(comparisons: int = 1, alpha: float = 0.05) -> int:
    """The smallest number of seeds with which a verdict is possible.

    The smallest p-value of a two-sided sign-flip test of n pairs is 2 / 2**n, and the first step of
    Holm's correction needs one of alpha / comparisons or less (Holm, "A Simple Sequentially
    Rejective Multiple Test Procedure", Scandinavian Journal of Statistics 6, 1979,
    https://www.jstor.org/stable/4615733).

    Args:
        comparisons: int >= 1, number of arms, not counting the baseline.
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

    NOTE: a guess, as difference and deviation come from the very seeds that did not show it: if the
    true difference is smaller, far more are needed. A difference of less than one standard error
    may as well be 0, or have the other sign, so it has no such number.

    Computed for the paired t-test at the level alpha / comparisons, which is that of the first step
    of Holm's correction; with normal noise the sign-flip test needs as many seeds. The level of the
    last step, alpha, would give too few seeds if the other arms show no difference either.

    Args:
        difference: mean paired difference; its sign does not matter.
        std: float >= 0, sample standard deviation (n - 1) of the paired differences.
        n: int >= 1, number of pairs that did not show it; the result is larger.
        comparisons: int >= 1, number of arms, not counting the baseline.
        alpha: float > 0 and < 1, the family-wise level.

    Returns:
        int > n; `MOST` + 1 for more than `MOST`; None for a difference of 0, one of less than one
        standard error, std / sqrt(n), and for NaN.
    """
    if not (math.isfinite(difference) and math.isfinite(std)) or difference == 0:
        return None
    if abs(difference) < std / math.sqrt(n):
        return None
    fewest = max(n + 1, fewest_seeds(comparisons, alpha))
    if std == 0:
        return min(fewest, MOST + 1)

    from statsmodels.stats.power import TTestPower

    test = TTestPower()
    size = abs(difference) / std
    level = alpha / comparisons
    # NOTE: solve_power is used only if its result is known to be from `fewest` to `MOST`: otherwise
    # it warns or returns less than `fewest`. The power is NaN if SciPy's noncentral t cannot
    # distinguish it from 1 (statsmodels 0.15: from size * sqrt(n) = 6.1 on).
    if not test.power(size, fewest, level) < POWER:
        return min(fewest, MOST + 1)
    if test.power(size, MOST, level) < POWER:
        return MOST + 1
    return math.ceil(float(test.solve_power(size, alpha=level, power=POWER)))
