"""Train a model with what a run recommends, and save it.

lrtune search --algo hyperband --run-dir runs/mine
lrtune confirm runs/mine
python examples/use_the_winner.py runs/mine

This trains with the best schedule if it was shown to beat the constant rate, and otherwise with the
constant rate.
"""

from __future__ import annotations

import argparse
import math

import keras

import lrtune


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run", help="the run folder: --run-dir of the search")
    parser.add_argument("--data", default="auto", help="the same as in the search")
    parser.add_argument("--save", default="trained.keras", help="file for the trained model")
    arguments = parser.parse_args()

    run = lrtune.load_run(arguments.run)
    print(run.verdict())
    choice = run.recommendation()
    if choice is None:
        return
    epochs, batch = run.manifest.max_epochs, run.manifest.batch_size

    images = lrtune.load_data(arguments.data)
    steps = math.ceil(len(images.train) / batch)
    model = lrtune.cats_vs_dogs_cnn(images.input_shape, images.num_classes)
    model.compile(
        keras.optimizers.SGD(choice.schedule.to_keras(steps), **choice.settings),
        loss="sparse_categorical_crossentropy",
        metrics=["accuracy"],
        jit_compile=False,
    )
    validation = (images.validation.x, images.validation.y)
    model.fit(
        images.train.x,
        images.train.y,
        batch_size=batch,
        epochs=epochs,
        validation_data=validation,
        verbose=2,
    )
    model.save(arguments.save)
    print(f"Saved to {arguments.save}. Before keras.models.load_model, run this line:")
    print("from lrtune import KerasSchedule")


if __name__ == "__main__":
    main()
