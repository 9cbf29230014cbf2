"""The sequential paired test: is one arm better than the reference, checked after each pair?

A pair is one seed trained in both arms. Its difference d is above 0 where the arm is better. The
evidence after n pairs is the product

    E_n = (1 + .9 tanh(d_1 / s_1)) (1 + .9 tanh(d_2 / s_2)) ... (1 + .9 tanh(d_n / s_n))
    s_i^2 = (3 s0^2 + c_1^2 + ... + c_{i-1}^2) / (i + 2),    c_j = min(|d_j|, 3 s_j)

where the prior scale s0 is about how much a difference varies, known before the first pair, and
counts as much as three pairs. A pair further than three scales from 0, such as one with a collapsed
seed, counts as three scales, so that later bets stay large. E is the wealth of a player who starts
with 1 and always bets on the arm: a pair multiplies it by at most 1.9, one far below 0 leaves a
tenth, and a tie changes nothing.

If the arm is no better, so that differences are symmetric around 0 or a value below it whatever the
earlier pairs were, then on average no bet gains. E is a nonnegative supermartingale, and the
probability that it *ever* reaches 20 is at most 1/20 (Ville, "Etude critique de la notion de
collectif", 1939; Ramdas, Grünwald, Vovk and Shafer, "Game-Theoretic Statistics and Safe
Anytime-Valid Inference", Statistical Science 38, 2023, https://doi.org/10.1214/23-STS894). So one
may look after each pair, stop at any time for any reason, and go on later. Only two things may not
be done: computing s0 from these pairs, and using seeds that helped choose the arm.

`evidence` stops with "better" at E >= `BETTER`, and with "not shown" when a gain has become
unlikely or all seeds are used. The second kind of stop saves time; the error rate does not need it.

Measured by simulation, 10,000 tests each, arms whose seeds have a standard deviation of .01. One of
three candidates is chosen on the validation data with 8 trainings and tested with up to 20 pairs.
The fixed design compares three candidates and two constant rates with a third one, 8 seeds each;
the two are as good as the third, or worse by .02:

    true gain of one candidate                    0     .01     .02
    trainings                                  22.1    29.0    23.1
    "better"                                  3.0 %    59 %    98 %
    fixed design, 48 trainings                1.8 %    11 %    52 %
    the same, constant rates worse            1.2 %    13 %    59 %

False verdicts "better" of an arm that is as good as the reference:

    both arms vary alike: normal, skewed, t with 3 degrees of freedom, ties       2.3 to 3.0 %
    both arms have 1 seed in 20 or in 8 at chance                                 2.6 to 3.0 %
    correlation of .3 or .8 between arms                                          1.9 to 2.6 %
    s0 wrong by a factor of 4, 16 or 64 either way                                  0 to 3.8 %
    the arm normal and twice as noisy                                             3.2 %
    the arm skewed to bad seeds, same mean, as noisy or twice as noisy            4.4 to 8.6 %

The last line is the limit: differences are not symmetric, and most seeds of the arm are better. The
sign-flip test of 8 seeds says "better" in 3.4 to 6.1 % of these cases, of 2.5 % intended.

Seeds at chance cost power. How often the test says "better" if both arms have some:

    true gain                                     0     .01     .02
    none                                      2.9 %    73 %  99.7 %
    1 in 20                                   2.9 %    50 %    84 %
    1 in 8                                    3.0 %    29 %    55 %
    1 in 20, 1 in 8, plain: c_j = |d_j|    2, 2 %  41, 20 %  73, 41 %
    1 in 20, 1 in 8, sign-flip, 8 seeds    2, 2 %  28, 19 %  62, 36 %

A prior scale that is too small is soon corrected by the first pairs. One that is too large is not,
and hides any gain. How often the test says "better" with a wrong s0:

    s0 as a multiple of the true one    1/64   1/16    1/4      1      4     16
    true gain .01                       45 %   52 %   62 %   74 %   68 %    0 %
    true gain .02                       92 %   95 %   98 %  100 %  100 %   23 %

All of this is about further seeds on *the same* test samples. For arms that are equal over all
images, alike by .9, "better" about 2,000 images is wrong about all images in 8 % of tests. The
interval of `stats.two_way` is about other samples as well.

`pytest -m long tests/stats/test_sequential_error_rates.py --log-cli-level INFO` prints these
figures, tests/stats/test_two_way_coverage.py the last one.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Literal

import numpy as np

from lrtune._util import checks
from lrtune.errors import ArgumentError

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    FloatArray = npt.NDArray[np.float64]

Verdict = Literal["better", "not shown", "undecided"]
Reason = Literal["", "shown", "unlikely", "no trend", "all seeds"]

BETTER = 20.0
"""Evidence that shows an arm to be better: chance reaches it in at most 1 of `BETTER` tests."""

UNLIKELY, NO_TREND = 0.3, 1.0
"""Below this evidence the test gives up: from `FEWEST` and from `MANY` pairs on.

