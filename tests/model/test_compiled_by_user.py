"""A model that the user compiled keeps its loss, metrics and optimizer; the rate is lrtune's."""

from __future__ import annotations

import keras
import keras_tuner
import numpy as np
import pytest

import lrtune
from lrtune.errors import ArgumentError
from lrtune.model.compiling import settings_of
from lrtune.records.task import TrainingJob
from lrtune.runner.worker import Trainer
from tests.runner import tiny
from tests.tasks import task_of

EPOCHS = 3
STEP = {"schedule": "step", "lr0": 0.05, "step.drop": 0.5, "step.epochs_drop": 1}


def data():
    x, y = tiny.points()
    return x, [y, x.sum(axis=1)]


def build(hp):
    """Two outputs with a loss and a weight each."""
    inputs = keras.Input((4,))
    hidden = keras.layers.Dense(hp.Int("width", 3, 9, default=5), activation="relu")(inputs)
    side = keras.layers.Dense(2, activation="softmax", name="side")(hidden)
    total = keras.layers.Dense(1, name="total")(hidden)
    model = keras.Model(inputs, [side, total])
    model.compile(
        keras.optimizers.AdamW(0.003, weight_decay=0.1, beta_1=0.7, clipnorm=0.5),
        loss=["sparse_categorical_crossentropy", "mse"],
        loss_weights=[1.0, hp.Choice("weight", [0.2, 0.6])],
        metrics=[["accuracy"], ["mae"]],
    )
    return model


def trainer(build=build, families=("constant", "step")):
    hypermodel = lrtune.ScheduleHyperModel(build, epochs=EPOCHS, families=families)
    hypermodel.build(keras_tuner.HyperParameters())
    x, y = data()
    kwargs = {"validation_data": data(), "batch_size": tiny.BATCH, "shuffle": False}
    return Trainer(TrainingJob(hypermodel, (x, y), kwargs))


def train(trainer, values, first=0, last=EPOCHS, state=None):
    outcome = trainer.run(task_of("0000", values, 5, first, last, state), lambda *_: None)
    assert outcome.message is None, outcome.message
    return outcome


def in_plain_keras(values):
    """The history of the same training, written with Keras alone."""
    keras.utils.set_random_seed(5)
    hp = keras_tuner.HyperParameters()
    hp.values = values
    model = build(hp)
    rates = [0.05, 0.025, 0.0125]
    follow = keras.callbacks.LearningRateScheduler(lambda epoch: rates[epoch])
    x, y = data()
    return model.fit(
        x, y, batch_size=tiny.BATCH, shuffle=False, epochs=EPOCHS, verbose=0,
        validation_data=data(), callbacks=[follow],
    ).history  # fmt: skip


def test_each_trial_trains_as_its_own_model_does_in_plain_keras():
    one = trainer()
    for weight in (0.2, 0.6):  # the second must not use what was compiled for the first
        values = {**STEP, "width": 5, "weight": weight}
        ours, theirs = train(one, values).epochs, in_plain_keras(values)
        assert set(theirs) - {"learning_rate"} <= set(ours[0])
        for name in set(theirs) - {"learning_rate"}:
            found = [epoch[name] for epoch in ours]
            np.testing.assert_allclose(found, theirs[name], rtol=1e-5, err_msg=name)


def with_scaled_losses(hp):
    model = build(hp)
    scaled = keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD(0.01, momentum=0.9))
    model.compile(scaled, loss=["sparse_categorical_crossentropy", "mse"])
    return model


@pytest.mark.parametrize("build", [build, with_scaled_losses])
def test_a_continued_training_ends_as_one_that_was_not_interrupted(build):
    values = {**STEP, "width": 5, "weight": 0.2}
    whole = train(trainer(build), values)
    begun = train(trainer(build), values, last=1)
    continued = train(trainer(build), values, first=1, state=begun.state)
    for name, value in whole.state.items():
        np.testing.assert_array_equal(value, continued.state[name], err_msg=name)


def test_only_the_rate_of_a_compiled_model_is_searched_and_its_own_rate_is_a_baseline(tmp_path):
    hypermodel = lrtune.ScheduleHyperModel(build, epochs=2, families=["cosine"])
    tuner = lrtune.RandomSearch(
        hypermodel,
        objective="val_total_mae",
        max_trials=1,
        baseline_seeds=1,
        seed=1,
        directory=str(tmp_path),
        project_name="run",
        workers=1,
    )
    names = [hp.name for hp in tuner.oracle.get_space().space]
    assert names == ["width", "weight", "schedule", "lr0", "cosine.epochs", "cosine.end"]
    x, y = data()
    tuner.search(x, y, validation_data=data(), verbose=0)
    run = lrtune.load_run(tmp_path / "run")
    assert sorted(run.baseline()["arm"]) == ["constant-0.003", "constant-tuned"]
    recorded = run.records.manifest
    assert recorded.optimizer == "adamw"
    assert recorded.optimizer_options["weight_decay"] == 0.1
    assert recorded.optimizer_options["beta_1"] == 0.7


@pytest.mark.parametrize(
    ("optimizer", "settings"),
    [
        (keras.optimizers.Adam(0.02), {}),
        (keras.optimizers.AdamW(0.02, weight_decay=0.1), {"weight_decay": 0.1}),
        (keras.optimizers.SGD(momentum=0.9, clipnorm=1.0), {"momentum": 0.9, "clipnorm": 1.0}),
        (keras.optimizers.Nadam(epsilon=1e-5, use_ema=True), {"epsilon": 1e-5, "use_ema": True}),
    ],
)
def test_an_optimizers_settings_are_those_that_are_not_its_defaults(optimizer, settings):
    assert settings_of(optimizer) == settings


@pytest.mark.parametrize("name", ["optimizer", "loss", "metrics"])
def test_a_compiled_model_and_an_argument_that_compiles_are_refused(name):
    given = {"optimizer": "adam", "loss": "mse", "metrics": ["mae"]}[name]
    hypermodel = lrtune.ScheduleHyperModel(build, epochs=2, **{name: given})
    with pytest.raises(ArgumentError) as error:
        hypermodel.build(keras_tuner.HyperParameters())
    assert str(error.value) == (
        f"build_model must return an uncompiled keras.Model if {name}= is given to the hypermodel: "
        "a compiled one keeps its own. Leave out one of the two."
    )


def test_models_that_are_compiled_now_and_then_are_refused():
    built = []

    def sometimes(hp):
        model = build(hp) if not built else tiny.build(hp)
        built.append(model)
        return model

    hypermodel = lrtune.ScheduleHyperModel(sometimes, epochs=2)
    hypermodel.build(keras_tuner.HyperParameters())
    with pytest.raises(ArgumentError, match="always return compiled models or never"):
        hypermodel.build(keras_tuner.HyperParameters())


def test_a_range_of_a_setting_that_the_compiled_optimizer_has_itself_is_refused():
    hypermodel = lrtune.ScheduleHyperModel(build, epochs=2, fixed={"momentum": 0.9})
    with pytest.raises(ArgumentError, match="momentum"):
        hypermodel.build(keras_tuner.HyperParameters())
