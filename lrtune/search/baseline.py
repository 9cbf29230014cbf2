"""The constant rates that schedules are compared with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lrtune.model.hypermodel import ScheduleHyperModel
from lrtune.records.ids import BASELINE
from lrtune.search.families import searched_families
from lrtune.search.plan import AllSeeds, Arms, RacePlan
from lrtune.stats.collapse import ran
from lrtune.stats.race import Race

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from lrtune.records.schema import Manifest, Outcome
    from lrtune.schedules.space import Space
    from lrtune.search.families import Tries
    from lrtune.search.plan import Plan


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


def baseline_plan(manifest: Manifest, known: Iterable[Outcome]) -> Plan:
    """The trainings of the baseline's constant rates.

    Args:
        manifest: of the search, with all its arms.
        known: outcomes of earlier sessions.
    """
    arms = Arms(BASELINE, manifest.baseline_arms, manifest.max_epochs, known)
    if not manifest.baseline_places:
        return AllSeeds(arms, manifest.baseline_seeds)
    race = Race(manifest.baseline_seeds, manifest.baseline_places, manifest.direction)
    return RacePlan(arms, race, lambda outcome: ran(outcome, manifest))


def without_constant(hypermodel: Any, tries: Tries) -> Any:
    """The hypermodel of a search whose constant rate has a search of its own."""
    if not isinstance(hypermodel, ScheduleHyperModel):
        return hypermodel
    families = searched_families(hypermodel.families, tries)
    return hypermodel if families == hypermodel.families else hypermodel.with_families(families)
