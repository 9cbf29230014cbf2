"""The only code that writes into a run folder; it runs in the driver process.

Keras Tuner's own files are written here too. Keras Tuner itself would write them in place, so a
kill at the wrong moment would leave a run that it can no longer load.
"""

from __future__ import annotations

import json
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from typing_extensions import Self

from lrtune._util.atomic import TEMPORARY
from lrtune._util.inside import plain_file, plain_folder
from lrtune._util.npz import write_npz
from lrtune.errors import RunFolderError
from lrtune.records import files, schema
from lrtune.records.ids import CHOICE, CONFIRM, folder_of
from lrtune.records.lock import HOLDER, LOCK, RunLock
from lrtune.records.own import own_files, remove_own
from lrtune.records.parse import UNREADABLE, read_manifest, reason
from lrtune.records.samples import SAMPLES, pack

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    import numpy as np

    from lrtune.records.samples import Samples


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
            f"run folder {folder} is not empty and holds no run. Choose another run folder"
        )


def refuse_to_erase(folder: Path) -> None:
    """Raises RunFolderError where the folder holds something, but no run that lrtune wrote."""
    refuse_foreign_folder(folder)
    if not holds_run(folder):
        return
    if folder.is_symlink():
        raise RunFolderError(f"cannot erase run folder {folder}: it is a link")
    try:
        read_manifest(folder)
    except UNREADABLE as error:
        raise RunFolderError(
            f"cannot erase run folder {folder}: its {schema.MANIFEST} is not one that lrtune wrote "
            f"({reason(error)}). Delete the folder yourself, or choose another run folder"
        ) from error


def erase_run(folder: Path) -> None:
    """Erases a run, so that another can be written in its place; other files stay.

    Raises:
        RunFolderError: there is no run of lrtune's in it, a search is writing it, or it cannot be
            erased.
    """
    refuse_to_erase(folder)
    if not holds_run(folder):
        return
    with RunWriter(folder):
        try:
            remove_own(folder)
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
            for path in own_files(folder):
                if path.name.endswith(TEMPORARY):  # of a search that was killed
                    path.unlink()
        except OSError as error:
            raise RunFolderError(
                f"cannot write to run folder {folder}: {error.strerror}; choose another run folder"
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
        files.replace_json(self._file(schema.MANIFEST), schema.to_json(manifest))

    def confirmation(self, manifest: schema.ConfirmManifest) -> None:
        """Writes `confirm/confirm.json`."""
        self._make_folder(CONFIRM)
        path = self._file(f"{CONFIRM}/{schema.CONFIRM_MANIFEST}")
        files.replace_json(path, schema.to_json(manifest))

    def erase_confirmation(self) -> None:
        """Deletes the confirmation, so that another can be made; other files stay."""
        for part in (CHOICE, CONFIRM):
            with files.naming_the_file(self._folder(part)):
                remove_own(self.folder, part)

    def page(self, text: str) -> None:
        """Writes `report.html`."""
        files.replace_file(self._file(schema.PAGE), lambda file: file.write(text.encode()))

    def begin_trial(self, trial_id: str) -> None:
        """Makes the trial's folder and removes the files of an earlier, interrupted try."""
        self._make_folder(folder_of(trial_id))
        for name in (schema.OUTCOME, schema.EPOCHS, schema.STATE, SAMPLES):
            files.remove(self._file_of(trial_id, name))

    def epoch(self, trial_id: str, record: Mapping[str, float]) -> None:
        """Appends one epoch's line."""
        line = json.dumps(schema.plain(record), allow_nan=False)
        files.append_line(self._file_of(trial_id, schema.EPOCHS), line)

    def outcome(self, outcome: schema.Outcome, samples: Samples | None = None) -> None:
        """Writes the trial's `outcome.json`, which finishes the trial for good.

        Args:
            outcome: how it ended.
            samples: written before it, to `samples.json`.
        """
        if samples is not None:
            files.replace_json(self._file_of(outcome.trial_id, SAMPLES), pack(samples))
        path = self._file_of(outcome.trial_id, schema.OUTCOME)
        files.replace_json(path, schema.to_json(outcome))

    def state(self, trial_id: str, state: Mapping[str, np.ndarray[Any, Any]]) -> None:
        """Keeps a trial's training state, so that a promotion can continue it."""
        files.replace_file(
            self._file_of(trial_id, schema.STATE),
            lambda file: write_npz(file, state),
        )

    def drop_state(self, trial_id: str) -> None:
        """Deletes a state that is no longer needed."""
        files.remove(self._file_of(trial_id, schema.STATE))

    def trial(self, trial_id: str, state: Mapping[str, Any]) -> None:
        """Writes Keras Tuner's `trial.json`, from its `Trial.get_state()`.

        Like `oracle.json`, it may be lost in a power cut: resuming writes both again.
        """
        self._make_folder(folder_of(trial_id))
        # NOTE: to wait for the disk takes 4.5 ms on a virtual one, and this happens twice a trial.
        files.replace_json(self._file_of(trial_id, schema.TRIAL_FILE), state, sync=False)

    def oracle(self, state: Mapping[str, Any]) -> None:
        """Writes Keras Tuner's `oracle.json`, from its `Oracle.get_state()`."""
        files.replace_json(self._file(schema.ORACLE), state, sync=False)
        tuner = self._file(schema.TUNER)
        if not tuner.exists():
            files.replace_json(tuner, {})

    def _file_of(self, trial_id: str, name: str) -> Path:
        """A file in the folder of a search's trial ("0007") or of an arm's seed."""
        return self._file(f"{folder_of(trial_id)}/{name}")

    def _file(self, name: str) -> Path:
        """Where to write a file of the run: in the folder that is locked, and not beyond a link."""
        self._lock.check()
        with self._refusing(name):
            return plain_file(self.folder, name)

    def _folder(self, name: str) -> Path:
        self._lock.check()
        with self._refusing(name):
            return plain_folder(self.folder, name)

    def _make_folder(self, name: str) -> None:
        folder = self._folder(name)
        with files.naming_the_file(folder):
            folder.mkdir(parents=True, exist_ok=True)

    @contextmanager
    def _refusing(self, name: str) -> Iterator[None]:
        """Turns what was found in the place of a file or folder of ours into our own error."""
        try:
            yield
        except ValueError as error:
            raise RunFolderError(
                f"cannot write {self.folder / name}: {error}. Everything saved so far is intact. "
                "Remove it, then run the same command again."
            ) from error


def _content(folder: Path) -> list[Path]:
    # A search that was killed while writing its first file left a temporary file.
    ours = (LOCK, HOLDER, HOLDER + TEMPORARY, schema.MANIFEST + TEMPORARY)
    return [path for path in folder.iterdir() if path.name not in ours]
