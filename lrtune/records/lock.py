"""One search at a time writes a run folder: a lock that dies with the process that holds it."""

from __future__ import annotations

import contextlib
import getpass
import os
import shlex
import socket
import sys
import threading
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

import filelock
import msgspec

from lrtune._util import atomic
from lrtune._util.inside import plain_file
from lrtune._util.printable import printable
from lrtune.errors import RunFolderError
from lrtune.records.parse import UNREADABLE, read_bytes

if TYPE_CHECKING:
    from pathlib import Path

LOCK = ".lock"
"""Locked by the system for the process that searches; that the file exists means nothing."""

HOLDER = ".lock.json"
"""Who holds the lock, for people to read: the process may be gone."""


_BEAT_SECONDS = 15.0
"""How often the owner renews the time of its file."""

_SILENT_SECONDS = 60.0
"""After this long without a renewal, an owner on another host counts as gone."""


@dataclass(frozen=True)
class Owner:
    """Who holds a lock.

    Attributes:
        process: its number, on its host.
        user: its name.
        host: name of the machine.
        command: as it was typed.
        since: ISO 8601, when it began.
    """

    process: int
    user: str
    host: str
    command: str
    since: str

    def __str__(self) -> str:
        """In words."""
        command = f"{self.command}, since {self.since}"
        return printable(f"process {self.process} of {self.user} on {self.host} ({command})")


class RunLock:
    """The right to write into a run folder, held from creation to `release`.

    The system releases it when the process dies, in whatever way, so nobody has to clean up.

    Args:
        folder: an existing folder.

    Raises:
        RunFolderError: another process holds it (the message says which one), on this host or on
            another, or the folder cannot be written to.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._ended = threading.Event()
        try:
            self._lock = filelock.FileLock(plain_file(folder, LOCK))
            self._holder = plain_file(folder, HOLDER)
        except ValueError as error:
            raise RunFolderError(f"cannot write to run folder {folder}: {error}") from error
        try:
            self._lock.acquire(blocking=False)
        except filelock.Timeout as error:
            raise self._refusal(read_owner(self._folder)) from error
        try:
            self._inode = _inode(folder / LOCK)
            self._refuse_owner_elsewhere()
            self._write_holder()
        except BaseException:
            self._lock.release()
            raise
        threading.Thread(target=self._beat, name="lrtune-lock", daemon=True).start()

    def check(self) -> None:
        """Raises RunFolderError where another folder is now at the path of the one that is locked.

        The lock goes with the folder that was locked, but files are written by path.
        """
        try:
            same = _inode(self._folder / LOCK) == self._inode
        except OSError:
            same = False
        if not same:
            raise RunFolderError(
                f"run folder {self._folder} was moved, removed or replaced while this process was "
                "writing it, so it stops here. What it wrote before is where the folder went"
            )

    def release(self) -> None:
        """Lets others write. Safe to call twice."""
        self._ended.set()
        if self._lock.is_locked:
            with contextlib.suppress(OSError, RunFolderError):  # it need not keep others waiting
                self.check()
                self._holder.unlink(missing_ok=True)
            self._lock.release()

    def _refuse_owner_elsewhere(self) -> None:
        """Refuses the folder while a process on another host writes it.

        On some network disks a lock is known to its own host only. What every host sees is the
        owner's file, whose time the owner renews. Both times are the disk's, not the hosts'.
        """
        owner = read_owner(self._folder)
        if owner is None or owner.host == socket.gethostname():
            return
        os.utime(self._folder / LOCK)
        now = (self._folder / LOCK).stat().st_mtime
        if now - self._holder.stat().st_mtime < _SILENT_SECONDS:
            raise self._refusal(owner)

    def _refusal(self, owner: Owner | None) -> RunFolderError:
        return RunFolderError(
            f"run folder {self._folder} is being written by {owner or 'another process'}; wait "
            "until that process has ended, or choose another run folder"
        )

    def _write_holder(self) -> None:
        content = msgspec.json.encode(_myself()) + b"\n"
        atomic.replace_file(self._holder, lambda file: file.write(content))

    def _beat(self) -> None:
        while not self._ended.wait(_BEAT_SECONDS):
            with contextlib.suppress(OSError, RunFolderError):  # the next write says what is wrong
                self.check()
                os.utime(self._holder)


def read_owner(folder: Path) -> Owner | None:
    """Who says that it writes a run folder; None where nobody does. The lock is left alone."""
    try:
        return msgspec.json.decode(read_bytes(folder, HOLDER), type=Owner)
    except UNREADABLE:
        return None


def _inode(path: Path) -> tuple[int, int]:
    status = path.stat()
    return status.st_dev, status.st_ino


def _myself() -> Owner:
    try:
        user = getpass.getuser()
    except (KeyError, OSError, ImportError):  # a container's user need not have a name
        user = "unknown"
    return Owner(
        process=os.getpid(),
        user=user,
        host=socket.gethostname(),
        command=shlex.join(sys.argv),
        since=datetime.now().astimezone().isoformat(timespec="seconds"),
    )
