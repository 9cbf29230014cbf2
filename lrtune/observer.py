"""What may watch a search: no TensorFlow here, so that a display needs none."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lrtune.records.schema import Outcome
    from lrtune.runner.base import EpochRecord, TrialTask


class Observer:
    """Watches a search; this one does nothing with what it sees.

    Called in the driver, between other things: be quick.
    """

    def trial_began(self, task: TrialTask) -> None:
        """A worker begins this task."""

    def epoch_ended(self, trial_id: str, record: EpochRecord) -> None:
        """A trial finished an epoch."""

    def trial_ended(self, outcome: Outcome) -> None:
        """A trial is recorded."""
