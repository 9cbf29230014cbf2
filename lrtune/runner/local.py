"""Runs tasks in worker processes on this machine, one single-threaded worker a core.

TensorFlow splits a small model's step over cores badly: one process with both cores of a two-core
machine trains the reading's CNN hardly faster than one with a single core, two processes with a
core each twice as fast.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cloudpickle
import loky
import numpy as np
from loky.backend import get_context
from loky.process_executor import TerminatedWorkerError
from typing_extensions import override

from lrtune.errors import SearchError
from lrtune.quiet import start_tensorflow
from lrtune.runner.base import EpochRecord, OnEpoch, Runner, TrainingJob, TrialOutcome, TrialTask

_JOB = "job.pickle"

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


@dataclass(frozen=True)
class _ArrayFile:
    """Stands for an array in the pickled job; workers map the file in its place."""

    path: str


class LocalRunner(Runner):
    """Worker processes of this machine.

    Args:
        job: what all tasks have in common; pickled once (cloudpickle: functions of a script or a
            notebook too), its arrays written to disk once and memory-mapped by every worker.
        workers: int >= 1, how many processes. Each sees one GPU, in turn, where there are any.

    Raises:
        SearchError: the job cannot be pickled.
    """

    def __init__(self, job: TrainingJob, workers: int) -> None:
        self.slots = workers
        devices = gpus() or ["-1"]
        self._folder = Path(tempfile.mkdtemp(prefix="lrtune-"))
        try:
            self._write_job(job)
        except Exception:
            shutil.rmtree(self._folder, ignore_errors=True)
            raise
        self._epochs = get_context().SimpleQueue()
        self._devices = get_context().SimpleQueue()
        for worker in range(workers):
            self._devices.put(devices[worker % len(devices)])
        self._executor = loky.ProcessPoolExecutor(
            max_workers=workers,
            timeout=None,
            initializer=_start,
            initargs=(str(self._folder), self._epochs, self._devices),
            env={"OMP_NUM_THREADS": "1"},
        )
        self._futures: set[Future[TrialOutcome]] = set()

    @property
    @override
    def running(self) -> int:
        return len(self._futures)

    @override
    def submit(self, task: TrialTask) -> None:
        """Hands the task to a free worker."""
        self._futures.add(self._executor.submit(_run, task))

    @override
    def wait(self, on_epoch: OnEpoch) -> list[TrialOutcome]:
        """Collects epochs until a worker is done."""
        if not self._futures:
            return []
        while True:
            done, _ = wait(self._futures, timeout=_POLL_SECONDS, return_when=FIRST_COMPLETED)
            # A worker puts its epochs into the queue before its outcome, so that all epochs of
            # what is done are in it by now.
            while not self._epochs.empty():
                on_epoch(*self._epochs.get())
            if done:
                self._futures -= done
                return [_outcome(future) for future in done]

    @override
    def close(self) -> None:
        """Ends the workers and removes the job's files."""
        self._executor.shutdown(wait=True, kill_workers=True)
        shutil.rmtree(self._folder, ignore_errors=True)

    def _write_job(self, job: TrainingJob) -> None:
        try:
            import keras

            data = keras.tree.map_structure(self._on_disk, (job.fit_args, dict(job.fit_kwargs)))
            pickled = cloudpickle.dumps((job.hypermodel, *data))
        except Exception as error:
            raise SearchError(
                "the hypermodel or the data cannot be sent to worker processes "
                f"({type(error).__name__}: {error}); use workers=1 to train in this process"
            ) from error
        (self._folder / _JOB).write_bytes(pickled)

    def _on_disk(self, value: Any) -> Any:
        """An array as the file it was written to; anything else as it is."""
        if not isinstance(value, np.ndarray) or value.dtype.hasobject:
            return value
        path = self._folder / f"{len(list(self._folder.iterdir()))}.npy"
        np.save(path, value, allow_pickle=False)
        return _ArrayFile(str(path))


def _outcome(future: Future[TrialOutcome]) -> TrialOutcome:
    try:
        return future.result()
    except TerminatedWorkerError as error:
        raise SearchError(
            "a worker process was killed, perhaps for want of memory; finished trials are kept. "
            "Try fewer workers"
        ) from error


_worker: Any = None
_queue: Any = None


def _start(folder: str, queue: Any, devices: Any) -> None:
    """Runs once in each worker: one thread, one GPU or none, the job."""
    global _worker, _queue  # noqa: PLW0603 - a worker process is one trainer
    _queue = queue
    os.environ["CUDA_VISIBLE_DEVICES"] = devices.get()
    try:
        start_tensorflow(threads=1)
        import keras

        from lrtune.runner.worker import Trainer

        hypermodel, args, kwargs = keras.tree.map_structure(
            _mapped, cloudpickle.loads((Path(folder) / _JOB).read_bytes())
        )
        _worker = Trainer(TrainingJob(hypermodel, args, kwargs))
    except Exception as error:  # noqa: BLE001 - raised by `_run`: to the driver, a worker that does
        _worker = error  # not start looks like one that was killed


def _mapped(value: Any) -> Any:
    # Copy on write: nobody writes, but TensorFlow takes no memory that is read-only.
    return np.load(value.path, mmap_mode="c") if isinstance(value, _ArrayFile) else value


def _run(task: TrialTask) -> TrialOutcome:
    if isinstance(_worker, Exception):
        raise _worker
    outcome: TrialOutcome = _worker.run(task, _tell)
    return outcome


def _tell(trial_id: str, record: EpochRecord) -> None:
    _queue.put((trial_id, dict(record)))
