"""Any data: each test is a script of a person whose data come in this form."""

from __future__ import annotations

import math
import re

import keras
import numpy as np
import pandas as pd
import pytest
import tensorflow as tf

import lrtune
from tests.runner import tiny
from tests.situations.plain import QUICK, assert_same, finished, optimizer, seeded

UNSHUFFLED = {"shuffle": False, "verbose": 0}  # else Keras warns that it cannot shuffle these
CROSS_ENTROPY = "sparse_categorical_crossentropy"


def build(hp):
    return keras.Sequential([keras.Input((4,)), keras.layers.Dense(2, activation="softmax")])


def hypermodel(**more):
    return lrtune.ScheduleHyperModel(build, epochs=2, families=["cosine"], **more)


def test_pandas_frames(tmp_path):
    x, y = tiny.points()
    table, label = pd.DataFrame(x, columns=list("abcd")), pd.Series(y, name="label")
    fit = {"batch_size": 16, "shuffle": False, "verbose": 0}

    tuner = lrtune.RandomSearch(hypermodel(), directory=tmp_path, **QUICK)
    tuner.search(table[:30], label[:30], validation_data=(table[30:], label[30:]), **fit)

    run = finished(tmp_path)
    model = seeded(run, build)
    model.compile(optimizer(run, 2), CROSS_ENTROPY, metrics=["accuracy"])
    held_out = x[30:], y[30:]
    assert_same(run, model.fit(x[:30], y[:30], epochs=2, validation_data=held_out, **fit))


def test_a_validation_split(tmp_path):
    x, y = tiny.points()
    fit = {"batch_size": 16, "validation_split": 0.3, "shuffle": False, "verbose": 0}

    tuner = lrtune.RandomSearch(hypermodel(), directory=tmp_path, **QUICK)
    tuner.search(x, y, **fit)

    run = finished(tmp_path)
    model = seeded(run, build)
    model.compile(optimizer(run, 2), CROSS_ENTROPY, metrics=["accuracy"])
    assert_same(run, model.fit(x, y, epochs=2, **fit))


def test_sample_weights_also_of_the_validation_data(tmp_path):
    x, y = tiny.points()
    weights = np.linspace(0, 2, 40)
    held_out = (*tiny.points(20, seed=1), np.linspace(2, 0, 20))
    fit = {"sample_weight": weights, "batch_size": 16, "shuffle": False, "verbose": 0}
    compiling = {"metrics": [], "weighted_metrics": ["accuracy"]}

    own = hypermodel(loss=CROSS_ENTROPY, **compiling)
    tuner = lrtune.RandomSearch(own, directory=tmp_path, **QUICK)
    tuner.search(x, y, validation_data=held_out, **fit)

    run = finished(tmp_path)
    model = seeded(run, build)
    model.compile(optimizer(run, 3), CROSS_ENTROPY, **compiling)
    assert_same(run, model.fit(x, y, epochs=2, validation_data=held_out, **fit))


def test_class_weights(tmp_path):
    x, y = tiny.points()
    held_out = tiny.points(20, seed=1)
    fit = {"class_weight": {0: 1.0, 1: 5.0}, "batch_size": 16, "shuffle": False, "verbose": 0}

    tuner = lrtune.RandomSearch(hypermodel(), directory=tmp_path, **QUICK)
    tuner.search(x, y, validation_data=held_out, **fit)

    run = finished(tmp_path)
    model = seeded(run, build)
    model.compile(optimizer(run, 3), CROSS_ENTROPY, metrics=["accuracy"])
    assert_same(run, model.fit(x, y, epochs=2, validation_data=held_out, **fit))


def test_a_dataset_that_ends(tmp_path):
    train = tf.data.Dataset.from_tensor_slices(tiny.points()).batch(16)
    held_out = tf.data.Dataset.from_tensor_slices(tiny.points(20, seed=1)).batch(8)

    tuner = lrtune.RandomSearch(hypermodel(), directory=tmp_path, **QUICK)
    tuner.search(train, validation_data=held_out, verbose=0)

    run = finished(tmp_path)
    model = seeded(run, build)
    model.compile(optimizer(run, 3), CROSS_ENTROPY, metrics=["accuracy"])
    assert_same(run, model.fit(train, epochs=2, validation_data=held_out, **UNSHUFFLED))


