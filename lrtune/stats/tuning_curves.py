"""The best score to expect from a number of trials, with bands; and a search's best so far.

The best of n independent trials has the distribution F**n, F being that of one trial: the tuning
curve is its median, or mean, against n. A simultaneous confidence band of F becomes one of the
median curve at all n at once, without any assumption on F (Lourie, Cho and He, "Show Your Work with
Confidence: Confidence Bands for Tuning Curves", NAACL 2024, https://arxiv.org/abs/2311.09480;
library opda). Only random search draws its trials independently of one another.

NOTE: which band. Both methods hold their level at any number of trials (1,000 simulated searches of
10 to 100 trials: the median curve lay within the .95 band, at all n at once, in .990 to .995; the
band is exact for the whole distribution, and the curve is but its better half). Learned-Miller and
DeStefano's is much the tighter one where a tuning curve looks, at the best scores (50 uniform
trials: the band of the best of 10 is .22 wide, against .29 of Kolmogorov and Smirnov's; 250 trials:
.085 against .130), but opda has to simulate it: .07 s for 10 trials, .6 s for 50, 7 s for 250. Its
highest-density variant takes 5 times as long as the equal-tailed one for about the same width.
"""

from __future__ import annotations

import functools
import math
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from lrtune.errors import ArgumentError
from lrtune.stats.trials import epochs_of, families_of, family_of, is_full, score_of
from lrtune.stats.winner import Direction

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lrtune.records.reader import RunRecords

Method = Literal["ld_equal_tailed", "ld_highest_density", "ks", "dkw"]
METHODS: tuple[Method, ...] = ("ld_equal_tailed", "ld_highest_density", "ks", "dkw")

LARGEST_LD = 50
"""Up to this many trials the band is Learned-Miller and DeStefano's by default."""


@dataclass(frozen=True)
class TuningCurve:
    """The best score of n independent trials, against n. Scores in the unit of the objective.

    Attributes:
        n: 1 to the number of trials it rests on.
        expected: expected best score of n trials.
        median: median best score of n trials.
        lower: of the band of `median`, holding at all n at once; the smaller bound, whatever the
            direction.
        upper: of the same; infinite (or the end of the support) where so few trials do not bound
            the best of n.
        confidence: of the band.
        method: of the band.
        trials: int >= 1, how many trials it rests on.
    """

    n: tuple[int, ...]
    expected: tuple[float, ...]
    median: tuple[float, ...]
    lower: tuple[float, ...]
    upper: tuple[float, ...]
    confidence: float
    method: Method
    trials: int


@dataclass(frozen=True)
class BestSoFar:
    """The best score a search had, against the epochs it had spent; one entry a trial that ended.

    Attributes:
        trial_ids: in the order of ids, which is that in which trials were begun: when they ended is
            not recorded.
        epochs: cumulative epochs of all trials, those of shorter budgets, diverged and failed ones
            among them.
        best: best score of the completed trials of the full budget so far; NaN before the first.
            Trials of shorter budgets cost epochs, but their scores are not comparable.
    """

    trial_ids: tuple[str, ...]
    epochs: tuple[int, ...]
    best: tuple[float, ...]


def tuning_curve(
    scores: Sequence[float],
    direction: str,
    *,
    confidence: float = 0.95,
    support: tuple[float, float] = (-math.inf, math.inf),
    method: Method | None = None,
    seed: int = 0,
) -> TuningCurve:
    """The tuning curve of independent trials.

    Args:
        scores: at least one, finite: of trials drawn independently from one space.
        direction: "max" or "min", what is better.
        confidence: float > 0 and < 1, of the band.
        support: the least and the greatest score there can be; (0, 1) for an accuracy.
        method: of the band; None for "ld_equal_tailed" up to `LARGEST_LD` scores and "ks" above.
        seed: int >= 0, of the simulation behind an "ld" band.

    Returns:
        The curve at n = 1 to the number of scores. Where scores tie the band is conservative.
    """
    less = Direction(direction) is Direction.MIN
    values = _checked(scores, confidence, support)
    if method is None:
        method = "ld_equal_tailed" if len(values) <= LARGEST_LD else "ks"
    if method not in METHODS:
        raise ArgumentError(
            f"method must be one of {', '.join(METHODS)}. Received: method={method!r}."
        )
    from opda.nonparametric import EmpiricalDistribution

    with warnings.catch_warnings():
        # Accuracies tie. Rounding a score that has no ties is monotone, so that the band of the
        # scores before rounding, rounded, is a band of the rounded ones: what opda warns of is
        # that it holds more often than asked.
        warnings.filterwarnings("ignore", "Duplicates detected", RuntimeWarning)
        low, point, high = EmpiricalDistribution.confidence_bands(
            values,
            confidence,
            a=support[0],
            b=support[1],
            generator=_generator(seed, len(values)),
            method=method,
            n_jobs=1,  # else it starts a process a core for every curve
        )
    n = np.arange(1, len(values) + 1)
    # A bound above on the distribution function is one below on scores.
    lower, upper = (one.quantile_tuning_curve(n, minimize=less) for one in (high, low))
    return TuningCurve(
        n=tuple(range(1, len(values) + 1)),
        expected=tuple(map(float, point.average_tuning_curve(n, minimize=less))),
        median=tuple(map(float, point.quantile_tuning_curve(n, minimize=less))),
        lower=tuple(map(float, lower)),
        upper=tuple(map(float, upper)),
        confidence=confidence,
        method=method,
        trials=len(values),
    )


