"""lrtune's hypermodel in Keras Tuner's own tuners.

    python examples/stock_keras_tuner.py --algo hyperband --data synthetic

Stock Keras Tuner loses the momentum when it promotes a trial, and scores a trial by its best epoch.
With `lrtune.Hyperband` in place of `keras_tuner.Hyperband`, short trials go through their whole
schedules, and with `horizon="truncated"` promoted ones continue exactly.
"""

from __future__ import annotations

import argparse
from tempfile import mkdtemp

import keras_tuner

import lrtune


def make_tuner(algo: str, epochs: int, trials: int, directory: str) -> keras_tuner.Tuner:
    hypermodel = lrtune.CatsVsDogsHyperModel(epochs=epochs)
    common = {"objective": "val_accuracy", "directory": directory, "project_name": algo, "seed": 1}
    if algo == "hyperband":
        return keras_tuner.Hyperband(hypermodel, max_epochs=epochs, **common)
    if algo == "bayesian":
        return keras_tuner.BayesianOptimization(
            hypermodel, max_trials=trials, num_initial_points=max(1, trials // 3), **common
        )
    return keras_tuner.RandomSearch(hypermodel, max_trials=trials, **common)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--algo", choices=["hyperband", "bayesian", "random"], default="hyperband")
    parser.add_argument("--data", default="auto", help="see python -m lrtune.search --help")
    parser.add_argument("--epochs", type=int, default=9)
    parser.add_argument("--trials", type=int, default=6)
    parser.add_argument("--images", type=int, help="train on this many images only")
    arguments = parser.parse_args()

    images = lrtune.load_data(arguments.data)
    if arguments.images is not None:
        images = images.subset(train=arguments.images, validation=arguments.images // 4)
    tuner = make_tuner(arguments.algo, arguments.epochs, arguments.trials, mkdtemp())
    tuner.search(
        images.train.x,
        images.train.y,
        validation_data=(images.validation.x, images.validation.y),
        batch_size=64,
        epochs=arguments.epochs,
        verbose=0,
    )
    best = tuner.oracle.get_best_trials(1)[0]
    print(f"best {lrtune.Recipe.from_values(best.hyperparameters.values)}: {best.score:.4f}")


if __name__ == "__main__":
    main()
