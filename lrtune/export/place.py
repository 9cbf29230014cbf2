"""Where an export goes: written completely or not at all, and never over anything else."""

from __future__ import annotations

import os
import shutil
from contextlib import ExitStack, contextmanager, suppress
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING

from lrtune._util import checks
from lrtune.errors import ArgumentError

if TYPE_CHECKING:
    from collections.abc import Iterator


def beside(run: str, ending: str) -> Path:
    """The path next to a run folder with the folder's name and this ending.

    A run folder holds what a search writes and nothing else.
    """
    folder = Path(os.path.normpath(run))
    if folder.name in ("", ".."):
        folder = Path(os.path.abspath(run))  # noqa: PTH100 - resolve() would follow a link
    return folder.parent / f"{folder.name or 'run'}{ending}"


@contextmanager
def whole(out: Path, *, files: tuple[str, ...], overwrite: bool) -> Iterator[Path]:
    """Gives a temporary path to write to, which is renamed to `out` once all is written.

    Args:
        out: where the export goes; folders above it are made.
        files: patterns of the files in the folder that such an export is (paths relative to it),
            none if it is a single file. A folder with any other file in it is never replaced.
        overwrite: whether an earlier export is replaced.

    Raises:
        ArgumentError: something is there that must not be replaced, or it cannot be written.
    """
    _refuse(out, files, overwrite=overwrite)
    temporary = out.with_name(f".{out.name}.{os.getpid()}.tmp")
    with ExitStack() as stack:
        stack.callback(_remove, temporary)
        stack.enter_context(checks.writable("--out", "a path that can be written", out))
        out.parent.mkdir(parents=True, exist_ok=True)
        _remove(temporary)
        if files:
            temporary.mkdir()
        yield temporary
        _put(temporary, out)


def _refuse(out: Path, files: tuple[str, ...], *, overwrite: bool) -> None:
    if not os.path.lexists(out):
        return
    if out.is_symlink() or not (out.is_dir() if files else out.is_file()):
        raise ArgumentError(
            f"--out must be {'a folder' if files else 'a file'}, or not exist yet. Received: "
            f"{str(out)!r}, which is {'a link' if out.is_symlink() else 'something else'}."
        )
    found = [path for path in out.rglob("*") if path.is_symlink() or not path.is_dir()]
    for path in found:
        if not any(fnmatchcase(str(path.relative_to(out)), pattern) for pattern in files):
            raise ArgumentError(
                f"--out must be an empty folder, an earlier export, or not exist yet. Received: "
                f"{str(out)!r}, which holds {path.name!r}."
            )
    if not overwrite and (found or not files):
        raise ArgumentError(f"--out {str(out)!r} exists already: --overwrite replaces it.")


def _put(temporary: Path, out: Path) -> None:
    """Renames the export to its place; what was there is deleted only after that."""
    if not out.is_dir():
        temporary.replace(out)
        return
    before = temporary.with_name(temporary.name + ".old")
    out.replace(before)
    try:
        temporary.replace(out)
    except BaseException:
        before.replace(out)
        raise
    _remove(before)


def _remove(path: Path) -> None:
    with suppress(OSError):  # the error that led here says more
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
