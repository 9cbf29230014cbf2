"""The constant rates that schedules are compared with, and the trainings of arms."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from lrtune.records.ids import arm_id
from lrtune.records.task import TrialTask
from lrtune.schedules.recipe import Recipe

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from lrtune.schedules.space import Space


def plain_arms(space: Space, own: Mapping[str, Any] | None = None) -> dict[str, dict[str, Any]]:
    """The baseline's constant rates that nobody searched for: those people start with.

    For SGD they are the reading's, .1 in its code and .01 in its table, without momentum. The batch
    size, where it is searched, is the first one.

    Args:
        space: of the search.
        own: the user's own hyperparameters, with the values that they have where nothing is said.

    Returns:
        Arm -> hyperparameter values; none for an optimizer of the user's own.
    """
    constant = space.with_families(("constant",))
    usual = {
        **(own or {}),
        **constant.default("constant"),
        **space.optimizer.plain,
        **constant.fixed,
    }
    return {f"constant-{lr0}": {**usual, "lr0": lr0} for lr0 in space.optimizer.plain_rates}


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
