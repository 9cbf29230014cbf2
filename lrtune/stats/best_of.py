"""How far the best of several runs lies above the mean of a few by chance alone.

A search names the best of its k trials. Even if every schedule were as good as the constant rate,
that trial would lead by more than a single run does. If the k trials and the n seeds of the
baseline are independent and normal with one mean and one deviation, the best trial exceeds

    mean + c s sqrt(1 + 1/n)

with probability 1 - COVERAGE, where mean and s are those of the n seeds, and c solves

    E[Phi(Z / sqrt(n) + c S sqrt(1 + 1/n))^k] = COVERAGE

for Z standard normal and S^2 chi-square with n - 1 degrees of freedom over n - 1. The k differences
share mean and s, so they are a multivariate t with equal correlations 1 / (n + 1); c is the
one-sided factor of a simultaneous prediction interval (Hahn, "Additional Factors for Calculating
Prediction Intervals for Samples from a Normal Distribution", Journal of the American Statistical
Association 65, 1970, https://doi.org/10.1080/01621459.1970.10481195).

How often the best of k equal schedules is said to lead, for 3 seeds:

    k                                       1     2     4    12    20    90
    c                                    2.92  3.96  5.09  6.89  7.68  9.80
    beyond c                              5 %   5 %   5 %   5 %   5 %   5 %
    beyond 4.30, right for a single run 2.5 %   4 %   7 %  12 %  15 %  23 %
    Bonferroni, t(1 - .05 / k)           2.92  4.30  6.21 10.89 14.09 29.97

NOTE: not Bonferroni, although it needs one line: all differences share s, which is uncertain with
three seeds, and that alone is most of the risk. At k = 12 it would be wrong in 2 % of searches.
"""

from __future__ import annotations

import functools
import math
from typing import TYPE_CHECKING

import numpy as np
from numpy.polynomial.hermite_e import hermegauss
from numpy.polynomial.legendre import leggauss

from lrtune._util import checks

if TYPE_CHECKING:
    import numpy.typing as npt

    FloatArray = npt.NDArray[np.float64]

COVERAGE = 0.95
"""The probability that the best of k runs like the n others is not said to be better."""

_MEANS, _DEVIATIONS = 40, 200
"""Nodes of the quadrature: twice as many change no factor by more than 2e-6 of it."""


@functools.lru_cache(maxsize=256)
def best_of_factor(n: int, k: int) -> float:
    """The factor c of the module's docstring.

    Args:
        n: int >= 2, number of runs whose mean and deviation are known.
        k: int >= 1, number of further runs, of which the best counts.

    Returns:
        float > 0. For k = 1 it is the quantile .95 of Student's t with n - 1 degrees of freedom.

    Raises:
        ArgumentError: an argument outside its domain.
    """
    checks.integer("n", n, at_least=2)
    checks.integer("k", k, at_least=1)
    low, high = 0.0, 1.0
    while _all_below(high, n, k) < COVERAGE:
        low, high = high, 2 * high
    while high - low > 1e-6 * high:
        middle = (low + high) / 2
        low, high = (middle, high) if _all_below(middle, n, k) < COVERAGE else (low, middle)
    return (low + high) / 2


def _all_below(factor: float, n: int, k: int) -> float:
    """The probability that all k runs are below mean + factor * s * sqrt(1 + 1/n)."""
    from scipy.special import chdtri, ndtr

    z, of_means, tails, of_deviations = _nodes()
    deviations = np.sqrt(chdtri(n - 1, tails) / (n - 1))
    limits = z[:, None] / math.sqrt(n) + factor * math.sqrt(1 + 1 / n) * deviations
    return float(of_means @ (ndtr(limits) ** k) @ of_deviations)


@functools.lru_cache(maxsize=1)
def _nodes() -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """Normal scores and upper tail probabilities, each with weights that sum to 1."""
    z, of_means = hermegauss(_MEANS)
    at, of_deviations = leggauss(_DEVIATIONS)
    return z, of_means / of_means.sum(), (1 - at) / 2, of_deviations / of_deviations.sum()
