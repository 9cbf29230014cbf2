"""Which trial did best, among trials of the same budget and against the constant learning rate."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from lrtune._util.printable import printable
from lrtune.stats.baseline import measure_baseline
from lrtune.stats.trials import is_full
from lrtune.stats.winner import Direction, ordered

if TYPE_CHECKING:
    import pandas as pd

    from lrtune.records.reader import RunRecords
    from lrtune.records.schema import Outcome
    from lrtune.schedules.recipe import Recipe
    from lrtune.stats.baseline import Baseline

COLUMNS = {
    "rank": "Int64",
    "trial_id": "object",
    "schedule": "object",
    "lr0": "float64",
    "momentum": "float64",
    "parameters": "object",
    "epochs": "Int64",
    "score": "float64",
    "delta": "float64",
    "within_noise": "boolean",
    "status": "object",
    "seconds": "float64",
    "total_seconds": "float64",
    "budget": "Int64",
    "rank_in_budget": "Int64",
    "parent": "object",
    "message": "object",
}
"""Column -> type of what `rank` returns."""

RUNNING = "running"
"""Status of a trial that has a folder but no outcome."""


def rank(records: RunRecords) -> pd.DataFrame:
    """All trials of a search, the best first, each ranked only against those of its own budget.

    The ranking proper is that of the completed trials of the full budget, the manifest's
    `max_epochs`. Below it, with no `rank`, follow the completed trials of shorter budgets, the
    longest first; those that diverged; those that failed; those that have not ended. None is
    dropped.

    Args:
        records: as `read_run` returns them.

    Returns:
        A frame of one row a trial and the columns of `COLUMNS`:
            rank: 1 to n among full budgets, ties share the better rank; NA for all others.
            trial_id, schedule, lr0, momentum: of the trial; NaN where it does not say.
            parameters: the family's own, in words ("drop=0.5, epochs_drop=10").
            epochs: epochs of training behind the trial, its ancestors' among them.
            score: the objective.
            delta: how much better than the mean of the constant rate that trials are compared with
                (the tuned one where there is one: `stats.baseline`): score - mean if more is
                better, mean - score if less is better, so that above 0 is always better. NaN
                for all but completed trials of the full budget, and without a baseline.
            within_noise: whether a single run of that constant rate could lie as far off by
                chance (`stats.baseline`); NA where there is no delta or no measure of chance.
            status: completed, diverged, failed or running.
            seconds: wall time of the trial itself.
            total_seconds: that and its ancestors', as a Hyperband trial continues another.
            budget: the epoch the trial was meant to reach.
            rank_in_budget: 1 to n among the completed trials of the same budget.
            parent: id of the trial it continued.
            message: why it diverged or failed.
    """
    import pandas as pd

    baseline = measure_baseline(records)
    outcomes = ordered(records.outcomes, records.manifest.direction)
    rows = [_row(outcome, records, baseline) for outcome in outcomes]
    rows += [{"trial_id": trial_id, "status": RUNNING} for trial_id in records.unfinished]
    frame = pd.DataFrame(rows, columns=list(COLUMNS)).astype(COLUMNS)
    return _ranked(frame, records)


def _ranked(frame: pd.DataFrame, records: RunRecords) -> pd.DataFrame:
    direction = Direction(records.manifest.direction)
    completed = frame[frame["status"] == "completed"]
    ranks = completed.groupby("budget")["score"].rank(
        method="min", ascending=direction is Direction.MIN
    )
    ranks = ranks.astype("Int64")
    is_full = completed["budget"] == records.manifest.max_epochs
    ranked: pd.DataFrame = frame.assign(
        rank_in_budget=ranks.reindex(frame.index),
        rank=ranks[is_full].reindex(frame.index),
    )
    return ranked


def _row(outcome: Outcome, records: RunRecords, baseline: Baseline | None) -> dict[str, Any]:
    score = math.nan if outcome.score is None else float(outcome.score)
    delta = math.nan
    completed = outcome.status == "completed" and is_full(outcome, records.manifest)
    if baseline is not None and completed:
        delta = Direction(records.manifest.direction).gain(score, baseline.reference.mean)
    return {
        "trial_id": outcome.trial_id,
        **described(outcome.recipe),
        "epochs": max(outcome.epochs.last, 0),
        "score": score,
        "delta": delta,
        "within_noise": None if baseline is None else baseline.within_noise(delta),
        "status": outcome.status,
        "seconds": outcome.seconds,
        "total_seconds": sum(one.seconds for one in records.lineage(outcome.trial_id)),
        "budget": outcome.epochs.planned,
        "parent": _shown(outcome.parent),
        "message": _shown(outcome.message),
    }


def described(recipe: Recipe) -> dict[str, Any]:
    """A recipe as the columns schedule, lr0, momentum and parameters of `rank`."""
    return {
        "schedule": None if recipe.family is None else printable(recipe.family),
        "lr0": recipe.lr0,
        "momentum": recipe.momentum,
        "parameters": recipe.parameters_text,
    }


def _shown(text: Any) -> Any:
    # pandas prints a column's strings as they are, to whatever terminal there is.
    if not isinstance(text, str):
        return text
    return "\n".join(printable(line) for line in text.splitlines())
