"""The same number of full-length trials: Optuna with plain Keras, and lrtune."""

from __future__ import annotations

import tempfile
import time
from typing import TYPE_CHECKING, Any

import common

if TYPE_CHECKING:
    import argparse

TRIALS = 8


def optuna_side(arguments: argparse.Namespace) -> dict[str, Any]:
    """Optuna's random sampler, with a model built and fitted as Optuna's documentation shows."""
    import keras
    import optuna

    import lrtune
    from lrtune.schedules import ExponentialDecay

    (x, y), kwargs = common.images(arguments)
    steps = -(-len(x) // kwargs["batch_size"])

    def objective(trial: optuna.Trial) -> float:
        lr0 = trial.suggest_float("lr0", 1e-3, 0.3, log=True)
        decay = trial.suggest_float("k", 0.01, 0.5)
        model = lrtune.cats_vs_dogs_cnn()
        model.compile(
            keras.optimizers.SGD(ExponentialDecay(lr0, decay).to_keras(steps), momentum=0.5),
            loss="sparse_categorical_crossentropy",
            metrics=["accuracy"],
        )
        history = model.fit(x, y, epochs=arguments.max_epochs, verbose=0, **kwargs)
        return history.history["val_accuracy"][-1]

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(direction="maximize", sampler=optuna.samplers.RandomSampler(seed=1))
    started = time.perf_counter()
    study.optimize(objective, n_trials=TRIALS)
    return {"seconds": time.perf_counter() - started, "trials": len(study.trials)}


def lrtune_side(arguments: argparse.Namespace) -> dict[str, Any]:
    """Our random search with two workers."""
    import lrtune

    args, kwargs = common.images(arguments)
    tuner = lrtune.RandomSearch(
        lrtune.CatsVsDogsHyperModel(epochs=arguments.max_epochs, families=["exponential"]),
        objective="val_accuracy",
        max_trials=TRIALS,
        directory=tempfile.mkdtemp(),
        seed=1,
        workers=2,
        baseline_seeds=0,
    )
    started = time.perf_counter()
    tuner.search(*args, **kwargs, verbose=0)
    return {"seconds": time.perf_counter() - started, "trials": len(tuner.oracle.trials)}


def summary(medians: dict[str, dict[str, float]]) -> dict[str, Any]:
    ratio = medians["optuna"]["seconds"] / medians["lrtune_2"]["seconds"]
    return {"ratio_2_workers": round(ratio, 2)}


if __name__ == "__main__":
    common.run(__doc__, {"optuna": optuna_side, "lrtune_2": lrtune_side}, summary)
