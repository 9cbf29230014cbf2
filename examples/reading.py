"""The reading, reproduced: its four schedules on its small CNN, cats against dogs.

    python examples/reading.py                  # 50 epochs, two seeds, real images: minutes
    python examples/reading.py --epochs 3 --data synthetic

As the reading does, it measures on the test images after every epoch. That is fine for telling the
story again and wrong for choosing a schedule; `python -m lrtune.search` keeps the test images out.
"""

from __future__ import annotations

import argparse
import math

import keras
import numpy as np

from lrtune import data
from lrtune.model.cnn import cats_vs_dogs_cnn
from lrtune.schedules import Constant, ExponentialDecay, Schedule, StepDecay, TimeDecay
from lrtune.schedules.keras import rate_at

BATCH = 64
EPOCHS = 50
TABLE_EPOCHS = (0, 10, 25, 50)

# The reading's own table. Its constant row has rate .01, its code .1; its time row is not what its
# code does, which lowers the rate at every update.
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
    """Asks the optimizer, at the start of every epoch, which rate it is about to use."""

    def __init__(self) -> None:
        super().__init__()
        self.rates: list[float] = []

    def on_epoch_begin(self, epoch: int, logs: object = None) -> None:
        step = int(self.model.optimizer.iterations)
        self.rates.append(rate_at(self.model.optimizer, step))

    def on_train_end(self, logs: object = None) -> None:
        step = int(self.model.optimizer.iterations)
        self.rates.append(rate_at(self.model.optimizer, step - 1))


def train(
    schedule: Schedule, momentum: float, images: data.Dataset, epochs: int, seed: int
) -> tuple[list[float], list[float]]:
    """Trains the CNN under a schedule.

    Returns:
        The rates used (one at the start of each epoch, and the very last one) and the accuracy on
        the test images after each epoch.
    """
    keras.utils.set_random_seed(seed)
    x, y = training_images(images)
    steps = math.ceil(len(x) / BATCH)
    model = cats_vs_dogs_cnn()
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
        validation_data=(images.test.x, keras.utils.to_categorical(images.test.y, 2)),
        callbacks=[rates],
        verbose=0,
    )
    return rates.rates, history.history["val_accuracy"]


def training_images(images: data.Dataset) -> tuple[np.ndarray, np.ndarray]:
    """All 10,000 training images: the reading holds none back for validation."""
    x = np.concatenate([images.train.x, images.validation.x])
    return x, np.concatenate([images.train.y, images.validation.y])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", default="auto", help="see python -m lrtune.search --help")
    parser.add_argument("--epochs", type=int, default=EPOCHS)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2])
    arguments = parser.parse_args()

    images = data.load(arguments.data)
    steps = math.ceil((len(images.train) + len(images.validation)) / BATCH)
    print(f"images: {images.source}; {steps} updates an epoch\n")

    shown = [epoch for epoch in TABLE_EPOCHS if epoch <= arguments.epochs]
    print(f"{'learning rate at epoch':30}" + "".join(f"{epoch:>10}" for epoch in shown))
    finals: dict[str, list[float]] = {}
    for name, (schedule, momentum) in reading_schedules(steps).items():
        for seed in arguments.seeds:
            rates, accuracy = train(schedule, momentum, images, arguments.epochs, seed)
            finals.setdefault(name, []).append(accuracy[-1])
        told = READING_TABLE[name][: len(shown)]
        print(f"{name:12}{'as the table says':18}" + "".join(f"{rate:10.5f}" for rate in told))
        # "Epoch 50" of 50 is over: what the reading's table has there is the last rate in use.
        print(f"{'':12}{'as really used':18}" + "".join(f"{rates[epoch]:10.5f}" for epoch in shown))

    print(f"\naccuracy on the {len(images.test):,} test images after epoch {arguments.epochs}")
    print(f"{'':12}" + "".join(f"{f'seed {seed}':>10}" for seed in arguments.seeds))
    for name, accuracies in finals.items():
        print(f"{name:12}" + "".join(f"{accuracy:10.3f}" for accuracy in accuracies))
    error = math.sqrt(0.7 * 0.3 / len(images.test))
    print(f"The test set alone has a standard error of {error:.3f} at an accuracy of .7.")


if __name__ == "__main__":
    main()
