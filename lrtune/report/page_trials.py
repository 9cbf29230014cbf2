"""All trials for the page: the cells of the table, and the curves behind each row."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lrtune._util.printable import printable
from lrtune.report.words import NOTHING, brief, duration, fixed
from lrtune.stats.baseline import measure_baseline
from lrtune.stats.ranking import rank
from lrtune.stats.winner import Direction

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping

    import pandas as pd

    from lrtune.records.reader import RunRecords
    from lrtune.report.build import Report

POINTS = 100_000
"""About how many points the curves of all trials may have: a megabyte and a half."""

FEWEST, MOST = 30, 400
"""How many points a curve keeps at least and at most: 400 are more than it has pixels."""


@dataclass(frozen=True)
class Heading:
    """A column's.

    Attributes:
        name: what it is called.
        numeric: whether its cells are numbers.
        about: what it means, where the name does not tell; else empty.
    """

    name: str
    numeric: bool = True
    about: str = ""


@dataclass(frozen=True)
class Cell:
    """One cell of the table.

    Attributes:
        text: as read.
        more: said less loudly behind it.
        sort: what it is sorted by, where not by its text.
        numeric: as its heading's.
    """

    text: str
    more: str = ""
    sort: str = ""
    numeric: bool = True


@dataclass(frozen=True)
class Trials:
    """The table of all trials.

    Attributes:
        headings: of the columns.
        rows: of cells, in the order of the ranking.
        families, statuses: what can be filtered by.
        data: for the page's script: see page.js.
    """

    headings: list[Heading]
    rows: list[list[Cell]]
    families: list[str]
    statuses: list[str]
    data: dict[str, Any]


def build_trials(records: RunRecords, report: Report) -> Trials:
    """The table of all trials of a run, none left out.

    Args:
        records: of the run.
        report: of the run.
    """
    frame = rank(records)
    rows = frame.to_dict("records")
    families = list(dict.fromkeys(_family(row) for row in rows))
    statuses = list(dict.fromkeys(str(row["status"]) for row in rows))
    baseline = measure_baseline(records)
    keep = min(max(POINTS // max(len(rows), 1), FEWEST), MOST)
    return Trials(
        headings=_headings(frame, report),
        rows=[_cells(row, frame, report) for row in rows],
        families=families,
        statuses=statuses,
        data={
            "metric": printable(records.manifest.objective),
            "higher": Direction(records.manifest.direction) is Direction.MAX,
            "baseline": _finite(baseline.reference.mean, 6) if baseline else None,
            "baselineName": printable(baseline.reference.name) if baseline else "",
            "trials": [
                [
                    families.index(_family(row)),
                    statuses.index(str(row["status"])),
                    _group(row, frame),
                    *_curve(records, row, keep),
                    printable(row["message"])[:300] if isinstance(row["message"], str) else "",
                ]
                for row in rows
            ],
        },
    )


def _headings(frame: pd.DataFrame, report: Report) -> list[Heading]:
    within = f"±{fixed(report.spread, report.places)}" if not math.isnan(report.spread) else ""
    headings = [
        Heading("rank", about="among trials of the full budget"),
        Heading("trial", numeric=False),
        # NOTE: before the schedule: a telephone shows four columns, and these are what one asks.
        Heading("score"),
    ]
    if report.compared_with:
        headings.append(Heading("delta", about=f"how much better than {report.compared_with}"))
        if within:
            about = f"whether chance alone could do it: 95 of 100 single runs lie within {within}"
            headings.append(Heading("noise", numeric=False, about=about))
    headings += [
        Heading("schedule", numeric=False),
        Heading("lr0", about="initial learning rate"),
        Heading("momentum"),
    ]
    if _has_epochs(frame, report):
        headings.append(Heading("epochs", about="trained, those of trials it continues included"))
    return [*headings, Heading("status", numeric=False), Heading("time")]


def _cells(row: Mapping[Hashable, Any], frame: pd.DataFrame, report: Report) -> list[Cell]:
    places = report.places
    within = row["within_noise"]
    noise = {True: "within", False: "outside"}.get(within, NOTHING) if _known(within) else NOTHING
    cells = [
        Cell(str(row["rank"]) if _known(row["rank"]) else NOTHING),
        Cell(str(row["trial_id"]), numeric=False),
        Cell(fixed(row["score"], places)),
    ]
    if report.compared_with:
        cells.append(Cell(fixed(row["delta"], places, sign=True)))
        if not math.isnan(report.spread):
            cells.append(Cell(noise, numeric=False))
    cells += [
        Cell(
            _family(row),
            more=row["parameters"] if isinstance(row["parameters"], str) else "",
            numeric=False,
        ),
        Cell(brief(row["lr0"])),
        Cell(brief(row["momentum"])),
    ]
    if _has_epochs(frame, report):
        cells.append(Cell(str(row["epochs"]) if _known(row["epochs"]) else NOTHING))
    seconds = row["total_seconds"]
    sort = "" if math.isnan(seconds) else f"{seconds:.4g}"
    return [*cells, Cell(str(row["status"]), numeric=False), Cell(duration(seconds), sort=sort)]


def _has_epochs(frame: pd.DataFrame, report: Report) -> bool:
    return bool((frame["epochs"].fillna(report.budget) != report.budget).any())


def _family(row: Mapping[Hashable, Any]) -> str:
    schedule = row["schedule"]
    return printable(schedule) if isinstance(schedule, str) and schedule else "unknown"


def _group(row: Mapping[Hashable, Any], frame: pd.DataFrame) -> int:
    """Scores are compared within a group alone: 0 the full budget, then shorter ones, then none."""
    if _known(row["rank"]):
        return 0
    if _known(row["rank_in_budget"]):
        return 1 + int(frame["budget"].max()) - int(row["budget"])
    return 1_000_000_000


def _curve(records: RunRecords, row: Mapping[Hashable, Any], keep: int) -> list[Any]:
    """Epochs, objective and learning rate; a single number for what does not change.

    Epochs that count up without a gap are told by the first one and a step of 1.
    """
    trial_id = str(row["trial_id"])
    lines = [
        line for one in records.lineage(trial_id)[:-1] for line in records.epochs(one.trial_id)
    ]
    lines += records.epochs(trial_id)
    every = max(math.ceil(len(lines) / keep), 1)
    # The last epoch is always among them: it is what most scores are of.
    kept = lines[::-1][::every][::-1]
    epochs = [_finite(line.get("epoch"), 9) for line in kept]
    scores = [_finite(line.get(records.manifest.objective), 4) for line in kept]
    rates = [_finite(line.get("lr"), 3) for line in kept]
    first = epochs[0] if epochs else 0
    counting = first is not None and epochs == [first + n for n in range(len(epochs))]
    return [first if counting else epochs, scores, rates[0] if len(set(rates)) == 1 else rates]


def _finite(value: Any, digits: int) -> float | int | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    rounded = float(f"{value:.{digits}g}")
    return int(rounded) if rounded.is_integer() and abs(rounded) < 1e15 else rounded


def _known(value: Any) -> bool:
    """Whether pandas has a value there: neither None nor NaN nor NA."""
    return isinstance(value, str | int) or (isinstance(value, float) and not math.isnan(value))
