"""The hypermodel in stock Keras Tuner and in plain Keras: every weight update at its own rate."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import keras
import keras_tuner
import numpy as np
import pytest
import tensorflow as tf

import lrtune
from lrtune.errors import ArgumentError, LrtuneError
from lrtune.model.hypermodel import steps_per_epoch
from lrtune.schedules import names
from tests.runner import tiny

STEPS = tiny.STEPS
NOT_PLACED = (
    "this model's learning-rate schedule does not know the steps per epoch yet: train with "
    "hypermodel.fit(hp, model, ...) or give steps_per_epoch= to the hypermodel"
)


class Rates(keras.callbacks.Callback):
    """Notes the rate of every weight update: (epoch, step) -> rate, a dictionary a training.

    Keras Tuner hands a copy of its callbacks to each trial; the copies share their notes.
    """

    def __init__(self, trainings):
        super().__init__()
        self.trainings = trainings

    def __deepcopy__(self, memo):
        return Rates(self.trainings)

    def on_train_begin(self, logs=None):
        self.trainings.append({})

    def on_epoch_begin(self, epoch, logs=None):
        self.epoch = epoch

    def on_train_batch_begin(self, batch, logs=None):
        self.trainings[-1][self.epoch, batch] = float(self.model.optimizer.learning_rate)


def hypermodel(epochs=3, **arguments):
    return lrtune.ScheduleHyperModel(tiny.build, epochs=epochs, **arguments)


def hp_of(values):
    hp = keras_tuner.HyperParameters()
    hp.values = dict(values)
    return hp


def by_hand(values, first, last, steps=STEPS):
    """The rate of every weight update of the epochs first..last - 1, from the definitions."""
    return {
        (epoch, step): pytest.approx(tiny.rate(values, epoch, step, steps), rel=1e-6)
        for epoch in range(first, last)
        for step in range(steps)
    }


def search(tuner):
    """Each trial's values, and the rates it was trained at."""
    trainings = []
    tuner.search(*tiny.points(), **tiny.fit_kwargs(), verbose=0, callbacks=[Rates(trainings)])
    tried = [tuner.oracle.get_trial(one).hyperparameters.values for one in tuner.oracle.start_order]
    return list(zip(tried, trainings, strict=True))


@tiny.STOCK_PROMOTION
def test_a_function_without_parameters_builds_the_model():
    def build():
        return keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])

    values = hp_of({"schedule": "step", "lr0": 0.1, "step.drop": 0.5, "step.epochs_drop": 1})
    built = lrtune.ScheduleHyperModel(build, epochs=3, steps_per_epoch=5).build(values)
    assert [layer.units for layer in built.layers] == [2]
    assert [float(built.optimizer._learning_rate(step)) for step in (0, 5)] == [
        pytest.approx(0.1),
        pytest.approx(0.05),
    ]


def test_in_stock_hyperband_every_update_has_the_rate_of_its_absolute_epoch(tmp_path):
    tuner = keras_tuner.Hyperband(
        hypermodel(families=["time"]),
        objective="val_loss",
        max_epochs=3,
        seed=2,
        directory=tmp_path,
    )
    trials = search(tuner)
    assert [rates for _, rates in trials] == [
        by_hand(values, values["tuner/initial_epoch"], values["tuner/epochs"])
        for values, _ in trials
    ]
    assert [values["tuner/initial_epoch"] for values, _ in trials].count(1) == 1


@pytest.mark.parametrize("momentum", [None, 0.5])
def test_stock_tuners_find_every_conditional_hyperparameter(tmp_path, momentum):
    tuner = keras_tuner.RandomSearch(
        hypermodel(fixed={} if momentum is None else {"momentum": momentum}),
        objective="val_loss",
        max_trials=1,
        directory=tmp_path,
    )
    space = {hp.name: hp for hp in tuner.oracle.get_space().space}
    assert sorted(space) == [
        *("exponential.k", "lr0", "momentum", "schedule", "step.drop", "step.epochs_drop", "time.k")
    ]
    assert isinstance(space["momentum"], keras_tuner.engine.hyperparameters.Fixed) == (
        momentum is not None
    )
    families = {name: hp.conditions[0].values for name, hp in space.items() if hp.conditions}
    assert families == {
        "exponential.k": ["exponential"],
        "step.drop": ["step"],
        "step.epochs_drop": ["step"],
        "time.k": ["time"],
    }


