"""Keras Tuner's tuners with lrtune's search loop inside: same arguments, exact continuation.

    tuner = lrtune.Hyperband(hypermodel, objective="val_accuracy", max_epochs=50, seed=1)
    tuner.search(x, y, validation_data=(xv, yv), batch_size=64)

The run folder is `directory/project_name`; stock Keras Tuner can load it too. The same lines run
again continue a search that was stopped.
"""

from __future__ import annotations

import keras_tuner
from typing_extensions import override

from lrtune.search.oracle import hyperband_plan, initial_points, scale_hyperband
from lrtune.search.tuner import LoopTuner


class Hyperband(LoopTuner, keras_tuner.Hyperband):  # type: ignore[misc]
    """`keras_tuner.Hyperband` whose promoted trials continue exactly where they stopped.

    Args:
        hypermodel, objective, max_epochs, ...: as `keras_tuner.Hyperband` takes them.
        workers, score, baseline_seeds, seed: see `LoopTuner`.
    """

    algo = "hyperband"

    @override
    def _set_up_oracle(self, share: float) -> None:
        scale_hyperband(self.oracle, share)

    @override
    def _budget(self, epochs: int) -> int:
        return int(self.oracle.max_epochs)

    @override
    def _rungs(self, horizon: int) -> list[tuple[int, int, int]]:
        return hyperband_plan(self.oracle)

    @override
    def _promotable(self) -> set[str]:
        return {
            info["id"]
            for bracket in self.oracle._brackets
            for rung in bracket["rounds"][:-1]
            for info in rung
        }


class BayesianOptimization(LoopTuner, keras_tuner.BayesianOptimization):  # type: ignore[misc]
    """`keras_tuner.BayesianOptimization` that models after at most a third of its trials.

    Args:
        hypermodel, objective, max_trials, ...: as `keras_tuner.BayesianOptimization` takes them.
        workers, score, baseline_seeds, seed: see `LoopTuner`.
    """

    algo = "bayesian"

    @override
    def _set_up_oracle(self, share: float) -> None:
        super()._set_up_oracle(share)
        if self.oracle.num_initial_points is None:
            self.oracle.num_initial_points = initial_points(
                self.oracle.max_trials, len(self.oracle.get_space().space)
            )


class RandomSearch(LoopTuner, keras_tuner.RandomSearch):  # type: ignore[misc]
    """`keras_tuner.RandomSearch` with lrtune's search loop.

    Args:
        hypermodel, objective, max_trials, ...: as `keras_tuner.RandomSearch` takes them.
        workers, score, baseline_seeds, seed: see `LoopTuner`.
    """

    algo = "random"
