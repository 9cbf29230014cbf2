"""Which trial did best, among trials of the same budget and against the constant learning rate."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from lrtune._util.printable import printable
from lrtune.errors import ArgumentError
from lrtune.schedules.space import family_parameters
from lrtune.stats.baseline import measure_baseline
from lrtune.stats.trials import values_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from lrtune.records.reader import RunRecords
    from lrtune.records.schema import Outcome
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

_FULL, _SHORT, _DIVERGED, _FAILED, _RUNNING = range(5)
_GROUPS = {"diverged": _DIVERGED, "failed": _FAILED, RUNNING: _RUNNING}


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
                but for completed trials of the full budget, and without a baseline.
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
    rows = [_row(outcome, records, baseline) for outcome in records.outcomes]
    rows += [{"trial_id": trial_id, "status": RUNNING} for trial_id in records.unfinished]
    frame = pd.DataFrame(rows, columns=list(COLUMNS)).astype(COLUMNS)
    return _ordered(_ranked(frame, records), full=records.manifest.max_epochs)


def _ranked(frame: pd.DataFrame, records: RunRecords) -> pd.DataFrame:
    completed = frame[frame["status"] == "completed"]
    ranks = completed.groupby("budget")["score"].rank(
        method="min", ascending=records.manifest.direction == "min"
    )
    # Ranks are whole with method "min"; a score that is NaN has none.
    ranks = ranks.astype("Int64")
    is_full = completed["budget"] == records.manifest.max_epochs
    ranked: pd.DataFrame = frame.assign(
        rank_in_budget=ranks.reindex(frame.index),
        rank=ranks[is_full].reindex(frame.index),
    )
    return ranked


def _ordered(frame: pd.DataFrame, full: int) -> pd.DataFrame:
    """Sorted by group, longer budget, rank; trials that share these keep the order of ids."""
    group = frame["status"].map(_GROUPS).fillna(_SHORT)
    group = group.mask((frame["status"] == "completed") & (frame["budget"] == full), _FULL)
    keys = frame.assign(
        _group=group,
        _budget=-frame["budget"].where(group == _SHORT, 0),
        _rank=frame["rank_in_budget"],
    )
    order = keys.sort_values(["_group", "_budget", "_rank"], kind="stable").index
    ordered: pd.DataFrame = frame.loc[order].reset_index(drop=True)
    return ordered


def _row(outcome: Outcome, records: RunRecords, baseline: Baseline | None) -> dict[str, Any]:
    score = math.nan if outcome.score is None else float(outcome.score)
    delta = math.nan
    if baseline is not None and _is_full(outcome, records):
        better = 1 if records.manifest.direction == "max" else -1
        delta = better * (score - baseline.reference.mean)
    return {
        "trial_id": outcome.trial_id,
        **described(values_of(outcome)),
        "epochs": max(outcome.epochs.last, 0),
        "score": score,
        "delta": delta,
        "within_noise": None if baseline is None else baseline.within_noise(delta),
        "status": outcome.status,
        "seconds": _number(outcome.seconds),
        "total_seconds": sum(_number(one.seconds) for one in records.lineage(outcome.trial_id)),
        "budget": outcome.epochs.planned,
        "parent": _shown(outcome.parent),
        "message": _shown(outcome.message),
    }


def described(values: Mapping[str, Any]) -> dict[str, Any]:
    """Hyperparameter values as the columns schedule, lr0, momentum and parameters of `rank`."""
    return {
        "schedule": _shown(values.get("schedule")),
        "lr0": _number(values.get("lr0")),
        "momentum": _number(values.get("momentum")),
        "parameters": printable(_parameters(values)),
    }


def _is_full(outcome: Outcome, records: RunRecords) -> bool:
    return outcome.status == "completed" and outcome.epochs.planned == records.manifest.max_epochs


def _shown(text: Any) -> Any:
    # pandas prints a column's strings as they are, to whatever terminal there is.
    if not isinstance(text, str):
        return text
    return "\n".join(printable(line) for line in text.splitlines())


def _parameters(values: Mapping[str, Any]) -> str:
    """The family's own parameters, in words; floats to three significant digits."""
    try:
        own: dict[str, Any] = dict(family_parameters(values))
    except ArgumentError:
        # A family of the user's that is not registered in this process: its parameters are known
        # by their prefix.
        prefix = f"{values.get('schedule')}."
        own = {key.removeprefix(prefix): values[key] for key in values if key.startswith(prefix)}
    return ", ".join(
        f"{key}={value:.3g}" if isinstance(value, float) else f"{key}={value}"
        for key, value in own.items()
    )


def _number(value: Any) -> float:
    return float(value) if isinstance(value, int | float) else math.nan
