"""The code of a worker on a Ray cluster: an actor that keeps its compiled models between tasks."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any

import psutil

from lrtune.errors import LrtuneError, SearchError
from lrtune.model.start import start_tensorflow
from lrtune.records.identity import installed
from lrtune.records.task import TrialOutcome
from lrtune.runner.job import unpickle_job
from lrtune.runner.shared import SharedArray

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from concurrent.futures import Future

    import numpy as np

    from lrtune.records.task import EpochRecord, State, TrialTask
    from lrtune.runner.worker import Trainer


@dataclass(frozen=True)
class Stored:
    """What stands for an array of the job: its place among those in the object store."""

    place: int


@dataclass(frozen=True)
class Ended:
    """How a task ended.

    Attributes:
        outcome: without its epochs and its state.
        grown_bytes: how much more memory the worker has than after its first task.
    """

    outcome: TrialOutcome
    grown_bytes: int


class TrainingActor:
    """Trains tasks of one job, one after another.

    Args:
        versions: of the driver's packages, as `lrtune.records.identity.installed` gives them.
        gpu: whether Ray has given it a GPU, or a part of one.
    """

    def __init__(self, versions: Mapping[str, str], *, gpu: bool) -> None:
        if not gpu:
            os.environ["CUDA_VISIBLE_DEVICES"] = "-1"
        # One thread for all, as much of Keras' global state belongs to a thread.
        self._thread = ThreadPoolExecutor(1)
        self._versions = versions
        self._trainer: Future[Trainer] | None = None
        self._first_bytes = 0

    def train(
        self, task: TrialTask, state: State | None, stored: Sequence[Any], timeout: float
    ) -> Iterator[Any]:
        """Trains a task. Ray sends each item to the driver as it comes.

        Args:
            task: without the state that it continues from.
            state: this state.
            stored: references to what is in Ray's object store, of which a node holds one copy: the
                pickled job, and the arrays for which a `Stored` stands in it.
            timeout: seconds > 0 that an epoch may take before the task counts as hung.

        Yields:
            Ray's name of this node once it has begun, a record an epoch, `Ended`, and the state
            after the last epoch.

        Raises:
            LrtuneError: the job cannot be loaded here.
        """
        import ray

        if self._trainer is None:
            self._trainer = self._thread.submit(_trainer, stored, self._versions)
        trainer = self._trainer.result()
        yield ray.get_runtime_context().get_node_id()
        told: SimpleQueue[EpochRecord | None] = SimpleQueue()
        running = self._thread.submit(_run, trainer, replace(task, parent_state=state), told)
        try:
            while (record := told.get(timeout=timeout)) is not None:
                yield record
            outcome = running.result()
        except Empty:
            message = f"its worker finished no epoch in {timeout:g} s and was ended"
            outcome = TrialOutcome(task, "lost", message=message)
        yield Ended(replace(outcome, epochs=(), state=None), self._grown_bytes())
        yield outcome.state

    def _grown_bytes(self) -> int:
        resident = int(psutil.Process().memory_info().rss)
        self._first_bytes = self._first_bytes or resident
        return resident - self._first_bytes


def _run(trainer: Trainer, task: TrialTask, told: SimpleQueue[EpochRecord | None]) -> TrialOutcome:
    try:
        return trainer.run(task, lambda _, record: told.put(dict(record)))
    finally:
        told.put(None)


def _trainer(stored: Sequence[Any], versions: Mapping[str, str]) -> Trainer:
    import ray

    mine = installed()
    if mine["lrtune"] != versions["lrtune"]:
        raise SearchError(
            f"a node of the Ray cluster ({ray.util.get_node_ip_address()}) has lrtune "
            f"{mine['lrtune']}, but the search runs with {versions['lrtune']}: install the same "
            "version on all nodes"
        )
    start_tensorflow(threads=1)
    from lrtune.runner.worker import Trainer

    pickled, *arrays = ray.get(list(stored))

    def load(value: Any) -> Any:
        if not isinstance(value, Stored):
            return value
        array: np.ndarray[Any, Any] = arrays[value.place]
        return array.view(SharedArray)

    try:
        return Trainer(unpickle_job(pickled, load))
    except LrtuneError:
        raise
    except BaseException as error:
        raise SearchError(
            f"the model cannot be loaded on a node of the Ray cluster ({type(error).__name__}: "
            f"{error}): modules that it needs must be installed there"
        ) from error
