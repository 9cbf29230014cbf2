"""One worker process as the driver sees it, and the task that it is training."""

from __future__ import annotations

import os
import signal
import time
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import psutil

from lrtune._util.memory import free_bytes, gibibytes
from lrtune.errors import SearchError
from lrtune.records.task import TrialOutcome
from lrtune.runner.exchange import TaskFiles
from lrtune.runner.forkserver import pipe, start_process
from lrtune.runner.scratch import scratch_folders
from lrtune.runner.serve import serve

if TYPE_CHECKING:
    from pathlib import Path

    from lrtune.records.task import EpochRecord, TrialTask

_START_SECONDS = 600.0
"""How long a worker may take to start its first task: importing TensorFlow from a busy network disk
takes minutes."""

_STARTS = 5
"""How often a process is started before the search gives up, if its server is killed each time."""

_SERVER_ENDS_SECONDS = 0.2
"""How long a killed server may take to be gone."""

_ENDS_SECONDS = 5.0
"""How long a killed process may take to be gone."""


class WorkerProcess:
    """A worker process as the driver sees it.

    Args:
        folder: shared with the worker, holds the job.
        device: what the worker gets as CUDA_VISIBLE_DEVICES.

    Raises:
        SearchError: the process cannot be started.
    """

    def __init__(self, folder: Path, device: str) -> None:
        self.device = device
        try:
            self._start(folder)
        except (OSError, EOFError) as error:
            why = getattr(error, "strerror", None) or "the process that starts workers was killed"
            raise SearchError(
                f"cannot start a worker process: {why}. Everything saved so far is intact"
            ) from error
        self._known: psutil.Process | None = None
        with suppress(psutil.NoSuchProcess):  # it has died already
            self._known = psutil.Process(self._process.pid)
        self._killed: list[psutil.Process] | None = None
        self._first_bytes = 0

    def _start(self, folder: Path) -> None:
        for left in reversed(range(_STARTS)):
            # A process whose start was not confirmed ends with its own pipe.
            self._channel, theirs = pipe()
            try:
                with theirs:
                    self._process = start_process(
                        serve, theirs, str(folder), self.device, dict(os.environ), scratch_folders()
                    )
            except (ConnectionError, EOFError):
                # The server was killed just now. For a moment it still counts as alive.
                self._channel.close()
                if not left:
                    raise
                time.sleep(_SERVER_ENDS_SECONDS)
            else:
                return

    @property
    def ends(self) -> list[Any]:
        """What becomes ready when the task is done or the process dead, for `connection.wait`."""
        return [self._channel, self._process.sentinel]

    def begin(self, running: RunningTask) -> bool:
        """Starts a task; returns False if the process has died while it was idle."""
        try:
            self._channel.send((running.task, str(running.path)))
        except OSError:
            return False
        return True

    def result(self) -> TrialOutcome | Exception | None:
        """What the task ended with, or None as long as it runs.

        Raises:
            EOFError: the process has died.
        """
        alive = self._process.is_alive()  # asked first: what it sent before its end is there
        try:
            if self._channel.poll():
                return self._channel.recv()  # type: ignore[no-any-return]
        except OSError as error:
            raise EOFError from error
        if not alive:
            raise EOFError
        return None

    def grown_bytes(self) -> int:
        """How much more memory the process has than when this was first asked; 0 if unknown."""
        with suppress(psutil.Error):
            if self._known is not None:
                resident = int(self._known.memory_info().rss)
                self._first_bytes = self._first_bytes or resident
                return resident - self._first_bytes
        return 0

    def exit_code(self) -> int | None:
        """Its exit code, negative for a signal; None if it did not end in time."""
        self._process.join(_ENDS_SECONDS)
        return self._process.exitcode

    def end(self, *, wait: bool) -> None:
        """Kills the process and those that it started. Safe to call twice.

        Args:
            wait: whether to return only when they are gone.
        """
        self._channel.close()
        if self._killed is None:
            self._killed = self._kill()
        if wait:
            psutil.wait_procs(self._killed, timeout=_ENDS_SECONDS)

    def _kill(self) -> list[psutil.Process]:
        # NOTE: multiprocessing does not kill a process whose server was killed.
        if self._known is None:
            return []
        found = [self._known]
        with suppress(psutil.NoSuchProcess):
            found += self._known.children(recursive=True)
        for one in found:
            with suppress(psutil.NoSuchProcess):
                one.kill()
        return found


class RunningTask:
    """A task that a worker process is training.

    Args:
        path: of its files in the folder, without a suffix; different for every task.
        task: what to train.

    Raises:
        SearchError: the state that it continues from cannot be written.
    """

    def __init__(self, path: Path, task: TrialTask) -> None:
        self.path = path
        self.task = replace(task, parent_state=None)
        self._files = TaskFiles(path)
        self._epochs: list[EpochRecord] = []
        self._begun = False
        self._heard = time.monotonic()
        if task.parent_state is not None:
            self._files.write_parent(task.parent_state)

    def new_epochs(self) -> list[EpochRecord]:
        """The epochs that the worker has finished since the last call."""
        said = self._files.new_records()
        if said:
            self._begun = True
            self._heard = time.monotonic()
        epochs: list[EpochRecord] = [record for record in said if record is not None]
        self._epochs += epochs
        return epochs

    def silent_for(self) -> float:
        """Seconds since the worker started the task or finished an epoch of it.

        A worker that is still starting has `_START_SECONDS` more.
        """
        silence = time.monotonic() - self._heard
        return silence if self._begun else silence - _START_SECONDS

    def excuse(self, seconds: float) -> None:
        """Does not count seconds in which the driver was suspended, so probably all were."""
        self._heard += seconds

    def complete(self, result: TrialOutcome | Exception) -> TrialOutcome:
        """The outcome of the task, with its epochs, state and samples.

        Raises:
            SearchError: the worker could not load the model, or not write its results.
        """
        try:
            if isinstance(result, Exception):
                raise result
            state = self._files.read_state() if result.status == "completed" else None
            samples = self._files.read_samples()
        except OSError as error:
            raise SearchError(
                f"a worker could not hand over its results ({error}): is there space left on the "
                f"disk of {self.path.parent}? Everything saved so far is intact"
            ) from error
        self._files.remove()
        return replace(result, epochs=tuple(self._epochs), state=state, samples=samples)

    def died(self, exit_code: int | None) -> TrialOutcome:
        """The outcome of a task whose worker has died."""
        killed = exit_code == -signal.SIGKILL
        how = f"exit code {exit_code}"
        if exit_code is not None and exit_code < 0:
            how = f"{signal.Signals(-exit_code).name}({exit_code})"
        if killed:
            total = gibibytes(psutil.virtual_memory().total)
            how += f", possibly out of memory: {gibibytes(free_bytes())} of {total} are free now"
        return self._lost(f"its worker process ended with {how}", killed=killed)

    def hung(self, timeout: float) -> TrialOutcome:
        """The outcome of a task whose worker was silent for too long."""
        return self._lost(f"its worker finished no epoch in {timeout:g} s and was ended")

    def _lost(self, message: str, *, killed: bool = False) -> TrialOutcome:
        epochs = tuple(self._epochs)
        return TrialOutcome(self.task, "lost", epochs, message=message, killed=killed)
