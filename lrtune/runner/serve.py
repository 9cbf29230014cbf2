"""The code that runs in a worker process: takes tasks from a pipe, one after another.

What goes through the pipe is smaller than the pipe's buffer (64 KiB on Linux), so it arrives
completely or not at all.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import tempfile
import threading
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO, cast

from lrtune._util.output import SteadyOutput
from lrtune.errors import LrtuneError, SearchError
from lrtune.model.start import start_tensorflow
from lrtune.runner.exchange import TaskFiles, read_job
from lrtune.runner.scratch import remove

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from multiprocessing.connection import Connection

    from lrtune.records.task import TrialOutcome, TrialTask
    from lrtune.runner.worker import Trainer

_LONGEST_MESSAGE = 8_000
"""How many characters of a message are kept: its first line, and a traceback's last ones."""


def serve(
    channel: Connection,
    folder: str,
    device: str,
    environment: Mapping[str, str],
    scratch: Sequence[Path],
) -> None:
    """Trains tasks until the driver closes the pipe or dies.

    Args:
        channel: brings (task, path of its files); takes the outcome or the exception that ends the
            search.
        folder: shared with the driver, holds the job.
        device: the GPU to use, as CUDA_VISIBLE_DEVICES names it.
        environment: the driver's environment variables.
        scratch: folders to remove if the driver dies.
    """
    threading.Thread(target=_end_with_driver, args=(scratch,), daemon=True).start()
    # The driver gets Ctrl-C as well and ends its workers. With Python's own handler, a
    # KeyboardInterrupt that the model raises would look like a signal.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    sys.excepthook = sys.__excepthook__  # which the server has silenced
    os.environ.clear()  # of a server that an earlier search has started
    os.environ.update(environment, CUDA_VISIBLE_DEVICES=device, OMP_NUM_THREADS="1")
    # A closed pipe must not raise where the model prints; the driver says so.
    sys.stdout = cast("TextIO", SteadyOutput(sys.stdout, notice=False, discard=True))
    # TensorFlow writes generated functions there, and a killed worker cannot remove them.
    tempfile.tempdir = folder
    # An error is sent to the driver in place of each outcome: a worker that does not start would
    # look like one that was killed.
    trainer: Trainer | Exception
    try:
        trainer = _trainer(Path(folder))
    except (LrtuneError, OSError) as error:
        trainer = error
    except BaseException as error:  # noqa: BLE001 - what the user's modules raise
        trainer = SearchError(
            f"the model cannot be loaded in a worker process ({type(error).__name__}: {error}). "
            "Use in_process=True to train in this process"
        )
    with suppress(EOFError, OSError):  # the driver has closed the pipe
        while True:
            task, path = channel.recv()
            channel.send(_result(trainer, task, Path(path)))


def _trainer(folder: Path) -> Trainer:
    start_tensorflow(threads=1)
    from lrtune.runner.worker import Trainer

    return Trainer(read_job(folder))


def _end_with_driver(scratch: Sequence[Path]) -> None:
    """Ends this process when the driver has died: a killed driver cannot end its workers."""
    driver = multiprocessing.parent_process()
    if driver is not None:
        driver.join()
    for folder in scratch:
        remove(folder)
    os._exit(1)


def _result(trainer: Trainer | Exception, task: TrialTask, path: Path) -> Any:
    """The outcome, without its epochs, state and samples, which are in files; or an exception."""
    if isinstance(trainer, Exception):
        return trainer
    try:
        return _outcome(trainer, task, TaskFiles(path))
    except (LrtuneError, OSError) as error:
        return error


def _outcome(trainer: Trainer, task: TrialTask, files: TaskFiles) -> TrialOutcome:
    files.append(None)
    task = replace(task, parent_state=files.read_parent())
    outcome = trainer.run(task, lambda _, record: files.append(dict(record)))
    if outcome.state is not None:
        files.write_state(outcome.state)
    if outcome.samples is not None:
        files.write_samples(outcome.samples)
    message = _shortened(outcome.message)
    return replace(outcome, epochs=(), state=None, samples=None, message=message)


def _shortened(message: str | None) -> str | None:
    if message is None or len(message) <= _LONGEST_MESSAGE:
        return message
    first, _, others = message.partition("\n")
    return f"{first}\n\n...{others[len(first) - _LONGEST_MESSAGE :]}"
