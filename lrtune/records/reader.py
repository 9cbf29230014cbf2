"""Reads a run folder back, as much of it as is whole.

Only `run.json` must be whole. A search that was killed, a disk that was full or a file that was
edited may leave any other file torn: what is left is read, and a notice names the file.
"""

from __future__ import annotations

import json
import math
import os
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from lrtune.errors import ArgumentError, RunFolderError
from lrtune.records import schema

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from lrtune.records.schema import Manifest, Outcome

_T = TypeVar("_T")

TRIAL = "trial_"
"""A trial's folder is this and its id: Keras Tuner's own convention."""


@dataclass(frozen=True)
class RunRecords:
    """All that a run folder tells.

    Attributes:
        folder: the run folder, as it was given to `read_run`.
        manifest: what was asked of the search.
        outcomes: the search's trials that ended, in the order of their ids.
        baseline: arm name -> its outcomes in the order of their seeds; arms in the manifest's
            order. An arm of which no seed ended has an empty tuple.
        unfinished: ids of the search's trials that have a folder but no outcome that can be read:
            running still, stopped with the search, or damaged (which a notice tells).
        outcome_notices: what was wrong with outcomes, a sentence a file.
    """

    folder: Path
    manifest: Manifest
    outcomes: tuple[Outcome, ...]
    baseline: Mapping[str, tuple[Outcome, ...]]
    unfinished: tuple[str, ...]
    outcome_notices: tuple[str, ...] = field(repr=False)

    @cached_property
    def by_id(self) -> dict[str, Outcome]:
        """Trial id -> outcome; the search's trials first, then the baseline's."""
        arms = [outcome for arm in self.baseline.values() for outcome in arm]
        return {outcome.trial_id: outcome for outcome in (*self.outcomes, *arms)}

    @cached_property
    def notices(self) -> tuple[str, ...]:
        """What was wrong with any file, a sentence a file; reads every `epochs.jsonl` once."""
        found = [_read_epochs(self.folder / name)[1] for name in self._epoch_files()]
        return (*self.outcome_notices, *(notice for notice in found if notice is not None))

    def epochs(self, trial_id: str) -> list[dict[str, Any]]:
        """The epochs of one trial that can be read, in the order in which they were written.

        Args:
            trial_id: of a trial of the search, finished or not, or "baseline/ARM/seed-N".

        Returns:
            One dictionary an epoch, as recorded, null read as NaN; none if no epoch was recorded.
        """
        if trial_id not in self.by_id and trial_id not in self.unfinished:
            raise ArgumentError(
                f"trial_id must be one of the run's: {_some(self._ids())}. Received: {trial_id!r}."
            )
        return _read_epochs(self.folder / _folder_name(trial_id) / schema.EPOCHS)[0]

    def lineage(self, trial_id: str) -> tuple[Outcome, ...]:
        """The trial and whom it continues, the oldest first; ends where an ancestor is missing."""
        line: list[Outcome] = []
        outcome = self.by_id.get(trial_id)
        while outcome is not None and outcome not in line:
            line.insert(0, outcome)
            outcome = None if outcome.parent is None else self.by_id.get(outcome.parent)
        return tuple(line)

    def _ids(self) -> list[str]:
        return [*self.by_id, *self.unfinished]

    def _epoch_files(self) -> Iterator[str]:
        for trial_id in self._ids():
            yield f"{_folder_name(trial_id)}/{schema.EPOCHS}"


def read_run(folder: str | os.PathLike[str]) -> RunRecords:
    """Read a run folder; nothing in it is changed or executed.

    Args:
        folder: the folder that a search wrote, the one with `run.json` in it.

    Returns:
        The records. What could not be read is told by their `notices`.

    Raises:
        RunFolderError: there is no such folder, it is none of a run, `run.json` is damaged or was
            written by a newer lrtune.
    """
    folder = Path(folder)
    manifest = _read_manifest(folder)

    notices: list[str] = []
    outcomes: list[Outcome] = []
    unfinished: list[str] = []
    for name in _folders(folder, TRIAL):
        trial_id = name.removeprefix(TRIAL)
        outcome = _read_outcome(folder, trial_id, notices)
        if outcome is None:
            unfinished.append(trial_id)
        else:
            outcomes.append(outcome)

    return RunRecords(
        folder=folder,
        manifest=manifest,
        outcomes=tuple(outcomes),
        baseline=_read_baseline(folder, manifest, notices),
        unfinished=tuple(unfinished),
        outcome_notices=tuple(notices),
    )


