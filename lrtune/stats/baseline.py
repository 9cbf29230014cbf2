"""The constant learning rate trained with several seeds, and how much scores vary by chance.

What trials are compared with, the reference, is the constant rate that a search of its own found,
where there is one: schedules have searched rates and momenta, and a constant rate without would
lose for that reason alone. Without a tuned rate it is the best of the fixed ones.

A trial is one run with one seed. It is compared with the mean of the reference's n seeds, so their
difference varies by chance with the standard deviation s sqrt(1 + 1/n), s being the
standard deviation between seeds: the one further seed contributes s^2, the mean s^2/n. What is
within noise is the prediction interval of a single future observation, mean +- t s sqrt(1 + 1/n)
(Hahn and Meeker, "Statistical Intervals", 1991, chapter 4), t being the quantile of Student's t.

NOTE: s is that of the reference alone. Pooling it over the arms would have more degrees of freedom,
but assumes that seeds vary equally in all arms, and they do not: after 9 epochs s was .007 at rate
.1 and .031 at .01. With two arms of three seeds (200,000 simulated) the pooled interval covers
99.6 % of further seeds if the other arm varies 4 times as much as the reference, 84 % if a quarter
as much; that of the reference alone covers 95 % in both cases.
"""

from __future__ import annotations

import math
import statistics
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lrtune.errors import ArgumentError
from lrtune.records.schema import TUNED
from lrtune.schedules.recipe import Recipe
from lrtune.stats.winner import Direction

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lrtune.records.reader import RunRecords
    from lrtune.records.schema import Outcome

COVERAGE = 0.95
"""How often a further seed of the same arm is called "within noise"."""


@dataclass(frozen=True)
class Arm:
    """One constant learning rate over its seeds.

    Attributes:
        name: of the arm ("constant-0.1").
        recipe: how it trains.
        scores: one a seed that has a score, diverged seeds included, in the order of seeds.
        mean: of the scores.
        std: sample standard deviation (n - 1) of the scores; NaN for a single one.
        n: int >= 1, number of scores.
        diverged: how many of the n seeds diverged; their score is the untrained model's.
        failed: seeds without a score, not among the n.
    """

    name: str
    recipe: Recipe
    scores: tuple[float, ...]
    mean: float
    std: float
    n: int
    diverged: int = 0
    failed: int = 0

    @classmethod
    def of_scores(
        cls,
        name: str,
        recipe: Recipe,
        scores: tuple[float, ...],
        *,
        diverged: int = 0,
        failed: int = 0,
    ) -> Arm:
        """The arm with these scores, at least one."""
        std = statistics.stdev(scores) if len(scores) > 1 else math.nan
        mean = statistics.mean(scores)
        return cls(name, recipe, scores, mean, std, len(scores), diverged, failed)


@dataclass(frozen=True)
class Baseline:
    """All constant arms, and how much a single run varies by chance.

    Attributes:
        arms: in the manifest's order, without those that have no score.
        reference: the arm that trials are compared with: the tuned one where it has a score, else
            the one with the best mean.
        spread: float >= 0: a single run that is no better or worse than the reference scores
            within this of its mean 95 times in 100. NaN if unknown.
    """

    arms: tuple[Arm, ...]
    reference: Arm
    spread: float

    @property
    def is_tuned(self) -> bool:
        """Whether the reference was itself searched for."""
        return self.reference.name == TUNED

    def within_noise(self, delta: float) -> bool | None:
        """Whether chance could put a single run so far from the reference; None if unknown."""
        if math.isnan(self.spread) or math.isnan(delta):
            return None
        return bool(abs(delta) <= self.spread)


def measure_baseline(records: RunRecords) -> Baseline | None:
    """The baseline of a run; None if no seed of any arm has a score.

    Only seeds trained for the full budget count. A diverged seed counts with its score, for that
    is what the arm's learning rate leads to; a failed one says nothing about the rate.
    """
    manifest = records.manifest
    arms = []
    for name, outcomes in records.baseline.items():
        full = [seed for seed in outcomes if seed.epochs.planned == manifest.max_epochs]
        values = manifest.baseline_arms.get(name) or (full[0].values if full else {})
        arm = _arm(name, values, full)
        if arm is not None:
            arms.append(arm)
    if not arms:
        return None

    reference = choose_reference(arms, manifest.direction)
    return Baseline(arms=tuple(arms), reference=reference, spread=_spread(reference))


def choose_reference(arms: Sequence[Arm], direction: str) -> Arm:
    """The arm that trials are compared with: the tuned one, else the one with the best mean.

    The tuned arm even where another one's mean is better: to take the better of the two by the very
    seeds that measure it would favour the baseline.

    Args:
        arms: at least one.
        direction: "max" or "min", what is better for a score.
    """
    best = Direction(direction).best(arms, lambda arm: arm.mean)
    return next((arm for arm in arms if arm.name == TUNED), best or arms[0])


def noise_spread(std: float, n: int, coverage: float = COVERAGE) -> float:
    """Half the width of the prediction interval of one further run around the mean of n.

    Args:
        std: float >= 0, sample standard deviation (n - 1) of these n runs.
        n: int >= 1, number of runs.
        coverage: float > 0 and < 1, how often a further run shall lie within.

    Returns:
        float >= 0 in the unit of `std`; NaN for n = 1.
    """
    if n < 1:
        raise ArgumentError(f"n must be >= 1. Received: n={n!r}.")
    if not 0 < coverage < 1:
        raise ArgumentError(f"coverage must be > 0 and < 1. Received: coverage={coverage!r}.")
    if n == 1:
        return math.nan
    # NOTE: the same number as scipy.stats.t.ppf, but scipy.special is imported in 0.3 s and
    # scipy.stats in 1.5 s, which is most of what a report may take.
    from scipy.special import stdtrit

    t = float(stdtrit(n - 1, (1 + coverage) / 2))
    return t * std * math.sqrt(1 + 1 / n)


def _arm(name: str, values: Mapping[str, Any], outcomes: Sequence[Outcome]) -> Arm | None:
    scored = [seed for seed in outcomes if seed.status != "failed" and seed.score is not None]
    scores = tuple(float(seed.score) for seed in scored if seed.score is not None)
    if not scores:
        return None
    return Arm.of_scores(
        name,
        Recipe.from_values(values),
        scores,
        diverged=sum(seed.status == "diverged" for seed in scored),
        failed=len(outcomes) - len(scores),
    )


def _spread(arm: Arm) -> float:
    # An arm with a diverged seed varies between training and not training. An arm whose seeds all
    # score exactly the same has not trained either: it predicts one class whatever the seed. Both
    # would say nothing about the seeds of a model that does train.
    if arm.diverged or not arm.std > 0:
        return math.nan
    return noise_spread(arm.std, arm.n)
