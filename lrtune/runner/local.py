"""Runs tasks in worker processes on this machine, one single-threaded worker for each core.

TensorFlow uses several cores badly for the steps of a small model. On a two-core machine one
process with both cores trains the reading's CNN hardly faster than one with a single core, but two
processes with one core each are twice as fast.
"""

from __future__ import annotations

import atexit
import itertools
import shutil
import tempfile
import time
from collections import deque
from multiprocessing import connection
from pathlib import Path
from typing import TYPE_CHECKING

import joblib
from typing_extensions import override

from lrtune.model.gpus import gpus
from lrtune.runner.base import GROWTH, Runner
from lrtune.runner.exchange import write_job
from lrtune.runner.forkserver import start_server
from lrtune.runner.process import RunningTask, WorkerProcess
from lrtune.runner.scratch import scratch_folder

if TYPE_CHECKING:
    from lrtune.records.task import TrainingJob, TrialOutcome, TrialTask
    from lrtune.runner.base import OnEpoch

_POLL_SECONDS = 0.1
"""How often finished epochs are collected while trials run."""

_SUSPENDED_SECONDS = 5.0
"""A pause between two polls that means that the driver was suspended, or busy for long."""


def physical_cores() -> int:
    """Physical cores this process may use, at least 1; hyperthreads do not count."""
    return int(joblib.cpu_count(only_physical_cores=True))


class LocalRunner(Runner):
    """Worker processes of this machine.

    Args:
        job: what all tasks have in common; pickled once (cloudpickle: functions of a script or a
            notebook too), its arrays written to disk once and memory-mapped by every worker.
        workers: int >= 1, how many processes. Each sees one GPU, in turn, where there are any;
            several may share one.
        trial_timeout: seconds > 0 that a worker may take for an epoch before it counts as hung.

    Raises:
        SearchError: the job cannot be pickled.
    """

    def __init__(self, job: TrainingJob, workers: int, trial_timeout: float = 3600.0) -> None:
        start_server()
        self.slots = workers
        self._timeout = trial_timeout
        self._names = itertools.count()
        devices = gpus() or ["-1"]
        self._devices = deque(devices[index % len(devices)] for index in range(workers))
        self._waiting: deque[RunningTask] = deque()
        self._idle: list[WorkerProcess] = []
        self._busy: list[tuple[WorkerProcess, RunningTask]] = []
        self._polled = time.monotonic()
        self._folder = Path(tempfile.mkdtemp(dir=scratch_folder()))
        # Before Python waits for its child processes, if nobody else has closed the runner.
        atexit.register(self.close)
        try:
            write_job(self._folder, job)
        except BaseException:
            self.close()
            raise

    @property
    @override
    def running(self) -> int:
        return len(self._waiting) + len(self._busy)

    @override
    def submit(self, task: TrialTask) -> None:
        """Keeps the task for `wait`, which may be interrupted while a worker starts."""
        self._waiting.append(RunningTask(self._folder / f"task-{next(self._names)}", task))

    @override
    def wait(self, on_epoch: OnEpoch) -> list[TrialOutcome]:
        """Collects epochs until a worker is done, dead or silent for too long."""
        outcomes: list[TrialOutcome] = []
        while self.running and not outcomes:
            while self._waiting:
                self._begin(self._waiting.popleft())
            ends = [end for worker, _ in self._busy for end in worker.ends]
            connection.wait(ends, timeout=_POLL_SECONDS)
            self._excuse_suspension()
            for worker, running in list(self._busy):
                outcome = self._outcome(worker, running, on_epoch)
                if outcome is not None:
                    self._free(worker, running, outcome)
                    outcomes.append(outcome)
        return outcomes

    @override
    def close(self) -> None:
        """Ends the workers and removes the job's files."""
        atexit.unregister(self.close)
        workers = [*self._idle, *(worker for worker, _ in self._busy)]
        try:
            for worker in workers:
                worker.end(wait=False)
            for worker in workers:
                worker.end(wait=True)
        finally:  # a second Ctrl-C does not wait
            shutil.rmtree(self._folder, ignore_errors=True)

    def _begin(self, running: RunningTask) -> None:
        """Passes a task to an idle worker, or to a new one."""
        while True:
            worker = self._idle.pop() if self._idle else self._new_worker()
            if worker.begin(running):
                self._busy.append((worker, running))
                return
            self._end(worker)  # killed while idle, so no task is to blame

    def _new_worker(self) -> WorkerProcess:
        worker = WorkerProcess(self._folder, self._devices[0])
        self._devices.popleft()
        return worker

    def _end(self, worker: WorkerProcess) -> None:
        worker.end(wait=False)
        self._devices.append(worker.device)

    def _free(self, worker: WorkerProcess, running: RunningTask, outcome: TrialOutcome) -> None:
        """Keeps a worker for the next task unless it was lost or has grown too large."""
        self._busy.remove((worker, running))
        if outcome.status == "lost" or worker.grown_bytes() > GROWTH:
            self._end(worker)
        else:
            self._idle.append(worker)

    def _excuse_suspension(self) -> None:
        before, self._polled = self._polled, time.monotonic()
        pause = self._polled - before
        if pause > _SUSPENDED_SECONDS:
            for _, running in self._busy:
                running.excuse(pause)

    def _outcome(
        self, worker: WorkerProcess, running: RunningTask, on_epoch: OnEpoch
    ) -> TrialOutcome | None:
        """How a task has ended; None if it is still running."""
        result, died = None, False
        try:
            result = worker.result()
        except EOFError:
            died = True
        # A task that has ended by now has written all its epochs.
        for record in running.new_epochs():
            on_epoch(running.task.trial_id, record)
        if died:
            return running.died(worker.exit_code())
        if result is not None:
            return running.complete(result)
        return running.hung(self._timeout) if running.silent_for() > self._timeout else None
