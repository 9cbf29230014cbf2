"""What a run spent its epochs on, and how soon its best schedules reached the baseline.

An epoch counts once, for the trial that trained it: a promoted trial's own epochs are those after
its parent's. Seconds are the wall times of all trainings added up, building included; with several
workers, less time passed.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lrtune._util.printable import printable
from lrtune.errors import ArgumentError
from lrtune.stats.baseline import measure_baseline
from lrtune.stats.trials import epochs_of, families_of, family_of, score_of
from lrtune.stats.winner import Direction, best_trial, ranked_trials

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    import pandas as pd

    from lrtune.records.reader import RunRecords
    from lrtune.records.schema import Outcome


@dataclass(frozen=True)
class Spent:
    """What some trainings cost.

    Attributes:
        trials: int >= 0, how many trainings.
        epochs: int >= 0, how many they trained.
        seconds: float >= 0, how long they took.
    """

    trials: int = 0
    epochs: int = 0
    seconds: float = 0.0


@dataclass(frozen=True)
class Cost:
    """What a run cost.

    Attributes:
        families: schedule family -> all trials of the search with this family that ended; in the
            manifest's order.
        diverged: the search's diverged trials, also counted in `families`.
        failed: the same for failed ones.
        unfinished: the search's trials without an outcome. They are not counted in `families`, as
            the outcome records the family. Seconds are those of their recorded epochs.
        search: all trials of the search, including unfinished ones.
        baseline_search: all trials of the search for the best constant rate.
        baseline: all arms and seeds of the baseline.
        confirm: all arms and seeds of the confirmation that have ended.
        total: search, search for the best constant rate, baseline and confirmation.
        winner: id of the winner, the best completed trial of the full budget; None without one.
        lineage: the winner and the trials it continues.
        until_winner: every trial of the search up to the winner, in the order of ids, which is
            the order in which trials began.
    """

    families: dict[str, Spent]
    diverged: Spent
    failed: Spent
    unfinished: Spent
    search: Spent
    baseline_search: Spent
    baseline: Spent
    confirm: Spent
    total: Spent
    winner: str | None
    lineage: Spent
    until_winner: Spent


def measure_cost(records: RunRecords) -> Cost:
    """What a run cost, by kind of training."""
    outcomes, nested, confirmed = records.outcomes, records.baseline_search, records.confirmation
    of_family: dict[str, list[Outcome]] = {name: [] for name in families_of(records.manifest)}
    for outcome in outcomes:
        of_family.setdefault(family_of(outcome), []).append(outcome)
    search = _of_search(records)
    baseline_search = _of_search(nested) if nested else Spent()
    baseline = _of_arms(records.baseline)
    confirm = _of(confirmed.all) if confirmed else Spent()
    winner = best_trial(records)
    return Cost(
        families={family: _of(trials) for family, trials in of_family.items()},
        diverged=_of(one for one in outcomes if one.status == "diverged"),
        failed=_of(one for one in outcomes if one.status == "failed"),
        unfinished=_of_unfinished(records),
        search=search,
        baseline_search=baseline_search,
        baseline=baseline,
        confirm=confirm,
        total=_sum([search, baseline_search, baseline, confirm]),
        winner=winner.trial_id if winner else None,
        lineage=_of(records.lineage(winner.trial_id) if winner else ()),
        until_winner=_of(outcomes[: outcomes.index(winner) + 1] if winner else ()),
    )


def times_to_target(records: RunRecords, top: int = 5) -> pd.DataFrame:
    """How many epochs each of the best trials needed to reach the baseline's score.

    Args:
        records: of the run.
        top: int >= 1, how many of the best completed trials of the full budget.

    Returns:
        One row per trial, the best first; no rows without a baseline. Columns:
            trial_id, schedule: of the trial.
            score: its own, in the unit of the objective.
            target: the mean of the constant rate that trials are compared with (`stats.baseline`).
            epoch: the first epoch whose objective is at least as good as the target; NA for never.
                NOTE: one epoch of one seed is a noisy measurement, and the first of many to cross
                a line crosses it early.

    Raises:
        ArgumentError: top is below 1.
    """
    import pandas as pd

    if top < 1:
        raise ArgumentError(f"top must be >= 1. Received: top={top!r}.")
    baseline = measure_baseline(records)
    target = baseline.reference.mean if baseline else math.nan
    rows = [
        (one.trial_id, printable(family_of(one)), score_of(one), _first_epoch(records, one, target))
        for one in (ranked_trials(records)[:top] if baseline else ())
    ]
    frame = pd.DataFrame(rows, columns=["trial_id", "schedule", "score", "epoch"])
    frame.insert(3, "target", target)
    return frame.astype({"epoch": "Int64"})


def baseline_times(records: RunRecords) -> list[int | None]:
    """How many epochs each seed of the baseline itself needed to reach the baseline's score.

    A training that is no better than the baseline reaches the target as soon as these do: some
    seeds pass their own mean long before they end, others never do.

    Args:
        records: of the run.

    Returns:
        For each seed of the full budget with a score, in their order, the first epoch that is at
        least as good as the mean of the reference; None for never. Empty without a baseline.
    """
    baseline = measure_baseline(records)
    if baseline is None:
        return []
    mean, full = baseline.reference.mean, records.manifest.max_epochs
    return [
        _first_epoch(records, one, mean)
        for one in records.baseline[baseline.reference.name]
        if one.epochs.planned == full and not math.isnan(score_of(one))
    ]


def _first_epoch(records: RunRecords, outcome: Outcome, target: float) -> int | None:
    gain, objective = Direction(records.manifest.direction).gain, records.manifest.objective
    ids = [one.trial_id for one in records.continued(outcome.trial_id)] or [outcome.trial_id]
    lines = (row for one in ids for row in records.epochs(one))
    reached = (row["epoch"] for row in lines if gain(row.get(objective, math.nan), target) >= 0)
    return next(reached, None)


def _of_search(records: RunRecords) -> Spent:
    return _sum([_of(records.outcomes), _of_unfinished(records)])


def _of_arms(arms: Mapping[str, Sequence[Outcome]]) -> Spent:
    return _of(seed for arm in arms.values() for seed in arm)


def _of(outcomes: Iterable[Outcome]) -> Spent:
    return _sum(Spent(1, epochs_of(one), _seconds([one.seconds])) for one in outcomes)


def _of_unfinished(records: RunRecords) -> Spent:
    trials = [records.epochs(trial_id) for trial_id in records.unfinished]
    return _sum(
        Spent(1, len(rows), _seconds(row.get("seconds", math.nan) for row in rows))
        for rows in trials
    )


def _sum(parts: Iterable[Spent]) -> Spent:
    listed = list(parts)
    return Spent(
        trials=sum(one.trials for one in listed),
        epochs=sum(one.epochs for one in listed),
        seconds=_seconds(one.seconds for one in listed),
    )


def _seconds(recorded: Iterable[float]) -> float:
    """The sum of recorded times; NaN, for a time that was not recorded, counts as 0."""
    return math.fsum(filter(math.isfinite, recorded))
