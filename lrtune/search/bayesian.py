"""Bayesian search: a Gaussian process models the scores and proposes the next trial."""

from __future__ import annotations

import keras_tuner
from typing_extensions import override

from lrtune.search.algorithm import Algorithm
from lrtune.search.oracle import find_scikit_learn
from lrtune.search.tuner import LoopTuner

find_scikit_learn()


class BayesianAlgorithm(Algorithm):
    """Starts to model after at most a third of the trials.

    Keras Tuner first draws three random trials for each dimension of the space: 21 here, so a
    search of 20 trials would never model anything.
    """

    @override
    def scale(self, share: float) -> None:
        super().scale(share)
        if self.oracle.num_initial_points is None:
            dimensions = len(self.oracle.get_space().space)
            self.oracle.num_initial_points = initial_points(self.oracle.max_trials, dimensions)
        # The oracle draws no value of a trial that it models, so that none could be the user's.
        if len(self.tries) > self.oracle.num_initial_points:
            self.oracle.num_initial_points = len(self.tries)


class BayesianOptimization(LoopTuner, keras_tuner.BayesianOptimization):  # type: ignore[misc]
    """`keras_tuner.BayesianOptimization` that models after a third of its trials at the latest.

    Args:
        hypermodel, objective, max_trials, ...: as `keras_tuner.BayesianOptimization` takes them.
        workers, score, baseline_seeds, seed, ...: see `LoopTuner`.
    """

    algo = "bayesian"
    algorithm_type = BayesianAlgorithm


def initial_points(max_trials: int, dimensions: int) -> int:
    """Random trials before Bayesian search starts to model: at most a third of all, at least 1.

    Args:
        max_trials: int >= 1, trials of the whole search.
        dimensions: int >= 1, hyperparameters in the space. A long search has three random trials
            for each, as in Keras Tuner.
    """
    return max(1, min(3 * dimensions, max_trials // 3))
