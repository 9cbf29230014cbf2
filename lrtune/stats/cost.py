"""What a run spent its epochs on, and how soon its best schedules reached the baseline.

An epoch counts once, for the trial that trained it: a promoted trial's own epochs are those after
its parent's. Seconds are the wall time of trials one by one, building included: with several
workers the clock on the wall shows less.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lrtune.errors import ArgumentError
from lrtune.stats.baseline import measure_baseline
from lrtune.stats.trials import epochs_of, families_of, family_of, score_of
from lrtune.stats.winner import Direction, full_trials

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from lrtune.records.reader import RunRecords
    from lrtune.records.schema import Outcome


@dataclass(frozen=True)
class Spent:
    """What some trials cost.

    Attributes:
        trials: how many.
        epochs: they trained.
        seconds: they took.
    """

    trials: int = 0
    epochs: int = 0
    seconds: float = 0.0


@dataclass(frozen=True)
class Cost:
    """What a run cost.

    Attributes:
        families: schedule family -> its trials of the search, whatever became of them; in the
            manifest's order.
        diverged: the search's diverged trials, contained in `families`.
        failed: the same for failed ones.
        unfinished: the search's trials without an outcome; no part of `families`, as an outcome
            names the family. Seconds are those of their recorded epochs.
        search: all trials of the search, unfinished ones among them.
        baseline_search: all trials of the search for the best constant rate.
        baseline: all arms and seeds of the baseline.
        confirm: all arms and seeds of the confirmation that have ended.
        total: search, search for the best constant rate, baseline and confirmation.
        winner: id of the winner, the best completed trial of the full budget; None without one.
        lineage: the winner and the trials it continues.
        until_winner: every trial of the search up to the winner, in the order of ids, which is that
            in which they were begun.
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
    lineage: Spent | None
    until_winner: Spent | None


@dataclass(frozen=True)
class TimeToTarget:
    """When one trial first reached the baseline's score.

    Attributes:
        trial_id: of the trial.
        schedule: its family.
        score: its own score.
        target: what was to be reached: the mean of the constant rate that trials are compared
            with (`stats.baseline`).
        epoch: the first epoch whose objective is at least as good as the target; None for never.
            NOTE: one epoch of one seed is a noisy measurement, and the first of many to cross a
            line crosses it early.
    """

    trial_id: str
    schedule: str
    score: float
    target: float
    epoch: int | None


def measure_cost(records: RunRecords) -> Cost:
    """What a run cost, by what the money went for."""
    outcomes = records.outcomes
    nested, confirmed = records.baseline_search, records.confirmation
    families = {name: Spent() for name in families_of(records.manifest)}
    for outcome in outcomes:
        name = family_of(outcome)
        families[name] = _sum((families.get(name, Spent()), _of(outcome)))
    unfinished = _of_unfinished(records)
    search = _of_search(records)
    baseline_search = _of_search(nested) if nested else Spent()
    baseline = _of_arms(records.baseline)
    confirm = _of_arms(confirmed.outcomes) if confirmed else Spent()
    best = _best(records)[:1]
    winner = best[0].trial_id if best else None
    return Cost(
        families=families,
        diverged=_sum(_of(one) for one in outcomes if one.status == "diverged"),
        failed=_sum(_of(one) for one in outcomes if one.status == "failed"),
        unfinished=unfinished,
        search=search,
        baseline_search=baseline_search,
        baseline=baseline,
        confirm=confirm,
        total=_sum((search, baseline_search, baseline, confirm)),
        winner=winner,
        lineage=_sum(map(_of, records.lineage(winner))) if winner is not None else None,
        until_winner=(
            _sum(map(_of, outcomes[: outcomes.index(best[0]) + 1])) if winner is not None else None
        ),
    )


def times_to_target(records: RunRecords, top: int = 5) -> tuple[TimeToTarget, ...]:
    """How many epochs each of the best trials needed to reach the baseline's score.

    Args:
        records: of the run.
        top: int >= 1, how many of the best completed trials of the full budget.

    Returns:
        One a trial, the best first; none without a baseline.
    """
    if top < 1:
        raise ArgumentError(f"top must be >= 1. Received: top={top!r}.")
    baseline = measure_baseline(records)
    if baseline is None:
        return ()
    target = baseline.reference.mean
    return tuple(
        TimeToTarget(
            trial_id=outcome.trial_id,
            schedule=family_of(outcome),
            score=score_of(outcome),
            target=target,
            epoch=_first_epoch(records, outcome, target),
        )
        for outcome in _best(records)[:top]
    )


def _best(records: RunRecords) -> list[Outcome]:
    manifest = records.manifest
    return full_trials(records.outcomes, manifest.direction, manifest.max_epochs)


def _first_epoch(records: RunRecords, outcome: Outcome, target: float) -> int | None:
    direction = Direction(records.manifest.direction)
    for one in records.lineage(outcome.trial_id):
        for row in records.epochs(one.trial_id):
            value = row.get(records.manifest.objective)
            if isinstance(value, int | float) and direction.gain(value, target) >= 0:
                return int(row["epoch"])
    return None


def _of(outcome: Outcome) -> Spent:
    return Spent(1, epochs_of(outcome), _seconds(outcome.seconds))


def _of_search(records: RunRecords) -> Spent:
    return _sum((*map(_of, records.outcomes), _of_unfinished(records)))


def _of_arms(arms: Mapping[str, Sequence[Outcome]]) -> Spent:
    return _sum(_of(seed) for arm in arms.values() for seed in arm)


def _of_unfinished(records: RunRecords) -> Spent:
    trials = [records.epochs(trial_id) for trial_id in records.unfinished]
    return _sum(
        Spent(1, len(rows), math.fsum(_seconds(row.get("seconds")) for row in rows))
        for rows in trials
    )


def _sum(parts: Iterable[Spent]) -> Spent:
    listed = list(parts)
    return Spent(
        trials=sum(one.trials for one in listed),
        epochs=sum(one.epochs for one in listed),
        seconds=math.fsum(one.seconds for one in listed),
    )


def _seconds(value: object) -> float:
    """A time as recorded; 0 where none was, so that one trial without takes no sum away."""
    return float(value) if isinstance(value, int | float) and math.isfinite(value) else 0.0
