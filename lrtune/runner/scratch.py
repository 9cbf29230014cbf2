"""Temporary folders of this process, which do not outlive it, however it ends."""

from __future__ import annotations

import os
import shutil
import stat
import sys
import tempfile
from contextlib import suppress
from multiprocessing import util
from pathlib import Path

if sys.platform != "win32":
    import fcntl

_PREFIX = "lrtune-"
_OWNER = "owner.lock"

_made: dict[Path, int] = {}


def scratch_folder(longest: int = sys.maxsize) -> Path:
    """A temporary folder of this process; made when first asked for, removed at its end.

    Its workers remove it if this process is killed, and the next search that starts if they were
    killed too.

    Args:
        longest: characters that its path may have; else it is in /tmp, whatever TMPDIR says.
    """
    parent = Path(tempfile.gettempdir())
    if len(str(parent / _PREFIX)) + 8 > longest:
        parent = Path("/tmp")  # noqa: S108 - the folder in it is nobody else's
    for made in _made:
        if made.parent == parent and made.is_dir():
            return made
    sweep(parent)
    folder, owner = make_folder(parent)
    _made[folder] = owner
    # After multiprocessing has removed its own files, which may be in there (priority -100).
    util.Finalize(None, shutil.rmtree, (folder, True), exitpriority=-200)
    return folder


def scratch_folders() -> list[Path]:
    """All temporary folders that this process has made."""
    return list(_made)


def make_folder(parent: Path) -> tuple[Path, int]:
    """A new folder in another one, and the descriptor whose lock shows that its owner lives."""
    folder = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=parent))
    new = folder / "new.lock"
    owner = os.open(new, os.O_WRONLY | os.O_CREAT)
    if sys.platform != "win32":
        fcntl.flock(owner, fcntl.LOCK_EX)
    with suppress(OSError):  # Windows renames no open file
        new.rename(folder / _OWNER)  # with its lock: a sweep never finds it unlocked
    return folder, owner


def remove(folder: Path) -> None:
    """Removes such a folder while others may be writing to it: they no longer find it."""
    gone = folder.with_name(f"{folder.name}-gone-{os.getpid()}")
    with suppress(OSError):  # another worker was faster
        folder.rename(gone)
        shutil.rmtree(gone, ignore_errors=True)


def sweep(parent: Path) -> None:
    """Removes the temporary folders of processes that were killed together with their workers.

    Only folders of this user that have such a lock, which nobody holds. Without `flock` nothing is
    removed.
    """
    if sys.platform == "win32":
        return
    for folder in parent.glob(f"{_PREFIX}*"):
        with suppress(OSError):  # not such a folder, or in use
            found = folder.lstat()
            if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid():
                continue
            # Whatever somebody put there is not followed, waited for or written.
            owner = os.open(folder / _OWNER, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
            try:
                fcntl.flock(owner, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(folder)
            finally:
                os.close(owner)