@pytest.mark.parametrize(
    ("kind", "families", "more"),
    [
        (keras_tuner.RandomSearch, ["time", "step", "exponential"], {}),
        (keras_tuner.BayesianOptimization, ["time"], {"num_initial_points": 1}),
    ],
)
def test_in_other_stock_tuners_every_update_has_its_rate(tmp_path, kind, families, more):
    tuner = kind(
        hypermodel(epochs=2, families=families, fixed={"momentum": 0.5}),
        objective="val_accuracy",
        max_trials=2,
        seed=1,
        directory=tmp_path,
        **more,
    )
    trials = search(tuner)
    assert len(trials) == 2
    for values, rates in trials:  # the horizon is how long a trial trains unless told otherwise
        assert rates == by_hand(values, 0, 2)


@pytest.mark.parametrize("name", tiny.VALUES)
def test_fit_places_the_schedule_by_the_absolute_epoch(name):
    values, trainings = tiny.VALUES[name], []
    model = hypermodel(epochs=4).build(hp_of(values))
    hypermodel(epochs=4).fit(
        hp_of(values),
        model,
        *tiny.points(),
        batch_size=16,
        initial_epoch=2,
        verbose=0,
        callbacks=[Rates(trainings)],
    )
    assert trainings == [by_hand(values, 2, 4)]
    assert float(model.optimizer.momentum) == values["momentum"]


def test_plain_fit_without_steps_per_epoch_says_what_is_missing():
    model = hypermodel().build(hp_of(tiny.VALUES["step"]))
    with pytest.raises(LrtuneError) as error:
        model.fit(*tiny.points(), verbose=0)
    assert str(error.value) == NOT_PLACED


def test_plain_fit_with_steps_per_epoch_trains_at_the_right_rates():
    values, trainings = tiny.VALUES["time"], []
    model = hypermodel(steps_per_epoch=STEPS).build(hp_of(values))
    model.fit(*tiny.points(), batch_size=16, epochs=2, verbose=0, callbacks=[Rates(trainings)])
    assert trainings == [by_hand(values, 0, 2)]


