"""What a model scores that has learned nothing, to tell a training that failed from a result.

A model that collapses predicts the largest class for every sample, whatever the seed. Next to such
a baseline any schedule looks good, so a run whose constant rate has not learned compares nothing.
"""

from __future__ import annotations

import math
import statistics
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lrtune.stats.trials import score_of
from lrtune.stats.winner import Direction

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lrtune.records.schema import DataRecord, Outcome

TOLERANCE = 1e-6
"""Keras measures in float32, which rounds to 6e-8; one sample in 100,000 is 1e-5."""


@dataclass(frozen=True)
class Chance:
    """The score of a model that has learned nothing.

    Attributes:
        score: in the unit of the objective.
        direction: "max" if higher scores are better, "min" if lower ones are.
        is_share: whether it is the share of the largest class; else it is the median score of the
            untrained models that diverged trainings are scored with.
    """

    score: float
    direction: str
    is_share: bool

    def explains(self, scores: Iterable[float]) -> bool:
        """Whether at least half of these scores are no better; False without any.

        NOTE: not their mean. With seeds at .5, .5 and .512 the mean is above the largest class's
        share of .5, but most of these models have learned nothing.

        Args:
            scores: of trainings; a NaN, of one that failed, says nothing.
        """
        gain = Direction(self.direction).gain
        known = [score for score in scores if not math.isnan(score)]
        learned = [gain(score, self.score) > TOLERANCE for score in known]
        return bool(learned) and sum(learned) <= len(learned) / 2


def measure_chance(
    data: DataRecord, objective: str, direction: str, outcomes: Iterable[Outcome]
) -> Chance | None:
    """What a model scores on these data without learning.

    Args:
        data: whose `largest_class` is that of the samples that scores are measured on.
        objective: what the scores are.
        direction: "max" if higher scores are better, "min" if lower ones are.
        outcomes: of the trainings; diverged ones have the untrained model's score.

    Returns:
        None if it is unknown: no accuracy, or no labels that could be counted, and none diverged.
    """
    if data.largest_class is not None and "accuracy" in objective:
        return Chance(data.largest_class, direction, is_share=True)
    diverged = [score_of(one) for one in outcomes if one.status == "diverged"]
    untrained = [score for score in diverged if not math.isnan(score)]
    if not untrained:
        return None
    return Chance(statistics.median(untrained), direction, is_share=False)
