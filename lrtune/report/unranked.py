"""The trials without a rank, in a few lines: none is dropped silently."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lrtune.report.words import count, first_line, fixed
from lrtune.stats.ranking import RUNNING

if TYPE_CHECKING:
    import pandas as pd

    from lrtune.records.reader import RunRecords

MOST = 8
"""How many trials a line names."""

MOST_REASONS = 3
"""How many different reasons a line names."""


def list_unranked(
    records: RunRecords, frame: pd.DataFrame, places: int
) -> tuple[tuple[str, str], ...]:
    """The trials without a rank.

    Args:
        records: of the run.
        frame: as `lrtune.stats.ranking.rank` returns it.
        places: int >= 0, decimals of scores.

    Returns:
        Kinds of trials and which these are: ("diverged", "0006: the loss is NaN").
    """
    unranked = frame[frame["rank"].isna()]
    completed = unranked[unranked["status"] == "completed"]
    lines = [
        (count(int(budget), "epoch"), _best_of(trials, records, places))
        for budget, trials in completed.groupby("budget", sort=False)
    ]
    for status in ("diverged", "failed"):
        trials = unranked[unranked["status"] == status]
        if len(trials):
            lines.append((status, _reasons(trials)))
    running = unranked[unranked["status"] == RUNNING]
    if len(running):
        lines.append(("unfinished", f"{_ids(running)} (still running or stopped)"))
    return tuple(lines)


def _best_of(trials: pd.DataFrame, records: RunRecords, places: int) -> str:
    best = records.by_id[trials["trial_id"].iloc[0]]
    score = f"{records.manifest.objective} {fixed(trials['score'].iloc[0], places)}"
    only = "" if len(trials) == 1 else ", best"
    schedule = best.recipe.schedule_text
    return f"{count(len(trials), 'trial')}{only}: {best.trial_id} {schedule}, {score}"


def _reasons(trials: pd.DataFrame) -> str:
    """The trials by reason, the most common one first."""
    reasons = trials["message"].map(first_line, na_action=None)
    common = reasons.value_counts()
    named = [
        f"{_ids(trials[reasons == reason])}: {reason}" for reason in common.index[:MOST_REASONS]
    ]
    others = int(common[MOST_REASONS:].sum())
    if others:
        named.append(f"{count(others, 'trial')} for other reasons")
    return "; ".join(named)


def _ids(trials: pd.DataFrame) -> str:
    ids = list(trials["trial_id"])
    more = f" and {len(ids) - MOST:,} more" if len(ids) > MOST else ""
    return ", ".join(ids[:MOST]) + more
