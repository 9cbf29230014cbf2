"""What can watch a search."""

from __future__ import annotations

import warnings
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING

from typing_extensions import override

if TYPE_CHECKING:
    from collections.abc import Callable

    from lrtune.records.schema import Outcome
    from lrtune.records.task import EpochRecord, TrialTask


class Observer:
    """Watches a search; this one only warns of what is damaged.

    Its methods are called in the search's own process, which waits for them: be quick.
    """

    def noticed(self, text: str) -> None:
        """A file of the run folder is damaged, or something else is worth a warning."""
        warnings.warn(text, stacklevel=4)

    def trial_found(self, outcome: Outcome) -> None:
        """A trial ended in an earlier session and will not be run again."""

    def trial_began(self, task: TrialTask) -> None:
        """A worker begins a trial."""

    def epoch_ended(self, trial_id: str, record: EpochRecord) -> None:
        """A trial finished an epoch."""

    def trial_lost(self, task: TrialTask, reason: str) -> None:
        """The worker of a trial is gone; the trial begins again from the start of its rung."""

    def trial_ended(self, outcome: Outcome) -> None:
        """A trial is recorded."""


class PrefixedObserver(Observer):
    """Lets another observer watch a search within a search.

    Args:
        observer: gets everything, with ids that begin with the prefix.
        prefix: "baseline/search/".
    """

    def __init__(self, observer: Observer, prefix: str) -> None:
        self._observer = observer
        self._prefix = prefix

    @override
    def noticed(self, text: str) -> None:
        self._observer.noticed(self._prefix + text)

    @override
    def trial_found(self, outcome: Outcome) -> None:
        self._observer.trial_found(self._outcome(outcome))

    @override
    def trial_began(self, task: TrialTask) -> None:
        self._observer.trial_began(self._task(task))

    @override
    def epoch_ended(self, trial_id: str, record: EpochRecord) -> None:
        self._observer.epoch_ended(self._prefix + trial_id, record)

    @override
    def trial_lost(self, task: TrialTask, reason: str) -> None:
        self._observer.trial_lost(self._task(task), reason)

    @override
    def trial_ended(self, outcome: Outcome) -> None:
        self._observer.trial_ended(self._outcome(outcome))

    def _outcome(self, outcome: Outcome) -> Outcome:
        return replace(outcome, trial_id=self._prefix + outcome.trial_id)

    def _task(self, task: TrialTask) -> TrialTask:
        return replace(task, trial_id=self._prefix + task.trial_id)


class AtFirstEpoch(PrefixedObserver):
    """Calls a function when the first epoch has ended: workers train, and this process waits.

    Args:
        observer: watches the search.
        call: the function.
    """

    def __init__(self, observer: Observer, call: Callable[[], None]) -> None:
        super().__init__(observer, prefix="")
        self._call = cache(call)

    @override
    def epoch_ended(self, trial_id: str, record: EpochRecord) -> None:
        super().epoch_ended(trial_id, record)
        self._call()
