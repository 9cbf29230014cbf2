"""Hyperband: many short trials, the best of which get more epochs (Li et al., 2018).

https://jmlr.org/papers/v18/16-558.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import keras_tuner
from typing_extensions import override

from lrtune.search import oracle as seam
from lrtune.search.algorithm import Algorithm
from lrtune.search.tuner import LoopTuner

if TYPE_CHECKING:
    from collections.abc import Mapping


class HyperbandAlgorithm(Algorithm):
    """The rungs are Keras Tuner's, of which a rescaled search leaves out the shortest."""

    usual_horizon: ClassVar[str] = "rescaled"

    @override
    def budget(self, horizon: int) -> int:
        return int(self.oracle.max_epochs)

    @override
    def rungs(self, horizon: int) -> list[tuple[int, int, int]]:
        rungs = seam.hyperband_rungs(self.oracle)
        return [(size, 0, last) for size, _, last in rungs] if self.rescaled else rungs

    @override
    def promotable(self) -> set[str]:
        return set() if self.rescaled else seam.promotable_trials(self.oracle)

    @override
    def scale(self, share: float) -> None:
        seam.scale_rungs(self.oracle, share)

    @override
    def replay(self, trial_id: str, values: Mapping[str, Any]) -> None:
        super().replay(trial_id, values)
        seam.place_in_bracket(self.oracle, trial_id, values)


class Hyperband(LoopTuner, keras_tuner.Hyperband):  # type: ignore[misc] # Keras Tuner has no types
    """`keras_tuner.Hyperband` whose short trials train whole schedules, in fewer epochs.

    A promoted trial starts again, with its schedule laid out over more epochs. With
    `horizon="truncated"`, it continues exactly where it stopped; so it does for a hypermodel
    without schedules.

    Args:
        hypermodel, objective, max_epochs, ...: as `keras_tuner.Hyperband` takes them.
        workers, score, horizon, min_epochs, seed, ...: see `LoopTuner`.
    """

    algo = "hyperband"
    algorithm_type = HyperbandAlgorithm
