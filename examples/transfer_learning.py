"""Transfer learning: a trained base, frozen, under a new head whose schedule is searched.

    python examples/transfer_learning.py

The base learns the handwritten digits 0 to 4 here, without a download. The head then learns 5 to 9
from few images. The base's weights are an argument of the function that builds the model, so every
trial starts from the same ones, and worker processes get them. Do not share one base between the
models: unfrozen, each trial would continue from what the last one made of it.
"""

from __future__ import annotations

import sys
from functools import partial

import keras
from sklearn.datasets import load_digits

import lrtune


def make_base():
    return keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            keras.layers.Conv2D(16, 3, activation="relu"),
            keras.layers.Conv2D(32, 3, activation="relu"),
            keras.layers.GlobalMaxPooling2D(),
        ],
        name="base",
    )


def trained_base(x, y, epochs: int) -> list:
    """The weights of a base that has learned a first task. Put your own pretrained model here."""
    keras.utils.set_random_seed(1)
    base = make_base()
    model = keras.Sequential([base, keras.layers.Dense(5, activation="softmax")])
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    accuracy = model.fit(x, y, epochs=epochs, verbose=0).history["accuracy"][-1]
    print(f"the base tells digits 0 to 4 apart: accuracy {accuracy:.3f} on its training images\n")
    return base.get_weights()


def build_model(hp, weights):
    base = make_base()
    base.set_weights(weights)
    base.trainable = False
    dropout = keras.layers.Dropout(hp.Choice("dropout", [0.0, 0.3]))
    return keras.Sequential([base, dropout, keras.layers.Dense(5, activation="softmax")])


def main(epochs: int = 9, folder: str = "runs") -> None:
    digits = load_digits()
    x, y = digits.images[..., None].astype("float32") / 16, digits.target
    weights = trained_base(x[y < 5], y[y < 5], epochs=3 * epochs)
    x, y = x[y >= 5], y[y >= 5] - 5

    hypermodel = lrtune.ScheduleHyperModel(
        partial(build_model, weights=weights), epochs=epochs, families=["cosine", "exponential"]
    )
    tuner = lrtune.Hyperband(
        hypermodel,
        objective="val_loss",
        max_epochs=epochs,
        directory=folder,
        project_name="transfer",
        seed=1,
    )
    tuner.search(x[:400], y[:400], validation_data=(x[400:600], y[400:600]), batch_size=32)

    run = lrtune.load_run(f"{folder}/transfer")
    print(f"\n{run.verdict()}")
    if choice := run.recommendation():
        print(f"\nThe recommended choice in plain Keras:\n\n{choice.code()}")
    accuracy = tuner.get_best_models()[0].evaluate(x[600:], y[600:], verbose=0)[1]
    print(f"\nThe search's winner has an accuracy of {accuracy:.3f} on images it never saw.")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:2]))
