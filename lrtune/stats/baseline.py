"""The constant learning rate trained with several seeds, and how much scores vary by chance.

Trials are compared with the reference. It is the tuned constant rate if there is one, which has a
search of its own: schedules have searched rates and momenta, and a constant rate without such a
search would lose for that reason alone. Without a tuned rate it is the best of the fixed ones.

A trial is one run with one seed. It is compared with the mean of the reference's n seeds, so the
difference varies by chance with standard deviation s sqrt(1 + 1/n), where s is the standard
deviation between seeds: the trial's seed contributes s^2, the mean s^2/n. A trial is within noise
if it lies in the prediction interval of a single future observation, mean +- t s sqrt(1 + 1/n)
with t the quantile of Student's t (Hahn and Meeker, "Statistical Intervals", 1991, chapter 4).
The best of k trials lies above it more often, so a verdict about it uses a wider bound
(`stats.best_of`).

NOTE: s is that of the reference alone. Pooling all arms would give more degrees of freedom, but
assumes that seeds vary equally in all arms, and they do not: after 9 epochs s was .007 at rate .1
and .031 at .01. With two arms of three seeds (200,000 simulated) the pooled interval covers 99.6 %
of further seeds if the other arm varies 4 times as much as the reference, and 84 % if it varies a
quarter as much. The interval from the reference alone covers 95 % in both cases.
"""

from __future__ import annotations

import math
import statistics
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from lrtune.errors import ArgumentError
from lrtune.records.schema import TUNED
from lrtune.schedules.recipe import Recipe
from lrtune.stats.best_of import best_of_factor
from lrtune.stats.trials import score_of
from lrtune.stats.winner import Direction

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lrtune.records.reader import RunRecords

COVERAGE = 0.95
"""The share of further seeds of the same arm that are "within noise"."""


@dataclass(frozen=True)
class Arm:
    """One constant learning rate over its seeds.

    Attributes:
        name: of the arm ("constant-0.1").
        recipe: how it trains.
        scores: at least one, in the order of seeds, including diverged seeds.
        diverged: how many of these seeds diverged; their score is the untrained model's.
        failed: how many other seeds failed, which have no score.
    """

    name: str
    recipe: Recipe
    scores: tuple[float, ...]
    diverged: int = 0
    failed: int = 0

    @property
    def n(self) -> int:
        """Number of scores, >= 1."""
        return len(self.scores)

    @cached_property
    def mean(self) -> float:
        """Mean of the scores."""
        return statistics.mean(self.scores)

    @cached_property
    def std(self) -> float:
        """Sample standard deviation (n - 1) of the scores; NaN for a single one."""
        return statistics.stdev(self.scores) if self.n > 1 else math.nan


@dataclass(frozen=True)
class Baseline:
    """All constant arms, and how much a single run varies by chance.

    Attributes:
        arms: those with a score, in the manifest's order.
        reference: the arm that trials are compared with: the tuned one if it has a score, else
            the one with the best mean.
        spread: float >= 0: 95 % of single runs of the reference score within this distance of its
            mean. NaN if unknown.
    """

    arms: tuple[Arm, ...]
    reference: Arm
    spread: float

    @property
    def is_tuned(self) -> bool:
        """Whether the reference is the tuned constant rate."""
        return self.reference.name == TUNED

    def within_noise(self, delta: float) -> bool | None:
        """Whether a single run of the reference may differ as much by chance; None if unknown."""
        if math.isnan(self.spread) or math.isnan(delta):
            return None
        return bool(abs(delta) <= self.spread)

    def spread_of_best(self, k: int) -> float:
        """How far above the mean the best of k runs of the reference scores in 95 % of cases.

        NOTE: never less than `spread`, although a single run exceeds a one-sided bound of 95 %
        sooner: what lies within the noise of one run must not lie beyond that of the best.

        Args:
            k: int >= 1.

        Returns:
            float >= 0 in the unit of the objective; NaN if unknown.
        """
        if math.isnan(self.spread):
            return math.nan
        arm = self.reference
        return max(self.spread, best_of_factor(arm.n, k) * arm.std * math.sqrt(1 + 1 / arm.n))

    def beaten_by_best(self, delta: float, k: int) -> bool | None:
        """Whether the best of k trials leads by more than chance explains; None if unknown.

        Args:
            delta: how much better than the reference it is.
            k: int >= 1, how many trials completed the full budget. Only these could be the best;
                trials that stopped before have no comparable score. NOTE: where these were chosen
                out of more, as Hyperband does, their scores are a little too good for this bound.
        """
        bound = self.spread_of_best(k)
        return None if math.isnan(bound) or math.isnan(delta) else bool(delta > bound)


def measure_baseline(records: RunRecords) -> Baseline | None:
    """The baseline of a run; None if no seed of any arm has a score.

    Only seeds trained for the full budget count. A diverged seed counts with its score, because
    the learning rate caused it; a failed one says nothing about the rate.
    """
    manifest = records.manifest
    arms = []
    for name, outcomes in records.baseline.items():
        full = [seed for seed in outcomes if seed.epochs.planned == manifest.max_epochs]
        scored = [seed for seed in full if not math.isnan(score_of(seed))]
        if scored:
            values = manifest.baseline_arms.get(name) or full[0].values
            scores = tuple(map(score_of, scored))
            diverged = sum(seed.status == "diverged" for seed in scored)
            failed = len(full) - len(scored)
            arms.append(Arm(name, Recipe.from_values(values), scores, diverged, failed))
    if not arms:
        return None
    reference = choose_reference(arms, manifest.direction)
    return Baseline(tuple(arms), reference, _spread(reference))


def choose_reference(arms: Sequence[Arm], direction: str) -> Arm:
    """The arm that trials are compared with: the tuned one, else the one with the best mean.

    The tuned arm is the reference even where another one has a better mean: choosing the better of
    the two by the same seeds that measure it would favour the baseline.

    Args:
        arms: at least one.
        direction: "max" if higher scores are better, "min" if lower ones are.
    """
    best = Direction(direction).best(arms, lambda arm: arm.mean)
    return next((arm for arm in arms if arm.name == TUNED), best or arms[0])


def noise_spread(std: float, n: int) -> float:
    """Half the width of the prediction interval of one further run around the mean of n.

    It contains a further run with probability `COVERAGE`; the module's docstring has the formula.

    Args:
        std: float >= 0, sample standard deviation (n - 1) of these n runs.
        n: int >= 1, number of runs.

    Returns:
        float >= 0 in the unit of `std`; NaN for n = 1.

    Raises:
        ArgumentError: n is below 1.
    """
    if n < 1:
        raise ArgumentError(f"n must be >= 1. Received: n={n!r}.")
    if n == 1:
        return math.nan
    # NOTE: the same number as scipy.stats.t.ppf, but scipy.special is imported in 0.3 s and
    # scipy.stats in 1.5 s, which is most of the time that a report takes.
    from scipy.special import stdtrit

    t = float(stdtrit(n - 1, (1 + COVERAGE) / 2))
    return t * std * math.sqrt(1 + 1 / n)


def _spread(arm: Arm) -> float:
    # An arm with a diverged seed varies between training and not training. An arm whose seeds all
    # score exactly the same has not trained either: it predicts one class whatever the seed. Both
    # say nothing about how the seeds of a model that trains vary.
    if arm.diverged or not arm.std > 0:
        return math.nan
    return noise_spread(arm.std, arm.n)
