"""Data from tf.data: a function that makes the dataset goes in, a verdict comes out.

    python examples/tf_data.py

Give `search` the function, not a dataset. Then worker processes can make their own, and every trial
reads the data from the beginning, in an order that depends on its seed alone.
"""

from __future__ import annotations

import sys

import keras
import numpy as np
import tensorflow as tf

import lrtune

BATCH = 32


def points(count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Two interleaved spirals: x, y -> class. Put your own files here."""
    rng = np.random.default_rng(seed)
    label = rng.integers(0, 2, count)
    turn = rng.uniform(0.5, 4.5, count)
    angle = turn + np.pi * label
    place = np.stack([turn * np.cos(angle), turn * np.sin(angle)], axis=1)
    return (place + rng.normal(0, 0.25, (count, 2))).astype("float32") / 4, label


def make_training(count: int = 1_000) -> tf.data.Dataset:
    data = tf.data.Dataset.from_tensor_slices(points(count, seed=1))
    return data.shuffle(count).batch(BATCH).prefetch(2)


def make_validation() -> tf.data.Dataset:
    return tf.data.Dataset.from_tensor_slices(points(400, seed=2)).batch(BATCH)


def make_test() -> tf.data.Dataset:
    return tf.data.Dataset.from_tensor_slices(points(1_000, seed=3)).batch(BATCH)


def build_model(hp):
    layers = [keras.layers.Dense(32, activation="relu") for _ in range(2)]
    return keras.Sequential([keras.Input((2,)), *layers, keras.layers.Dense(2, "softmax")])


def main(epochs: int = 12, folder: str = "runs") -> None:
    hypermodel = lrtune.ScheduleHyperModel(
        build_model, epochs=epochs, families=["one_cycle", "step"]
    )
    tuner = lrtune.RandomSearch(
        hypermodel,
        objective="val_loss",
        max_trials=12,
        directory=folder,
        project_name="tf-data",
        seed=1,
    )
    tuner.search(make_training, validation_data=make_validation)
    run = lrtune.confirm(
        f"{folder}/tf-data",
        make_training,
        validation_data=make_validation,
        test_data=make_test,
        hypermodel=hypermodel,
    )
    print(f"\n{run.verdict()}")
    if choice := run.recommendation():
        print(f"\nThe recommended choice in plain Keras:\n\n{choice.code()}")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:2]))
