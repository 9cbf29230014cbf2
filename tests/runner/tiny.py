"""The smallest things that train, for the tests of what trains them."""

from __future__ import annotations

import gc

import keras
import keras_tuner
import numpy as np
import pytest

# Stock Keras Tuner's promotions drop the optimizer's state; Keras says so.
STOCK_PROMOTION = pytest.mark.filterwarnings("ignore:Skipping variable loading for optimizer")

# Keras and stock Keras Tuner collect garbage before each model, which takes .4 s while all of
# TensorFlow's own objects are looked through.
gc.collect()
gc.freeze()

EPOCHS, BATCH, STEPS = 4, 16, 3  # the last batch of 40 points is short

# One training of each family, and its rate at epoch time t by hand.
VALUES = {
    "constant": {"schedule": "constant", "lr0": 0.1, "momentum": 0.0},
    "time": {"schedule": "time", "lr0": 0.3, "momentum": 0.5, "time.k": 2.0},
    "step": {
        "schedule": "step",
        "lr0": 0.3,
        "momentum": 0.0,
        "step.drop": 0.5,
        "step.epochs_drop": 2,
    },
    "exponential": {"schedule": "exponential", "lr0": 0.3, "momentum": 0.8, "exponential.k": 0.7},
}


def rate(values, epoch, step, steps=STEPS):
    """The learning rate of a weight update, written down from the families' definitions."""
    lr0 = values["lr0"]
    return {
        "constant": lambda: lr0,
        "time": lambda: lr0 / (1 + values["time.k"] * (epoch + step / steps)),
        "step": lambda: lr0 * values["step.drop"] ** (epoch // values["step.epochs_drop"]),
        "exponential": lambda: lr0 * np.exp(-values["exponential.k"] * epoch),
    }[values["schedule"]]()


def points(count=40, seed=0):
    """Points of two classes that a line separates."""
    x = np.random.default_rng(seed).normal(size=(count, 4)).astype("float32")
    return x, (x.sum(axis=1) > 0).astype("int32")


def fit_kwargs():
    return {"validation_data": points(20, seed=1), "batch_size": BATCH}


def build(hp):
    """A softmax regression with dropout; `kind` makes it misbehave."""
    kind = hp.values.get("kind")
    if kind == "raises":
        raise ValueError("no such layer")
    if kind == "nothing":
        return None
    hidden = [keras.layers.Dense(8, activation="relu") for _ in range(2 if kind == "deep" else 0)]
    return keras.Sequential(
        [
            keras.Input((4,)),
            *hidden,
            keras.layers.Dropout(0.2),
            keras.layers.Dense(2, activation="softmax"),
        ]
    )


def adam(hp):
    """A model as any Keras Tuner user writes one: compiled, its own optimizer, no schedule."""
    model = build(hp)
    model.compile(
        keras.optimizers.Adam(hp.Float("rate", 1e-3, 1e-1, sampling="log")),
        "sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    return model


class AdamModel(keras_tuner.HyperModel):
    def build(self, hp):
        return adam(hp)


def without_seconds(records):
    return [{key: value for key, value in one.items() if key != "seconds"} for one in records]
