"""Each trial trains in batches of its own size, as plain Keras would."""

from __future__ import annotations

import keras
import keras_tuner
import numpy as np
import pytest

from lrtune.model.hypermodel import ScheduleHyperModel
from lrtune.records.task import TrainingJob
from lrtune.runner.worker import Trainer, snapshot
from lrtune.schedules.recipe import Recipe
from tests.runner import tiny
from tests.tasks import task_of

SIZES = [8, 16, 40]
STEPS = {8: 5, 16: 3, 20: 2, 39: 2, 40: 1}  # of 40 points, by hand
VALUES = {**tiny.VALUES["time"], "batch_size": 16}  # its rate changes at every step


class Recompiled(ScheduleHyperModel):
    """The runner compiles it anew for every trial, and trains with its `fit`."""

    def build(self, hp):
        return super().build(hp)


def trainer(kind=ScheduleHyperModel, sizes=SIZES, **more):
    hypermodel = kind(tiny.build, epochs=tiny.EPOCHS, batch_size=sizes)
    fit_kwargs = {"validation_data": tiny.points(20, seed=1), "shuffle": False, **more}
    return Trainer(TrainingJob(hypermodel, tiny.points(), fit_kwargs))


def train(one, values, first=0, last=tiny.EPOCHS, state=None, seed=3):
    outcome = one.run(task_of("0", values, seed, first, last, state), lambda *_: None)
    assert outcome.message is None, outcome.message
    return outcome


def in_plain_keras(values, seed=3):
    """The history and the model of the same training without lrtune's runner."""
    keras.utils.set_random_seed(seed)
    model = tiny.build(keras_tuner.HyperParameters())
    size = values["batch_size"]
    schedule = Recipe.from_values(values).schedule.to_keras(STEPS[size])
    model.compile(
        keras.optimizers.SGD(schedule, momentum=values["momentum"]),
        "sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    history = model.fit(
        *tiny.points(),
        validation_data=tiny.points(20, seed=1),
        batch_size=size,
        epochs=tiny.EPOCHS,
        shuffle=False,
        verbose=0,
    )
    return history.history, model


@pytest.mark.parametrize(
    ("kind", "sizes"), [(ScheduleHyperModel, [8, 16, 40, 16]), (Recompiled, [8, 16])]
)
def test_a_trial_among_other_sizes_is_plain_keras_to_the_last_bit(kind, sizes):
    one = trainer(kind)
    for size in sizes:
        values = {**VALUES, "batch_size": size}
        outcome = train(one, values)
        history, model = in_plain_keras(values)
        for name, numbers in history.items():
            assert [record[name] for record in outcome.epochs] == numbers, name
        expected = snapshot(model, {})
        weights = [name for name in expected if name.startswith("model/")]
        assert weights == [name for name in outcome.state if name.startswith("model/")]
        for name in weights:
            np.testing.assert_array_equal(outcome.state[name], expected[name], err_msg=name)


@pytest.mark.parametrize("size", SIZES)
def test_the_rates_follow_the_steps_of_the_trials_own_batch_size(size):
    values = {**VALUES, "batch_size": size}
    records = train(trainer(), values).epochs
    last = STEPS[size] - 1
    assert [one["lr_last"] for one in records] == pytest.approx(
        [tiny.rate(values, epoch, last, STEPS[size]) for epoch in range(4)], rel=1e-6
    )


@pytest.mark.parametrize("kind", [ScheduleHyperModel, Recompiled])
def test_a_trial_continued_among_other_sizes_is_the_whole_bit_for_bit(kind):
    one = trainer(kind, shuffle=True)
    whole = train(one, VALUES)
    first, state, records = 0, None, []
    for last in (1, 4):
        train(one, {**VALUES, "batch_size": 8}, last=1)
        outcome = train(one, VALUES, first, last, state)
        first, state = last, outcome.state
        records += outcome.epochs
    assert tiny.without_seconds(records) == tiny.without_seconds(whole.epochs)
    assert outcome.untrained == whole.untrained
    assert state.keys() == whole.state.keys()
    for name, array in whole.state.items():
        np.testing.assert_array_equal(state[name], array, err_msg=name)


def test_sizes_with_the_same_number_of_steps_stay_apart():
    # Two steps with batches of 20 and of 39 points, in one compiled model.
    one = trainer(sizes=[20, 39])
    for size in (20, 39):
        values = {**VALUES, "batch_size": size}
        losses = [record["loss"] for record in train(one, values).epochs]
        assert losses == in_plain_keras(values)[0]["loss"]
    assert len(one._compiled._models) == 1


def test_a_trial_without_a_batch_size_fails_and_says_so():
    outcome = trainer().run(task_of("0", tiny.VALUES["step"], 3, 0, 1), lambda *_: None)
    assert outcome.status == "failed"
    assert outcome.message.strip().splitlines()[-1] == (
        "lrtune.errors.ArgumentError: values['batch_size'] must be one of the batch sizes that are "
        "searched (8, 16, 40). Received: values['batch_size']=None."
    )
