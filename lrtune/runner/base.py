"""The contract of a runner: it takes `TrialTask`s and returns `TrialOutcome`s.

It decides which process or machine trains. It writes no file of the run folder.
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


GROWTH = 2**29
"""Bytes by which a worker may grow after its first task before a new one takes its place.
TensorFlow never frees the functions it has prepared: about 7 MB for each new architecture."""


class Runner(ABC):
    """Runs tasks, at most `slots` at a time; the number may change during `wait`."""

    slots: int

    @property
    @abstractmethod
    def running(self) -> int:
        """How many submitted tasks have no returned outcome yet."""

    @abstractmethod
    def submit(self, task: TrialTask) -> None:
        """Starts a task. Call it only while `running < slots`."""

    @abstractmethod
    def wait(self, on_epoch: OnEpoch) -> list[TrialOutcome]:
        """Blocks until at least one running task has ended, or `slots` has grown.

        Calls `on_epoch`, in this thread, for every epoch that finished meanwhile. When a trial's
        outcome is returned, `on_epoch` has been called for all of its epochs.
        """

    @abstractmethod
    def close(self) -> None:
        """Stops the workers and removes temporary files. Safe to call twice."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
