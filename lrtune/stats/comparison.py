"""Arms over the same seeds against a baseline: differences, their certainty, and a verdict.

Everything is paired: one seed means the same initial weights, image order and dropout for every
arm, so that what a seed does to all of them cancels in their differences.

Per arm, the interval of its mean is the studentized bootstrap's (`stats.intervals`); per arm
against the baseline, interval and p-value are the exact sign-flip test's (`stats.signflip`), so
that the interval leaves out 0 if and only if the unadjusted p-value is at most .05. A verdict
follows the p-value adjusted by Holm's procedure, which holds the probability of any false verdict
at .05 over all arms together (Holm, Scandinavian Journal of Statistics 6, 1979); the intervals are
each of one comparison and not adjusted.

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
and more seeds do not help against that: for arms that are equally accurate over all images, where
how easy an image is correlates .9 between arms, an unadjusted p <= .05 on 2,000 fixed images comes
in .11 of comparisons at 8 seeds and .14 at 12 (tests/stats/test_error_rates.py).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from lrtune.errors import ArgumentError
from lrtune.stats.intervals import mean_interval
from lrtune.stats.power import fewest_seeds, seeds_to_show
from lrtune.stats.signflip import interval, p_value, subset_means
from lrtune.stats.winner import Direction

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy.typing as npt

    FloatArray = npt.NDArray[np.float64]

Verdict = Literal["better", "worse", "none", "untested"]

RESAMPLES = 9_999
"""Of the bootstrap for the probability of being best: its standard error is .005 at most."""


@dataclass(frozen=True)
class ArmSummary:
    """One arm over its seeds. Scores are in the unit of the objective (accuracy: 0 to 1).

    Attributes:
        name: of the arm.
        n: int >= 0, seeds with a score.
        missing: seeds of the comparison without one, for the arm failed or was not run.
        mean: of the n scores; NaN for none.
        std: sample standard deviation (n - 1); NaN for fewer than two.
        lower: of the interval of the mean; NaN for fewer than 6 scores.
        upper: of the same.
        best: 0 to 1, the probability that its mean is the best of all arms with 6 pairs or more,
            by resampling seeds; ties are split. NaN for an arm that has fewer, or if fewer than 6
            seeds have a score in all of these. NOTE: it is optimistic, as only trained seeds are
            ever drawn: it is not a p-value.
        search_score: what the search gave it; NaN if unknown.
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
    best: float
    search_score: float
    selection_bias: float


@dataclass(frozen=True)
class Difference:
    """One arm against the baseline, seed by seed; above 0 is always better.

    Attributes:
        arm: name of the arm.
        n: int >= 0, pairs: seeds with a score in both.
        missing: seeds of the comparison that make no pair.
        mean: of the paired differences, arm - baseline where more is better, baseline - arm where
            less is; NaN without a pair.
        std: sample standard deviation (n - 1) of the differences; NaN for fewer than two.
        lower: of the interval of the mean difference, not adjusted; NaN without a test.
        upper: of the same.
        p: two-sided p-value of the exact sign-flip test; NaN for fewer pairs than a test needs.
        p_holm: the same adjusted for all tested arms.
        comparisons: how many arms were tested, the baseline not among them.
        alpha: the family-wise level, 1 - confidence.
        verdict: "better" or "worse" where p_holm <= alpha, "none" where not, "untested" where p is
            NaN.
        seeds_to_show: about how many seeds would show a difference of this size
            (`stats.power.seeds_to_show`); None where there is a verdict, no difference or no test.
    """

    arm: str
    n: int
    missing: int
    mean: float
    std: float
    lower: float
    upper: float
    p: float
    p_holm: float
    comparisons: int
    alpha: float
    verdict: Verdict
    seeds_to_show: int | None


