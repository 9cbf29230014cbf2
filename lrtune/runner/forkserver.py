"""Where worker processes come from: a server that has imported TensorFlow, or new interpreters.

A worker forked from such a server starts in 0.02 s and has 42 MiB of its own when it has trained a
minimal model; a new interpreter takes 5 s and 330 MiB. (Measured with TensorFlow 2.21.)
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import tempfile
import types
from contextlib import contextmanager
from multiprocessing import resource_tracker
from typing import TYPE_CHECKING, Any

from lrtune.runner.scratch import scratch_folder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from multiprocessing.process import BaseProcess
    from pathlib import Path

# Not on macOS, where system libraries do not survive a fork:
# https://docs.python.org/3/library/multiprocessing.html#contexts-and-start-methods
_FORKS = sys.platform == "linux"

_LONGEST_FOLDER = 60
"""Characters. Below it is "pymp-12345678/listener-12345678", and a socket may have 107 in all."""

_ENVIRONMENT = {
    "OMP_NUM_THREADS": "1",  # read when NumPy is imported
    "PYTHONSAFEPATH": "1",  # a random.py in the working folder is not Python's
}


def start_server() -> bool:
    """Starts the server if there is none, and returns without waiting for its imports.

    Returns:
        Whether there is a server now.
    """
    if not _FORKS:
        return False
    from multiprocessing import forkserver

    # Has an effect only if this process never started a server; any other works too, slowly.
    forkserver.set_forkserver_preload(["lrtune.runner.preload"])
    try:
        with _undisturbed(), _temporary_files_in(scratch_folder(_LONGEST_FOLDER)):
            forkserver.ensure_running()
    except OSError:
        return False
    return True


def start_process(target: Callable[..., None], *args: Any) -> BaseProcess:
    """Starts a process that calls a function of an importable module.

    Args:
        target: the function.
        *args: pickled for the process; pipes too.

    Raises:
        OSError: the machine has no more processes, files or memory.
        EOFError: the server was killed.
    """
    context: Any = multiprocessing.get_context("forkserver" if start_server() else "spawn")
    process: BaseProcess = context.Process(target=target, args=args)
    with _undisturbed(), _no_main_module():
        process.start()
    return process


def pipe() -> tuple[Any, Any]:
    """The two ends of a pipe, for the driver and for the process."""
    return multiprocessing.Pipe()


@contextmanager
def _undisturbed() -> Iterator[None]:
    """Processes started in this block have one thread and ignore Ctrl-C and a lost terminal.

    Both reach all processes of a terminal: the driver ends its workers in order.
    """
    before = {name: os.environ.get(name) for name in _ENVIRONMENT}
    os.environ.update(_ENVIRONMENT)
    try:
        if not hasattr(signal, "pthread_sigmask"):  # Windows
            yield
            return
        blocked = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGHUP})
        try:
            # Otherwise it starts with the first worker and unblocks SIGINT (seen with Python 3.11).
            resource_tracker.ensure_running()
            signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
            yield
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, blocked)
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


@contextmanager
def _temporary_files_in(folder: Path) -> Iterator[None]:
    """Here multiprocessing puts the server's socket, which nobody would remove after a kill."""
    before, tempfile.tempdir = tempfile.tempdir, str(folder)
    try:
        yield
    finally:
        tempfile.tempdir = before


@contextmanager
def _no_main_module() -> Iterator[None]:
    """Keeps a new process from importing the user's script.

    A script without `if __name__ == "__main__"` would start its search again in each worker. What
    the workers need of it travels in the pickled job.
    """
    main = sys.modules["__main__"]
    sys.modules["__main__"] = types.ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = main
