"""What may watch a search: no TensorFlow here, so that a display needs none."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lrtune.records.schema import Outcome
    from lrtune.runner.base import EpochRecord, TrialTask


class Observer:
    """Watches a search; this one does nothing with what it sees, but warns of what was damaged.

    Called in the driver, between other things: be quick.
    """

    def noticed(self, text: str) -> None:
        """Something of the run folder was damaged, or is worth a word for another reason."""
        warnings.warn(text, stacklevel=4)

    def trial_found(self, outcome: Outcome) -> None:
        """A trial ended when this search was run before, and is not run again."""

    def trial_began(self, task: TrialTask) -> None:
        """A worker begins this task."""

    def epoch_ended(self, trial_id: str, record: EpochRecord) -> None:
        """A trial finished an epoch."""

    def trial_lost(self, task: TrialTask, reason: str) -> None:
        """The worker of a trial is gone; the trial begins again, from its rung's start."""

    def trial_ended(self, outcome: Outcome) -> None:
        """A trial is recorded."""
