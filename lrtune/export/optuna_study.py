"""A run as an Optuna study in an SQLite file, for optuna-dashboard and Optuna's own plots.

A trial of the study is a *configuration*: the rungs in which Hyperband trained it are one trial,
whose intermediate values are the objective after each epoch. It is COMPLETE if it was meant to
reach the full budget, PRUNED if it stopped at an earlier rung, FAIL if its last rung has no score,
and RUNNING while its last rung has not ended. A trial that diverged has the user attribute
`diverged` and, as in the search, the untrained model's score.

Parameters have the ranges of the space and exist only in the trials of their family. Momentum is
searched on a scale that is dense at the upper end (`reverse_log`). Optuna has no such scale: the
parameter has its range without `log`, and the study's user attribute `reverse_log` names it.

The baseline is not among the trials, because it was not searched and lies outside the ranges. The
study's user attribute `baseline` has its scores.

Optuna's storage takes 3 ms an epoch: 100 trials of 50 epochs take 15 s, 1,000 take 2.5 minutes.
"""

from __future__ import annotations

import sqlite3
import warnings
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Any

import optuna
from optuna.storages import RDBStorage
from optuna.trial import FrozenTrial, TrialState

from lrtune._util.printable import printable
from lrtune.export.optuna_space import distributions, fits
from lrtune.export.space import configs, plain_value
from lrtune.export.times import created, seconds_of
from lrtune.export.trials import lineages, recorded
from lrtune.stats.winner import Direction

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from lrtune.export.optuna_space import Distribution
    from lrtune.export.trials import Recorded
    from lrtune.records.reader import RunRecords
    from lrtune.records.schema import Manifest


def write_study(records: RunRecords, file: Path) -> str:
    """Writes the study.

    Args:
        records: the run.
        file: path of the SQLite file, which must not exist yet.

    Returns:
        What was written, in words.
    """
    manifest = records.manifest
    lines = lineages(trial for trial in recorded(records) if trial.kind == "trial")
    known = distributions(manifest.space, [line[-1].values for line in lines])
    name = printable(records.folder.absolute().name) or "run"
    with _quiet(), _storage(file) as storage:
        study = optuna.create_study(
            storage=storage,
            study_name=name,
            direction="maximize" if Direction(manifest.direction) is Direction.MAX else "minimize",
        )
        study.set_metric_names([printable(manifest.objective)])
        for key, value in _about(records).items():
            study.set_user_attr(key, value)
        study.add_trials([_trial(line, manifest, known) for line in lines])
    return f"study '{name}' ({len(lines):,} trials)"


def _trial(
    line: tuple[Recorded, ...], manifest: Manifest, known: Mapping[str, Distribution]
) -> FrozenTrial:
    """The rungs of one configuration, in their order, as one trial."""
    last = line[-1]
    values = last.values.items()
    params = {name: one for name, one in values if name in known and fits(known[name], one)}
    others = {name: one for name, one in values if name not in params}
    state, score = _ended(last, manifest)
    start, end = line[0].times, last.times
    begun = created(manifest) if start is None else start.start
    return FrozenTrial(
        number=-1,  # the storage assigns both numbers
        trial_id=-1,
        state=state,
        value=score,
        # Local time without a zone, as Optuna records its own.
        datetime_start=datetime.fromtimestamp(begun),
        datetime_complete=None if end is None else datetime.fromtimestamp(end.end),
        params=params,
        distributions={name: known[name] for name in params},
        user_attrs=others | _remarks(line),
        system_attrs={},
        intermediate_values=_course(line, manifest.objective),
    )


def _ended(last: Recorded, manifest: Manifest) -> tuple[TrialState, float | None]:
    outcome = last.outcome
    if outcome is None:
        return TrialState.RUNNING, None
    if outcome.score is None:
        return TrialState.FAIL, None
    full = outcome.epochs.planned >= manifest.max_epochs
    return TrialState.COMPLETE if full else TrialState.PRUNED, outcome.score


def _course(line: tuple[Recorded, ...], objective: str) -> dict[int, float]:
    """Epoch (from 1) -> the objective after it."""
    rows = [row for rung in line for row in rung.epochs()]
    return {row["epoch"]: float(row[objective]) for row in rows if objective in row}


def _remarks(line: tuple[Recorded, ...]) -> dict[str, Any]:
    """What Optuna has no place for, as user attributes."""
    last = line[-1]
    remarks: dict[str, Any] = {
        "trials": ", ".join(rung.trial_id for rung in line),
        "status": last.status,
        "diverged": last.status == "diverged",
        "seconds": sum(seconds_of(rung.outcome.seconds) for rung in line if rung.outcome),
    }
    if (outcome := last.outcome) is not None:
        remarks |= {
            "epochs": outcome.epochs.last,
            "budget": outcome.epochs.planned,
            "seed": outcome.seed,
            "bracket": plain_value(outcome.values.get("tuner/bracket")),
            "message": plain_value(outcome.message),
        }
    return {key: value for key, value in remarks.items() if value is not None}


def _about(records: RunRecords) -> dict[str, Any]:
    """User attributes of the study."""
    manifest = records.manifest
    configured = configs(manifest.space)
    about = {
        "algo": printable(manifest.algo),
        "objective": printable(manifest.objective),
        "max_epochs": manifest.max_epochs,
        "seed": manifest.seed,
        "data": printable(manifest.data.source),
        "reverse_log": [
            name for name, _, one in configured if one.get("sampling") == "reverse_log"
        ],
        "baseline": {
            arm: [outcome.score for outcome in outcomes if outcome.score is not None]
            for arm, outcomes in records.baseline.items()
        },
    }
    return {key: value for key, value in about.items() if value not in (None, [], {})}


@contextmanager
def _storage(file: Path) -> Iterator[Any]:
    def connect() -> sqlite3.Connection:
        connection = sqlite3.connect(file)
        # The file gets its final name only when it is complete, so no trial has to wait for the
        # disk, which doubles the time that a thousand trials take.
        connection.execute("PRAGMA synchronous = OFF")
        return connection

    # Some characters of a path would have a meaning in a URL.
    storage = RDBStorage("sqlite:///lrtune", engine_kwargs={"creator": connect})
    try:
        yield storage
    finally:
        storage.remove_session()
        storage.engine.dispose()


@contextmanager
def _quiet() -> Iterator[None]:
    """Silences Optuna's message about a new study and its warnings of experimental functions."""
    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            yield
    finally:
        optuna.logging.set_verbosity(before)