def test_training_is_plain_keras_with_the_same_rates():
    values = tiny.VALUES["exponential"]
    x, y = tiny.points()

    keras.utils.set_random_seed(3)
    ours = hypermodel()
    model = ours.build(hp_of(values))
    found = ours.fit(hp_of(values), model, x, y, batch_size=16, epochs=3, shuffle=False, verbose=0)

    keras.utils.set_random_seed(3)
    plain = tiny.build(hp_of(values))
    plain.compile(
        keras.optimizers.SGD(0.3, momentum=0.8),
        "sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    by_epoch = keras.callbacks.LearningRateScheduler(lambda epoch: 0.3 * np.exp(-0.7 * epoch))
    expected = plain.fit(
        x, y, batch_size=16, epochs=3, shuffle=False, verbose=0, callbacks=[by_epoch]
    )
    for name in ("loss", "accuracy"):
        assert found.history[name] == pytest.approx(expected.history[name], rel=1e-5)


def test_one_hot_labels_and_indices_train_to_the_same_losses():
    x, y = tiny.points()
    losses = []
    for labels in (y, np.eye(2, dtype="float32")[y]):
        keras.utils.set_random_seed(3)
        model = hypermodel().build(hp_of(tiny.VALUES["constant"]))
        history = hypermodel().fit(
            hp_of(tiny.VALUES["constant"]),
            model,
            x,
            labels,
            validation_data=(x, labels),
            shuffle=False,
            verbose=0,
        )
        losses.append(history.history)
    assert losses[0] == {
        name: pytest.approx(values, rel=1e-6) for name, values in losses[1].items()
    }


LOADS = """
import json, sys
import lrtune.schedules.keras, lrtune.model.cnn
import keras
import numpy as np
model = keras.models.load_model(sys.argv[1])
rows = np.load(sys.argv[2])
print(json.dumps([
    model.predict(rows, verbose=0).tolist(),
    int(model.optimizer.iterations.numpy()),
    float(model.optimizer.learning_rate),
    model.evaluate(rows, np.zeros(len(rows)), verbose=0),
]))
"""


def test_a_trained_model_is_saved_and_loaded_by_another_process(tmp_path):
    values = tiny.VALUES["time"]
    model = hypermodel().build(hp_of(values))
    x, y = tiny.points()
    hypermodel().fit(hp_of(values), model, x, y, batch_size=16, epochs=2, verbose=0)
    model.save(tmp_path / "model.keras")
    np.save(tmp_path / "x.npy", x[:5])

    environment = {**os.environ, "PYTHONPATH": str(Path(lrtune.__file__).parents[1])}
    child = subprocess.run(
        [sys.executable, "-c", LOADS, tmp_path / "model.keras", tmp_path / "x.npy"],
        capture_output=True,
        text=True,
        env=environment,
    )
    assert child.returncode == 0, child.stderr
    predicted, step, rate, measured = json.loads(child.stdout)
    assert np.array(predicted) == pytest.approx(model.predict(x[:5], verbose=0), rel=1e-6)
    assert step == 2 * STEPS
    assert rate == pytest.approx(tiny.rate(values, 2, 0), rel=1e-6)
    assert measured == pytest.approx(model.evaluate(x[:5], np.zeros(5), verbose=0), rel=1e-6)


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (
            lambda hp: None,
            "build_model must return a keras.Model. Received: None of type NoneType.",
        ),
        (
            lambda hp: keras.layers.Dense,
            (
                "build_model must return a keras.Model. Received: "
                "<class 'keras.src.layers.core.dense.Dense'> of type type."
            ),
        ),
    ],
    ids=["nothing", "layer"],
)
def test_anything_but_a_model_is_refused(build, message):
    with pytest.raises(ArgumentError) as error:
        lrtune.ScheduleHyperModel(build, epochs=3).build(keras_tuner.HyperParameters())
    assert str(error.value) == message


def test_a_model_instead_of_a_function_is_refused():
    with pytest.raises(ArgumentError) as error:
        lrtune.ScheduleHyperModel("cnn", epochs=3)
    assert str(error.value) == (
        "build_model must be a function that returns a keras.Model, and may take hp. "
        "Received: 'cnn'."
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            {"families": ["steps"]},
            (
                f"Unknown schedule family 'steps': it must be one of {', '.join(names())}. "
                "Did you mean 'step'?"
            ),
        ),
        (
            {"families": []},
            (
                "families must name at least one schedule family or one of the presets reading, "
                "modern, all. Received: families=[]."
            ),
        ),
        ({"epochs": 0}, "epochs must be an integer >= 1. Received: epochs=0."),
        ({"epochs": 2.5}, "epochs must be an integer >= 1. Received: epochs=2.5."),
        (
            {"fixed": {"momentum": 1}},
            "fixed['momentum'] must be a number >= 0 and < 1. Received: fixed['momentum']=1.",
        ),
        (
            {"steps_per_epoch": 0},
            "steps_per_epoch must be an integer >= 1. Received: steps_per_epoch=0.",
        ),
    ],
    ids=str,
)
def test_bad_arguments_fail_when_the_hypermodel_is_created(arguments, message):
    with pytest.raises(ArgumentError) as error:
        lrtune.CatsVsDogsHyperModel(**{"epochs": 3, **arguments})
    assert str(error.value) == message


