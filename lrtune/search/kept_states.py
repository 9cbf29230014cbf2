"""Which training states are kept on disk: those a promotion may continue, and the winner's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lrtune.records.reader import read_state
from lrtune.records.schema import STATE, TRIAL

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lrtune.records.schema import Outcome
    from lrtune.records.writer import RunWriter
    from lrtune.runner.base import State


class KeptStates:
    """The states of one run folder.

    Args:
        writer: writes and deletes them.
        direction: "max" or "min", what is better for a score.
        horizon: the full budget in epochs; the winner is of that budget.
        outcomes: of the trials that ended before, where a search is continued.
    """

    def __init__(
        self,
        writer: RunWriter,
        direction: str,
        horizon: int,
        outcomes: Iterable[Outcome] = (),
    ) -> None:
        self._writer = writer
        self._sign = 1.0 if direction == "max" else -1.0
        self._horizon = horizon
        self._best: tuple[tuple[float, int], str] | None = None
        found = writer.folder.glob(f"{TRIAL}*/{STATE}")
        self._kept = {path.parent.name.removeprefix(TRIAL) for path in found}
        for outcome in outcomes:
            self._compare(outcome)

    def read(self, trial_id: str) -> State | None:
        """The state of a trial; None if it was not kept, or cannot be read."""
        return read_state(self._writer.folder, trial_id)

    def keep(self, outcome: Outcome, state: State | None) -> None:
        """Writes the state of a trial that has just been completed."""
        if state is not None and outcome.status == "completed":
            self._writer.state(outcome.trial_id, state)
            self._kept.add(outcome.trial_id)

    def prune(self, outcomes: Iterable[Outcome], promotable: set[str]) -> None:
        """Deletes the states that nobody can need any more.

        Args:
            outcomes: of the trials that have ended since.
            promotable: ids of trials that a later rung may continue.
        """
        for outcome in outcomes:
            self._compare(outcome)
        needed = promotable | ({self._best[1]} if self._best else set())
        for trial_id in sorted(self._kept - needed):
            self._writer.drop_state(trial_id)
        self._kept &= needed

    def _compare(self, outcome: Outcome) -> None:
        if outcome.status != "completed" or outcome.score is None:
            return
        if outcome.epochs.planned < self._horizon:
            return
        # Of equal trials the one tried first wins, as in every ranking, whichever ends first.
        rank = (self._sign * outcome.score, -int(outcome.trial_id))
        if self._best is None or rank > self._best[0]:
            self._best = (rank, outcome.trial_id)
