"""What a run cost, what it achieved when, and what its early epochs said about the later ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from lrtune.report.grid import Column, Section, numbers
from lrtune.report.rungs import rungs_words
from lrtune.report.words import NOTHING, count, duration, fixed
from lrtune.stats.cost import baseline_times, times_to_target
from lrtune.stats.tuning_curves import best_so_far

if TYPE_CHECKING:
    from lrtune.report.build import Report

TARGETS = 5
"""For how many of the best trials the report says when they matched the baseline."""

QUARTERS = (0.25, 0.5, 0.75, 1.0)
"""Shares of the search's epochs after which the best score so far is shown."""

PART = "  "
"""Indents the name of a part of the row above."""


def cost_section(report: Report) -> Section:
    """What the epochs were spent on, a row for each kind of training and the total."""
    cost = report.cost
    named = [
        ("search", cost.search),
        *((f"{PART}{family}", spent) for family, spent in cost.families.items()),
        (f"{PART}unfinished", cost.unfinished),
        ("baseline search", cost.baseline_search),
        ("baseline", cost.baseline),
        ("confirmation", cost.confirm),
        ("total", cost.total),
    ]
    rows = [(name, spent) for name, spent in named if spent.trials]
    total = cost.total.epochs
    shares = (f"{spent.epochs / total:.0%}" if total else NOTHING for _, spent in rows)
    columns = (
        Column("spent on", tuple(name for name, _ in rows)),
        numbers("trainings", (f"{spent.trials:,}" for _, spent in rows)),
        numbers("epochs", (f"{spent.epochs:,}" for _, spent in rows)),
        numbers("time", (duration(spent.seconds) for _, spent in rows)),
        numbers("share", shares),
    )
    parts = [
        f"{spent.epochs:,} in {count(spent.trials, 'trial')} that {what}"
        for what, spent in (("diverged", cost.diverged), ("failed", cost.failed))
        if spent.trials
    ]
    if cost.winner is not None:
        parts.append(
            f"{cost.until_winner.epochs:,} in all trials up to the winner, "
            f"{cost.lineage.epochs:,} in the winner itself"
        )
    where = (f"epochs of the search: {', '.join(parts)}",) if parts else ()
    time = "time: sum over all trainings; with several workers, less time passed"
    return Section("Cost", columns=columns if rows else (), legend=(time, *where))


def progress_section(report: Report) -> Section:
    """The best score over time, when trials matched the baseline, and whether rungs agreed."""
    pairs, curve = [], best_so_far(report.records)
    if curve["epochs"].any():
        pairs.append(("best so far", _so_far(curve, report.places)))
    times = times_to_target(report.records, min(report.top or TARGETS, TARGETS))
    if report.baseline and len(times):
        reached = ", ".join(
            f"{_epoch(epoch)} in trial {trial_id}"
            for epoch, trial_id in zip(times["epoch"], times["trial_id"], strict=True)
        )
        if seeds := baseline_times(report.records):
            own = ", ".join(map(_epoch, seeds))
            reached += f"; {report.baseline.reference.name} itself: {own}"
        target, name = report.baseline.reference.mean, report.baseline.reference.name
        reference = f"{fixed(target, report.places)} (the mean of {name})"
        pairs.append(("time to target", f"first epoch at {reference} or better: {reached}"))
    if rungs := rungs_words(report.records):
        pairs.append(("early rungs", rungs))
    return Section("Progress", pairs=tuple(pairs))


def _epoch(number: int | None) -> str:
    return "never" if number is None or pd.isna(number) else f"epoch {number}"


def _so_far(curve: pd.DataFrame, places: int) -> str:
    parts = []
    for share in QUARTERS:
        limit = int(curve["epochs"].iloc[-1] * share)
        ended = curve["best"][curve["epochs"] <= limit]
        score = fixed(ended.iloc[-1], places) if ended.notna().any() else "none yet"
        parts.append(f"{score} after {limit:,}")
    return f"{', '.join(parts)} epochs of the search"
