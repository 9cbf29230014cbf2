"""Where an export is put: whole or not at all, and never over what is no export."""

from __future__ import annotations

import os
import shutil
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from lrtune.errors import ArgumentError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


def beside(run: str, ending: str) -> Path:
    """The path beside a run folder that has its name and this ending.

    A run folder itself holds what a search writes and nothing else.
    """
    folder = Path(os.path.normpath(run))
    if folder.name in ("", ".."):
        folder = Path(os.path.abspath(run))  # noqa: PTH100 - resolve() would follow a link
    return folder.parent / f"{folder.name or 'run'}{ending}"


@contextmanager
def whole(
    out: Path, *, folder: bool, overwrite: bool, is_ours: Callable[[Path], bool]
) -> Iterator[Path]:
    """Gives a path to write to, which takes its place at `out` once all is written.

    Args:
        out: where it is to be; folders above it are made.
        folder: whether to give a folder, which is made, or the path of a file.
        overwrite: whether an export that is there is replaced.
        is_ours: whether a file of a folder is one that such an export writes. A folder with any
            other file in it is never replaced.

    Raises:
        ArgumentError: something is there that is not to be replaced, or it cannot be written.
    """
    _refuse(out, folder=folder, overwrite=overwrite, is_ours=is_ours)
    temporary = out.with_name(f".{out.name}.{os.getpid()}.tmp")
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        _remove(temporary)
        if folder:
            temporary.mkdir()
        yield temporary
        _put(temporary, out)
    except OSError as error:
        raise ArgumentError(
            f"--out must be a path that can be written. Received: {str(out)!r} "
            f"({error.strerror or type(error).__name__})."
        ) from error
    finally:
        _remove(temporary)


def _refuse(out: Path, *, folder: bool, overwrite: bool, is_ours: Callable[[Path], bool]) -> None:
    if not os.path.lexists(out):
        return
    if out.is_symlink() or not (out.is_dir() if folder else out.is_file()):
        raise ArgumentError(
            f"--out must be {'a folder' if folder else 'a file'}, or not exist yet. Received: "
            f"{str(out)!r}, which is {_kind(out)}."
        )
    empty = folder
    for path in out.rglob("*") if folder else ():
        if path.is_dir() and not path.is_symlink():
            continue
        empty = False
        if not is_ours(path.relative_to(out)):
            raise ArgumentError(
                f"--out must be an empty folder, an earlier export, or not exist yet. Received: "
                f"{str(out)!r}, which holds {path.name!r}."
            )
    if not overwrite and not empty:
        raise ArgumentError(f"--out {str(out)!r} exists already: --overwrite replaces it.")


def _kind(path: Path) -> str:
    if path.is_symlink():
        return "a link"
    return "a folder" if path.is_dir() else "a file" if path.is_file() else "neither"


def _put(temporary: Path, out: Path) -> None:
    """Puts what is written in its place; what was there is gone only then."""
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
    with suppress(OSError):  # the error that brought us here says more
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
