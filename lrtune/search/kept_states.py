"""The training states kept on disk: the best trials', and those that a promotion may continue."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lrtune.records.ids import id_of_folder
from lrtune.records.reader import read_state
from lrtune.records.schema import STATE
from lrtune.stats.winner import full_trials

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lrtune.records.schema import Manifest, Outcome
    from lrtune.records.task import State
    from lrtune.records.writer import RunWriter


class KeptStates:
    """The states of one run folder.

    Args:
        writer: writes and deletes them.
        manifest: of the search, which decides what the best trials are.
        outcomes: of the trials that had ended when the search was resumed.
        keep: int >= 0, how many of the best trials of the full budget keep their states.
    """

    def __init__(
        self,
        writer: RunWriter,
        manifest: Manifest,
        outcomes: Iterable[Outcome] = (),
        keep: int = 1,
    ) -> None:
        self._writer = writer
        self._manifest = manifest
        self._keep = keep
        self._best: list[Outcome] = []
        self._best = self._ranked(outcomes)
        found = (id_of_folder(path.parent.name) for path in writer.folder.glob(f"*/{STATE}"))
        self._kept = set(filter(None, found))

    def read(self, trial_id: str) -> State | None:
        """The state of a trial; None if it was not kept or is damaged."""
        return read_state(self._writer.folder, trial_id)

    def keep(self, outcome: Outcome, state: State | None, promotable: set[str]) -> None:
        """Writes the state of a trial that has just been completed, if it is needed.

        Args:
            outcome: of the trial.
            state: after its last epoch; None if it has none.
            promotable: ids of trials that a later rung may continue.
        """
        if state is None or outcome.status != "completed":
            return
        # Few trials of a random search are the best so far: this spares the others 6 ms each.
        if outcome.trial_id in promotable or outcome in self._ranked([outcome]):
            self._writer.state(outcome.trial_id, state)
            self._kept.add(outcome.trial_id)

    def prune(self, outcomes: Iterable[Outcome], promotable: set[str]) -> None:
        """Deletes the states that are no longer needed.

        Args:
            outcomes: of the trials that have ended since the last call.
            promotable: ids of trials that a later rung may continue.
        """
        self._best = self._ranked(outcomes)
        needed = promotable | {one.trial_id for one in self._best}
        for trial_id in sorted(self._kept - needed):
            self._writer.drop_state(trial_id)
        self._kept &= needed

    def _ranked(self, outcomes: Iterable[Outcome]) -> list[Outcome]:
        """The best trials so far, these among them."""
        asked, trials = self._manifest, [*self._best, *outcomes]
        return full_trials(trials, asked.direction, asked.max_epochs)[: self._keep]
