"""The table of trials, the same columns for the terminal and the page."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from lrtune.report.grid import Column, numbers
from lrtune.report.words import NOTHING, brief, duration, fixed

if TYPE_CHECKING:
    import pandas as pd

    from lrtune.report.build import Report

UNKNOWN = "unknown"
"""The family of a trial that does not name one."""


def listed(report: Report) -> tuple[pd.DataFrame, int]:
    """The best ranked trials, `report.top` at most, and how many more have a rank."""
    ranked = report.trials[report.trials["rank"].notna()]
    return ranked.head(report.top), max(len(ranked) - report.top, 0)


def families(trials: pd.DataFrame) -> list[str]:
    """The schedule family of each trial; `UNKNOWN` where it names none."""
    return [family if isinstance(family, str) else UNKNOWN for family in trials["schedule"]]


def trial_columns(report: Report, trials: pd.DataFrame) -> dict[str, Column]:
    """The columns that have something to say, by name, in the terminal's order.

    Args:
        report: of the run.
        trials: rows of `report.trials` to show.

    Returns:
        "rank", "trial", "schedule" (the family; its parameters are the remarks), "lr0", "momentum",
        "score", "status" and "time" always; "epochs" where a trial did not train the full budget;
        "delta" with a baseline, and "noise" where the baseline's spread is known.
    """
    places, baseline = report.places, report.baseline
    parameters = tuple(trials["parameters"].fillna(""))
    noise = {True: "within", False: "outside"}
    columns = [
        numbers("rank", _whole(trials["rank"]), "among trials of the full budget"),
        Column("trial", tuple(trials["trial_id"])),
        Column("schedule", tuple(families(trials)), least=20, remarks=parameters),
        numbers("lr0", map(brief, trials["lr0"]), "initial learning rate"),
        numbers("momentum", map(brief, trials["momentum"])),
    ]
    if (trials["epochs"].dropna() != report.manifest.max_epochs).any():
        epochs = _whole(trials["epochs"])
        columns.append(numbers("epochs", epochs, "including those of the trials it continues"))
    columns.append(numbers("score", (fixed(score, places) for score in trials["score"])))
    if baseline is not None:
        deltas = (fixed(delta, places, sign=True) for delta in trials["delta"])
        about = f"how much better than {baseline.reference.name}"
        columns.append(numbers("delta", deltas, about))
    if baseline is not None and not math.isnan(baseline.spread):
        cells = tuple(noise.get(within, NOTHING) for within in trials["within_noise"])
        spread = fixed(baseline.spread, places)
        about = f"95 % of single baseline runs fall within ±{spread}"
        columns.append(Column("noise", cells, about=about))
    seconds = trials["total_seconds"]
    order = tuple("" if math.isnan(one) else f"{one:.4g}" for one in seconds)
    times = tuple(map(duration, seconds))
    columns.append(Column("status", tuple(trials["status"])))
    columns.append(Column("time", times, right=True, optional=True, order=order))
    return {column.name: column for column in columns}


def _whole(column: pd.Series[int]) -> list[str]:
    cells: list[str] = column.astype("string").fillna(NOTHING).tolist()
    return cells
