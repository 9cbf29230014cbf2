"""A lock that lets only one process at a time write to a run folder."""

from __future__ import annotations

import contextlib
import getpass
import json
import os
import shlex
import socket
import sys
from typing import TYPE_CHECKING

import filelock

from lrtune.errors import RunFolderError
from lrtune.records.schema import now

if TYPE_CHECKING:
    from pathlib import Path

LOCK = ".lock"
"""Locked by the system for the process that searches; the file itself always stays."""

HOLDER = ".lock.json"
"""Says who holds the lock, or held it last, for people to read."""


class RunLock:
    """The right to write into a run folder, held from creation to `release`.

    The system releases it when the process ends, however that happens.

    Args:
        folder: an existing folder.

    Raises:
        RunFolderError: another process holds it (the message says which one), or the folder cannot
            be written to.
    """

    def __init__(self, folder: Path) -> None:
        self._lock = filelock.FileLock(folder / LOCK)
        self._holder = folder / HOLDER
        try:
            self._lock.acquire(blocking=False)
        except filelock.Timeout as error:
            raise RunFolderError(
                f"run folder {folder} is being written by {self._who()}; wait until that "
                "process has ended, or choose another --run-dir"
            ) from error
        self._holder.write_text(json.dumps({"holder": _myself()}) + "\n", encoding="utf-8")

    def release(self) -> None:
        """Allows others to write. Safe to call twice."""
        if self._lock.is_locked:
            with contextlib.suppress(OSError):  # the folder may be gone
                self._holder.unlink(missing_ok=True)
            self._lock.release()

    def _who(self) -> str:
        try:
            return str(json.loads(self._holder.read_text(encoding="utf-8"))["holder"])
        except (OSError, ValueError, KeyError, TypeError):
            return "another process"


def _myself() -> str:
    try:
        user = getpass.getuser()
    except (KeyError, OSError, ImportError):  # a container's user may have no name
        user = "unknown"
    who = f"process {os.getpid()} of {user} on {socket.gethostname()}"
    return f"{who} ({shlex.join(sys.argv)}, since {now()})"
