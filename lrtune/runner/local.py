"""Runs tasks in worker processes on this machine, one single-threaded worker for each core.

TensorFlow uses several cores badly for the steps of a small model. On a two-core machine one
process with both cores trains the reading's CNN hardly faster than one with a single core, but two
processes with one core each are twice as fast.
"""

from __future__ import annotations

import itertools
import os
import shutil
import tempfile
import weakref
from concurrent.futures import FIRST_COMPLETED, wait
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cloudpickle
import loky
import numpy as np
from loky.process_executor import BrokenProcessPool
from typing_extensions import override

from lrtune.errors import SearchError
from lrtune.runner.base import Runner
from lrtune.runner.process import JOB, ArrayFile, RunningTask, WorkerProcess

if TYPE_CHECKING:
    from lrtune.records.task import TrainingJob, TrialOutcome, TrialTask
    from lrtune.runner.base import OnEpoch

_POLL_SECONDS = 0.1
"""How often finished epochs are collected while trials run."""


def physical_cores() -> int:
    """Physical cores this process may use, at least 1; hyperthreads do not count."""
    return int(loky.cpu_count(only_physical_cores=True))


def gpus() -> list[str]:
    """The GPUs this process may use, as CUDA_VISIBLE_DEVICES names them."""
    import tensorflow as tf

    count = len(tf.config.list_physical_devices("GPU"))
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    names = visible.split(",") if visible else [str(index) for index in range(count)]
    return names[:count]


class LocalRunner(Runner):
    """Worker processes of this machine.

    Args:
        job: what all tasks have in common; pickled once (cloudpickle: functions of a script or a
            notebook too), its arrays written to disk once and memory-mapped by every worker.
        workers: int >= 1, how many processes. Each sees one GPU, in turn, where there are any.
        trial_timeout: seconds > 0 that a worker may take for an epoch before it counts as hung.

    Raises:
        SearchError: the job cannot be pickled.
    """

    def __init__(self, job: TrainingJob, workers: int, trial_timeout: float = 3600.0) -> None:
        self.slots = workers
        self._timeout = trial_timeout
        self._names = itertools.count()
        devices = gpus() or ["-1"]
        self._folder = Path(tempfile.mkdtemp(prefix="lrtune-"))
        # Called when Python exits at the latest, even if `close` never was.
        self._remove_folder = weakref.finalize(
            self, shutil.rmtree, self._folder, ignore_errors=True
        )
        try:
            self._write_job(job)
        except BaseException:
            self._remove_folder()
            raise
        self._free = [
            WorkerProcess(self._folder, devices[index % len(devices)]) for index in range(workers)
        ]
        self._busy: list[tuple[WorkerProcess, RunningTask]] = []

    @property
    @override
    def running(self) -> int:
        return len(self._busy)

    @override
    def submit(self, task: TrialTask) -> None:
        """Passes the task to a free worker."""
        name = f"task-{next(self._names)}"
        try:
            running = self._free[-1].submit(task, name)
        except BrokenProcessPool:  # killed while idle, so this task is not to blame
            self._free[-1] = self._instead_of(self._free[-1])
            running = self._free[-1].submit(task, name)
        self._busy.append((self._free.pop(), running))

    @override
    def wait(self, on_epoch: OnEpoch) -> list[TrialOutcome]:
        """Collects epochs until a worker is done, dead or silent for too long."""
        outcomes: list[TrialOutcome] = []
        while self._busy and not outcomes:
            futures = [running.future for _, running in self._busy]
            done, _ = wait(futures, timeout=_POLL_SECONDS, return_when=FIRST_COMPLETED)
            for worker, running in list(self._busy):
                # A task that is done by now has written all its epochs.
                for record in running.new_epochs():
                    on_epoch(running.task.trial_id, record)
                if running.future in done:
                    outcomes.append(self._ended(worker, running, running.take()))
                elif running.silent_for() > self._timeout:
                    reason = f"its worker finished no epoch in {self._timeout:g} s and was ended"
                    outcomes.append(self._ended(worker, running, running.lost(reason)))
        return outcomes

    @override
    def close(self) -> None:
        """Stops the workers and removes the job's files."""
        workers = [*self._free, *(worker for worker, _ in self._busy)]
        try:
            for worker in workers:
                worker.end(wait=True)
        finally:  # a second Ctrl-C does not wait
            for worker in workers:
                worker.end(wait=False)
            self._remove_folder()

    def _ended(
        self, worker: WorkerProcess, running: RunningTask, outcome: TrialOutcome
    ) -> TrialOutcome:
        """Returns the outcome and frees the worker, or replaces it if it was lost."""
        self._busy.remove((worker, running))
        self._free.append(self._instead_of(worker) if outcome.worker_lost else worker)
        return outcome

    def _instead_of(self, worker: WorkerProcess) -> WorkerProcess:
        worker.end(wait=False)
        return WorkerProcess(self._folder, worker.device)

    def _write_job(self, job: TrainingJob) -> None:
        try:
            import keras

            data = keras.tree.map_structure(self._on_disk, (job.fit_args, dict(job.fit_kwargs)))
            pickled = cloudpickle.dumps((job.hypermodel, *data, job.held_out))
        except Exception as error:
            raise SearchError(
                "the hypermodel or the data cannot be sent to worker processes "
                f"({type(error).__name__}: {error}). Use workers=1 to train in this process"
            ) from error
        (self._folder / JOB).write_bytes(pickled)

    def _on_disk(self, value: Any) -> Any:
        """Replaces an array by the file it is written to; returns anything else unchanged."""
        if not isinstance(value, np.ndarray) or value.dtype.hasobject:
            return value
        path = self._folder / f"{len(list(self._folder.iterdir()))}.npy"
        np.save(path, value, allow_pickle=False)
        return ArrayFile(path)