def _read_baseline(
    folder: Path, manifest: Manifest, notices: list[str]
) -> dict[str, tuple[Outcome, ...]]:
    arms: dict[str, list[Outcome]] = {name: [] for name in manifest.baseline_arms}
    for arm in _folders(folder / schema.BASELINE, ""):
        for seed in _folders(folder / schema.BASELINE / arm, "seed-"):
            outcome = _read_outcome(folder, f"{schema.BASELINE}/{arm}/{seed}", notices)
            if outcome is not None:
                arms.setdefault(arm, []).append(outcome)
    return {name: tuple(outcomes) for name, outcomes in arms.items()}


def _read_manifest(folder: Path) -> Manifest:
    path = folder / schema.MANIFEST
    if not folder.is_dir():
        raise RunFolderError(
            f"There is no folder {str(folder)!r}: give the folder that a search wrote (its "
            "--run-dir)."
        )
    if not path.is_file():
        raise RunFolderError(
            f"{str(folder)!r} is no run folder, for it holds no {schema.MANIFEST}: give the folder "
            f"that a search wrote{_runs_below(folder)}."
        )
    try:
        raw = _loads(path.read_bytes())
        newer = _newer(raw)
        manifest = None if newer else _checked_manifest(schema.manifest_from_json(raw))
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise RunFolderError(
            f"{str(path)!r} cannot be read ({_reason(error)}): it must be the JSON object that a "
            "search wrote. Restore that file or run the search again."
        ) from error
    if manifest is None:
        raise RunFolderError(
            f"{str(path)!r} was written by a newer lrtune ({newer}): update lrtune to read it."
        )
    return manifest


def _runs_below(folder: Path) -> str:
    below = sorted(str(path.parent) for path in folder.glob(f"*/{schema.MANIFEST}"))
    return f", such as {_some(below)}" if below else " (its --run-dir)"


def _read_outcome(folder: Path, trial_id: str, notices: list[str]) -> Outcome | None:
    name = f"{_folder_name(trial_id)}/{schema.OUTCOME}"
    try:
        content = (folder / name).read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        notices.append(f"{name} cannot be read ({_reason(error)}): its outcome is left out.")
        return None
    try:
        return _checked_outcome(_loads(content), trial_id)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        notices.append(f"{name} cannot be read ({_reason(error)}): its outcome is left out.")
        return None


def _read_epochs(path: Path) -> tuple[list[dict[str, Any]], str | None]:
    """The whole lines of one `epochs.jsonl`, and a notice if there were others."""
    name = f"{path.parent.name}/{path.name}"
    if path.parent.name.startswith("seed-"):
        name = f"{schema.BASELINE}/{path.parent.parent.name}/{name}"
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return [], None
    except OSError as error:
        return [], f"{name} cannot be read ({_reason(error)}): its epochs are left out."
    *lines, torn = content.split(b"\n")
    rows = _rows_at_once(lines)
    if rows is None:
        kept = [_row(line) for line in lines]
        rows = [row for row in kept if row is not None]
    for row in rows:
        for key, value in row.items():
            if value is None:
                row[key] = math.nan
    return rows, _epochs_notice(name, damaged=len(lines) - len(rows), torn=bool(torn.strip()))


def _epochs_notice(name: str, *, damaged: int, torn: bool) -> str | None:
    if damaged:
        lines = "a line" if damaged == 1 else f"{damaged} lines"
        also = " and its torn last line" if torn else ""
        return f"{name} is damaged: {lines}{also} left out, the rest is kept."
    return f"{name} ends in the middle of a line: that epoch is left out." if torn else None


