"""A model compiled once trains every trial as a model of the trial's own would."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf

from lrtune.model.hypermodel import ScheduleHyperModel
from lrtune.records.task import TrainingJob
from lrtune.runner.compiled import CompiledModels, VariableMomentumSGD, architecture
from lrtune.runner.worker import Trainer
from lrtune.schedules.keras import TableSchedule
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
    table = np.full(3, 0.1, "float32")
    for width in range(1, 7):
        fresh = dense(width)
        assert models.load(fresh, architecture(fresh), table, 0.5) is fresh
    assert len(models._models) == 4


@pytest.mark.parametrize("momentum", [0.0, 0.5, 0.99])
def test_momentum_in_a_variable_updates_as_sgd_does_to_the_last_bit(momentum):
    rng = np.random.default_rng(0)
    start = rng.normal(size=1000).astype("float32")
    gradients = rng.normal(size=(5, 1000)).astype("float32")
    ours = VariableMomentumSGD(TableSchedule(np.full(5, 0.1, "float32")))
    ours.momentum_value.assign(momentum)
    weights = []
    for optimizer in (ours, keras.optimizers.SGD(0.1, momentum=momentum)):
        variable = keras.Variable(start)
        for gradient in gradients:
            optimizer.apply([keras.ops.convert_to_tensor(gradient)], [variable])
        weights.append(keras.ops.convert_to_numpy(variable.value))
    np.testing.assert_array_equal(*weights)
