"""Runs tasks in worker processes on this machine, one single-threaded worker a core.

TensorFlow splits a small model's step over cores badly: one process with both cores of a two-core
machine trains the reading's CNN hardly faster than one with a single core, two processes with a
core each twice as fast.
"""

from __future__ import annotations

import shutil
import tempfile
from concurrent.futures import FIRST_COMPLETED, Future, wait
from pathlib import Path
from typing import Any

import cloudpickle
import joblib
import loky
from loky.backend import get_context
from loky.process_executor import TerminatedWorkerError
from typing_extensions import override

from lrtune.errors import SearchError
from lrtune.quiet import start_tensorflow
from lrtune.runner.base import EpochRecord, OnEpoch, Runner, TrainingJob, TrialOutcome, TrialTask

_POLL_SECONDS = 0.1
"""How often finished epochs are collected while trials run."""


def physical_cores() -> int:
    """Physical cores this process may use, at least 1; hyperthreads do not count."""
    return int(loky.cpu_count(only_physical_cores=True))


class LocalRunner(Runner):
    """Worker processes of this machine.

    Args:
        job: what all tasks have in common; pickled once (cloudpickle: functions of a script or a
            notebook too), its arrays written to disk once and memory-mapped by every worker.
        workers: int >= 1, how many processes.

    Raises:
        SearchError: the job cannot be pickled.
    """

    def __init__(self, job: TrainingJob, workers: int) -> None:
        self.slots = workers
        self._folder = Path(tempfile.mkdtemp(prefix="lrtune-"))
        try:
            self._write_job(job)
        except Exception:
            shutil.rmtree(self._folder, ignore_errors=True)
            raise
        self._epochs = get_context().SimpleQueue()
        self._executor = loky.ProcessPoolExecutor(
            max_workers=workers,
            timeout=None,
            initializer=_start,
            initargs=(str(self._folder), self._epochs),
            env={"OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": "-1"},
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
            pickled = cloudpickle.dumps(job.hypermodel)
            # Uncompressed, so that workers can map the arrays instead of reading them.
            joblib.dump((job.fit_args, dict(job.fit_kwargs)), self._folder / "data.joblib")
        except Exception as error:
            raise SearchError(
                "the hypermodel or the data cannot be sent to worker processes "
                f"({type(error).__name__}: {error}); use workers=1 to train in this process"
            ) from error
        (self._folder / "hypermodel.pickle").write_bytes(pickled)


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


def _start(folder: str, queue: Any) -> None:
    """Runs once in each worker: one thread, the job, a model cache of its own."""
    global _worker, _queue  # noqa: PLW0603 - a worker process is one trainer
    _queue = queue
    try:
        start_tensorflow(threads=1)
        from lrtune.runner.worker import Trainer

        hypermodel = cloudpickle.loads((Path(folder) / "hypermodel.pickle").read_bytes())
        args, kwargs = joblib.load(Path(folder) / "data.joblib", mmap_mode="r")
        _worker = Trainer(TrainingJob(hypermodel, args, kwargs))
    except Exception as error:  # noqa: BLE001 - raised by `_run`: to the driver, a worker that does
        _worker = error  # not start looks like one that was killed


def _run(task: TrialTask) -> TrialOutcome:
    if isinstance(_worker, Exception):
        raise _worker
    outcome: TrialOutcome = _worker.run(task, _tell)
    return outcome


def _tell(trial_id: str, record: EpochRecord) -> None:
    _queue.put((trial_id, dict(record)))
