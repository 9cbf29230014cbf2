"""How a file of a run folder is written so that a kill, whenever it comes, leaves no half of one.

A whole file is written under a temporary name in the same folder, flushed to disk and renamed over
the old one. A line is appended and flushed; a kill can tear only the last one, and readers drop it.
"""

from __future__ import annotations

import json
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from lrtune.errors import RunFolderError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path
    from typing import BinaryIO

TEMPORARY = ".tmp"
"""How the name of a file that is not whole yet ends."""


def boundary(path: Path) -> None:
    """Does nothing; called before, between and after the steps of each write.

    The tests of faults put a kill in its place, so that every such moment is tried.
    """


def replace_file(path: Path, write: Callable[[BinaryIO], object]) -> None:
    """Puts a whole file in the place of the one at `path`, if there is one.

    Args:
        path: in a folder that exists.
        write: writes the content into the open file it is given.

    Raises:
        RunFolderError: it could not be written; what was at `path` is as it was.
    """
    temporary = path.with_name(path.name + TEMPORARY)
    boundary(path)
    with naming_the_file(path):
        try:
            with temporary.open("wb") as file:
                write(file)
                file.flush()
                boundary(path)
                os.fsync(file.fileno())
            temporary.replace(path)
        except BaseException:
            _remove_quietly(temporary)
            raise
    boundary(path)


def replace_json(path: Path, value: Any) -> None:
    """Puts a value, written as JSON, in the place of the file at `path`; see `replace_file`."""
    text = json.dumps(value, indent=2) + "\n"
    replace_file(path, lambda file: file.write(text.encode()))


def append_line(path: Path, line: str) -> None:
    """Appends a line so that whoever reads the file sees it at once.

    Raises:
        RunFolderError: it could not be written.
    """
    boundary(path)
    with naming_the_file(path), path.open("ab") as file:
        file.write(f"{line}\n".encode())
    boundary(path)


def remove(path: Path) -> None:
    """Deletes a file that may be gone already.

    Raises:
        RunFolderError: it is there and cannot be deleted.
    """
    boundary(path)
    with naming_the_file(path):
        path.unlink(missing_ok=True)
    boundary(path)


@contextmanager
def naming_the_file(path: Path) -> Iterator[None]:
    """Turns the system's errors into one that names the file and says that nothing is lost."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise RunFolderError(
            f"cannot write {path}: {reason}. Everything saved so far is intact. Fix this, then run "
            "the same command again"
        ) from error


def _remove_quietly(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError:  # the error that brought us here says more
        return
