"""The manifest of a run folder, or an error that says what to do without it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from lrtune._util.listing import some
from lrtune.errors import RunFolderError
from lrtune.records import schema
from lrtune.records.parse import UNREADABLE, NewerSchemaError, read_manifest, reason

if TYPE_CHECKING:
    from pathlib import Path

    from lrtune.records.schema import Manifest


class DamagedManifestError(RunFolderError):
    """There is a run, but its `run.json` cannot be read."""

    def __init__(self, message: str, what: str) -> None:
        super().__init__(message)
        self.what = what


def load_manifest(folder: Path) -> Manifest:
    """The manifest of a run folder.

    Raises:
        DamagedManifestError: it is damaged or missing.
        RunFolderError: there is no such folder, or a newer lrtune wrote it.
    """
    path = folder / schema.MANIFEST
    if not folder.is_dir():
        raise RunFolderError(
            f"There is no folder {str(folder)!r}. Give the folder that a search wrote (its "
            "--run-dir)."
        )
    if not os.path.lexists(path):
        raise DamagedManifestError(
            f"{str(folder)!r} is not a run folder: it has no {schema.MANIFEST}. Give the folder "
            f"that a search wrote{_runs_below(folder)}.",
            "is missing",
        )
    try:
        return read_manifest(folder)
    except NewerSchemaError as error:
        raise RunFolderError(f"{str(path)!r} was {error}. Update lrtune to read it.") from error
    except UNREADABLE as error:
        raise DamagedManifestError(
            f"{str(path)!r} cannot be read ({reason(error)}): it must be the JSON object that a "
            "search wrote. The command that started the search writes it again and keeps the "
            "trials.",
            f"cannot be read ({reason(error)})",
        ) from error


def _runs_below(folder: Path) -> str:
    below = sorted(str(path.parent) for path in folder.glob(f"*/{schema.MANIFEST}"))
    return f", such as {some(map(repr, below))}" if below else " (its --run-dir)"
