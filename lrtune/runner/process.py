"""One worker process: the driver's side, and the code that runs in the worker.

A worker may be killed at any moment, so nothing that it shares with the driver may be left half
done or locked. Each worker has its own pool (in a shared pool one death breaks all). Epochs are
lines appended to a file of the task, and training states are files too. What goes through a pipe is
smaller than the pipe's buffer (64 KiB on Linux), so it arrives completely or not at all.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import sys
import tempfile
import threading
import time
from contextlib import contextmanager
from dataclasses import replace
from multiprocessing import resource_tracker
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO, cast

import cloudpickle
import loky
import numpy as np
from loky.backend.context import LokyContext
from loky.process_executor import BrokenProcessPool

from lrtune._util.npz import read_npz, write_npz
from lrtune._util.output import SteadyOutput
from lrtune.errors import SearchError
from lrtune.model.start import start_tensorflow
from lrtune.records.task import TrainingJob, TrialOutcome

if TYPE_CHECKING:
    from collections.abc import Iterator
    from concurrent.futures import Future

    from lrtune.records.task import EpochRecord, State, TrialTask

JOB = "job.pickle"
"""The pickled job in the folder that driver and workers share."""

_START_SECONDS = 600.0
"""How long a worker may take to start its first task: importing TensorFlow from a busy network disk
takes minutes."""

_LONGEST_MESSAGE = 8_000
"""How many of a traceback's last characters are kept."""


class ArrayFile:
    """A placeholder for an array in the pickled job; workers map the file instead."""

    def __init__(self, path: Path) -> None:
        self.path = str(path)


class WorkerProcess:
    """A worker process as the driver sees it.

    Args:
        folder: shared with the worker, holds the job.
        device: what the worker gets as CUDA_VISIBLE_DEVICES.
    """

    def __init__(self, folder: Path, device: str) -> None:
        self.device = device
        self._folder = folder
        self._executor = loky.ProcessPoolExecutor(
            max_workers=1,
            timeout=None,
            # Explicit, because joblib (imported by scikit-learn) replaces loky's default.
            context=LokyContext(),
            initializer=_start,
            initargs=(str(folder), device, os.getpid()),
            env={"OMP_NUM_THREADS": "1"},
        )

    def submit(self, task: TrialTask, name: str) -> RunningTask:
        """Starts a task.

        Args:
            task: what to train.
            name: of its files in the folder, different for every task.

        Raises:
            SearchError: the state that it continues from cannot be written.
        """
        running = RunningTask(self._folder / name, replace(task, parent_state=None))
        if task.parent_state is not None:
            try:
                _save(running.files.parent, task.parent_state)
            except OSError as error:
                raise SearchError(
                    f"cannot write temporary files to {self._folder}: {error.strerror}. Everything "
                    "saved so far is intact"
                ) from error
        with _no_keyboard_interrupt():
            running.future = self._executor.submit(_run, running.task, str(self._folder / name))
        return running

    def end(self, *, wait: bool) -> None:
        """Stops the process, even if it is busy. Safe to call twice.

        Args:
            wait: whether to return only when it has ended.
        """
        self._executor.shutdown(wait=wait, kill_workers=True)


class _Files:
    """The files through which driver and worker exchange one task's results."""

    def __init__(self, path: Path) -> None:
        self.epochs = path.with_suffix(".jsonl")
        self.parent = path.with_suffix(".parent.npz")
        self.state = path.with_suffix(".state.npz")

    def remove(self) -> None:
        for path in (self.epochs, self.parent, self.state):
            path.unlink(missing_ok=True)


