"""A model and data of your own on the command line: a small network that reads digits.

lrtune search --model examples/my_model.py:build_model --data examples/my_model.py:load \
    --run-dir runs/digits
lrtune confirm runs/digits
"""

from __future__ import annotations

from typing import Any

import keras
from sklearn.datasets import load_digits


def build_model(hp: Any) -> keras.Model:
    layers = [
        keras.Input((64,)),
        keras.layers.Dense(hp.Choice("width", [32, 64]), activation="relu"),
        keras.layers.Dense(10, activation="softmax"),
    ]
    model = keras.Sequential(layers)
    # Of this optimizer only the rate is searched, and the .001 is part of the baseline. Without
    # compile(), --optimizer, --loss and --metrics say how to train.
    optimizer = keras.optimizers.AdamW(0.001)
    model.compile(optimizer, loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def load() -> dict[str, Any]:
    images, digits = load_digits(return_X_y=True)
    images = (images / 16).astype("float32")
    parts = {"train": slice(1000), "validation": slice(1000, 1400), "test": slice(1400, None)}
    return {name: (images[part], digits[part]) for name, part in parts.items()}
