"""Random search: independent trials, the only algorithm with tuning curves."""

from __future__ import annotations

import keras_tuner

from lrtune.search.tuner import LoopTuner


class RandomSearch(LoopTuner, keras_tuner.RandomSearch):  # type: ignore[misc]
    """`keras_tuner.RandomSearch` with lrtune's search loop.

    Args:
        hypermodel, objective, max_trials, ...: as `keras_tuner.RandomSearch` takes them.
        workers, score, baseline_seeds, seed, ...: see `LoopTuner`.
    """

    algo = "random"
