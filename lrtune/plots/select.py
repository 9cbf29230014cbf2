"""Which trials a picture shows, and their numbers as they may be drawn."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from lrtune.errors import ArgumentError
from lrtune.records.ids import parse_id
from lrtune.stats.trials import family_of, is_full, score_of
from lrtune.stats.winner import ordered

if TYPE_CHECKING:
    from lrtune.records.reader import Confirmation, RunRecords
    from lrtune.records.schema import Outcome

MOST = 10
"""The most trials that lines are drawn for: more cannot be told apart."""


def best_trials(records: RunRecords, top: int) -> list[Outcome]:
    """The best completed trials of one budget, the best first; of equal ones the first tried.

    Args:
        records: of the run.
        top: int from 1 to `MOST`, how many.

    Returns:
        Those of the full budget; if there are none, of the longest that any completed.

    Raises:
        ArgumentError: no trial completed with a score.
    """
    if not 1 <= top <= MOST:
        raise ArgumentError(f"top must be 1 to {MOST}. Received: top={top!r}.")
    done = [
        one
        for one in ordered(records.outcomes, records.manifest.direction)
        if one.status == "completed"
    ]
    if not done:
        raise ArgumentError(f"No trial of the run {str(records.folder)!r} completed with a score.")
    full = [one for one in done if is_full(one, records.manifest)]
    return (full or [one for one in done if one.epochs.planned == done[0].epochs.planned])[:top]


def full_trials(records: RunRecords) -> list[Outcome]:
    """Completed and diverged trials of the full budget that have a score, in the order of ids.

    Raises:
        ArgumentError: there are none.
    """
    full = [one for one in records.outcomes if is_full(one, records.manifest) and _scored(one)]
    if not full:
        raise ArgumentError(
            f"No trial of the run {str(records.folder)!r} has a score after the full budget of "
            f"{records.manifest.max_epochs} epochs."
        )
    return full


def families_of(records: RunRecords, trials: list[Outcome]) -> dict[str, list[Outcome]]:
    """Family -> its trials, families in the run's order; those without trials are left out."""
    names = dict.fromkeys((*records.manifest.families, *sorted({family_of(one) for one in trials})))
    found: dict[str, list[Outcome]] = {name: [] for name in names}
    for one in trials:
        found[family_of(one)].append(one)
    return {name: own for name, own in found.items() if own}


def value_of(outcome: Outcome, name: str) -> float:
    """A hyperparameter of a trial; NaN where it is no finite number."""
    return number(outcome.values.get(name))


def confirmed_scores(confirmation: Confirmation) -> dict[str, dict[int, float]]:
    """Arm -> seed -> score on the test images; of trainings of the full length alone."""
    return {
        arm: {
            parse_id(one.trial_id).seed: score_of(one)
            for one in outcomes
            if _scored(one) and one.epochs.planned == confirmation.manifest.epochs
        }
        for arm, outcomes in confirmation.outcomes.items()
    }


def number(value: Any) -> float:
    """A recorded value as a float; NaN where it is no finite number."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return math.nan
    return float(value) if math.isfinite(value) else math.nan


def _scored(outcome: Outcome) -> bool:
    return math.isfinite(score_of(outcome))
