"""The only code that writes into a run folder; it runs in the driver process.

Keras Tuner's own files are written here too. Keras Tuner itself would write them in place, so a
kill at the wrong moment would leave a run that it can no longer load.
"""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any

from typing_extensions import Self

from lrtune._util.atomic import TEMPORARY
from lrtune._util.npz import write_npz
from lrtune.errors import RunFolderError
from lrtune.records import files, schema
from lrtune.records.ids import CONFIRM, folder_of
from lrtune.records.lock import HOLDER, LOCK, RunLock

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import numpy as np

_TUNER = "tuner0.json"
"""Keras Tuner's mark of a folder with a search that it can load; always an empty object."""


def holds_run(folder: Path) -> bool:
    """Whether a search, lrtune's or Keras Tuner's, was written into the folder."""
    return (folder / schema.MANIFEST).exists() or (folder / schema.ORACLE).exists()


def refuse_foreign_folder(folder: Path) -> None:
    """Raises RunFolderError if a search must not write there: to a file, or among foreign files."""
    if folder.exists() and not folder.is_dir():
        raise RunFolderError(
            f"run folder {folder} is a file. Give a folder that does not exist yet"
        )
    if folder.is_dir() and not holds_run(folder) and _content(folder):
        raise RunFolderError(
            f"run folder {folder} is not empty and holds no run. Choose another --run-dir"
        )


def erase_run(folder: Path) -> None:
    """Erases a run to make room for another.

    Raises:
        RunFolderError: the folder holds something else, a search is writing it, or it cannot be
            erased.
    """
    refuse_foreign_folder(folder)
    if not holds_run(folder):
        return
    if folder.is_symlink():
        raise RunFolderError(f"cannot erase run folder {folder}: it is a link")
    with RunWriter(folder):
        try:
            for path in _content(folder):
                if path.is_dir() and not path.is_symlink():
                    shutil.rmtree(path)
                else:
                    path.unlink()
        except OSError as error:
            raise RunFolderError(f"cannot erase run folder {folder}: {error.strerror}") from error


class RunWriter:
    """Writes everything in a run folder, and prevents others from writing there.

    Args:
        folder: the run folder; created, with its parents, if missing.

    Raises:
        RunFolderError: the folder cannot be created or written to, or another process writes it.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._lock = RunLock(folder)
            for left in folder.rglob(f"*{TEMPORARY}"):  # by a search that was killed
                left.unlink()
        except OSError as error:
            raise RunFolderError(
                f"cannot write to run folder {folder}: {error.strerror}; choose another --run-dir"
            ) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Allows others to write to the folder. Safe to call twice."""
        self._lock.release()

    def manifest(self, manifest: schema.Manifest) -> None:
        """Writes `run.json`."""
        files.replace_json(self.folder / schema.MANIFEST, schema.to_json(manifest))

    def confirmation(self, manifest: schema.ConfirmManifest) -> None:
        """Writes `confirm/confirm.json`."""
        folder = self._make(self.folder / CONFIRM)
        files.replace_json(folder / schema.CONFIRM_MANIFEST, schema.to_json(manifest))

    def erase_confirmation(self) -> None:
        """Deletes the whole confirmation to make room for another."""
        folder = self.folder / CONFIRM
        with files.naming_the_file(folder):
            if folder.exists():
                shutil.rmtree(folder)

    def page(self, text: str) -> None:
        """Writes `report.html`."""
        files.replace_file(self.folder / schema.PAGE, lambda file: file.write(text.encode()))

    def begin_trial(self, trial_id: str) -> None:
        """Makes the trial's folder and removes the files of an earlier, interrupted try."""
        folder = self._make(self.trial_folder(trial_id))
        for name in (schema.OUTCOME, schema.EPOCHS, schema.STATE):
            files.remove(folder / name)

    def epoch(self, trial_id: str, record: Mapping[str, float]) -> None:
        """Appends one epoch's line."""
        line = json.dumps(schema.plain(record), allow_nan=False)
        files.append_line(self.trial_folder(trial_id) / schema.EPOCHS, line)

    def outcome(self, outcome: schema.Outcome) -> None:
        """Writes the trial's `outcome.json`, which finishes the trial for good."""
        path = self.trial_folder(outcome.trial_id) / schema.OUTCOME
        files.replace_json(path, schema.to_json(outcome))

    def state(self, trial_id: str, state: Mapping[str, np.ndarray[Any, Any]]) -> None:
        """Keeps a trial's training state, so that a promotion can continue it."""
        files.replace_file(
            self.trial_folder(trial_id) / schema.STATE,
            lambda file: write_npz(file, state),
        )

    def drop_state(self, trial_id: str) -> None:
        """Deletes a state that is no longer needed."""
        files.remove(self.trial_folder(trial_id) / schema.STATE)

    def trial(self, trial_id: str, state: Mapping[str, Any]) -> None:
        """Writes Keras Tuner's `trial.json`, from its `Trial.get_state()`."""
        folder = self._make(self.trial_folder(trial_id))
        files.replace_json(folder / schema.TRIAL_FILE, state)

    def oracle(self, state: Mapping[str, Any]) -> None:
        """Writes Keras Tuner's `oracle.json`, from its `Oracle.get_state()`."""
        files.replace_json(self.folder / schema.ORACLE, state)
        if not (self.folder / _TUNER).exists():
            files.replace_json(self.folder / _TUNER, {})

    def trial_folder(self, trial_id: str) -> Path:
        """Folder of a search's trial ("0007") or of a baseline's ("baseline/ARM/seed-N")."""
        return self.folder / folder_of(trial_id)

    def _make(self, folder: Path) -> Path:
        with files.naming_the_file(folder):
            self.folder.stat()  # a run folder that somebody removed must not be created again
            folder.mkdir(parents=True, exist_ok=True)
        return folder


def _content(folder: Path) -> list[Path]:
    # A search that was killed while writing its first file left a temporary file.
    ours = (LOCK, HOLDER, schema.MANIFEST + TEMPORARY)
    return [path for path in folder.iterdir() if path.name not in ours]
