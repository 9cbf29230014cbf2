"""The ranking of a search: trials of the same budget against each other and the baseline."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lrtune._util.printable import printable
from lrtune.stats.baseline import measure_baseline
from lrtune.stats.winner import Direction, ordered

if TYPE_CHECKING:
    import pandas as pd

    from lrtune.records.reader import RunRecords
    from lrtune.records.schema import Outcome
    from lrtune.schedules.recipe import Recipe

COLUMNS = {
    "rank": "Int64",
    "trial_id": "object",
    "schedule": "object",
    "lr0": "float64",
    "momentum": "float64",
    "parameters": "object",
    "own": "object",
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

    Completed trials of the full budget, the manifest's `max_epochs`, come first. Then, without a
    `rank`, the completed trials of shorter budgets, the longest first; diverged trials; failed
    trials; lost trials; trials that have not ended. No trial is left out.

    Args:
        records: as `read_run` returns them.

    Returns:
        A frame with one row per trial and the columns of `COLUMNS`:
            rank: 1 to n among full budgets, ties share the better rank; NA for all others.
            trial_id, schedule, lr0, momentum: of the trial; NaN where they are not recorded.
            parameters: the family's own, as text ("drop=0.5, epochs_drop=10").
            own: what `build_model` sampled, and the batch size where it is searched, as text
                ("width=48, batch_size=32"); empty if there is nothing of the kind.
            epochs: trained in total, including the trials that it continues.
            score: in the unit of the objective.
            delta: how much better than the mean of the reference, the constant rate that trials
                are compared with (see `stats.baseline`): score - mean if more is better, mean -
                score if less is better, so that above 0 is always better. NaN without a baseline
                and for all but completed trials of the full budget.
            within_noise: whether a single run of the reference could differ from its mean by as
                much through chance alone; NA if delta or the spread of the reference is unknown.
            status: completed, diverged, failed, lost or running.
            seconds: wall time of the trial itself.
            total_seconds: the same including the trials that it continues.
            budget: the epoch that the trial was meant to reach.
            rank_in_budget: 1 to n among the completed trials of the same budget.
            parent: id of the trial that it continues.
            message: why it diverged, failed or was lost.
    """
    import pandas as pd

    manifest, baseline = records.manifest, measure_baseline(records)
    direction = Direction(manifest.direction)
    lost = {one.trial_id: one for one in records.lost if one.trial_id in records.unfinished}
    trials = [*ordered(records.outcomes, direction), *lost.values()]
    rows = [_row(outcome, records) for outcome in trials]
    running = [one for one in records.unfinished if one not in lost]
    rows += [{"trial_id": trial_id, "status": RUNNING} for trial_id in running]
    frame = pd.DataFrame(rows, columns=list(COLUMNS)).astype(COLUMNS)

    # Rows without a value in what is assigned below stay NA.
    completed = frame[frame["status"] == "completed"]
    less = direction is Direction.MIN
    ranks = completed.groupby("budget")["score"].rank(method="min", ascending=less).astype("Int64")
    is_full = completed["budget"] == manifest.max_epochs
    frame["rank_in_budget"], frame["rank"] = ranks, ranks[is_full]
    if baseline is not None:
        scores = completed["score"][is_full]
        frame["delta"] = direction.sign * (scores - baseline.reference.mean)
        frame["within_noise"] = frame["delta"].map(baseline.within_noise).astype("boolean")
    return frame


def _row(outcome: Outcome, records: RunRecords) -> dict[str, Any]:
    return {
        "trial_id": outcome.trial_id,
        **described(outcome.recipe),
        "epochs": max(outcome.epochs.last, 0),
        "score": outcome.score,
        "status": outcome.status,
        "seconds": outcome.seconds,
        "total_seconds": sum(one.seconds for one in records.lineage(outcome.trial_id)),
        "budget": outcome.epochs.planned,
        "parent": _shown(outcome.parent),
        "message": _shown(outcome.message),
    }


def described(recipe: Recipe) -> dict[str, Any]:
    """A recipe as the columns schedule, lr0, momentum, parameters and own of `rank`."""
    return {
        "schedule": None if recipe.family is None else printable(recipe.family),
        "lr0": recipe.lr0,
        "momentum": recipe.momentum,
        "parameters": recipe.parameters_text,
        "own": recipe.own_text,
    }


def _shown(text: str | None) -> str | None:
    """Text for a frame: printable, line by line; None for none."""
    return None if text is None else "\n".join(map(printable, text.splitlines()))