def _rows_at_once(lines: list[bytes]) -> list[dict[str, Any]] | None:
    # NOTE: one call of the parser a file takes half the time of a call a line, which counts with
    # 1,000 trials of 50 epochs.
    try:
        rows = _loads(b"[" + b",".join(lines) + b"]")
    except ValueError:
        return None
    whole = len(rows) == len(lines) and all(_is_epoch(row) for row in rows)
    return rows if whole else None


def _row(line: bytes) -> dict[str, Any] | None:
    try:
        row = _loads(line)
    except ValueError:
        return None
    return row if _is_epoch(row) else None


def _is_epoch(row: Any) -> bool:
    return type(row) is dict and type(row.get("epoch")) is int


def _checked_manifest(manifest: Manifest) -> Manifest:
    _check("algo", manifest.algo, str)
    _check("objective", manifest.objective, str)
    if manifest.direction not in ("max", "min"):
        raise ValueError(f"direction must be max or min, not {manifest.direction!r}")
    if _check("max_epochs", manifest.max_epochs, int) < 1:
        raise ValueError(f"max_epochs must be >= 1, not {manifest.max_epochs}")
    for name, values in _check("baseline_arms", manifest.baseline_arms, dict).items():
        _check(f"baseline_arms[{name!r}]", values, dict)
    _check("data.source", manifest.data.source, str)
    _check("data.sizes", manifest.data.sizes, dict)
    return manifest


def _checked_outcome(raw: Any, trial_id: str) -> Outcome:
    if newer := _newer(raw):
        raise ValueError(f"written by a newer lrtune, {newer}")
    outcome = schema.outcome_from_json(raw)
    if outcome.trial_id != trial_id:
        raise ValueError(f"it is of trial {outcome.trial_id!r}")
    if outcome.status not in schema.STATUSES:
        raise ValueError(f"status must be one of {', '.join(schema.STATUSES)}")
    _check("values", outcome.values, dict)
    for name in ("first", "last", "planned"):
        _check(f"epochs.{name}", getattr(outcome.epochs, name), int)
    _check("seconds", outcome.seconds, int, float, type(None))
    _check("score", outcome.score, int, float, type(None))
    _check("parent", outcome.parent, str, type(None))
    _check("message", outcome.message, str, type(None))
    return outcome


def _check(name: str, value: _T, *kinds: type) -> _T:
    if not isinstance(value, kinds) or isinstance(value, bool):
        raise TypeError(f"{name} is {type(value).__name__}")
    return value


def _loads(content: bytes) -> Any:
    """JSON as the standard has it: Python's own NaN and Infinity are refused."""
    return json.loads(content, parse_constant=_refuse)


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no JSON")


def _newer(raw: Any) -> str:
    """Which newer schema wrote this, in words; empty if none."""
    if not isinstance(raw, dict):
        raise TypeError("it is no JSON object")
    version = _check("schema", raw["schema"], int)
    return f"schema {version}, this one reads {schema.SCHEMA}" if version > schema.SCHEMA else ""


def _reason(error: Exception) -> str:
    if isinstance(error, KeyError):
        return f"{error.args[0]!r} is missing"
    if isinstance(error, json.JSONDecodeError | UnicodeDecodeError):
        return "it is no whole JSON"
    if isinstance(error, OSError):
        return error.strerror or type(error).__name__
    return str(error)


def _folder_name(trial_id: str) -> str:
    is_baseline = trial_id.startswith(f"{schema.BASELINE}/")
    return trial_id if is_baseline else f"{TRIAL}{trial_id}"


def _folders(folder: Path, prefix: str) -> list[str]:
    """Names of the folders in a folder, those of lower numbers first."""
    if not folder.is_dir():
        return []
    with os.scandir(folder) as entries:
        names = [entry.name for entry in entries if entry.is_dir()]
    # Keras Tuner pads ids to the number of trials asked for, and Hyperband may need more digits:
    # then the longer id is the later one.
    return sorted((n for n in names if n.startswith(prefix)), key=lambda n: (len(n), n))


def _some(names: list[str], most: int = 5) -> str:
    shown = ", ".join(repr(name) for name in names[:most])
    more = f" and {len(names) - most:,} more" if len(names) > most else ""
    return f"{shown}{more}" if names else "none, for no trial was recorded"
