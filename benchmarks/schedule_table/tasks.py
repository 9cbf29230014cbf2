"""The three tasks of the table: what is trained, on what, and how often."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    from numpy.typing import NDArray

    Arrays = tuple[NDArray[np.generic], NDArray[np.generic]]

FAMILIES = ("reading", "modern")
"""Presets: eleven families, so that a multiple of eleven schedules has each as often."""


@dataclass(frozen=True)
class Task:
    """Schedules drawn at random over a horizon, each trained with several seeds.

    Attributes:
        name: of the task.
        horizon: epochs of a whole training.
        shorter: budgets, in epochs, that each schedule is also laid out over anew.
        schedules: how many, evenly over the families.
        seeds: of the searches that train them: each gives every schedule other weights and another
            order of the images. The first two train the shorter budgets as well.
        best: how many of the best schedules are trained with more seeds, so that their means are
            known better.
        best_seeds: these seeds.
        batch_size: of the trainings.
        hypermodel: function of the horizon.
        data: function of a data source, as `lrtune search --data` takes it, that returns training
            and validation arrays.
    """

    name: str
    horizon: int
    shorter: tuple[int, ...]
    schedules: int
    seeds: tuple[int, ...]
    best: int
    best_seeds: tuple[int, ...]
    batch_size: int
    hypermodel: Callable[[int], Any]
    data: Callable[[str], tuple[Arrays, Arrays]]

    @property
    def trainings(self) -> list[tuple[int, int]]:
        """(budget in epochs, seed) of every search of all schedules; the first one draws them."""
        whole = [(self.horizon, seed) for seed in self.seeds]
        shorter = sorted(self.shorter, reverse=True)
        return whole + [(budget, seed) for budget in shorter for seed in self.seeds[:2]]


def quick(task: Task) -> Task:
    """The same task, small enough to train within a minute."""

    def few(source: str) -> tuple[Arrays, Arrays]:
        (x, y), (validation_x, validation_y) = task.data(source)
        return (x[:256], y[:256]), (validation_x[:256], validation_y[:256])

    return replace(
        task, horizon=3, shorter=(1,), schedules=11, seeds=(1, 2), best=2, best_seeds=(11,),
        data=few,
    )  # fmt: skip


def _reading(horizon: int) -> Any:
    import lrtune

    return lrtune.CatsVsDogsHyperModel(epochs=horizon, families=FAMILIES)


def _deep(horizon: int) -> Any:
    import lrtune

    return lrtune.ScheduleHyperModel(
        _build_deep,
        epochs=horizon,
        families=FAMILIES,
        optimizer="sgd",
        optimizer_options={"nesterov": True},
        fixed={"weight_decay": 5e-4},
    )


def _build_deep(_hp: Any) -> Any:
    """Eight layers with weights: seven convolutions with batch normalization, one dense layer."""
    import keras

    layers = keras.layers
    stack = [
        keras.Input((32, 32, 3)),
        layers.RandomFlip("horizontal"),
        layers.RandomTranslation(0.1, 0.1),
    ]
    for filters, strides in ((16, 1), (24, 2), (24, 1), (48, 2), (48, 1), (96, 2), (96, 1)):
        stack += [
            layers.Conv2D(filters, 3, strides=strides, padding="same", use_bias=False),
            layers.BatchNormalization(momentum=0.9),
            layers.ReLU(),
        ]
    stack += [layers.GlobalAveragePooling2D(), layers.Dense(2, activation="softmax")]
    return keras.Sequential(stack)


def _digits(horizon: int) -> Any:
    import lrtune

    return lrtune.ScheduleHyperModel(
        _build_digits, epochs=horizon, families=FAMILIES, optimizer="adamw"
    )


def _build_digits(_hp: Any) -> Any:
    import keras

    layers = keras.layers
    return keras.Sequential(
        [
            keras.Input((64,)),
            layers.Dense(64, activation="relu"),
            layers.Dropout(0.2),
            layers.Dense(32, activation="relu"),
            layers.Dense(10, activation="softmax"),
        ]
    )


def _cats_and_dogs(source: str) -> tuple[Arrays, Arrays]:
    import lrtune

    data = lrtune.load_data(source)
    return (data.train.x, data.train.y), (data.validation.x, data.validation.y)


def _fewer(source: str) -> tuple[Arrays, Arrays]:
    (x, y), validation = _cats_and_dogs(source)
    return (x[:4000], y[:4000]), validation


def _handwritten(_source: str) -> tuple[Arrays, Arrays]:
    import numpy as np
    from sklearn.datasets import load_digits
    from sklearn.model_selection import train_test_split

    digits = load_digits()
    x, y = digits.data.astype(np.float32) / 16, digits.target
    train_x, x, train_y, y = train_test_split(x, y, test_size=0.5, random_state=0, stratify=y)
    # A tenth of the labels are wrong, so that a training can learn too much.
    wrong = np.random.default_rng(0).random(len(train_y)) < 0.1
    train_y = np.where(wrong, (train_y + 1) % 10, train_y)
    return (train_x, train_y), (x, y)


TASKS = {
    one.name: one
    for one in (
        Task(
            "reading",
            27,
            (9, 3),
            165,
            (1, 2),
            16,
            tuple(range(11, 17)),
            64,
            _reading,
            _cats_and_dogs,
        ),
        Task("deep", 15, (5,), 88, (1, 2), 8, tuple(range(11, 15)), 64, _deep, _fewer),
        Task(
            "digits", 20, (7, 3), 220, (1, 2), 16, tuple(range(11, 23)), 32, _digits, _handwritten
        ),
    )
}
