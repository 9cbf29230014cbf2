"""Every trial of a run in one list: the search's, the baseline's, the confirmation's."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from lrtune.export.space import parameters, searched
from lrtune.export.times import Times, trial_times
from lrtune.records.ids import BASELINE_SEARCH, first_tried, parse_id
from lrtune.records.reader import read_proposal

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from lrtune.export.space import Parameter, Value
    from lrtune.records.reader import RunRecords
    from lrtune.records.schema import Outcome

Kind = Literal["trial", "baseline-search", "baseline", "confirmation"]

SEARCH_WITHIN = f"{BASELINE_SEARCH}/"
"""How the ids of the trials begin that searched for the best constant rate."""

_PARENT = "tuner/trial_id"


@dataclass(frozen=True)
class Recorded:
    """A trial that a run folder knows of.

    Attributes:
        kind: "trial" of the search, "baseline-search" (of the search for the best constant rate),
            "baseline" or "confirmation".
        trial_id: unlike any other's: "0007", "baseline/search/0007", "baseline/ARM/seed-N",
            "confirm/ARM/seed-N".
        outcome: how it ended, None if it has not.
        values: hyperparameter values that exist for it.
        parent: the `trial_id` of whom it continued.
        times: when it ran, None if it has not ended.
    """

    kind: Kind
    trial_id: str
    outcome: Outcome | None
    values: Mapping[str, Value]
    parent: str | None
    times: Times | None
    _records: RunRecords

    @property
    def arm(self) -> str | None:
        """The arm of the baseline or of the confirmation."""
        return parse_id(self.trial_id).arm or None

    @property
    def status(self) -> str:
        """As recorded, or "running"."""
        return "running" if self.outcome is None else self.outcome.status

    def epochs(self) -> list[dict[str, Any]]:
        """The trial's own epochs, read anew from the run folder."""
        return self._records.epochs(self.trial_id.removeprefix(SEARCH_WITHIN))


def recorded(records: RunRecords) -> list[Recorded]:
    """All trials: the search's in the order of their ids, then those around it."""
    known = parameters(records.manifest.space)
    arms = [outcome for arm in records.baseline.values() for outcome in arm]
    times = trial_times(records.folder, (*arms, *records.outcomes), records.manifest)
    found = _of_search(records, known, times, "")
    within = records.baseline_search
    if within is not None:
        its_times = trial_times(within.folder, within.outcomes, within.manifest)
        found += _of_search(within, parameters(within.manifest.space), its_times, SEARCH_WITHIN)
    found += [_of_arm(outcome, "baseline", records, known, times) for outcome in arms]
    confirmation = records.confirmation
    if confirmation is not None:
        seeds = [outcome for arm in confirmation.outcomes.values() for outcome in arm]
        times = trial_times(records.folder, seeds, confirmation.manifest)
        found += [_of_arm(outcome, "confirmation", records, known, times) for outcome in seeds]
    return found


def lineages(trials: Iterable[Recorded]) -> list[tuple[Recorded, ...]]:
    """Trials that continue each other, joined: the first trial of each first.

    Where two continue the same trial, it is part of both lines; no trial is lost.
    """
    by_id = {trial.trial_id: trial for trial in trials}
    continued = {trial.parent for trial in by_id.values()}
    lines = [_line(trial, by_id) for trial in by_id.values() if trial.trial_id not in continued]
    told = {trial.trial_id for line in lines for trial in line}
    # Only in a damaged run: trials that continue each other in a circle have no last one.
    lines += [(trial,) for trial in by_id.values() if trial.trial_id not in told]
    place = {trial_id: place for place, trial_id in enumerate(by_id)}
    return sorted(lines, key=lambda line: (place[line[0].trial_id], place[line[-1].trial_id]))


def _line(last: Recorded, by_id: Mapping[str, Recorded]) -> tuple[Recorded, ...]:
    line = [last]
    while (parent := by_id.get(line[0].parent or "")) is not None and parent not in line:
        line.insert(0, parent)
    return tuple(line)


def _of_search(
    records: RunRecords, known: Mapping[str, Parameter], times: Mapping[str, Times], prefix: str
) -> list[Recorded]:
    found = []
    outcomes = {outcome.trial_id: outcome for outcome in records.outcomes}
    for trial_id in sorted((*outcomes, *records.unfinished), key=first_tried):
        outcome = outcomes.get(trial_id)
        if outcome is not None:
            values, parent = outcome.values, outcome.parent
        else:
            values = read_proposal(records.folder, trial_id) or {}
            parent = values.get(_PARENT)
        found.append(
            Recorded(
                kind="baseline-search" if prefix else "trial",
                trial_id=prefix + trial_id,
                outcome=outcome,
                values=searched(values, known),
                parent=prefix + parent if isinstance(parent, str) else None,
                times=times.get(trial_id),
                _records=records,
            )
        )
    return found


def _of_arm(
    outcome: Outcome,
    kind: Kind,
    records: RunRecords,
    known: Mapping[str, Parameter],
    times: Mapping[str, Times],
) -> Recorded:
    return Recorded(
        kind=kind,
        trial_id=outcome.trial_id,
        outcome=outcome,
        values=searched(outcome.values, known),
        parent=None,
        times=times.get(outcome.trial_id),
        _records=records,
    )
