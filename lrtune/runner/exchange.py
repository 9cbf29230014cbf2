"""The temporary folder through which a driver and its workers exchange arrays, epochs and states.

A worker may be killed at any moment, so nothing that it shares with the driver may be left half
done or locked: epochs are lines appended to a file of the task, and training states are files too.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from lrtune._util.npz import read_npz, write_npz
from lrtune.errors import SearchError
from lrtune.records.samples import PackedSamples, pack, unpack
from lrtune.runner.job import pickle_job, unpickle_job

if TYPE_CHECKING:
    from pathlib import Path

    from lrtune.records.samples import Samples
    from lrtune.records.task import State, TrainingJob

_JOB = "job.pickle"


class _ArrayFile:
    """What stands for an array in the pickled job; workers map the file instead."""

    def __init__(self, path: Path) -> None:
        self.path = str(path)


def write_job(folder: Path, job: TrainingJob) -> None:
    """Writes a job for the workers: pickled, and each array in a file of its own.

    Raises:
        SearchError: it cannot be pickled, or the disk is full.
    """

    def keep(array: np.ndarray[Any, Any]) -> _ArrayFile:
        path = folder / f"{len(list(folder.iterdir()))}.npy"
        try:
            # TensorFlow maps rows only, and a frame's array has its columns one after another.
            np.save(path, np.ascontiguousarray(array), allow_pickle=False)
        except OSError as error:
            raise _cannot_write(folder, error) from error
        return _ArrayFile(path)

    pickled = pickle_job(job, keep)
    try:
        (folder / _JOB).write_bytes(pickled)
    except OSError as error:
        raise _cannot_write(folder, error) from error


def _cannot_write(folder: Path, error: OSError) -> SearchError:
    why = error.strerror or str(error)  # NumPy's "9216 requested and 3040 written" has no number
    return SearchError(
        f"cannot write temporary files to {folder}: {why}. Everything saved so far is intact; "
        "set TMPDIR to a folder with more space"
    )


def read_job(folder: Path) -> TrainingJob:
    """The job that `write_job` wrote; raises whatever its own classes raise."""

    def mapped(value: Any) -> Any:
        # Copy on write: nothing writes, but TensorFlow does not accept read-only memory.
        return np.load(value.path, mmap_mode="c") if isinstance(value, _ArrayFile) else value

    return unpickle_job((folder / _JOB).read_bytes(), mapped)


class TaskFiles:
    """The files of one task.

    Args:
        path: of the task in the folder, without a suffix.
    """

    def __init__(self, path: Path) -> None:
        self._epochs = path.with_suffix(".jsonl")
        self._parent = path.with_suffix(".parent.npz")
        self._state = path.with_suffix(".state.npz")
        self._samples = path.with_suffix(".samples.json")
        self._read = 0

    def append(self, record: dict[str, float] | None) -> None:
        """Appends an epoch's record; None says that the task has begun."""
        with self._epochs.open("ab") as file:
            file.write(json.dumps(record).encode() + b"\n")

    def new_records(self) -> list[dict[str, float] | None]:
        """What was appended since the last call."""
        try:
            with self._epochs.open("rb") as file:
                file.seek(self._read)
                whole, end, _ = file.read().rpartition(b"\n")
        except FileNotFoundError:
            return []
        self._read += len(whole) + len(end)
        return [json.loads(line) for line in whole.splitlines()]

    def write_parent(self, state: State) -> None:
        """Writes the state that the task continues from.

        Raises:
            SearchError: the disk is full.
        """
        try:
            _save(self._parent, state)
        except OSError as error:
            raise _cannot_write(self._parent.parent, error) from error

    def read_parent(self) -> State | None:
        """The state that the task continues from, or None if it starts anew."""
        return read_npz(self._parent) if self._parent.exists() else None

    def write_state(self, state: State) -> None:
        """Writes the state after the task's last epoch."""
        _save(self._state, state)

    def read_state(self) -> State:
        """The state after the task's last epoch."""
        return read_npz(self._state)

    def write_samples(self, samples: Samples) -> None:
        """Writes how the training did on each held-out sample."""
        self._samples.write_text(json.dumps(pack(samples)))

    def read_samples(self) -> Samples | None:
        """How the training did on each held-out sample, or None if the worker wrote nothing."""
        if not self._samples.exists():
            return None
        return unpack(msgspec.json.decode(self._samples.read_bytes(), type=PackedSamples))

    def remove(self) -> None:
        """Removes the files that exist."""
        for path in (self._epochs, self._parent, self._state, self._samples):
            path.unlink(missing_ok=True)


def _save(path: Path, state: State) -> None:
    with path.open("wb") as file:
        write_npz(file, state)
