"""The reading reproduced: four schedules on one small CNN, cats against dogs.

    python examples/reading.py                  # 50 epochs, two seeds, real images: minutes
    python examples/reading.py --epochs 3 --data synthetic

Like the reading, this script measures on the test images after every epoch. That is fine for
repeating what the reading did, but not for choosing a schedule: `python -m lrtune.search` never
looks at the test images.
"""

from __future__ import annotations

import argparse
import math
from typing import Any

import keras
import numpy as np

import lrtune
from lrtune.schedules import Constant, ExponentialDecay, Schedule, StepDecay, TimeDecay

Images = tuple[np.ndarray, np.ndarray]
"""Pixels from 0 to 1, and class indices."""

BATCH = 64
EPOCHS = 50
TABLE_EPOCHS = (0, 10, 25, 50)

# The reading's own table. Its constant row says .01, but its code uses .1. Its time row lowers the
# rate once per epoch, but its code lowers it with every update.
READING_TABLE = {
    "constant": (0.01, 0.01, 0.01, 0.01),
    "time": (0.1, 0.099, 0.097, 0.095),
    "step": (0.1, 0.05, 0.025, 0.00625),
    "exponential": (0.1, 0.037, 0.008, 0.0006),
}


def reading_schedules(steps_per_epoch: int) -> dict[str, tuple[Schedule, float]]:
    """The reading's schedules by name, each with its momentum."""
    return {
        "constant": (Constant(lr0=0.1), 0.0),
        "time": (TimeDecay.per_update(0.1, 0.1 / EPOCHS, steps_per_epoch), 0.5),
        "step": (StepDecay(lr0=0.1, drop=0.5, epochs_drop=10), 0.5),
        "exponential": (ExponentialDecay(lr0=0.1, k=0.1), 0.8),
    }


class Rates(keras.callbacks.Callback):
    """Records the rate used at the start of each epoch, and the very last one."""

    def __init__(self) -> None:
        super().__init__()
        self.rates: list[float] = []

    def on_epoch_begin(self, epoch: int, logs: object = None) -> None:
        self.rates.append(float(self.model.optimizer.learning_rate))

    def on_train_end(self, logs: object = None) -> None:
        # The optimizer now shows the rate of the next update. One step back is the last one used.
        iterations = self.model.optimizer.iterations
        iterations.assign_sub(1)
        self.rates.append(float(self.model.optimizer.learning_rate))
        iterations.assign_add(1)


def train(
    schedule: Schedule, momentum: float, training: Images, test: Images, epochs: int, seed: int
) -> tuple[list[float], list[float]]:
    """Trains the CNN with a schedule.

    Returns:
        The rates used (at the start of each epoch, and the very last one) and the accuracy on the
        test images after each epoch.
    """
    keras.utils.set_random_seed(seed)
    x, y = training
    x_test, y_test = test
    steps = math.ceil(len(x) / BATCH)
    model = lrtune.cats_vs_dogs_cnn()
    model.compile(
        keras.optimizers.SGD(schedule.to_keras(steps), momentum=momentum),
        loss="categorical_crossentropy",
        metrics=["accuracy"],
        steps_per_execution=steps,
        jit_compile=False,
    )
    rates = Rates()
    history = model.fit(
        x,
        keras.utils.to_categorical(y, 2),
        batch_size=BATCH,
        epochs=epochs,
        validation_data=(x_test, keras.utils.to_categorical(y_test, 2)),
        callbacks=[rates],
        verbose=0,
    )
    return rates.rates, history.history["val_accuracy"]


def load_images(source: str) -> tuple[Any, Images, Images]:
    """Loads a data source: the dataset, its training images and its test images.

    The reading holds no images back for validation, so ours go back to the training images.
    """
    images = lrtune.load_data(source)
    x = np.concatenate([images.train.x, images.validation.x])
    y = np.concatenate([images.train.y, images.validation.y])
    return images, (x, y), (images.test.x, images.test.y)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", default="auto", help="see python -m lrtune.search --help")
    parser.add_argument("--epochs", type=int, default=EPOCHS)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2])
    arguments = parser.parse_args()

    images, training, test = load_images(arguments.data)
    steps = math.ceil(len(training[0]) / BATCH)
    print(f"images: {images.source}; {steps} updates per epoch\n")

    shown = [epoch for epoch in TABLE_EPOCHS if epoch <= arguments.epochs]
    print(f"{'learning rate at epoch':30}" + "".join(f"{epoch:>10}" for epoch in shown))
    finals: dict[str, list[float]] = {}
    for name, (schedule, momentum) in reading_schedules(steps).items():
        for seed in arguments.seeds:
            rates, accuracy = train(schedule, momentum, training, test, arguments.epochs, seed)
            finals.setdefault(name, []).append(accuracy[-1])
        printed = READING_TABLE[name][: len(shown)]
        print(f"{name:12}{'as the table says':18}" + "".join(f"{rate:10.5f}" for rate in printed))
        # After 50 epochs there is no rate at epoch 50: the last column is the last rate used.
        print(f"{'':12}{'as really used':18}" + "".join(f"{rates[epoch]:10.5f}" for epoch in shown))

    print(f"\naccuracy on the {len(images.test):,} test images after epoch {arguments.epochs}")
    print(f"{'':12}" + "".join(f"{f'seed {seed}':>10}" for seed in arguments.seeds))
    for name, accuracies in finals.items():
        print(f"{name:12}" + "".join(f"{accuracy:10.3f}" for accuracy in accuracies))
    error = math.sqrt(0.7 * 0.3 / len(images.test))
    print(f"With so many test images, an accuracy of .7 has a standard error of {error:.3f}.")


if __name__ == "__main__":
    main()
