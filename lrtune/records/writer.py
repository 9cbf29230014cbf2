"""The only code that writes lrtune's own files into a run folder; it runs in the driver process.

Whole files are written under a temporary name in the same folder, flushed to disk and renamed, so
that a reader or a kill never meets half a file. Epochs are appended a line at a time and flushed.
"""

from __future__ import annotations

import json
import os
import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from lrtune.errors import RunFolderError
from lrtune.records import schema

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

STATE = "state.npz"
"""A trial's training state: weights, optimizer variables, step count, random states."""


def holds_run(folder: Path) -> bool:
    """Whether a search, lrtune's or Keras Tuner's, was written into the folder."""
    return (folder / schema.MANIFEST).exists() or (folder / "oracle.json").exists()


def refuse_existing_run(folder: Path) -> None:
    """Raises RunFolderError if the folder holds a run, or anything else we must not erase."""
    if folder.exists() and not folder.is_dir():
        raise RunFolderError(
            f"run folder {folder} is a file; give a folder that does not exist yet"
        )
    if holds_run(folder):
        raise RunFolderError(
            f"run folder {folder} already holds a run; choose another --run-dir, or pass "
            "--overwrite to erase it"
        )
    if folder.is_dir() and any(folder.iterdir()):
        raise RunFolderError(
            f"run folder {folder} is not empty and holds no run; choose another --run-dir"
        )


def remove_run(folder: Path) -> None:
    """Erases a run. A folder that holds no run is left alone and refused: it is not ours."""
    if not folder.exists():
        return
    if holds_run(folder):
        try:
            shutil.rmtree(folder)
        except OSError as error:
            reason = error.strerror or "it is a link"  # rmtree's own refusal has no strerror
            raise RunFolderError(f"cannot erase run folder {folder}: {reason}") from error
    else:
        refuse_existing_run(folder)


class RunWriter:
    """Writes manifest, epochs, outcomes and states below one run folder.

    Args:
        folder: the run folder; created, with its parents, if missing.

    Raises:
        RunFolderError: the folder cannot be created or written to.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        try:
            folder.mkdir(parents=True, exist_ok=True)
            probe = folder / ".writable"
            probe.touch()
            probe.unlink()
        except OSError as error:
            raise RunFolderError(
                f"cannot write to run folder {folder}: {error.strerror}; choose another --run-dir"
            ) from error

    def manifest(self, manifest: schema.Manifest) -> None:
        """Writes `run.json`."""
        self._write_json(self.folder / schema.MANIFEST, schema.to_json(manifest))

    def begin_trial(self, trial_id: str) -> None:
        """Makes the trial's folder and removes what an earlier, cut-off try left in it."""
        folder = self.trial_folder(trial_id)
        folder.mkdir(parents=True, exist_ok=True)
        for name in (schema.EPOCHS, schema.OUTCOME, STATE):
            (folder / name).unlink(missing_ok=True)

    def epoch(self, trial_id: str, record: Mapping[str, float]) -> None:
        """Appends one epoch's line, flushed so that a reader sees it at once."""
        line = json.dumps(schema.plain(record), allow_nan=False)
        with (self.trial_folder(trial_id) / schema.EPOCHS).open("a", encoding="utf-8") as file:
            file.write(line + "\n")

    def outcome(self, outcome: schema.Outcome) -> None:
        """Writes the trial's `outcome.json`."""
        path = self.trial_folder(outcome.trial_id) / schema.OUTCOME
        self._write_json(path, schema.to_json(outcome))

    def state(self, trial_id: str, state: Mapping[str, np.ndarray[Any, Any]]) -> None:
        """Keeps a trial's training state, so that a promotion can continue it."""
        path = self.trial_folder(trial_id) / STATE
        with _replacing(path) as file:
            np.savez(file, allow_pickle=False, **dict(state))

    def read_state(self, trial_id: str) -> dict[str, np.ndarray[Any, Any]] | None:
        """The state kept for a trial, or None where there is none (any more)."""
        path = self.trial_folder(trial_id) / STATE
        if not path.exists():
            return None
        with np.load(path, allow_pickle=False) as archive:
            return {name: archive[name] for name in archive.files}

    def drop_state(self, trial_id: str) -> None:
        """Deletes a state that nobody can need any more."""
        (self.trial_folder(trial_id) / STATE).unlink(missing_ok=True)

    def trial_folder(self, trial_id: str) -> Path:
        """Folder of a search's trial ("0007") or of a baseline's ("baseline/ARM/seed-N")."""
        name = trial_id if trial_id.startswith(schema.BASELINE + "/") else f"trial_{trial_id}"
        return self.folder / name

    def _write_json(self, path: Path, value: Mapping[str, Any]) -> None:
        text = json.dumps(value, indent=2, allow_nan=False) + "\n"
        with _replacing(path) as file:
            file.write(text.encode())


@contextmanager
def _replacing(path: Path) -> Iterator[BinaryIO]:
    """A file that takes the place of the one at `path` when all of it is on disk."""
    temporary = path.with_suffix(".tmp")
    try:
        with temporary.open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
