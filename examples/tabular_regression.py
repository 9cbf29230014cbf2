"""Which schedule for a regression on a table, with AdamW? A frame in, an answer out.

    python examples/tabular_regression.py

The model is compiled as you would compile it to train it. lrtune keeps its loss, metrics and
optimizer and changes the rate only; the rate that it came with, .003, is part of the baseline.
"""

from __future__ import annotations

import sys

import keras
import numpy as np
import pandas as pd

import lrtune


def make_table(rows: int, seed: int) -> tuple[pd.DataFrame, pd.Series]:
    """Flats: area, age, floor -> price. Put your own `pd.read_csv` here."""
    rng = np.random.default_rng(seed)
    table = pd.DataFrame(
        {
            "area": rng.uniform(20, 150, rows),
            "age": rng.uniform(0, 80, rows),
            "floor": rng.integers(0, 9, rows),
        }
    )
    price = 3 * table["area"] - table["age"] + 5 * np.sin(table["floor"])
    return (table - table.mean()) / table.std(), (price + rng.normal(0, 20, rows)) / 100


def build_model(hp):
    width = hp.Choice("width", [16, 32])
    model = keras.Sequential(
        [keras.Input((3,)), keras.layers.Dense(width, activation="relu"), keras.layers.Dense(1)]
    )
    model.compile(keras.optimizers.AdamW(0.003, weight_decay=0.01), loss="mse", metrics=["mae"])
    return model


def main(epochs: int = 9, folder: str = "runs") -> None:
    x, y = make_table(1_600, seed=1)
    validation, test = make_table(400, seed=2), make_table(500, seed=3)
    hypermodel = lrtune.ScheduleHyperModel(build_model, epochs=epochs, families="modern")
    tuner = lrtune.RandomSearch(
        hypermodel,
        objective="val_mae",
        max_trials=16,
        directory=folder,
        project_name="tabular",
        seed=1,
    )
    tuner.search(x, y, validation_data=validation, batch_size=64)
    run = lrtune.confirm(
        f"{folder}/tabular",
        x,
        y,
        validation_data=validation,
        test_data=test,
        hypermodel=hypermodel,
    )
    print(f"\n{run.verdict()}")
    if choice := run.recommendation():
        print(f"\nThe recommended choice in plain Keras:\n\n{choice.code()}")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:2]))
