"""The constant rates that schedules are compared with, and the trainings of arms."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from lrtune.records.ids import arm_id
from lrtune.records.task import TrialTask
from lrtune.schedules.recipe import Recipe

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

READING_CONSTANTS: Mapping[str, Mapping[str, Any]] = {
    f"constant-{lr0}": {"schedule": "constant", "lr0": lr0, "momentum": 0.0} for lr0 in (0.1, 0.01)
}
"""The baseline: the reading's two constant rates, .1 in its code and .01 in its table."""


def arm_tasks(
    kind: Literal["baseline", "confirm"],
    arms: Mapping[str, Mapping[str, Any]],
    seeds: Iterable[int],
    epochs: int,
) -> list[TrialTask]:
    """The trainings of arms, seed by seed, so that an interrupted run has whole pairs."""
    return [
        TrialTask(arm_id(kind, arm, seed), Recipe.from_values(values), seed, 0, epochs)
        for seed in seeds
        for arm, values in arms.items()
    ]
