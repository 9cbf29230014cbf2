"""A run in the two tables that DeepCAVE reads: `configspace.csv` and `trials.csv`.

These are DeepCAVE's "Pandas DataFrame" runs. Its own format could say which parameter exists in
which family, but DeepCAVE 1.4.1 cannot read back what it writes in that format. In the tables every
trial has a value for every parameter: one that its family does not have holds the default, the same
in all such trials.

Each rung of Hyperband is a row of its own with its budget in epochs; DeepCAVE takes equal
parameters for one configuration, and of two rows with equal parameters and budget the later. A
trial that diverged is `crashed`, one that failed `failed`, both without a score; one that has not
ended is left out, and so is the baseline, which lies outside the space. Every trial has a seed of
its own, so that DeepCAVE is told of none (-1): the seed and the trial's id are additional columns.
A range that is dense at its upper end (`reverse_log`) is told without a log scale.
"""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Any

from lrtune._util.printable import printable
from lrtune.export.space import fitted, parameters, plain_value
from lrtune.export.times import created
from lrtune.export.trials import recorded

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from lrtune.export.space import Parameter, Value
    from lrtune.export.times import Times
    from lrtune.export.trials import Recorded
    from lrtune.records.reader import RunRecords
    from lrtune.records.schema import Manifest, Outcome

SPACE, TRIALS = "configspace.csv", "trials.csv"

_SPACE_COLUMNS = ("name", "type", "log", "lower", "upper", "default", "distribution", "ordered")
_OWN = (
    *("score", "status", "start_time", "end_time", "budget", "seed"),
    *("trial", "continues", "trial_seed", "message"),
)
"""The columns of a trial, after those of its parameters."""

_STATUSES = {"completed": "success", "diverged": "crashed", "failed": "failed"}

# DeepCAVE reads a choice's labels as text and the trials' as whatever pandas takes them for.
_PLAIN = re.compile(r"[A-Za-z_]\w*", re.ASCII)
_NOT_TEXT = ("nan", "na", "null", "none", "inf", "infinity", "true", "false")


def write_deepcave(records: RunRecords, folder: Path) -> str:
    """Writes both tables into a folder.

    Returns:
        What was written, in words.
    """
    import pandas as pd

    trials = [trial for trial in recorded(records) if trial.kind == "trial"]
    known = fitted(parameters(records.manifest.space), (trial.values for trial in trials))
    space = pd.DataFrame([_parameter_row(one) for one in known.values()], columns=_columns(known))
    rows = [
        {
            **_values_row(trial, known),
            **_outcome_row(trial.outcome, trial.times, created(records.manifest)),
        }
        for trial in trials
        if trial.outcome is not None and trial.times is not None
    ]
    table = pd.DataFrame(rows, columns=[*map(_column, known), *_OWN])
    table.insert(0, "config_id", range(len(table)))
    metric = _metric(records.manifest, table["score"].dropna().tolist())
    table = table.rename(columns={"score": metric})
    space.to_csv(folder / SPACE, index=False, lineterminator="\n")
    table.to_csv(folder / TRIALS, index=False, lineterminator="\n")
    return f"{SPACE} ({len(space):,} parameters) and {TRIALS} ({len(table):,} rows)"


def _columns(known: Mapping[str, Parameter]) -> list[str]:
    items = max((len(_items(one)) for one in known.values()), default=0)
    return [*_SPACE_COLUMNS, *(f"item_{number}" for number in range(items))]


def _column(name: str) -> str:
    """The heading of a parameter; one that means something to DeepCAVE gets `hp.` before it."""
    return f"hp.{name}" if name in _OWN or name.startswith(("metric", "config_id")) else name


def _parameter_row(parameter: Parameter) -> dict[str, Any]:
    items = _items(parameter)
    low, high = _bounds(parameter)
    row = {
        "name": _column(parameter.name),
        "type": "categorical" if items else "integer" if parameter.kind == "int" else "float",
        "log": None if items else parameter.log and low > 0,
        "lower": None if items else low,
        "upper": None if items else high,
        "default": _label(parameter, parameter.default),
        "distribution": None if items else "uniform",
        "ordered": None,
    }
    return row | {f"item_{number}": item for number, item in enumerate(items)}


def _bounds(parameter: Parameter) -> tuple[float, float]:
    """The bounds with 12 decimals, rounded so that they hold what they held.

    ConfigSpace 1.2 rounds bounds to 13 decimals and then refuses a value that was one.
    """
    low, high = round(parameter.low, 12), round(parameter.high, 12)
    return (
        low if low <= parameter.low else round(low - 1e-12, 12),
        high if high >= parameter.high else round(high + 1e-12, 12),
    )


def _items(parameter: Parameter) -> list[str]:
    """The labels of a choice; a range of one number is one, too, to DeepCAVE."""
    if parameter.kind == "choice":
        return [_quoted(value) for value in parameter.choices]
    return [_quoted(parameter.low)] if parameter.low == parameter.high else []


def _label(parameter: Parameter, value: Value) -> Any:
    return _quoted(value) if _items(parameter) else value


def _quoted(value: Value) -> str:
    text = str(value)
    plain = isinstance(value, str) and _PLAIN.fullmatch(text) and text.lower() not in _NOT_TEXT
    return text if plain else f"'{text}'"


def _values_row(trial: Recorded, known: Mapping[str, Parameter]) -> dict[str, Any]:
    values = trial.values
    return {
        _column(name): _label(
            one, values[name] if name in values and one.holds(values[name]) else one.default
        )
        for name, one in known.items()
    }


def _outcome_row(outcome: Outcome, times: Times, began: float) -> dict[str, Any]:
    return {
        "score": outcome.score if outcome.status == "completed" else None,
        "status": _STATUSES[outcome.status],
        "start_time": round(times.start - began, 3),
        "end_time": round(times.end - began, 3),
        "budget": outcome.epochs.planned,
        "seed": -1,
        "trial": f"trial {outcome.trial_id}",
        "continues": None if outcome.parent is None else f"trial {printable(outcome.parent)}",
        "trial_seed": plain_value(outcome.seed),
        "message": plain_value(outcome.message),
    }


def _metric(manifest: Manifest, scores: Sequence[float]) -> str:
    """The heading of the scores: name, bounds and direction, as DeepCAVE parses it."""
    # An accuracy has bounds of its own. Equal ones let DeepCAVE group runs.
    low = min([0, *map(math.floor, scores)])
    high = max([1, *map(math.ceil, scores)])
    name = re.sub(r"\W", "_", manifest.objective, flags=re.ASCII) or "score"
    better = "maximize" if manifest.direction == "max" else "minimize"
    return f"metric:{name} [{low}.0; {high}.0] ({better})"
