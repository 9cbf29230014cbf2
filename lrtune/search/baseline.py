"""The constant rates that schedules are compared with, and their trainings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lrtune.records.ids import arm_id
from lrtune.records.task import TrialTask
from lrtune.schedules.recipe import Recipe

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lrtune.records.schema import Manifest

READING_CONSTANTS: Mapping[str, Mapping[str, Any]] = {
    f"constant-{lr0}": {"schedule": "constant", "lr0": lr0, "momentum": 0.0} for lr0 in (0.1, 0.01)
}
"""The baseline: the reading's two constant rates, .1 from its code and .01 from its table."""


def baseline_tasks(manifest: Manifest) -> list[TrialTask]:
    """The trainings of the baseline's arms, seed by seed."""
    return [
        TrialTask(
            arm_id("baseline", arm, seed),
            Recipe.from_values(values),
            seed,
            0,
            manifest.max_epochs,
        )
        for seed in manifest.baseline_seeds
        for arm, values in manifest.baseline_arms.items()
    ]