def test_the_cats_and_dogs_hypermodel_has_the_readings_cnn_and_settings():
    ours = lrtune.CatsVsDogsHyperModel()
    model = ours.build(keras_tuner.HyperParameters())
    assert ours.epochs == 50
    assert ours.families == ("constant", "time", "step", "exponential")
    assert model.count_params() == 25_546
    assert isinstance(model.optimizer, keras.optimizers.SGD)
    assert model.jit_compile is False
    small = lrtune.CatsVsDogsHyperModel(input_shape=(8, 8, 1), num_classes=3)
    assert small.build(keras_tuner.HyperParameters()).output_shape == (None, 3)


def test_hyperparameters_of_build_model_are_searched_too():
    def build(hp):
        hp.Int("units", 3, 5)
        return tiny.build(hp)

    hp = keras_tuner.HyperParameters()
    lrtune.ScheduleHyperModel(build, epochs=3).build(hp)
    assert hp.values["units"] == 3
    assert hp.values["schedule"] == "constant"


class Batches(keras.utils.PyDataset):
    def __init__(self, count):
        super().__init__()
        self.count = count

    def __len__(self):
        return self.count

    def __getitem__(self, index):
        return tiny.points(8, seed=index)


IMAGES = np.zeros((100, 4))
FINITE = tf.data.Dataset.from_tensor_slices(IMAGES).batch(32)


@pytest.mark.parametrize(
    ("arguments", "steps"),
    [
        ({"x": IMAGES}, 4),  # by 32, the last batch short
        ({"x": IMAGES, "batch_size": 10}, 10),
        ({"x": IMAGES, "batch_size": 99}, 2),
        ({"x": IMAGES[:1]}, 1),
        ({"x": IMAGES, "batch_size": 10, "validation_split": 0.25}, 8),
        ({"x": IMAGES, "batch_size": 10, "validation_split": 0.01}, 10),
        ({"x": IMAGES, "batch_size": 10, "steps_per_epoch": 3}, 3),
        ({"x": {"a": IMAGES, "b": IMAGES}, "batch_size": 50}, 2),
        ({"x": [IMAGES, IMAGES], "batch_size": 50}, 2),
        ({"x": tf.zeros((100, 4)), "batch_size": 50}, 2),
        ({"x": FINITE}, 4),
        ({"x": FINITE.repeat(), "steps_per_epoch": 7}, 7),
        ({"x": FINITE.filter(lambda one: True), "steps_per_epoch": 2}, 2),
        ({"x": Batches(6)}, 6),
    ],
    ids=lambda value: None if isinstance(value, int) else "-".join(value),
)
def test_steps_per_epoch_is_the_number_of_batches_keras_trains(arguments, steps):
    assert steps_per_epoch(**arguments) == steps


@pytest.mark.parametrize(
    ("x", "name"),
    [
        (FINITE.repeat(), "_RepeatDataset"),
        (FINITE.filter(lambda one: True), "_FilterDataset"),
        ((one for one in ()), "generator"),
        (None, "NoneType"),
    ],
    ids=["infinite", "of unknown length", "generator", "nothing"],
)
def test_data_of_unknown_length_need_steps_per_epoch(x, name):
    with pytest.raises(ArgumentError) as error:
        steps_per_epoch(x)
    assert str(error.value) == (
        "steps_per_epoch must be given to fit (or to the hypermodel): the training data, "
        f"{name}, do not say how many batches an epoch has."
    )


@pytest.mark.parametrize(
    "x",
    [Batches(4), tf.data.Dataset.from_tensor_slices(tiny.points(32)).batch(8)],
    ids=["PyDataset", "tf.data"],
)
def test_datasets_train_at_the_rates_of_their_own_number_of_steps(x):
    values, trainings = tiny.VALUES["time"], []
    model = hypermodel().build(hp_of(values))
    # Without shuffle=False Keras warns that it cannot shuffle a tf.data.Dataset.
    more = {"epochs": 2, "shuffle": False, "verbose": 0, "callbacks": [Rates(trainings)]}
    hypermodel().fit(hp_of(values), model, x, **more)
    assert trainings == [by_hand(values, 0, 2, steps=4)]
