"""How files of a run folder are written, so that no kill at any moment can damage one.

A whole file is replaced at once (`_util.atomic`). A line is appended and flushed; a kill can tear
only the last line, and readers drop it.
"""

from __future__ import annotations

import json
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from lrtune._util import atomic
from lrtune.errors import RunFolderError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path
    from typing import BinaryIO


def boundary(path: Path) -> None:
    """Does nothing; called before, between and after the steps of each write.

    The fault tests replace it by a kill to try every such moment.
    """


def replace_file(path: Path, write: Callable[[BinaryIO], object], *, sync: bool = True) -> None:
    """Write a whole file, replacing an existing one.

    Args:
        path: in a folder that exists.
        write: writes the content into the open file it receives.
        sync: whether to wait until it is on disk, so that it also survives a power cut.

    Raises:
        RunFolderError: it cannot be written; what was at `path` is unchanged.
    """
    boundary(path)
    with naming_the_file(path):
        atomic.replace_file(path, write, flushed=lambda: boundary(path), sync=sync)
    boundary(path)


def replace_json(path: Path, value: Any, *, sync: bool = True) -> None:
    """Write a value as JSON, replacing an existing file; see `replace_file`."""
    text = json.dumps(value, indent=2) + "\n"
    replace_file(path, lambda file: file.write(text.encode()), sync=sync)


def append_line(path: Path, line: str) -> None:
    """Append a line, visible at once to anyone who reads the file.

    Raises:
        RunFolderError: it cannot be written.
    """
    boundary(path)
    with naming_the_file(path), path.open("ab") as file:
        file.write(f"{line}\n".encode())
    boundary(path)


def remove(path: Path) -> None:
    """Delete a file if it exists.

    Raises:
        RunFolderError: it cannot be deleted.
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
    except FileNotFoundError as error:  # a write makes its file, so the folder is missing
        raise RunFolderError(
            f"cannot write {path}: its folder was moved, removed or replaced while this process "
            "was writing it, so it stops here. What it wrote before is where the folder went"
        ) from error
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise RunFolderError(
            f"cannot write {path}: {reason}. Everything saved so far is intact. Fix this, then run "
            "the same command again."
        ) from error
