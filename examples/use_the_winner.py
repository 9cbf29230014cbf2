"""Train a model with the best schedule of a run, and save it.

python -m lrtune.search --algo hyperband --run-dir runs/mine
python examples/use_the_winner.py runs/mine
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
    parser.add_argument("--save", default="winner.keras", help="file for the trained model")
    arguments = parser.parse_args()

    run = lrtune.load_run(arguments.run)
    schedule, momentum = run.best_schedule(), run.best_momentum()
    epochs, batch = run.manifest.max_epochs, run.manifest.batch_size
    print(f"{schedule}, momentum {momentum:.3g}, {epochs} epochs")

    images = lrtune.load_data(arguments.data)
    steps = math.ceil(len(images.train) / batch)
    model = lrtune.cats_vs_dogs_cnn(images.input_shape, images.num_classes)
    model.compile(
        keras.optimizers.SGD(schedule.to_keras(steps), momentum=momentum),
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
