"""What the search loop, resuming and the plan need from a search algorithm.

An algorithm is one file: the tuner that people use, and a subclass of `Algorithm` if its trials are
not independent. A line in `lrtune.search.algorithms` registers it.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, ClassVar

from lrtune.search import oracle as seam

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class Algorithm:
    """Trials without rungs: each is trained for all epochs.

    Args:
        oracle: a new `keras_tuner.Oracle`, which is set up for lrtune's loop.
        share: float > 0, the share of the search's trials to run.
        tries: hyperparameter values of the first trials, in place of the oracle's.
        rescaled: whether each rung trains from its start a schedule compressed to its epochs.
    """

    usual_horizon: ClassVar[str] = "truncated"
    """What short trials of schedules train where the user does not say; see `LoopTuner`."""

    def __init__(
        self,
        oracle: Any,
        share: float = 1.0,
        tries: Sequence[Mapping[str, Any]] = (),
        *,
        rescaled: bool = False,
    ) -> None:
        self.oracle = oracle
        self.tries = tries
        self.rescaled = rescaled
        seam.disable_saving(oracle)
        self.scale(share)
        self._new = seam.state_of(oracle)
        # Kept here: counting them anew takes 5 ms at the 10,000th trial.
        self._drawn = 0

    def budget(self, horizon: int) -> int:
        """Epochs of a full training if the user asked for `horizon` (0 if they did not say)."""
        return horizon

    def rungs(self, horizon: int) -> list[tuple[int, int, int]]:
        """The trials of the whole search, as (how many at most, first epoch, last epoch)."""
        return [(self.oracle.max_trials, 0, horizon)]

    def promotable(self) -> set[str]:
        """Ids of the trials that later ones may continue, whose states must be kept."""
        return set()

    def scale(self, share: float) -> None:
        """Reduces the search to a share (float > 0) of its trials, at least one; called once."""
        if share != 1:
            self.oracle.max_trials = math.ceil(share * self.oracle.max_trials)

    def reset(self) -> None:
        """Forgets all trials."""
        seam.reset(self.oracle, self._new)
        self._drawn = 0

    def propose(self, trial_id: str, seed: int) -> Mapping[str, Any]:
        """The hyperparameter values that the oracle proposes for a trial, given the loop's seed.

        Resuming needs this for trials whose record is lost.
        """
        seam.seed_proposal(self.oracle, seed, int(trial_id), self._drawn, self.tries)
        values: dict[str, Any] = self.oracle.populate_space(trial_id).get("values") or {}
        self._count(values)
        return values

    def ask(self, seed: int) -> Any | None:
        """The next trial, a `keras_tuner` Trial; None if there is none, for now or for good."""
        trial = seam.ask(self.oracle, seed, self._drawn, self.tries)
        if trial is not None:
            self._count(trial.hyperparameters.values)
        return trial

    def replay(self, trial_id: str, values: Mapping[str, Any]) -> None:  # noqa: ARG002 - for rungs
        """Registers a recorded trial as if the oracle had just proposed it."""
        self._count(values)

    def _count(self, values: Mapping[str, Any]) -> None:
        """Counts a trial if it continues no other one."""
        self._drawn += not values.get("tuner/trial_id")
