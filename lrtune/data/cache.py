"""The folder where fetched images wait for the next run."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import platformdirs

from lrtune._util import npz
from lrtune.errors import DataError

if TYPE_CHECKING:
    from numpy.typing import NDArray


def folder() -> Path:
    """Return the cache folder, which need not exist: `LRTUNE_CACHE`, else the user's usual one."""
    named = os.environ.get("LRTUNE_CACHE")
    if named:
        return Path(os.path.expanduser(named))  # noqa: PTH111 (Path.expanduser can raise)
    return Path(platformdirs.user_cache_dir("lrtune", appauthor=False))


def read_npz(name: str) -> dict[str, NDArray[np.uint8]] | None:
    """Return the arrays of a cached file, or None if there is no such file.

    Raises:
        DataError: the file is damaged or cannot be read.
    """
    try:
        return npz.read_npz(folder() / name)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except ValueError as error:
        raise DataError(f"{name} cannot be read ({error})") from error


def write_npz(name: str, arrays: dict[str, NDArray[np.uint8]]) -> str | None:
    """Write a file to the cache so that it is there whole or not at all, whatever is killed.

    Args:
        name: the file's name, without a folder.
        arrays: the arrays by key; stored as they are, since photographs hardly compress.

    Returns:
        None, or in one line why the file could not be written: a search does not need a cache.
    """
    temporary: Path | None = None
    try:
        folder().mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(
            dir=folder(), prefix=f".{name}.", suffix=".tmp", delete=False
        ) as file:
            temporary = Path(file.name)
            np.savez(file, **arrays)  # type: ignore[arg-type]
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(folder() / name)
    except OSError as error:
        return f"the cache folder {folder()} cannot be written ({error.strerror or error})"
    finally:
        # After an interrupt too; once renamed there is nothing left to remove.
        if temporary is not None:
            temporary.unlink(missing_ok=True)
    return None
