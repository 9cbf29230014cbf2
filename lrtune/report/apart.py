"""The trials that are not in the ranking, in a few lines: none is dropped in silence."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lrtune.report.words import call, count, first_line, fixed
from lrtune.stats.ranking import RUNNING

if TYPE_CHECKING:
    import pandas as pd

    from lrtune.records.schema import Manifest

MOST = 8
"""How many trials a line names."""

MOST_REASONS = 3
"""How many different reasons a line tells."""


def list_apart(frame: pd.DataFrame, manifest: Manifest, places: int) -> tuple[tuple[str, str], ...]:
    """Who is not in the ranking.

    Args:
        frame: as `lrtune.stats.ranking.rank` returns it.
        manifest: of the run.
        places: decimals to show scores with.

    Returns:
        A kind and who is of it, as ("6 epochs", "12 trials, best 0007 step(...): ...").
    """
    apart = frame[frame["rank"].isna()]
    completed = apart[apart["status"] == "completed"]
    lines = [
        _budget_line(int(budget), trials, manifest, places)
        for budget, trials in completed.groupby("budget", sort=False)
    ]
    for status in ("diverged", "failed"):
        trials = apart[apart["status"] == status]
        if len(trials):
            lines.append((status, _reasons(trials)))
    running = apart[apart["status"] == RUNNING]
    if len(running):
        lines.append(("unfinished", f"{_ids(running)} (still running, or stopped)"))
    return tuple(lines)


def _budget_line(
    budget: int, trials: pd.DataFrame, manifest: Manifest, places: int
) -> tuple[str, str]:
    best = trials.iloc[0].to_dict()
    score = f"{manifest.objective} {fixed(best['score'], places)}"
    what = "only" if len(trials) == 1 else f"{count(len(trials), 'trial')}, best"
    return count(budget, "epoch"), f"{what} {best['trial_id']} {call(best)}: {score}"


def _reasons(trials: pd.DataFrame) -> str:
    """Who, reason by reason, the commonest first."""
    reasons = trials["message"].map(first_line, na_action=None)
    common = reasons.value_counts()
    told = [
        f"{_ids(trials[reasons == reason])}: {reason}" for reason in common.index[:MOST_REASONS]
    ]
    others = int(common[MOST_REASONS:].sum())
    if others:
        told.append(f"{count(others, 'trial')} for other reasons")
    return "; ".join(told)


def _ids(trials: pd.DataFrame) -> str:
    ids = list(trials["trial_id"])
    more = f" and {len(ids) - MOST:,} more" if len(ids) > MOST else ""
    return ", ".join(ids[:MOST]) + more
