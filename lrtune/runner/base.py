"""The contract of a runner: it takes `TrialTask`s and gives back `TrialOutcome`s.

Which process or machine trains is its own affair. A runner writes no file of the run.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import TYPE_CHECKING

from typing_extensions import Self

from lrtune.records.task import EpochRecord

if TYPE_CHECKING:
    from lrtune.records.task import TrialOutcome, TrialTask

OnEpoch = Callable[[str, EpochRecord], None]
"""Called for every finished epoch: trial id, record."""


class Runner(ABC):
    """Runs tasks, at most `slots` at a time."""

    slots: int

    @property
    @abstractmethod
    def running(self) -> int:
        """How many submitted tasks have not had their outcome returned yet."""

    @abstractmethod
    def submit(self, task: TrialTask) -> None:
        """Begins a task. Only while `running < slots`."""

    @abstractmethod
    def wait(self, on_epoch: OnEpoch) -> list[TrialOutcome]:
        """Blocks until at least one running task has ended.

        Calls `on_epoch`, in this thread, for every epoch finished meanwhile; when a trial's outcome
        is returned, `on_epoch` was called for all of its epochs.
        """

    @abstractmethod
    def close(self) -> None:
        """Ends workers and removes temporary files. Safe to call twice."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
