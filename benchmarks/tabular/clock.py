"""The base of runners that train nothing: how a task ends is looked up, and time is simulated."""

from __future__ import annotations

import heapq
from abc import abstractmethod
from typing import TYPE_CHECKING

from typing_extensions import override

from lrtune.runner.base import Runner

if TYPE_CHECKING:
    from lrtune.records.task import TrialOutcome, TrialTask
    from lrtune.runner.base import OnEpoch


class SimulatedRunner(Runner):
    """Ends tasks in the order of simulated time, each after its outcome's `seconds`.

    Args:
        slots: int >= 1, simulated workers.
    """

    def __init__(self, slots: int = 1) -> None:
        self.slots = slots
        self._running: list[tuple[float, int, TrialOutcome]] = []
        self._submitted = 0
        self.clock = 0.0
        """Simulated seconds since the search began."""

    @abstractmethod
    def outcome(self, task: TrialTask) -> TrialOutcome:
        """How a task will end."""

    @property
    @override
    def running(self) -> int:
        return len(self._running)

    @override
    def submit(self, task: TrialTask) -> None:
        """Looks up how the task ends, and when."""
        outcome = self.outcome(task)
        self._submitted += 1
        heapq.heappush(self._running, (self.clock + outcome.seconds, self._submitted, outcome))

    @override
    def wait(self, on_epoch: OnEpoch) -> list[TrialOutcome]:
        """Goes to the time at which the next task ends; a task that has ended by now is first."""
        if not self._running:
            return []
        end, _, outcome = heapq.heappop(self._running)
        self.clock = max(self.clock, end)
        for record in outcome.epochs:
            on_epoch(outcome.task.trial_id, record)
        return [outcome]

    @override
    def close(self) -> None:
        """Forgets the tasks that are running."""
        self._running.clear()