def test_an_endless_dataset_with_steps_per_epoch(tmp_path):
    train = tf.data.Dataset.from_tensor_slices(tiny.points()).repeat().batch(16)
    # Two of its batches are one round: Keras itself would go on where it stopped.
    held_out = tf.data.Dataset.from_tensor_slices(tiny.points(20, seed=1)).batch(10).repeat()
    fit = {"steps_per_epoch": 4, "validation_data": held_out, "validation_steps": 2, **UNSHUFFLED}

    tuner = lrtune.RandomSearch(hypermodel(), directory=tmp_path, **QUICK)
    tuner.search(train, **fit)

    run = finished(tmp_path)
    model = seeded(run, build)
    model.compile(optimizer(run, 4), CROSS_ENTROPY, metrics=["accuracy"])
    assert_same(run, model.fit(train, epochs=2, **fit))


class Batches(keras.utils.PyDataset):
    """Numbers its epochs, and scales its points by that."""

    def __init__(self, count, seed=0):
        super().__init__()
        self.x, self.y = tiny.points(count, seed)
        self.scale = 1.0

    def __len__(self):
        return math.ceil(len(self.x) / 16)

    def __getitem__(self, index):
        part = slice(index * 16, index * 16 + 16)
        return self.x[part] * self.scale, self.y[part]

    def on_epoch_end(self):
        self.scale += 1.0


def test_a_pydataset_that_changes_with_each_epoch(tmp_path):
    held_out = Batches(20, seed=1)[0]

    tuner = lrtune.RandomSearch(hypermodel(), directory=tmp_path, **QUICK)
    tuner.search(Batches(40), validation_data=held_out, shuffle=False, verbose=0)

    run = finished(tmp_path)
    model = seeded(run, build)
    model.compile(optimizer(run, 3), CROSS_ENTROPY, metrics=["accuracy"])
    fit = {"validation_data": held_out, "shuffle": False, "verbose": 0}
    assert_same(run, model.fit(Batches(40), epochs=2, **fit))


def test_a_function_that_makes_a_generator(tmp_path):
    def generator():
        x, y = tiny.points()
        for first in range(0, 10_000, 7):
            yield np.roll(x, first, axis=0)[:16], np.roll(y, first)[:16]

    def held_out():
        yield from [tiny.points(10, seed=1), tiny.points(10, seed=2)]

    tuner = lrtune.RandomSearch(hypermodel(), directory=tmp_path, **QUICK)
    tuner.search(
        generator, steps_per_epoch=3, validation_data=held_out, validation_steps=2, verbose=0
    )

    run = finished(tmp_path)
    model = seeded(run, build)
    model.compile(optimizer(run, 3), CROSS_ENTROPY, metrics=["accuracy"])
    both = [np.concatenate(part) for part in zip(*held_out(), strict=True)]
    fit = {"steps_per_epoch": 3, "validation_data": tuple(both), **UNSHUFFLED}
    assert_same(run, model.fit(generator(), epochs=2, **fit))


def test_data_that_cannot_be_sent_to_workers_train_in_this_process(tmp_path):
    train = tf.data.Dataset.from_tensor_slices(tiny.points()).batch(16)
    held_out = tiny.points(20, seed=1)

    tuner = lrtune.RandomSearch(hypermodel(), directory=tmp_path, **{**QUICK, "workers": 2})
    sentence = (
        "a tf.data.Dataset cannot be sent to worker processes (a function that returns one can: "
        "search(make_data, ...)). This process trains instead, one trial at a time."
    )
    with pytest.warns(UserWarning, match=f"^{re.escape(sentence)}$"):
        tuner.search(train, validation_data=held_out, verbose=0)

    run = finished(tmp_path)
    model = seeded(run, build)
    model.compile(optimizer(run, 3), CROSS_ENTROPY, metrics=["accuracy"])
    assert_same(run, model.fit(train, epochs=2, validation_data=held_out, **UNSHUFFLED))
