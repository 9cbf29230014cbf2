"""The constant learning rate trained with several seeds, and how much scores vary by chance.

Trials are compared with the reference, the constant rate that did best. The best rates that a
search of their own found race against the plain ones (`stats.race`): schedules have searched rates
and momenta, so a constant rate without such a search would lose for that reason alone, and one
picked by a single training is often a poor one. A badly chosen reference *makes* winners. In 20,000
simulated races of five rates, the winner of the race was worse than the better plain rate by more
than .005 in 4 % of cases; the rate that a single training picks, in 20 %.

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
from lrtune.records.schema import TUNED_ARMS
from lrtune.schedules.recipe import Recipe
from lrtune.stats.best_of import best_of_factor
from lrtune.stats.collapse import has_collapsed
from lrtune.stats.trials import score_of
from lrtune.stats.winner import Direction

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lrtune.records.reader import RunRecords

COVERAGE = 0.95
"""The share of further seeds of the same arm that are "within noise"."""


@dataclass(frozen=True)
class Arm:
    """One constant learning rate over its seeds.

    Attributes:
        name: of the arm ("constant-0.1").
        recipe: how it trains.
        scores: at least one, in the order of seeds, including collapsed seeds.
        diverged: how many of these seeds diverged; their score is the untrained model's.
        failed: how many other seeds failed, which have no score.
        collapsed: how many of these seeds ended where an untrained model is, the diverged ones
            among them.
    """

    name: str
    recipe: Recipe
    scores: tuple[float, ...]
    diverged: int = 0
    failed: int = 0
    collapsed: int = 0

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
        reference: the arm that trials are compared with, the first `in_order`.
        spread: float >= 0: 95 % of single runs of the reference score within this distance of its
            mean. NaN if unknown.
    """

    arms: tuple[Arm, ...]
    reference: Arm
    spread: float

    @property
    def was_searched(self) -> bool:
        """Whether rates that were found by a search of their own are among the arms."""
        return any(arm.name in TUNED_ARMS for arm in self.arms)

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
            collapsed = sum(has_collapsed(seed, manifest) for seed in scored)
            recipe = Recipe.from_values(values)
            arms.append(Arm(name, recipe, scores, diverged, failed, collapsed))
    if not arms:
        return None
    reference = in_order(arms, manifest.direction)[0]
    return Baseline(tuple(arms), reference, _spread(reference))


def in_order(arms: Iterable[Arm], direction: str) -> list[Arm]:
    """Constant rates, the one that trials are compared with first.

    It is the one with the best mean of those with the most seeds. An arm with a collapsed seed
    comes after all without one. NOTE: the arms that are still in the race at its end have the most
    seeds; one that left it sooner has a mean of fewer, lucky ones among them.

    Args:
        arms: of a baseline.
        direction: "max" if higher scores are better, "min" if lower ones are.
    """
    sign = Direction(direction).sign
    return sorted(arms, key=lambda arm: (arm.collapsed > 0, -arm.n, -sign * arm.mean))


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
    # An arm with a collapsed seed varies between training and not training. An arm whose seeds all
    # score exactly the same has not trained either: it predicts one class whatever the seed. Both
    # say nothing about how the seeds of a model that trains vary.
    if arm.collapsed or not arm.std > 0:
        return math.nan
    return noise_spread(arm.std, arm.n)
