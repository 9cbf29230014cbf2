"""A run as two tables, its trials and their epochs, in CSV or Parquet."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from lrtune._util.printable import printable
from lrtune.export.space import plain_value
from lrtune.export.trials import recorded
from lrtune.report.tables import without_formulas

if TYPE_CHECKING:
    from pathlib import Path

    from lrtune.export.trials import Recorded
    from lrtune.records.reader import RunRecords

_FIRST = {
    "kind": "string",
    "trial_id": "string",
    "arm": "string",
    "seed": "Int64",
    "status": "string",
    "score": "Float64",
    "first_epoch": "Int64",
    "last_epoch": "Int64",
    "budget": "Int64",
    "parent": "string",
    "seconds": "Float64",
    "message": "string",
}
_DTYPES = {
    "boolean": "boolean",
    "integer": "Int64",
    "floating": "Float64",
    "mixed-integer-float": "Float64",
}
"""What pandas infers from a hyperparameter's values -> the column's type; otherwise it is text."""


def write_csv(records: RunRecords, folder: Path) -> str:
    """Writes `trials.csv` and `epochs.csv`: numbers in full, unknown values empty.

    As in `report --csv`, text that a spreadsheet would run as a formula gets a leading apostrophe.

    Returns:
        What was written, in words.
    """
    tables = _tables(records)
    for name, frame in tables.items():
        without_formulas(frame).to_csv(folder / f"{name}.csv", index=False, lineterminator="\n")
    return _summary(tables, "csv")


def write_parquet(records: RunRecords, folder: Path) -> str:
    """Writes `trials.parquet` and `epochs.parquet`, the same tables; needs pyarrow."""
    tables = _tables(records)
    for name, frame in tables.items():
        frame.to_parquet(folder / f"{name}.parquet", index=False, engine="pyarrow")
    return _summary(tables, "parquet")


def trials_table(trials: list[Recorded]) -> pd.DataFrame:
    """One row for each trial: the columns of `_FIRST`, then one for each hyperparameter.

    A hyperparameter named like one of our columns gets the prefix `hp.`.
    """
    frame: pd.DataFrame = pd.DataFrame(map(_row, trials), columns=list(_FIRST)).astype(_FIRST)
    for name in dict.fromkeys(name for trial in trials for name in trial.values):
        values = [trial.values.get(name) for trial in trials]
        dtype = _DTYPES.get(pd.api.types.infer_dtype(values), "string")
        frame[f"hp.{name}" if name in _FIRST else name] = pd.Series(values, dtype=dtype)
    return frame


def epochs_table(trials: list[Recorded]) -> pd.DataFrame:
    """One row for each epoch of each trial: kind, trial_id, epoch, lr, the metrics, seconds."""
    rows = [
        {**row, "kind": trial.kind, "trial_id": trial.trial_id}
        for trial in trials
        for row in trial.epochs()
    ]
    ours = ("kind", "trial_id", "epoch", "lr", "seconds")
    metrics = dict.fromkeys(name for row in rows for name in row if name not in ours)
    numbers = dict.fromkeys(("lr", *metrics, "seconds"), "float64")
    types = {"kind": "string", "trial_id": "string", "epoch": "Int64", **numbers}
    frame: pd.DataFrame = pd.DataFrame(rows, columns=list(types)).astype(types)
    return frame


def _tables(records: RunRecords) -> dict[str, pd.DataFrame]:
    trials = recorded(records)
    return {"trials": trials_table(trials), "epochs": epochs_table(trials)}


def _row(trial: Recorded) -> dict[str, Any]:
    row: dict[str, Any] = {
        "kind": trial.kind,
        "trial_id": trial.trial_id,
        "arm": trial.arm,
        "status": trial.status,
        "parent": None if trial.parent is None else printable(trial.parent),
    }
    if (outcome := trial.outcome) is not None:
        row |= {
            "seed": outcome.seed,
            "score": outcome.score,
            "first_epoch": outcome.epochs.first,
            "last_epoch": outcome.epochs.last,
            "budget": outcome.epochs.planned,
            "seconds": outcome.seconds,
            "message": plain_value(outcome.message),
        }
    return row


def _summary(tables: dict[str, pd.DataFrame], ending: str) -> str:
    return " and ".join(f"{name}.{ending} ({len(one):,} rows)" for name, one in tables.items())