def family_curves(
    records: RunRecords, *, confidence: float = 0.95, method: Method | None = None
) -> dict[str, TuningCurve]:
    """A tuning curve for each schedule family of a random search.

    Trials of the full budget count, completed and diverged ones: to draw a rate that diverges is
    part of what the family's space offers, and its score is the untrained model's. Failed trials
    have no score, and say nothing about their parameters.

    Args:
        records: of a random search.
        confidence: float > 0 and < 1, of each band.
        method: of all bands; None for "ld_equal_tailed" if no family has more than `LARGEST_LD`
            trials, else "ks", so that bands can be compared.

    Returns:
        Family -> curve, in the manifest's order; families without a trial are left out.

    Raises:
        ArgumentError: the search was no random one.
    """
    manifest = records.manifest
    if manifest.algo != "random":
        raise ArgumentError(
            "A tuning curve needs independent trials, which only random search draws: trials of "
            f"{manifest.algo!r} depend on the scores of earlier ones. Use best_so_far() to see the "
            "best score of this search after each trial."
        )
    scores: dict[str, list[float]] = {family: [] for family in families_of(manifest)}
    for outcome in records.outcomes:
        score = score_of(outcome)
        if is_full(outcome, manifest) and math.isfinite(score):
            scores.setdefault(family_of(outcome), []).append(score)
    if method is None:
        most = max((len(of_family) for of_family in scores.values()), default=0)
        method = "ld_equal_tailed" if most <= LARGEST_LD else "ks"
    support = (0.0, 1.0) if "accuracy" in manifest.objective else (-math.inf, math.inf)
    return {
        family: tuning_curve(
            of_family, manifest.direction, confidence=confidence, support=support, method=method
        )
        for family, of_family in scores.items()
        if of_family
    }


def best_so_far(records: RunRecords) -> BestSoFar:
    """The best score of the full budget against epochs spent, for any algorithm.

    Args:
        records: of any search. Trials that have not ended are left out.
    """
    direction = Direction(records.manifest.direction)
    epochs, best = [0], [math.nan]
    for outcome in records.outcomes:
        epochs.append(epochs[-1] + epochs_of(outcome))
        score = score_of(outcome)
        if outcome.status != "completed" or not is_full(outcome, records.manifest):
            score = math.nan
        best.append(
            score if math.isnan(best[-1]) or direction.better(score, best[-1]) else best[-1]
        )
    trial_ids = tuple(outcome.trial_id for outcome in records.outcomes)
    return BestSoFar(trial_ids, tuple(epochs[1:]), tuple(best[1:]))


@functools.cache
def _generator(seed: int, n: int) -> np.random.Generator:
    # NOTE: opda caches a band's weights by number of scores and generator. One generator for each
    # number of scores gives them from the cache, and never in an order that changes the figures.
    return np.random.default_rng([seed, n])


def _checked(
    scores: Sequence[float], confidence: float, support: tuple[float, float]
) -> list[float]:
    values = [float(score) for score in scores]
    if not values or not all(math.isfinite(value) for value in values):
        raise ArgumentError(
            f"scores must be finite numbers, at least one. Received: scores={values!r}."
        )
    if not 0 < confidence < 1:
        raise ArgumentError(f"confidence must be > 0 and < 1. Received: confidence={confidence!r}.")
    if not support[0] <= min(values) <= max(values) <= support[1]:
        raise ArgumentError(
            f"support must hold all scores, {min(values):g} to {max(values):g}. "
            f"Received: support={support!r}."
        )
    return values
