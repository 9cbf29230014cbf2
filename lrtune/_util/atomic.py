"""Writes whole files: readers see the old content or the new, never part of it.

The content goes to a temporary file in the same folder, which is flushed to disk and then renamed.
"""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from typing import BinaryIO

TEMPORARY = ".tmp"
"""The suffix of temporary files."""


def replace_file(
    path: Path,
    write: Callable[[BinaryIO], object],
    *,
    suffix: str = TEMPORARY,
    flushed: Callable[[], object] = lambda: None,
    sync: bool = True,
) -> None:
    """Write a file, replacing an existing one.

    Args:
        path: of the file, in a folder that exists. A link there is replaced, not followed.
        write: writes the content into the open file it receives.
        suffix: of the temporary file; must differ between writers that may write the same path at
            the same time.
        flushed: called when the content has been passed to the system, before it is on disk.
        sync: whether to wait until it is on disk. Otherwise a power cut (not a kill) within seconds
            may leave an empty file.

    Raises:
        OSError: the file cannot be written; what was at `path` is unchanged.
    """
    temporary = path.with_name(path.name + suffix)
    temporary.unlink(missing_ok=True)  # of a writer that was killed
    try:
        # NOTE: "x" makes a new file: it follows no link and waits for no pipe of that name.
        with temporary.open("xb") as file:
            write(file)
            file.flush()
            flushed()
            if sync:
                os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        with suppress(OSError):  # the error that led here says more
            temporary.unlink(missing_ok=True)
        raise


def write_any(path: Path, content: bytes) -> None:
    """Write a file wherever the user wants it, replacing an existing one.

    Args:
        path: of the file. A link is kept and the file that it points to is replaced.
        content: of the file.

    Raises:
        OSError: the file cannot be written; what was at `path` is unchanged.
        ValueError: `path` is a folder, a device or a pipe, or contains a zero byte.
    """
    # The rename would replace a device or a pipe by a file.
    if path.exists() and not stat.S_ISREG(path.stat().st_mode):
        raise ValueError("it exists and is not a file")
    replace_file(
        path.resolve(), lambda file: file.write(content), suffix=f".{os.getpid()}{TEMPORARY}"
    )