class RunningTask:
    """A task that a worker process is training.

    Attributes:
        task: without its parent's state.
        future: of the outcome.
        files: the task's files.
    """

    def __init__(self, path: Path, task: TrialTask) -> None:
        self.task = task
        self.files = _Files(path)
        self.future: Future[TrialOutcome]
        self._read = 0
        self._epochs: list[EpochRecord] = []
        self._begun = False
        self._heard = time.monotonic()

    def new_epochs(self) -> list[EpochRecord]:
        """The epochs that the worker has finished since the last call."""
        try:
            with self.files.epochs.open("rb") as file:
                file.seek(self._read)
                whole, end, _ = file.read().rpartition(b"\n")
        except FileNotFoundError:
            return []
        self._read += len(whole) + len(end)
        said = [json.loads(line) for line in whole.splitlines()]
        if said:
            self._begun = True
            self._heard = time.monotonic()
        epochs = [record for record in said if record is not None]
        self._epochs += epochs
        return epochs

    def silent_for(self) -> float:
        """Seconds since the worker started the task or finished an epoch of it.

        A worker that is still starting has `_START_SECONDS` more.
        """
        silence = time.monotonic() - self._heard
        return silence if self._begun else silence - _START_SECONDS

    def take(self) -> TrialOutcome:
        """The outcome of the task, which has ended.

        Raises:
            SearchError: the worker could not write its results.
        """
        try:
            outcome = self.future.result()
            state = read_npz(self.files.state) if outcome.status == "completed" else None
        except BrokenProcessPool as error:
            codes = re.findall(r"\{(.+?)\}", str(error))
            how = f" with {codes[-1]}" if codes else ""
            return self.lost(
                f"its worker process ended{how}: it crashed or was killed, possibly out of memory"
            )
        except OSError as error:
            raise SearchError(
                f"a worker could not hand over its results ({error}): is there space left on the "
                f"disk of {self.files.state.parent}? Everything saved so far is intact"
            ) from error
        self.files.remove()
        return replace(outcome, epochs=tuple(self._epochs), state=state)

    def lost(self, reason: str) -> TrialOutcome:
        """The outcome of a task whose worker has died or is about to be stopped."""
        return TrialOutcome(
            self.task, "failed", tuple(self._epochs), message=reason, worker_lost=True
        )


@contextmanager
def _no_keyboard_interrupt() -> Iterator[None]:
    """Processes started in this block ignore Ctrl-C, which reaches all processes of a terminal."""
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield
        return
    # Otherwise it starts with the first worker and unblocks the signal (seen with Python 3.11).
    resource_tracker.ensure_running()
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _save(path: Path, state: State) -> None:
    with path.open("wb") as file:
        write_npz(file, state)


# Everything below runs in the worker.

_trainer: Any = None


def _start(folder: str, device: str, driver: int) -> None:
    """Runs once in each worker: one thread, one GPU or none, the job."""
    global _trainer  # noqa: PLW0603 - a worker process is one trainer
    threading.Thread(target=_end_with, args=(driver, folder), daemon=True).start()
    # The driver gets Ctrl-C as well and ends its workers. With Python's own handler, a
    # KeyboardInterrupt that the model raises would look like a signal.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.environ["CUDA_VISIBLE_DEVICES"] = device
    # A closed pipe must not raise where the model prints; the driver says so.
    sys.stdout = cast("TextIO", SteadyOutput(sys.stdout, notice=False))
    # TensorFlow writes generated functions there, and a killed worker cannot remove them.
    tempfile.tempdir = folder
    try:
        start_tensorflow(threads=1)
        import keras

        from lrtune.runner.worker import Trainer

        hypermodel, args, kwargs, held_out = keras.tree.map_structure(
            _mapped, cloudpickle.loads((Path(folder) / JOB).read_bytes())
        )
        _trainer = Trainer(TrainingJob(hypermodel, args, kwargs, held_out))
    # `_run` raises it: to the driver, a worker that does not start would look like one that was
    # killed.
    except Exception as error:  # noqa: BLE001
        _trainer = error
    except BaseException as error:  # noqa: BLE001 - loky would raise it in the driver and end it
        _trainer = SearchError(
            f"the model cannot be loaded in a worker process ({type(error).__name__}: {error}). "
            "Use workers=1 to train in this process"
        )


def _end_with(driver: int, folder: str) -> None:
    """Stops this process when the driver has died: a killed driver cannot stop its workers."""
    while os.getppid() == driver:
        time.sleep(0.5)
    shutil.rmtree(folder, ignore_errors=True)
    os._exit(1)


def _mapped(value: Any) -> Any:
    # Copy on write: nothing writes, but TensorFlow does not accept read-only memory.
    return np.load(value.path, mmap_mode="c") if isinstance(value, ArrayFile) else value


def _run(task: TrialTask, path: str) -> TrialOutcome:
    """Trains a task; epochs and state go into files, the rest is returned."""
    if isinstance(_trainer, Exception):
        raise _trainer
    files = _Files(Path(path))
    _append(files.epochs, None)
    if files.parent.exists():
        task = replace(task, parent_state=read_npz(files.parent))
    outcome: TrialOutcome = _trainer.run(
        task, lambda _, record: _append(files.epochs, dict(record))
    )
    if outcome.state is not None:
        _save(files.state, outcome.state)
    message = outcome.message and outcome.message[-_LONGEST_MESSAGE:]
    return replace(outcome, epochs=(), state=None, message=message)


def _append(path: Path, record: dict[str, float] | None) -> None:
    with path.open("ab") as file:
        file.write(json.dumps(record).encode() + b"\n")