NOTE: the best values are flat: .2 or .4 for the first, or 10 or 14 pairs for the second, change the
power for a gain of one standard deviation by 1.5 points and the mean number of pairs by .6.
"""

FEWEST, MANY, MOST = 4, 12, 20

FEWEST_TO_SHOW = 5
"""Pairs without which "better" is impossible: four multiply the evidence by 1.9**4 = 13 at most."""

ACCURACY_SCALE = 0.003
"""s0 of an accuracy, 0 to 1, where no seeds say it: six of 2,000 test images."""

_STAKE = 0.9
_PRIOR_PAIRS = 3
_CLIP = 3.0
_GRID, _ROUNDS = 64, 6  # the bound is exact to 1 / 64**6, 2e-11, of the range searched


@dataclass(frozen=True)
class Evidence:
    """What the pairs say about one arm. Differences are in the unit of the objective.

    Attributes:
        n: int >= 0, how many pairs count: those up to the first stop.
        e: float >= 0, the evidence after them; 1 for none.
        trajectory: the evidence after each of these pairs.
        verdict: "better", "not shown", or "undecided": train more pairs.
        reason: why the test stopped: "shown" (E >= `BETTER`), "unlikely" (E < `UNLIKELY`),
            "no trend" (E < `NO_TREND` after many pairs), "all seeds" (`max_seeds` pairs); "" while
            it has not.
        differences: of the pairs that count.
        s0: the prior scale.
    """

    n: int
    e: float
    trajectory: tuple[float, ...]
    verdict: Verdict
    reason: Reason
    differences: tuple[float, ...]
    s0: float

    @cached_property
    def interval(self) -> tuple[float, float]:
        """`confidence_interval` of the pairs that count; the lower bound is > 0 if "better"."""
        return confidence_interval(self.differences, self.s0)


def prior_scale(std: float, usual: float) -> float:
    """The scale s0 of a paired difference, before any pair is known.

    It has no floor. Few seeds may agree by chance, but a scale that is too small costs little, and
    one that is too large much: see the top of this module.

    Args:
        std: float >= 0, standard deviation of the reference's seeds, measured before the test. Two
            independent arms that vary alike differ by sqrt(2) times as much.
        usual: float > 0, the scale where `std` says nothing: where it is 0, NaN or infinite.

    Returns:
        float > 0 in the unit of `std`. NOTE: it need not be right. The error rate holds for any s0
        that does not depend on the pairs.
    """
    checks.positive("usual", usual)
    if std < 0:
        raise ArgumentError(f"std must be a number >= 0. Received: std={std!r}.")
    scale = math.sqrt(2) * std
    return scale if scale and math.isfinite(scale) else usual


def usual_scale(objective: str, mean: float) -> float:
    """About how much a paired difference varies in this objective, where no seeds say it.

    Args:
        objective: its name. For an accuracy, 0 to 1, it is `ACCURACY_SCALE`.
        mean: of the reference; for another objective, whose unit is not known, it is a hundredth of
            its size.

    Returns:
        float > 0 in the unit of the objective.
    """
    return ACCURACY_SCALE if "accuracy" in objective else max(abs(mean) / 100, 1e-12)


def evidence(
    differences: Sequence[float], s0: float, *, max_seeds: int = MOST, min_seeds: int = FEWEST
) -> Evidence:
    """The evidence that an arm is better than the reference, and whether to stop.

    Args:
        differences: finite, in the order of seeds: above 0 where the arm is better. Leave out seeds
            without a score in both arms. Pairs after the first stop are ignored.
        s0: float > 0, as `prior_scale` returns it.
        max_seeds: int >= `min_seeds`, the largest number of pairs.
        min_seeds: int >= 1, the test does not give up before so many pairs. Raise it to go on after
            "not shown": the error rate stays the same.

    Returns:
        The evidence of the pairs that count.

    Raises:
        ArgumentError: an argument outside its domain.
    """
    checks.integer("min_seeds", min_seeds, at_least=1)
    checks.integer("max_seeds", max_seeds, at_least=min_seeds)
    values = tuple(map(float, differences))
    path = tuple(map(float, e_values(np.array(values), s0)))
    n, e, reason = 0, 1.0, _reason(0, 1.0, max_seeds, min_seeds)
    while n < len(path) and not reason:
        n, e = n + 1, path[n]
        reason = _reason(n, e, max_seeds, min_seeds)
    verdict: Verdict = "undecided"
    if reason:
        verdict = "better" if reason == "shown" else "not shown"
    return Evidence(n, e, path[:n], verdict, reason, values[:n], float(s0))


def e_values(differences: FloatArray, s0: float | FloatArray) -> FloatArray:
    """The evidence after each pair.

    Args:
        differences: shape (..., n), finite, in the order of seeds: one test a row.
        s0: float > 0, or one for each row, of shape (...).

    Returns:
        Shape (..., n), each >= 0 and at most 1.9 times the one before.

    Raises:
        ArgumentError: an argument outside its domain.
    """
    differences, scales = _checked(differences, s0)
    return _growth(differences, _scales(np.abs(differences), scales))


def confidence_interval(differences: Sequence[float], s0: float) -> tuple[float, float]:
    """Where the centre of the differences lies, valid whenever one stops.

    The differences are symmetric around the centre, so it is their mean and their median. For each
    value m, E is computed from d_i - m, and m is ruled out if E has reached `BETTER` after any of
    these pairs. The lower bound is the smallest m that is not ruled out. The upper bound is the
    same for -d.

    Each bound is wrong with a probability of at most 1/20, however often one looks, so both hold
    with one of at least 9/10: this is a 90 % confidence sequence. The lower bound is above 0 if and
    only if the test shows the arm to be better; the upper bound is below 0 if and only if the same
    test shows the reference to be better.

    Measured with normal differences, it covers the centre in 94 % of cases after 20 pairs and in at
    least 96 % at the stop. 44 % of tests without a gain stop before the interval is finite.

    NOTE: the scale s_i is that of d_j - max(m, 0). For m <= 0 it does not depend on m, and E falls
    as m rises, so that 0 and everything below it are ruled out together. For m > 0 that is not
    proven, so the search for the lower bound passes only intervals of m in which it is: E of the
    smallest d_i - m in the interval and of the scale that is worse for it, the largest or smallest
    possible one, bounds E in the interval from below. The scale of d_j would need no search, but
    puts the lower bound for a large gain too low: at .058 instead of .076, the medians for six
    pairs, a gain of .1 and s0 = .014.

    Args:
        differences: as of `evidence`: those that count, in the order of seeds.
        s0: float > 0, as of `evidence`.

    Returns:
        Lower and upper bound in the unit of the differences. Both are infinite for fewer than five
        pairs: four can multiply the evidence by 1.9**4 = 13 at most. No test of symmetry could do
        better, since four signs agree by chance in 1 of 16 cases.

    Raises:
        ArgumentError: an argument outside its domain.
    """
    values, scale = _checked(differences, s0)
    return _lower_bound(values, scale), -_lower_bound(-values, scale)


def _reason(n: int, e: float, max_seeds: int, min_seeds: int) -> Reason:
    if e >= BETTER:
        return "shown"
    if n >= min_seeds and e < UNLIKELY:
        return "unlikely"
    if n >= max(MANY, min_seeds) and e < NO_TREND:
        return "no trend"
    return "all seeds" if n >= max_seeds else ""


def _growth(bets: FloatArray, scales: FloatArray) -> FloatArray:
    """The product of the bets on differences; both of shape (..., n)."""
    # NOTE: a loss of 1e200 at a scale of 1e-200 is an infinite number of scales, and tanh is 1.
    with np.errstate(over="ignore", under="ignore"):
        factors = 1 + _STAKE * np.tanh(bets / scales)
        return np.cumprod(factors, axis=-1, dtype=np.float64)


def _scales(sizes: FloatArray, s0: FloatArray) -> FloatArray:
    """The scale before each pair from the sizes >= 0 of all; shapes (..., n), s0 (...).

    Larger sizes never make a scale smaller.
    """
    found = np.empty_like(sizes)
    root = np.broadcast_to(math.sqrt(_PRIOR_PAIRS) * s0, sizes.shape[:-1])
    for i in range(sizes.shape[-1]):
        found[..., i] = root / math.sqrt(_PRIOR_PAIRS + i)
        # NOTE: hypot, because the square of a loss of 1e200 overflows and that of 1e-200 is 0.
        root = np.hypot(root, np.minimum(sizes[..., i], _CLIP * found[..., i]))
    return found


def _lower_bound(values: FloatArray, s0: FloatArray) -> float:
    """The smallest centre that is not ruled out, from below to the precision of the search."""

    def ruled_out(low: FloatArray, high: FloatArray) -> npt.NDArray[np.bool_]:
        """Whether all centres from low to high are: shape (k,) each."""
        a, b = np.maximum(low, 0.0)[:, None], np.maximum(high, 0.0)[:, None]
        smallest = np.maximum(np.maximum(a - values, values - b), 0.0)
        largest = np.maximum(np.abs(values - a), np.abs(values - b))
        bets = values - high[:, None]
        worst = np.where(bets > 0, _scales(largest, s0), _scales(smallest, s0))
        reached: npt.NDArray[np.bool_] = np.any(_growth(bets, worst) >= BETTER, axis=-1)
        return reached

    # Ten scales below all differences, where tanh is 1, the evidence is as large as can be.
    largest = max(float(s0), float(np.abs(values).max(initial=0.0)))
    low, high, zero = -11 * largest, 0.0, np.zeros(1)
    if not ruled_out(zero + low, zero + low)[0]:
        return -math.inf
    if ruled_out(zero, zero)[0]:
        # No bet on a centre at or above the largest difference gains.
        low, high = 0.0, float(values.max())
    # Depth first, and at each depth from below: the first interval of the last depth has the bound.
    waiting = [(low, high, _ROUNDS)]
    while True:
        low, high, rounds = waiting.pop()
        if not rounds:
            return low or high  # 0 is ruled out if the search begins there
        edges = np.linspace(low, high, _GRID + 1)
        left = np.flatnonzero(~ruled_out(edges[:-1], edges[1:]))[::-1]
        waiting += [(float(edges[i]), float(edges[i + 1]), rounds - 1) for i in left]


def _checked(
    differences: FloatArray | Sequence[float], s0: float | FloatArray
) -> tuple[FloatArray, FloatArray]:
    values, scales = np.asarray(differences, dtype=np.float64), np.asarray(s0, dtype=np.float64)
    if not np.isfinite(values).all():
        raise ArgumentError(
            "differences must be finite numbers; leave out seeds without a score in both arms. "
            f"Received: differences={differences!r}."
        )
    if not ((scales > 0) & np.isfinite(scales)).all():
        raise ArgumentError(f"s0 must be a finite number > 0. Received: s0={s0!r}.")
    return values, scales
