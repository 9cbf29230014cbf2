"""All trials for the page: the table, and the curves behind each row."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lrtune._util.printable import printable
from lrtune.report.trials import families, trial_columns
from lrtune.stats.winner import Direction

if TYPE_CHECKING:
    import pandas as pd

    from lrtune.records.reader import RunRecords
    from lrtune.report.build import Report
    from lrtune.report.grid import Column

POINTS = 100_000
"""About how many points the curves of all trials may have: 1.5 MB of page."""

FEWEST, MOST = 30, 400
"""How many points a curve has at least and at most: it has fewer than 400 pixels."""

# NOTE: the score comes before the schedule, as a phone shows only the first four columns.
ORDER = ("rank", "trial", "score", "delta", "noise", "schedule", "lr0", "momentum", "own values",
         "epochs", "status", "time")  # fmt: skip

NO_GROUP = 1_000_000_000
"""The group of trials without a comparable score, which come last."""


@dataclass(frozen=True)
class Trials:
    """The table of all trials.

    Attributes:
        columns: in the page's order, with a cell for each trial, the best trial first.
        families, statuses: what can be filtered by.
        data: for the page's script: see page.js.
    """

    columns: list[Column]
    families: list[str]
    statuses: list[str]
    data: dict[str, Any]


def build_trials(report: Report) -> Trials:
    """The table of all trials of a run, none left out.

    Args:
        report: of the run.
    """
    trials, baseline = report.trials, report.baseline
    columns = trial_columns(report, trials)
    family_of, status_of = families(trials), trials["status"].tolist()
    known, statuses = list(dict.fromkeys(family_of)), list(dict.fromkeys(status_of))
    keep = min(max(POINTS // max(len(trials), 1), FEWEST), MOST)
    rows = zip(
        map(known.index, family_of),
        map(statuses.index, status_of),
        _groups(trials),
        (_curve(report.records, trial_id, keep) for trial_id in trials["trial_id"]),
        (printable(message)[:300] for message in trials["message"].fillna("")),
        strict=True,
    )
    data = {
        "metric": printable(report.records.manifest.objective),
        "higher": Direction(report.records.manifest.direction) is Direction.MAX,
        "baseline": _rounded(baseline.reference.mean, 6) if baseline else None,
        "baselineName": printable(baseline.reference.name) if baseline else "",
        "trials": [[*which, *curve, message] for *which, curve, message in rows],
    }
    shown = [columns[name] for name in ORDER if name in columns]
    return Trials(columns=shown, families=known, statuses=statuses, data=data)


def _groups(trials: pd.DataFrame) -> list[int]:
    """Scores compare only within a group: 0 is the full budget, then shorter ones, then none."""
    shorter = 1 + trials["budget"].max() - trials["budget"]
    groups = shorter.where(trials["rank_in_budget"].notna(), NO_GROUP).fillna(NO_GROUP)
    return [int(group) for group in groups.mask(trials["rank"].notna(), 0)]


def _curve(records: RunRecords, trial_id: str, keep: int) -> list[Any]:
    """Epochs, objective and learning rate; one number for what does not change.

    Epochs that count up without a gap are given by the first one.
    """
    ids = [one.trial_id for one in records.continued(trial_id)] or [trial_id]
    lines = [line for one in ids for line in records.epochs(one)]
    every = max(math.ceil(len(lines) / keep), 1)
    # Always with the last epoch, whose objective is the score of most trials.
    kept = lines[::-1][::every][::-1]
    epochs = [line["epoch"] for line in kept]
    scores = [_rounded(line.get(records.manifest.objective, math.nan), 4) for line in kept]
    rates = [_rounded(line.get("lr", math.nan), 3) for line in kept]
    first = epochs[0] if epochs else 0
    counting = epochs == list(range(first, first + len(epochs)))
    return [first if counting else epochs, scores, rates[0] if len(set(rates)) == 1 else rates]


def _rounded(value: float, digits: int) -> float | int | None:
    if not math.isfinite(value):
        return None
    rounded = float(f"{value:.{digits}g}")
    return int(rounded) if rounded.is_integer() and abs(rounded) < 1e15 else rounded
