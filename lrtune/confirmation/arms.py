"""Which arms a confirmation compares: the best of the search, and the constant rates."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lrtune.errors import ArgumentError, RunFolderError
from lrtune.records.schema import TUNED_ARMS
from lrtune.stats.baseline import measure_baseline
from lrtune.stats.trials import family_of, score_of
from lrtune.stats.winner import ranked_trials

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from lrtune.records.reader import RunRecords
    from lrtune.records.schema import Outcome
    from lrtune.stats.baseline import Arm


@dataclass(frozen=True)
class Arms:
    """The arms of a confirmation.

    Attributes:
        values: arm name -> hyperparameter values; arms of the search first, then the baseline's.
        trials: arm name -> id of the search's trial; no entry for an arm of the baseline.
        search_scores: arm name -> its score in the search.
        reference: the constant rate that the others are compared with, as measured.
    """

    values: Mapping[str, Mapping[str, Any]]
    trials: Mapping[str, str]
    search_scores: Mapping[str, float]
    reference: Arm


def choose_arms(
    records: RunRecords, top: int = 3, chosen: Sequence[str] = (), *, constants: bool = True
) -> Arms:
    """The best trials of a search, and constant rates of its baseline.

    Args:
        records: of the search.
        top: int >= 1, how many trials: first the best of each schedule family, the best families
            first, then the best of the rest.
        chosen: ids of trials to use instead. Arms of the baseline may be named too. An id that is
            named twice makes two arms.
        constants: whether to compare with the plain constant rates as well as with the reference.

    Raises:
        RunFolderError: no trial has completed the full budget, or there is no baseline.
        ArgumentError: `top` is below 1, or the run does not have an id or name.
    """
    if top < 1:
        raise ArgumentError(f"top must be at least 1. Received: {top}")
    measured, ranked = measure_baseline(records), ranked_trials(records)
    if measured is None or not ranked:
        missing = missing_of(records)
        raise RunFolderError(f"run folder {records.folder} has {missing}. Resume its search first")
    arms = {arm.name: arm for arm in measured.arms}
    picked = _named(records, chosen, list(arms)) if chosen else _best(ranked, top)
    if not picked:
        raise ArgumentError(
            f"--arm must name a trial: the constant rates are what it is compared with. Received: "
            f"{', '.join(chosen)}"
        )
    values: dict[str, Mapping[str, Any]] = {}
    trials: dict[str, str] = {}
    scores: dict[str, float] = {}
    for trial in picked:
        name = _unique(f"trial-{trial.trial_id}", values)
        values[name] = trial.recipe.values
        trials[name] = trial.trial_id
        scores[name] = score_of(trial)
    for arm in measured.arms:
        plain = constants and arm.name not in TUNED_ARMS
        if arm is measured.reference or arm.name in chosen or plain:
            values[arm.name] = arm.recipe.values
            scores[arm.name] = arm.mean
    return Arms(values, trials, scores, measured.reference)


def missing_of(records: RunRecords) -> str | None:
    """What a search lacks to be confirmed, as a phrase; None if nothing."""
    epochs = records.manifest.max_epochs
    if measure_baseline(records) is None:
        return (
            f"no constant rate that was trained for all {epochs} epochs, so there is nothing to "
            "compare with"
        )
    if not ranked_trials(records):
        return f"no trial that completed {epochs} epochs, so there is nothing to confirm"
    return None


def _best(ranked: Sequence[Outcome], top: int) -> list[Outcome]:
    best = {family_of(outcome): outcome for outcome in reversed(ranked)}
    chosen = sorted(ranked, key=lambda outcome: outcome is not best[family_of(outcome)])[:top]
    return sorted(chosen, key=ranked.index)


def _named(records: RunRecords, names: Iterable[str], arms: Sequence[str]) -> list[Outcome]:
    by_id = {outcome.trial_id: outcome for outcome in records.outcomes}
    found = []
    for name in names:
        if name in arms:
            continue
        trial = by_id.get(name) or by_id.get(name.removeprefix("trial-"))
        if trial is None or trial.status == "failed":
            some = ", ".join(
                [outcome.trial_id for outcome in ranked_trials(records)[:5]] + list(arms)
            )
            raise ArgumentError(
                f"--arm must be a trial of the run that did not fail, or an arm of its baseline "
                f"(such as {some}). Received: {name}"
            )
        found.append(trial)
    return found


def _unique(name: str, taken: Iterable[str]) -> str:
    number, unique = 2, name
    while unique in taken:
        unique, number = f"{name}-{number}", number + 1
    return unique
