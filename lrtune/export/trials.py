"""All trials of a run in one list: those of the search, the baseline and the confirmation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lrtune.export.space import scopes, searched
from lrtune.export.times import Times, trial_times
from lrtune.records.ids import BASELINE, BASELINE_SEARCH, CHOICE, CONFIRM, first_tried, parse_id
from lrtune.records.tuner_files import read_proposal

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from lrtune.export.space import Value
    from lrtune.records.reader import RunRecords
    from lrtune.records.schema import Outcome

_KINDS = {
    "search": "trial",
    BASELINE_SEARCH: "baseline-search",
    BASELINE: "baseline",
    CHOICE: "choice",
    CONFIRM: "confirmation",
}


@dataclass(frozen=True)
class Recorded:
    """A trial that a run folder records.

    Attributes:
        trial_id: as in `lrtune.records.ids`, unique in the run: "0007", "baseline/search/0007",
            "baseline/ARM/seed-N", "choice/ARM/seed-N", "confirm/ARM/seed-N".
        outcome: how it ended, None while it has not.
        values: its hyperparameter values.
        parent: the `trial_id` of the trial that it continued.
        times: when it ran, None while it has not ended.
    """

    trial_id: str
    outcome: Outcome | None
    values: Mapping[str, Value]
    parent: str | None
    times: Times | None
    _records: RunRecords

    @property
    def kind(self) -> str:
        """See `kind_of`."""
        return kind_of(self.trial_id)

    @property
    def arm(self) -> str | None:
        """The arm of the baseline or of the confirmation."""
        return parse_id(self.trial_id).arm or None

    @property
    def status(self) -> str:
        """As recorded, or "running"."""
        return "running" if self.outcome is None else self.outcome.status

    def epochs(self) -> list[dict[str, Any]]:
        """The trial's own epochs; every call reads the file."""
        return self._records.epochs(parse_id(self.trial_id).local)


def kind_of(trial_id: str) -> str:
    """What a trial is part of.

    Returns:
        "trial" for one of the search, "baseline-search" for one of the search for the best constant
        rate, "baseline", "choice" or "confirmation" for a seed of an arm.
    """
    return _KINDS[parse_id(trial_id).kind]


def recorded(records: RunRecords) -> list[Recorded]:
    """All trials: those of the search, of the search for the baseline, then the arms' seeds."""
    seeds = [outcome for arm in records.baseline.values() for outcome in arm]
    times = trial_times(records.folder, (*seeds, *records.outcomes), records.manifest)
    found = _trials(records, times)
    if (nested := records.baseline_search) is not None:
        nested_times = trial_times(nested.folder, nested.outcomes, nested.manifest)
        found += _trials(nested, nested_times, f"{BASELINE_SEARCH}/")
    if (confirmation := records.confirmation) is not None:
        confirmed = list(confirmation.all)
        times |= trial_times(records.folder, confirmed, confirmation.manifest)
        seeds += confirmed
    known = scopes(records.manifest.space)
    return found + [
        Recorded(one.trial_id, one, searched(one.values, known), None, times[one.trial_id], records)
        for one in seeds
    ]


def lineages(trials: Iterable[Recorded]) -> list[tuple[Recorded, ...]]:
    """Each trial that no other continues, preceded by the trials that it continues.

    A trial that two others continue is part of both lines.
    """
    by_id = {trial.trial_id: trial for trial in trials}
    lines: list[tuple[Recorded, ...]] = []
    done: set[str] = set()
    for trial in reversed(by_id.values()):  # a trial ran later than the one it continues
        if trial.trial_id in done:
            continue
        line = [trial]
        # In a damaged run two trials can continue each other.
        while (parent := by_id.get(line[0].parent or "")) is not None and parent not in line:
            line.insert(0, parent)
        done.update(rung.trial_id for rung in line)
        lines.append(tuple(line))
    return sorted(lines, key=lambda line: [first_tried(line[end].trial_id) for end in (0, -1)])


def _trials(records: RunRecords, times: Mapping[str, Times], prefix: str = "") -> list[Recorded]:
    """The trials of a search, those that have not ended included."""
    known = scopes(records.manifest.space)
    outcomes = {outcome.trial_id: outcome for outcome in records.outcomes}
    found = []
    for trial_id in sorted((*outcomes, *records.unfinished), key=first_tried):
        outcome = outcomes.get(trial_id)
        if outcome is not None:
            values, parent = outcome.values, outcome.parent
        else:
            values = read_proposal(records.folder, trial_id) or {}
            parent = values.get("tuner/trial_id")
        parent = prefix + parent if isinstance(parent, str) else None
        shown, when = searched(values, known), times.get(trial_id)
        found.append(Recorded(prefix + trial_id, outcome, shown, parent, when, records))
    return found
