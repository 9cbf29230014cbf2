"""What a run cost, what it achieved when, and how soon its best trials matched the baseline."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from lrtune.report.grid import Column, Section, numbers
from lrtune.report.words import NOTHING, count, duration, fixed

if TYPE_CHECKING:
    from lrtune.report.build import Report
    from lrtune.stats.tuning_curves import BestSoFar

QUARTERS = (0.25, 0.5, 0.75, 1.0)
"""Shares of the search's epochs after which the best score so far is shown."""

PART = "  "
"""What the name of a part of the row above starts with."""


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
    if cost.until_winner is not None and cost.lineage is not None:
        parts.append(
            f"{cost.until_winner.epochs:,} in all trials up to the winner, "
            f"{cost.lineage.epochs:,} in the winner itself"
        )
    where = (f"epochs of the search: {', '.join(parts)}",) if parts else ()
    time = "time: sum over all trainings; with several workers, less time passed"
    return Section("Cost", columns=columns if rows else (), legend=(time, *where))


def progress_section(report: Report) -> Section:
    """How soon the search and its best trials got how far."""
    pairs = []
    if any(report.best_so_far.epochs):
        pairs.append(("best so far", _so_far(report.best_so_far, report.places)))
    if report.times and report.baseline:
        target = fixed(report.times[0].target, report.places)
        reached = ", ".join(
            f"{'never' if one.epoch is None else f'epoch {one.epoch}'} in trial {one.trial_id}"
            for one in report.times
        )
        name = report.baseline.reference.name
        words = f"first epoch at {target} (the mean of {name}) or better: {reached}"
        pairs.append(("time to target", words))
    hint = "`lrtune report --details` adds which hyperparameters mattered, and tuning curves"
    return Section("Progress", pairs=tuple(pairs), notes=() if report.importances else (hint,))


def _so_far(curve: BestSoFar, places: int) -> str:
    parts = []
    for share in QUARTERS:
        limit = int(curve.epochs[-1] * share)
        ended = sum(epochs <= limit for epochs in curve.epochs)
        best = curve.best[ended - 1] if ended else math.nan
        score = "none yet" if math.isnan(best) else fixed(best, places)
        parts.append(f"{score} after {limit:,}")
    return f"{', '.join(parts)} epochs of the search"
