"""Arms over the same seeds against a baseline: differences, their certainty, and a verdict.

Everything is paired: one seed means the same initial weights, image order and dropout for every
arm, so the effect that a seed has on all of them cancels in their differences.

The interval of an arm's mean is that of the studentized bootstrap (`stats.intervals`). For an arm
against the baseline, interval and p-value come from the exact sign-flip test (`stats.signflip`), so
the interval excludes 0 if and only if the p-value before correction is at most .05. A verdict
uses the p-value after Holm's correction, which keeps the probability of any false verdict at .05
over all arms together (Holm, Scandinavian Journal of Statistics 6, 1979). Each interval is for one
comparison alone, and is called unadjusted wherever it stands beside an adjusted p-value. NOTE: why
not an adjusted interval: Holm's procedure has none that agrees with its verdicts, and Bonferroni's
would include 0 where the verdict is "better".

Measured by simulation with known truth, 2,000 confirmations each, noise as on the real data:

    false verdicts: 5 equal arms, some arm "better"       1.5 % +- .3 at 8 seeds, 2.6 % +- .4 at 12
    95 % interval of a difference, both arms vary alike   covers 94.7 to 97.1 % at 6 to 20 seeds
    the same, one arm skewed and twice as noisy           covers 92.7 %
    the same, one seed in ten of one arm at chance        covers 82 to 90 %
    95 % interval of an arm's mean                        covers 92.5 to 94.9 %
    power for a true gain of .015, one comparison         .51 at 8 seeds, .78 at 12, .88 at 16
    the same, one of four comparisons                     .17 at 8 seeds, .49 at 12, .73 at 16

`pytest -m long tests/stats --log-cli-level INFO` prints these figures. The BCa bootstrap, the usual
choice for intervals, covers only 78 to 90 % at 6 and 8 seeds and is not used.

All of this is about further seeds on *the same* test images. Another test set favours other arms,
and more seeds do not help against that. For arms that are equally accurate over all images, where
how easy an image is correlates .9 between arms, 2,000 fixed images give a p-value <= .05 before
correction in .10 of comparisons at 8 seeds and .15 at 12 (20,000 simulated; with 2,000,
tests/stats/test_error_rates.py).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import numpy as np

from lrtune.errors import ArgumentError
from lrtune.stats.intervals import mean_interval
from lrtune.stats.power import fewest_seeds, seeds_to_show
from lrtune.stats.signflip import interval, p_value, subset_means
from lrtune.stats.winner import Direction

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    import numpy.typing as npt

    FloatArray = npt.NDArray[np.float64]

Verdict = Literal["better", "worse", "none", "untested"]


@dataclass(frozen=True)
class ArmSummary:
    """One arm over its seeds. Scores are in the unit of the objective (accuracy: 0 to 1).

    Attributes:
        name: of the arm.
        n: int >= 0, number of seeds with a score.
        missing: number of the comparison's seeds without one: failed, or not run in this arm.
        mean: of the n scores; NaN for n = 0.
        std: sample standard deviation (n - 1); NaN for n < 2.
        lower, upper: interval of the mean; NaN for n < 6.
        search_score: the arm's score in the search; NaN if unknown.
        selection_bias: by how much the search's score was better than the mean (the winner's
            curse): search score - mean where more is better, mean - search score where less is.
            NaN if unknown.
    """

    name: str
    n: int
    missing: int
    mean: float
    std: float
    lower: float
    upper: float
    search_score: float = math.nan
    selection_bias: float = math.nan


@dataclass(frozen=True)
class Difference:
    """One arm against the baseline, seed by seed; above 0 is always better.

    Attributes:
        arm: name of the arm.
        n: int >= 0, number of pairs: seeds with a score in both arms.
        missing: number of the comparison's seeds that make no pair.
        mean: of the paired differences, arm - baseline where more is better, baseline - arm where
            less is; NaN for n = 0.
        std: sample standard deviation (n - 1) of the differences; NaN for n < 2.
        lower, upper: interval of the mean difference, not adjusted for the number of comparisons;
            NaN without a test.
        p: two-sided p-value of the exact sign-flip test; NaN for fewer pairs than a test needs.
        alpha: the family-wise level, 1 - confidence.
        p_holm: the p-value with Holm's correction over all tested arms; NaN without a test.
        comparisons: how many arms were tested, not counting the baseline.
        verdict: "better" or "worse" if p_holm <= alpha, "none" if not, "untested" if p is NaN.
        seeds_to_show: about how many seeds would show a difference of this size
            (`stats.power.seeds_to_show`), a guess from these very seeds; None if there is a
            verdict or no test, or the difference is less than one standard error.
        evidence: of a sequential test (`stats.sequential`), which has no p-value: the verdict is
            "better" if it is at least 20, "none" if the test gave up, "untested" if it goes on; NaN
            of other tests. The interval is then that of the sequential test.
    """

    arm: str
    n: int
    missing: int
    mean: float
    std: float
    lower: float
    upper: float
    p: float
    alpha: float
    p_holm: float = math.nan
    comparisons: int = 0
    verdict: Verdict = "untested"
    seeds_to_show: int | None = None
    evidence: float = math.nan


@dataclass(frozen=True)
class Comparison:
    """All arms of a comparison.

    Attributes:
        baseline: name of the arm that all others are compared with.
        direction: "max" if higher scores are better, "min" if lower ones are.
        confidence: of each interval by itself.
        seeds: all seeds of any arm, ascending.
        arms: all arms in their order in `scores`, including the baseline.
        differences: the same without the baseline.
    """

    baseline: str
    direction: str
    confidence: float
    seeds: tuple[int, ...]
    arms: tuple[ArmSummary, ...]
    differences: tuple[Difference, ...]


# The square of a loss above 1e154 overflows; the standard deviation is infinite then.
@np.errstate(over="ignore", invalid="ignore")
def compare(
    scores: Mapping[str, Mapping[int, float]],
    baseline: str,
    direction: str,
    *,
    confidence: float = 0.95,
    search_scores: Mapping[str, float] | None = None,
    seed: int = 0,
) -> Comparison:
    """Compare arms with a baseline over the seeds they share.

    Args:
        scores: arm -> seed -> score. A score that is not finite counts as missing, and a seed
            without a score in both arms makes no pair. NOTE: leaving out the seeds with which an
            arm diverged compares only its good runs; give a diverged seed the score it ended with.
        baseline: one of the arms.
        direction: "max" if higher scores are better, "min" if lower ones are.
        confidence: float > 0 and < 1, of the intervals; 1 - confidence is the level of verdicts.
        search_scores: arm -> its score in the search, for any of the arms; others are ignored.
        seed: int >= 0, of the resamples: the same seed gives the same numbers.

    Returns:
        The comparison. An arm that shares too few seeds with the baseline for a test (6 at .95)
        has a summary, but no p-value and no verdict.

    Raises:
        ArgumentError: an argument outside its domain.
    """
    _check(scores, baseline, confidence)
    known = search_scores or {}
    alpha = round(1 - confidence, 12)
    seeds = tuple(sorted({one for of_arm in scores.values() for one in of_arm}))
    table = {name: _row(of_arm, seeds) for name, of_arm in scores.items()}
    sign = Direction(direction).sign
    differences = _corrected(
        _difference(name, sign * (row - table[baseline]), alpha, seed)
        for name, row in table.items()
        if name != baseline
    )
    arms = []
    for name, row in table.items():
        arm, searched = _summary(name, row, confidence, seed), float(known.get(name, math.nan))
        bias = sign * (searched - arm.mean)
        arms.append(replace(arm, search_score=searched, selection_bias=bias))
    return Comparison(baseline, direction, confidence, seeds, tuple(arms), differences)


def _row(of_arm: Mapping[int, float], seeds: Sequence[int]) -> FloatArray:
    row = np.array([of_arm.get(seed, math.nan) for seed in seeds], dtype=np.float64)
    row[~np.isfinite(row)] = np.nan
    return row


def _summary(arm: str, row: FloatArray, confidence: float, seed: int) -> ArmSummary:
    """The scores of one arm by themselves."""
    values = row[np.isfinite(row)]
    n = len(values)
    lower, upper = map(float, mean_interval(values, confidence, seed=seed))
    return ArmSummary(arm, n, len(row) - n, *_moments(values), lower, upper)


def _difference(arm: str, differences: FloatArray, alpha: float, seed: int) -> Difference:
    """The difference of one arm, still without correction and verdict."""
    values = differences[np.isfinite(differences)] + 0.0  # no -0.0
    n = len(values)
    p = lower = upper = math.nan
    if n >= fewest_seeds(alpha=alpha):
        means = subset_means(values, seed=seed)
        p = float(p_value(means))
        lower, upper = map(float, interval(means, 1 - alpha))
    return Difference(arm, n, len(differences) - n, *_moments(values), lower, upper, p, alpha)


def _corrected(differences: Iterable[Difference]) -> tuple[Difference, ...]:
    """The differences with Holm's correction over all tested arms, and with verdicts."""
    from statsmodels.stats.multitest import multipletests

    found = list(differences)
    tested = [one for one in found if not math.isnan(one.p)]
    adjusted = multipletests([one.p for one in tested], method="holm")[1] if tested else ()
    judged = {
        one.arm: _judged(one, float(p_holm), len(tested))
        for one, p_holm in zip(tested, adjusted, strict=True)
    }
    return tuple(judged.get(one.arm, one) for one in found)


def _judged(one: Difference, p_holm: float, comparisons: int) -> Difference:
    verdict: Verdict = "none"
    more = None
    if p_holm <= one.alpha:
        verdict = "better" if one.mean > 0 else "worse"
    else:
        more = seeds_to_show(one.mean, one.std, one.n, comparisons, one.alpha)
    return replace(one, p_holm=p_holm, comparisons=comparisons, verdict=verdict, seeds_to_show=more)


def _moments(values: FloatArray) -> tuple[float, float]:
    if not len(values):
        return math.nan, math.nan
    if np.ptp(values) == 0:
        # Rounding must not give equal scores a deviation of 1e-17.
        return float(values[0]), 0.0 if len(values) > 1 else math.nan
    return float(values.mean()), float(values.std(ddof=1))


def _check(scores: Mapping[str, Mapping[int, float]], baseline: str, confidence: float) -> None:
    if baseline not in scores or len(scores) < 2:
        raise ArgumentError(
            "scores must hold the baseline and at least one other arm. "
            f"Received: baseline={baseline!r}, arms {', '.join(map(repr, scores)) or 'none'}."
        )
    if not 0 < confidence < 1:
        raise ArgumentError(f"confidence must be > 0 and < 1. Received: confidence={confidence!r}.")
