"""A model compiled once trains every trial as a model of the trial's own would."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf

from lrtune.model.hypermodel import ScheduleHyperModel
from lrtune.model.settings import Settings
from lrtune.records.task import TrainingJob
from lrtune.runner.compiled import CompiledModels, architecture
from lrtune.runner.worker import Trainer
from lrtune.schedules import OneCycle
from lrtune.schedules.keras import TableSchedule
from lrtune.schedules.recipe import Recipe
from tests.runner import tiny
from tests.tasks import task_of

MOMENTUM = {name: {**values, "momentum": 0.9} for name, values in tiny.VALUES.items()}


class Recompiled(ScheduleHyperModel):
    """The same, with a `build` of its own: the runner then compiles anew for every trial."""

    def build(self, hp):
        return super().build(hp)


def trainer(kind=ScheduleHyperModel, build=tiny.build, **kwargs):
    hypermodel = kind(build, epochs=tiny.EPOCHS, **kwargs)
    return Trainer(TrainingJob(hypermodel, tiny.points(), tiny.fit_kwargs()))


def train(trainer, values, seed=3, first=0, last=tiny.EPOCHS, state=None):
    outcome = trainer.run(
        task_of("0000", values, seed, first, last, state), lambda name, record: None
    )
    assert outcome.message is None, outcome.message
    return outcome


def assert_same(one, other):
    assert tiny.without_seconds(one.epochs) == tiny.without_seconds(other.epochs)
    assert one.untrained == other.untrained
    assert one.state.keys() == other.state.keys()
    for name in one.state:
        np.testing.assert_array_equal(one.state[name], other.state[name], err_msg=name)


def test_a_reused_model_trains_to_the_last_bit_as_one_compiled_for_the_trial():
    reused, anew = trainer(), trainer(Recompiled)
    # Each after another with another momentum, rate and seed, so that anything left over shows.
    cases = [MOMENTUM["time"], tiny.VALUES["step"], MOMENTUM["exponential"], MOMENTUM["constant"]]
    for seed, values in enumerate(cases):
        assert_same(train(reused, values, seed), train(anew, values, seed))


def test_a_training_can_switch_between_both_ways_to_the_last_bit():
    reused, anew = trainer(), trainer(Recompiled)
    for values in (tiny.VALUES["constant"], MOMENTUM["time"]):
        begun = train(reused, values, last=1)
        assert_same(
            train(anew, values, first=1, state=begun.state),
            train(reused, values, first=1, state=begun.state),
        )


def test_a_diverged_trial_leaves_nothing_behind():
    clean, used = trainer(), trainer()
    values = {"schedule": "constant", "lr0": 1e30, "momentum": 0.9}
    outcome = used.run(task_of("0000", values, 1, 0, 2), lambda name, record: None)
    assert outcome.status == "diverged"
    assert_same(train(used, MOMENTUM["step"]), train(clean, MOMENTUM["step"]))


def test_trials_of_one_architecture_are_traced_once():
    traced = []

    def loss(y_true, y_pred):
        traced.append(1)  # runs when Keras traces, not when it trains
        return keras.losses.sparse_categorical_crossentropy(y_true, y_pred)

    one = trainer(loss=loss)
    train(one, tiny.VALUES["constant"])
    first = len(traced)
    assert first > 0
    for seed, values in enumerate([*MOMENTUM.values(), *tiny.VALUES.values()]):
        train(one, values, seed)
    assert len(traced) == first


def test_each_architecture_has_a_model_of_its_own_and_keeps_it():
    built = []

    def sampled(hp):
        width = hp.Choice("width", [4, 8])
        built.append(width)
        return keras.Sequential(
            [keras.Input((4,)), keras.layers.Dense(width), keras.layers.Dense(2, "softmax")]
        )

    reused, anew = trainer(build=sampled), trainer(Recompiled, build=sampled)
    for width in (4, 8, 4):
        values = {**MOMENTUM["time"], "width": width}
        assert_same(train(reused, values), train(anew, values))
    assert len(reused._compiled._models) == 2


def test_numbers_missing_from_a_configuration_are_not_confused():
    def sampled(hp):
        slope = hp.Choice("slope", [0.0, 1.0])
        return keras.Sequential(
            [
                keras.Input((4,)),
                keras.layers.Dense(4, activation=lambda x: slope * x),
                keras.layers.Dense(2, "softmax"),
            ]
        )

    reused, anew = trainer(build=sampled), trainer(Recompiled, build=sampled)
    for slope in (0.0, 1.0, 0.0):
        values = {**MOMENTUM["time"], "slope": slope}
        assert_same(train(reused, values), train(anew, values))


def dense(width, **kwargs):
    return keras.Sequential([keras.Input((4,)), keras.layers.Dense(width, **kwargs)])


def test_an_architecture_does_not_depend_on_keras_numbered_names():
    assert dense(3).layers[0].name != dense(3).layers[0].name
    assert architecture(dense(3)) == architecture(dense(3))
    inputs = keras.Input((4,))
    branches = [keras.layers.Dense(2)(inputs) for _ in range(2)]
    one = keras.Model(inputs, keras.layers.Add()(branches))
    again = keras.Input((4,))
    branches = [keras.layers.Dense(2)(again) for _ in range(2)]
    assert architecture(one) == architecture(keras.Model(again, keras.layers.Add()(branches)))
    crossed = keras.Model(again, keras.layers.Add()([branches[0], branches[0]]))
    assert architecture(one) != architecture(crossed)


def test_architectures_with_different_configurations_differ():
    models = [
        dense(3),
        dense(4),
        dense(3, activation="relu"),
        dense(3, activation="tanh"),
        dense(3, activation="relu", name="relu"),
        dense(3, activation="tanh", name="tanh"),
        dense(3, use_bias=False),
        dense(3, kernel_regularizer=keras.regularizers.L2(0.1)),
        dense(3, kernel_regularizer=keras.regularizers.L2(0.2)),
    ]
    assert len({architecture(model) for model in models}) == len(models)


def test_models_with_the_users_own_code_have_no_architecture():
    @keras.saving.register_keras_serializable("tests")
    class Mine(keras.layers.Dense):
        pass

    class Model(keras.Model):
        def call(self, x):
            return x

    layers = [Mine(2), keras.layers.Dense(2, activation=lambda x: x), keras.layers.Lambda(abs)]
    models = [keras.Sequential([keras.Input((4,)), layer]) for layer in layers]
    subclassed = Model()
    subclassed.build((None, 4))
    unbuilt = keras.Sequential([keras.layers.Dense(2)])
    assert [architecture(one) for one in (*models, subclassed, unbuilt)] == [None] * 5


def test_a_model_that_draws_from_tensorflows_own_seed_is_seeded_too():
    def sampled(hp):
        bias = float(tf.random.normal(()))
        start = keras.initializers.Constant(bias)
        return keras.Sequential(
            [keras.Input((4,)), keras.layers.Dense(2, "softmax", bias_initializer=start)]
        )

    reused, anew = trainer(build=sampled), trainer(Recompiled, build=sampled)
    for seed in (1, 2, 1):
        assert_same(train(reused, MOMENTUM["time"], seed), train(anew, MOMENTUM["time"], seed))


def test_only_the_last_few_architectures_are_kept():
    hypermodel = ScheduleHyperModel(tiny.build, epochs=1)
    models = CompiledModels(hypermodel)
    recipe = Recipe.from_values(tiny.VALUES["constant"])
    for width in range(1, 7):
        fresh = dense(width)
        assert models.load(fresh, architecture(fresh), recipe, 1, 3) is fresh
    assert len(models._models) == 4


OPTIMIZERS = [
    name
    for name, kind in vars(keras.optimizers).items()
    if isinstance(kind, type) and issubclass(kind, keras.optimizers.Optimizer)
]
NEED_MORE = {"Optimizer", "LossScaleOptimizer", "MultiOptimizer"}
"""These take something else than a learning rate first."""


OFTEN_USED = ("SGD", "AdamW")


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=() if name in OFTEN_USED else pytest.mark.long)
        for name in sorted(set(OPTIMIZERS) - NEED_MORE)
    ],
)
def test_every_optimizer_of_keras_trains_to_the_last_bit_as_one_made_for_the_trial(name):
    make = getattr(keras.optimizers, name)
    reused, anew = (trainer(kind, optimizer=make) for kind in (ScheduleHyperModel, Recompiled))
    for seed, lr0 in enumerate((0.1, 0.001)):
        values = {"schedule": "exponential", "lr0": lr0, "exponential.k": 0.7}
        assert_same(train(reused, values, seed), train(anew, values, seed))
    assert len(reused._compiled._models) == 1


SETTINGS = {
    "sgd": [{"momentum": 0.9}, {"momentum": 0.0}, {"momentum": 0.5}],
    "sgd with weight decay": [{"momentum": 0.0, "weight_decay": decay} for decay in (0.1, 0.01)],
    "rmsprop": [{}],
    "rmsprop with momentum": [{"momentum": momentum} for momentum in (0.3, 0.0, 0.9)],
    "adam": [{"beta_1": beta} for beta in (0.1, 0.9, 0.3333)],
    "adamw": [{"beta_1": beta, "weight_decay": 1 - beta} for beta in (0.9, 0.7)],
    "lion": [{"beta_1": beta} for beta in (0.9, 0.1)],
}


@pytest.mark.parametrize("case", SETTINGS)
def test_searched_settings_act_to_the_last_bit_as_the_optimizers_own(case):
    asked = {name for one in SETTINGS[case] for name in one}
    arguments = {
        "optimizer": case.split()[0],
        "ranges": dict.fromkeys(asked, (0.01, 0.99)),
    }
    reused, anew = (trainer(kind, **arguments) for kind in (ScheduleHyperModel, Recompiled))
    for seed, settings in enumerate(SETTINGS[case]):
        values = {"schedule": "constant", "lr0": 0.01, **settings}
        assert_same(train(reused, values, seed), train(anew, values, seed))


@pytest.mark.parametrize(
    "options", [{"nesterov": True}, {"clipnorm": 0.1}, {"use_ema": True}, {"global_clipnorm": 0.1}]
)
def test_options_of_an_optimizer_are_passed_on(options):
    reused, anew = (
        trainer(kind, optimizer_options=options) for kind in (ScheduleHyperModel, Recompiled)
    )
    trained = []
    for seed in (1, 2):
        trained.append(train(reused, MOMENTUM["step"], seed))
        assert_same(trained[-1], train(anew, MOMENTUM["step"], seed))
    plain = train(trainer(), MOMENTUM["step"], 1)
    if "use_ema" in options:  # the averages are more variables; the weights are as without
        assert len(trained[0].state) > len(plain.state)
    else:
        assert trained[0].epochs[-1]["loss"] != plain.epochs[-1]["loss"]


ONE_CYCLE = {
    "schedule": "one_cycle", "lr0": 0.3, "momentum": 0.9, "one_cycle.epochs": tiny.EPOCHS,
    "one_cycle.peak": 0.3, "one_cycle.div": 5.0, "one_cycle.final": 100.0,
}  # fmt: skip


def test_the_momentum_of_one_cycle_moves_against_its_rate_however_it_is_trained():
    reused, anew = trainer(families=["one_cycle"]), trainer(Recompiled, families=["one_cycle"])
    begun = train(reused, ONE_CYCLE, last=2)
    assert_same(begun, train(anew, ONE_CYCLE, last=2))
    ends = [train(one, ONE_CYCLE, first=2, state=begun.state) for one in (reused, anew)]
    assert_same(*ends)
    fixed = trainer(families=["constant"])
    constant = train(fixed, {"schedule": "constant", "lr0": 0.3, "momentum": 0.9})
    assert constant.epochs[-1]["loss"] != ends[0].epochs[-1]["loss"]


@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_a_moving_momentum_is_the_one_that_an_update_uses(optimizer):
    """By hand, from the formula: v <- m(t) v - lr(t) g, w <- w + v; m <- m + (g - m)(1 - beta)."""
    schedule = OneCycle(0.1, epochs=2, peak=0.5, div=4, final=10, dip=0.5)
    name = "momentum" if optimizer == "sgd" else "beta_1"
    recipe = Recipe("one_cycle", {"lr0": 0.1}, {name: 0.8}, {})
    values = {name: schedule.momentum_table(0.8, 2, 3)}
    rates = schedule.table(2, 3)
    kind = keras.optimizers.SGD if optimizer == "sgd" else keras.optimizers.Adam
    one = kind(TableSchedule(rates), **recipe.settings)
    Settings(one, values)
    weight, slot, expected = keras.Variable([1.0]), 0.0, 1.0
    for step in range(6):
        gradient = 1.0 + step
        one.apply([keras.ops.array([gradient])], [weight])
        momentum = values[name][step]
        if optimizer == "sgd":
            slot = momentum * slot - rates[step] * gradient
            expected += slot
            assert float(weight[0]) == pytest.approx(expected, rel=1e-6)
        else:
            slot += (gradient - slot) * (1 - momentum)
            assert float(one._momentums[0][0]) == pytest.approx(slot, rel=1e-6)
    assert values[name][3] == pytest.approx(0.4)  # at the peak, half of .8


PLATEAU = {
    "schedule": "plateau", "lr0": 0.5, "momentum": 0.0, "plateau.factor": 0.5,
    "plateau.patience": 1,
}  # fmt: skip


def test_reduce_on_plateau_follows_keras_own_callback_and_continues_where_it_stopped():
    epochs = 12
    arguments = {"families": ["plateau"], "optimizer_options": {"clipvalue": 10.0}}
    reused, anew = (trainer(kind, **arguments) for kind in (ScheduleHyperModel, Recompiled))
    whole = train(reused, PLATEAU, last=epochs)
    assert_same(whole, train(anew, PLATEAU, last=epochs))
    rates = [record["lr"] for record in whole.epochs]
    assert len(set(rates)) > 2, "the loss was to stop falling at times"
    begun = train(reused, PLATEAU, last=5)
    for one in (reused, anew):
        rest = train(one, PLATEAU, first=5, last=epochs, state=begun.state)
        assert tiny.without_seconds(rest.epochs) == tiny.without_seconds(whole.epochs[5:])
    # Keras' callback, shown the same losses.
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)])
    model.compile(keras.optimizers.SGD(0.5))
    callback = keras.callbacks.ReduceLROnPlateau(factor=0.5, patience=1)
    callback.set_model(model)
    callback.on_train_begin()
    theirs = []
    for record in whole.epochs:
        theirs.append(float(model.optimizer.learning_rate))
        callback.on_epoch_end(record["epoch"] - 1, {"val_loss": record["val_loss"]})
    assert rates == pytest.approx(theirs, rel=1e-6)
