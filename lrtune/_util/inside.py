"""Paths below a folder that somebody else may have made: none of them leads out of it.

A run folder is passed from person to person. A link in it could point to any file of the reader's,
a pipe would be waited on for ever, and a device never ends. So below the folder only plain folders
and plain files count.
"""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def plain_file(folder: Path, name: str) -> Path:
    """The path of a file below a folder; there may be no such file yet.

    Args:
        folder: as a person gave it; it may be a link itself.
        name: of the file, relative to the folder, as "trial_7/outcome.json".

    Raises:
        ValueError: there is something else than a file, or than a folder on the way to it.
        OSError: the system does not say what is there.
    """
    above, _, _ = name.rpartition("/")
    _refuse_others(folder, above, name)
    _refuse(folder, name, name, stat.S_ISREG)
    return folder / name


def plain_folder(folder: Path, name: str) -> Path:
    """The path of a folder below a folder, likewise."""
    _refuse_others(folder, name, name)
    return folder / name


def _refuse_others(folder: Path, part: str, whole: str) -> None:
    """Refuses what is not a folder, from the topmost part on."""
    above = ""
    for name in filter(None, part.split("/")):
        above += f"/{name}"
        _refuse(folder, above[1:], whole, stat.S_ISDIR)


def _refuse(folder: Path, part: str, whole: str, is_wanted: Callable[[int], bool]) -> None:
    # NOTE: on text: with pathlib these checks took a fifth of the time of resuming a long search.
    try:
        mode = os.lstat(f"{folder}/{part}").st_mode
    except (FileNotFoundError, NotADirectoryError):
        return
    if not is_wanted(mode):
        wanted = "a folder" if is_wanted is stat.S_ISDIR else "a file"
        what = "a link, which is not followed" if stat.S_ISLNK(mode) else f"not {wanted}"
        raise ValueError(f"{'it' if part == whole else part} is {what}")
