"""A runner that trains nothing: it looks up each task in the table, and time is simulated."""

from __future__ import annotations

from typing import TYPE_CHECKING

from typing_extensions import override

from lrtune.records.task import TrialOutcome

from .answers import OBJECTIVE
from .clock import SimulatedRunner

if TYPE_CHECKING:
    from lrtune.records.task import TrialTask
    from lrtune.runner.base import OnEpoch

    from .answers import Answers
    from .deck import Deck


class TabularRunner(SimulatedRunner):
    """Answers each task from a table; an epoch takes the table's median time, on any worker.

    A task whose recipe is compressed is answered by the training of its schedule that was laid out
    over that shorter budget.

    Args:
        answers: the trainings.
        deck: knows which training answers which trial.
        slots: int >= 1, simulated workers.
    """

    def __init__(self, answers: Answers, deck: Deck, slots: int = 1) -> None:
        super().__init__(slots)
        self._answers = answers
        self._deck = deck
        self.begun = 0
        """Epochs of all tasks that were submitted."""
        self.ended = 0
        """Epochs of all tasks that have ended."""

    @override
    def wait(self, on_epoch: OnEpoch) -> list[TrialOutcome]:
        outcomes = super().wait(on_epoch)
        self.ended += sum(map(self._cost, outcomes))
        return outcomes

    @override
    def outcome(self, task: TrialTask) -> TrialOutcome:
        pair = self._deck.pair(task.trial_id)
        budget = round(self._answers.horizon / task.recipe.compression)
        answer = self._answers.at(pair.schedule, budget, pair.seed)
        epochs = answer.epochs[task.first_epoch : task.last_epoch]
        # The epoch in which a training diverged is its last one, and has a record.
        diverged = answer.status == "diverged" and task.last_epoch >= len(answer.epochs)
        trained = len(answer.epochs[task.begins_after : task.last_epoch])
        outcome = TrialOutcome(
            task,
            "diverged" if diverged else "completed",
            epochs,
            {OBJECTIVE: answer.score} if diverged else {},
            state=None if diverged else {},
            seconds=trained * self._answers.seconds_per_epoch,
            message="the loss is not finite" if diverged else None,
        )
        self.begun += self._cost(outcome)
        return outcome

    def _cost(self, outcome: TrialOutcome) -> int:
        return round(outcome.seconds / self._answers.seconds_per_epoch)
