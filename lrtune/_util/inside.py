"""Paths below a folder that somebody else may have made: none of them leads out of it.

A run folder is passed from person to person. A link in it could point to any file of the reader's,
a pipe would be waited on for ever, and a device never ends. So below the folder only plain folders
and plain files count.
"""

from __future__ import annotations

import stat
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


def plain_file(folder: Path, name: str) -> Path:
    """The path of a file below a folder; there may be no such file yet.

    Args:
        folder: as a person gave it; it may be a link itself.
        name: of the file, relative to the folder.

    Raises:
        ValueError: there is something else than a file, or than a folder on the way to it.
        OSError: the system does not say what is there.
    """
    whole = Path(name)
    for part in (*reversed(whole.parents), whole):
        _refuse(folder, part, whole, stat.S_ISDIR if part != whole else stat.S_ISREG)
    return folder / name


def plain_folder(folder: Path, name: str) -> Path:
    """The path of a folder below a folder, likewise."""
    whole = Path(name)
    for part in (*reversed(whole.parents), whole):
        _refuse(folder, part, whole, stat.S_ISDIR)
    return folder / name


def _refuse(folder: Path, part: Path, whole: Path, is_wanted: Callable[[int], bool]) -> None:
    if part == Path():
        return  # the folder itself
    try:
        mode = (folder / part).lstat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        return
    if not is_wanted(mode):
        wanted = "a folder" if is_wanted is stat.S_ISDIR else "a file"
        what = "a link, which is not followed" if stat.S_ISLNK(mode) else f"not {wanted}"
        raise ValueError(f"{'it' if part == whole else part} is {what}")