@dataclass(frozen=True)
class Comparison:
    """What `compare` found.

    Attributes:
        baseline: name of the arm that all others are compared with.
        direction: "max" or "min", what is better.
        confidence: of all intervals.
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


@dataclass(frozen=True)
class _Pairs:
    arm: str
    values: FloatArray
    p: float
    lower: float
    upper: float


# The squares of losses from 1e154 on are more than a float holds: then a deviation is infinite.
@np.errstate(over="ignore", invalid="ignore")
def compare(
    scores: Mapping[str, Mapping[int, float]],
    baseline: str,
    direction: str,
    *,
    confidence: float = 0.95,
    search_scores: Mapping[str, float] | None = None,
    seed: int = 0,
    allow_untested: bool = False,
) -> Comparison:
    """Compare arms with a baseline over the seeds they share.

    Args:
        scores: arm -> seed -> score. A score that is not finite counts as missing, and a seed
            without a score in both arms makes no pair. NOTE: leaving out the seeds with which an
            arm diverged compares only its good runs; give a diverged seed the score it ended with.
        baseline: one of the arms.
        direction: "max" or "min", what is better.
        confidence: float > 0 and < 1, of the intervals; 1 - confidence is the level of verdicts.
        search_scores: arm -> the score the search gave it, of any of the arms.
        seed: int >= 0, of the resamples: the same seed gives the same figures.
        allow_untested: True for a comparison in which no arm may have enough seeds, one that is
            still being trained: then it has summaries alone.

    Returns:
        The comparison; an arm with too few pairs left has no test, only a summary.

    Raises:
        ArgumentError: no arm shares enough seeds with the baseline for any test (6 at .95), and
            that is not allowed.
    """
    _check(scores, baseline, confidence, search_scores or {})
    if not allow_untested:
        _check_seeds(scores, baseline, confidence)
    alpha = round(1 - confidence, 12)
    seeds = tuple(sorted({one for of_arm in scores.values() for one in of_arm}))
    table = {name: _row(of_arm, seeds) for name, of_arm in scores.items()}
    sign = Direction(direction).sign

    paired = [
        _paired(name, sign * (row - table[baseline]), alpha, seed)
        for name, row in table.items()
        if name != baseline
    ]
    adjusted = _holm([pairs.p for pairs in paired])
    comparisons = sum(not math.isnan(pairs.p) for pairs in paired)
    differences = tuple(
        _difference(pairs, p_holm, comparisons, len(seeds), alpha)
        for pairs, p_holm in zip(paired, adjusted, strict=True)
    )
    tested = [baseline, *(one.arm for one in differences if one.verdict != "untested")]
    best = probability_best({name: sign * table[name] for name in tested}, seed)
    searched = search_scores or {}
    arms = tuple(
        _summary(name, row, confidence, best, float(searched.get(name, math.nan)), sign, seed)
        for name, row in table.items()
    )
    return Comparison(baseline, direction, confidence, seeds, arms, differences)


def probability_best(table: Mapping[str, FloatArray], seed: int = 0) -> dict[str, float]:
    """How often each arm has the best mean when seeds are resampled, whole seeds together.

    Args:
        table: arm -> its scores, shape (n,), more is better, all in the order of the same seeds;
            seeds that are NaN in any arm do not count.
        seed: int >= 0, of the resamples.

    Returns:
        Arm -> 0 to 1, in sum 1; all NaN if fewer than 6 seeds count. Ties are split evenly.
    """
    scores = np.array(list(table.values()), dtype=np.float64)
    scores = scores[:, np.isfinite(scores).all(axis=0)]
    n = scores.shape[1]
    if n < fewest_seeds():
        return dict.fromkeys(table, math.nan)
    draw = np.random.default_rng(seed)
    weights = draw.multinomial(n, np.full(n, 1 / n), size=RESAMPLES)
    means = weights @ scores.T / n
    # Equal up to rounding is equal.
    slack = 1e-12 * np.abs(scores).max()
    is_best = means >= means.max(axis=1, keepdims=True) - slack
    shares = (is_best / is_best.sum(axis=1, keepdims=True)).mean(axis=0)
    return {name: float(share) for name, share in zip(table, shares, strict=True)}


def _row(of_arm: Mapping[int, float], seeds: Sequence[int]) -> FloatArray:
    row = np.array([of_arm.get(seed, math.nan) for seed in seeds], dtype=np.float64)
    row[~np.isfinite(row)] = np.nan
    return row


def _paired(arm: str, differences: FloatArray, alpha: float, seed: int) -> _Pairs:
    values = differences[np.isfinite(differences)] + 0.0  # no -0.0
    if len(values) < fewest_seeds(alpha=alpha):
        return _Pairs(arm, values, math.nan, math.nan, math.nan)
    means = subset_means(values, seed=seed)
    lower, upper = interval(means, 1 - alpha)
    return _Pairs(arm, values, float(p_value(means)), float(lower), float(upper))


def _difference(
    pairs: _Pairs, p_holm: float, comparisons: int, seeds: int, alpha: float
) -> Difference:
    n = len(pairs.values)
    mean, std = _moments(pairs.values)
    verdict: Verdict = "none"
    if math.isnan(pairs.p):
        verdict = "untested"
    elif p_holm <= alpha:
        verdict = "better" if mean > 0 else "worse"
    more = seeds_to_show(mean, std, n, comparisons, alpha) if verdict == "none" else None
    return Difference(
        arm=pairs.arm,
        n=n,
        missing=seeds - n,
        mean=mean,
        std=std,
        lower=pairs.lower,
        upper=pairs.upper,
        p=pairs.p,
        p_holm=p_holm,
        comparisons=comparisons,
        alpha=alpha,
        verdict=verdict,
        seeds_to_show=more,
    )


def _summary(
    name: str,
    row: FloatArray,
    confidence: float,
    best: Mapping[str, float],
    search_score: float,
    sign: float,
    seed: int,
) -> ArmSummary:
    values = row[np.isfinite(row)]
    mean, std = _moments(values)
    lower, upper = mean_interval(values, confidence, seed=seed)
    return ArmSummary(
        name=name,
        n=len(values),
        missing=len(row) - len(values),
        mean=mean,
        std=std,
        lower=float(lower),
        upper=float(upper),
        best=best.get(name, math.nan),
        search_score=search_score,
        selection_bias=sign * (search_score - mean),
    )


def _moments(values: FloatArray) -> tuple[float, float]:
    if not len(values):
        return math.nan, math.nan
    if np.ptp(values) == 0:
        # What is constant must not get a deviation of 1e-17 by rounding.
        return float(values[0]), 0.0 if len(values) > 1 else math.nan
    return float(values.mean()), float(values.std(ddof=1))


def _holm(ps: Sequence[float]) -> list[float]:
    tested = [p for p in ps if not math.isnan(p)]
    if not tested:
        return [math.nan] * len(ps)
    from statsmodels.stats.multitest import multipletests

    adjusted = iter(multipletests(tested, method="holm")[1])
    return [math.nan if math.isnan(p) else float(next(adjusted)) for p in ps]


def _check(
    scores: Mapping[str, Mapping[int, float]],
    baseline: str,
    confidence: float,
    search_scores: Mapping[str, float],
) -> None:
    if baseline not in scores or len(scores) < 2:
        raise ArgumentError(
            "scores must hold the baseline and at least one other arm. "
            f"Received: baseline={baseline!r}, arms {', '.join(map(repr, scores)) or 'none'}."
        )
    if not 0 < confidence < 1:
        raise ArgumentError(f"confidence must be > 0 and < 1. Received: confidence={confidence!r}.")
    if unknown := [name for name in search_scores if name not in scores]:
        raise ArgumentError(
            f"search_scores must be of arms in scores: {', '.join(map(repr, scores))}. "
            f"Received: {', '.join(map(repr, unknown))}."
        )


def _check_seeds(
    scores: Mapping[str, Mapping[int, float]], baseline: str, confidence: float
) -> None:
    alpha = round(1 - confidence, 12)
    fewest = fewest_seeds(alpha=alpha)
    shared = max(
        len(set(of_arm) & set(scores[baseline]))
        for name, of_arm in scores.items()
        if name != baseline
    )
    if shared < fewest:
        raise ArgumentError(
            f"scores must hold at least {fewest} seeds that an arm shares with the baseline: no "
            f"two-sided sign-flip test of {fewest - 1} pairs can reach {alpha:g}, its smallest "
            f"p-value is 2/2**{fewest - 1} = {2.0 ** (2 - fewest):g}. Received: {shared} shared."
        )
