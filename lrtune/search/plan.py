"""Plans of the trainings of arms: which is next, given how those before it ended.

The loop asks a plan for tasks and tells it how each ended. What a plan asks for depends on
recorded outcomes alone, so that a plan made again from the run folder goes on where it was.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Protocol

from lrtune.records.ids import arm_id, parse_id
from lrtune.records.task import TrialTask
from lrtune.schedules.recipe import Recipe

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from typing import Any

    from lrtune.records.ids import ArmKind
    from lrtune.records.schema import Outcome
    from lrtune.stats.race import Race, Ran


class Plan(Protocol):
    """What the loop needs to know about trainings that follow a plan."""

    @property
    def is_over(self) -> bool:
        """Whether nothing more is needed, not even the tasks that are still running."""

    def take(self) -> TrialTask | None:
        """The next task; None if there is none before another one ends, or none at all."""

    def tell(self, outcome: Outcome) -> None:
        """Notes how a training ended."""


class NoPlan:
    """Nothing to train but what a search proposes."""

    is_over = False

    def take(self) -> TrialTask | None:
        """None."""
        return None

    def tell(self, outcome: Outcome) -> None:
        """Ignores it."""


class Arms:
    """The arms of a plan, which of their trainings have ended, and the tasks of the others.

    Args:
        kind: of the trainings.
        values: arm -> hyperparameter values.
        epochs: int >= 1, the horizon.
        known: outcomes of earlier sessions; those of other kinds and lost ones do not count.
    """

    def __init__(
        self,
        kind: ArmKind,
        values: Mapping[str, Mapping[str, Any]],
        epochs: int,
        known: Iterable[Outcome] = (),
    ) -> None:
        self.kind = kind
        self.values = values
        self.epochs = epochs
        self.ended: dict[str, dict[int, Outcome]] = {arm: {} for arm in values}
        self._begun: set[str] = set()
        for outcome in known:
            self.note(outcome)

    def note(self, outcome: Outcome) -> None:
        """Keeps an outcome if it is one of a training of these arms that ended."""
        place = parse_id(outcome.trial_id)
        ours = place.kind == self.kind and place.arm in self.ended
        if ours and outcome.status != "lost" and outcome.epochs.planned == self.epochs:
            self.ended[place.arm][place.seed] = outcome
            self._begun.add(outcome.trial_id)

    def begin(self, arm: str, seed: int) -> TrialTask | None:
        """The task of one training; None if it has begun already."""
        name = arm_id(self.kind, arm, seed)
        if name in self._begun:
            return None
        self._begun.add(name)
        return TrialTask(name, Recipe.from_values(self.values[arm]), seed, 0, self.epochs)


class AllSeeds:
    """Every arm with every seed, seed by seed, so that an interrupted run has whole pairs.

    Args:
        arms: to train.
        seeds: of every arm.
    """

    is_over = False

    def __init__(self, arms: Arms, seeds: Iterable[int]) -> None:
        self._arms = arms
        tasks = (arms.begin(arm, seed) for seed in seeds for arm in arms.values)
        self._waiting = deque(task for task in tasks if task is not None)

    def take(self) -> TrialTask | None:
        """The next task."""
        return self._waiting.popleft() if self._waiting else None

    def tell(self, outcome: Outcome) -> None:
        """Notes how a training ended."""
        self._arms.note(outcome)


class RacePlan:
    """A race: the next seed only for the arms that did best with those before it.

    Args:
        arms: that race.
        race: its rules.
        judge: what the race counts of an outcome.
    """

    is_over = False

    def __init__(self, arms: Arms, race: Race, judge: Callable[[Outcome], Ran]) -> None:
        self._arms = arms
        self._race = race
        self._judge = judge

    def take(self) -> TrialTask | None:
        """The next task; None while the trainings of a round that others wait for are running."""
        for arm, seed in self._race.wanted(self.results):
            if (task := self._arms.begin(arm, seed)) is not None:
                return task
        return None

    def tell(self, outcome: Outcome) -> None:
        """Notes how a training ended; its round waits for a lost one until the next session."""
        self._arms.note(outcome)

    @property
    def results(self) -> dict[str, dict[int, Ran]]:
        """Arm -> seed -> what the race counts."""
        return {
            arm: {seed: self._judge(outcome) for seed, outcome in seeds.items()}
            for arm, seeds in self._arms.ended.items()
        }
