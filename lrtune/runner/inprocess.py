"""Runs one task at a time in this process: for debugging, and for jobs that cannot be pickled."""

from __future__ import annotations

import sys
from contextlib import redirect_stdout
from typing import TYPE_CHECKING, TextIO, cast

from typing_extensions import override

from lrtune._util.output import SteadyOutput
from lrtune.runner.base import Runner

if TYPE_CHECKING:
    from lrtune.records.task import TrainingJob, TrialOutcome, TrialTask
    from lrtune.runner.base import OnEpoch


class InProcessRunner(Runner):
    """Trains in the caller's thread, while it waits.

    Args:
        job: what all tasks have in common.
    """

    slots = 1

    def __init__(self, job: TrainingJob) -> None:
        from lrtune.runner.worker import Trainer

        self._trainer = Trainer(job)
        self._task: TrialTask | None = None

    @property
    @override
    def running(self) -> int:
        return int(self._task is not None)

    @override
    def submit(self, task: TrialTask) -> None:
        """Keeps the task for `wait`."""
        self._task = task

    @override
    def wait(self, on_epoch: OnEpoch) -> list[TrialOutcome]:
        """Trains the task that was submitted."""
        if self._task is None:
            return []
        task, self._task = self._task, None
        # A closed pipe must not raise where the model prints.
        with redirect_stdout(cast("TextIO", SteadyOutput(sys.stdout))):
            return [self._trainer.run(task, on_epoch)]

    @override
    def close(self) -> None:
        """Drops a task that has not started."""
        self._task = None
