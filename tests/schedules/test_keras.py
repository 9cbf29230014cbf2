"""Schedules in Keras: in every way a model trains, saves and loads."""

from __future__ import annotations

import json
import subprocess
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf

from lrtune.errors import ArgumentError, LrtuneError
from lrtune.schedules import Constant, ExponentialDecay, StepDecay, TimeDecay, keras_private
from lrtune.schedules import keras as adapter
from tests.schedules.cases import SAMPLE

# Keras 3.15 itself under NumPy 2.4, wherever it turns a variable into an array.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

NOT_PLACED = (
    "this model's learning-rate schedule does not know the steps per epoch yet: train with "
    "hypermodel.fit(hp, model, ...) or give steps_per_epoch= to the hypermodel"
)
STEPS = 4  # an epoch of `fit`
X, Y = np.ones((STEPS * 2, 3), "float32"), np.ones((STEPS * 2, 1), "float32")


class Recorder(keras.optimizers.SGD):
    """Notes every rate a weight is updated with."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.rates = []

    def update_step(self, gradient, variable, learning_rate):
        def note(rate):
            self.rates.append(rate)
            return rate

        noted = tf.numpy_function(note, [learning_rate], "float32")
        super().update_step(gradient, variable, tf.ensure_shape(noted, ()))


def make_model(optimizer, **compile_arguments):
    """One weight variable, so that a step is one update."""
    model = keras.Sequential([keras.layers.Input((3,)), keras.layers.Dense(1, use_bias=False)])
    model.compile(optimizer, "mse", **compile_arguments)
    return model


def fit(model, epochs=1, **arguments):
    model.fit(X, Y, batch_size=2, epochs=epochs, shuffle=False, verbose=0, **arguments)


@pytest.mark.parametrize("mode", [{}, {"run_eagerly": True}, {"steps_per_execution": 2}])
@pytest.mark.parametrize("exact", [False, True])
def test_fit_uses_the_schedules_rates(mode, exact):
    schedule = ExponentialDecay(0.1, 0.5) if exact else TimeDecay(0.1, 0.7)
    table = schedule.table(3, STEPS)
    in_keras = adapter.TableSchedule(table) if exact else schedule.to_keras(STEPS)
    optimizer = Recorder(in_keras, momentum=0.5)
    fit(make_model(optimizer, **mode), epochs=3)
    assert np.array_equal(optimizer.rates, table)


def test_fit_really_moves_the_weight_by_the_rate():
    schedule = StepDecay(0.25, 0.5, 1)  # exact in float32
    model = make_model(keras.optimizers.SGD(schedule.to_keras(STEPS)))
    model.compile(model.optimizer, loss=lambda y, predicted: predicted)  # gradient 1 a weight
    model.set_weights([np.zeros((3, 1), "float32")])
    for epoch in range(3):
        before = model.get_weights()[0]
        model.fit(X, Y, batch_size=2, epochs=1, verbose=0)
        assert (before - model.get_weights()[0]).tolist() == [[STEPS * 0.25 * 0.5**epoch]] * 3


def test_two_partial_fits_equal_one_whole_fit():
    table = TimeDecay(0.1, 0.7).table(4, STEPS)
    first, second = Recorder(0.5, momentum=0.5), Recorder(0.5, momentum=0.5)
    model = make_model(first)
    adapter.place(model, adapter.TableSchedule(table))
    fit(model, epochs=2)
    model = make_model(second)
    adapter.place(model, adapter.TableSchedule(table[2 * STEPS :], first_step=2 * STEPS), 2 * STEPS)
    fit(model, epochs=2)
    assert np.array_equal(first.rates + second.rates, table)
    assert int(second.iterations) == 4 * STEPS


def test_steps_outside_a_table_have_its_first_or_last_rate():
    schedule = adapter.TableSchedule([0.3, 0.2, 0.1], first_step=10)
    found = [float(schedule(step)) for step in (0, 9, 10, 11, 12, 13, 10**9)]
    assert found == np.float32([0.3, 0.3, 0.3, 0.2, 0.1, 0.1, 0.1]).tolist()


def test_a_table_can_be_replaced_without_retracing():
    traces = []
    schedule = adapter.TableSchedule([0.3, 0.2])

    @tf.function
    def rate(step):
        traces.append(step)
        return schedule(step)

    assert float(rate(tf.constant(1))) == np.float32(0.2)
    schedule.assign(np.array([0.5, 0.4]))
    assert float(rate(tf.constant(1))) == np.float32(0.4)
    assert schedule.table.tolist() == np.float32([0.5, 0.4]).tolist()
    assert schedule.get_config()["table"] == schedule.table.tolist()
    assert len(traces) == 1


def test_a_table_does_not_change_with_the_callers_array():
    rates = np.array([0.3, 0.2], "float32")
    schedule = adapter.TableSchedule(rates)
    rates[0] = 7
    schedule.table[0] = 7
    assert float(schedule(0)) == schedule.get_config()["table"][0] == np.float32(0.3)


@pytest.mark.parametrize(
    "schedule",
    [
        *(schedule.to_keras(7) for schedule in SAMPLE.values()),
        adapter.TableSchedule(TimeDecay(0.1, 0.3).table(2, 3), first_step=4),
        adapter.UnplacedSchedule(ExponentialDecay(0.1, 0.1)),
    ],
)
def test_configs_pass_through_json(schedule):
    saved = json.loads(json.dumps(keras.saving.serialize_keras_object(schedule)))
    loaded = keras.saving.deserialize_keras_object(saved)
    assert type(loaded) is type(schedule)
    assert loaded.get_config() == schedule.get_config()
    assert getattr(loaded, "schedule", None) == getattr(schedule, "schedule", None)


def test_saved_models_of_all_kinds_load_in_a_fresh_process(tmp_path):
    # One for each kind of parameter: numbers, a boolean, a tuple, a name, another schedule.
    named = ("constant", "time", "multi_step", "one_cycle", "warmup")
    kinds = {name: SAMPLE[name].to_keras(7) for name in named}
    kinds["table"] = adapter.TableSchedule(TimeDecay(0.1, 0.3).table(5, 7))
    for name, schedule in kinds.items():
        model = make_model(keras.optimizers.SGD(schedule, momentum=0.5))
        model.optimizer.build(model.trainable_variables)
        model.optimizer.iterations.assign(STEPS)
        model.save(tmp_path / f"{name}.keras")
    code = (
        "import json, pathlib, sys, keras\nfrom lrtune.schedules.keras import rate_at\n"
        "rates = {}\n"
        "for path in pathlib.Path(sys.argv[1]).glob('*.keras'):\n"
        "    optimizer = keras.saving.load_model(path).optimizer\n"
        "    steps = [int(optimizer.iterations), 0, 8, 27, 34]\n"
        "    rates[path.stem] = steps[:1] + [rate_at(optimizer, s) for s in steps]\n"
        "print(json.dumps(rates))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, tmp_path], capture_output=True, text=True, timeout=240
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1]) == {
        name: [STEPS] + [float(schedule(step)) for step in (STEPS, 0, 8, 27, 34)]
        for name, schedule in kinds.items()
    }


def test_an_unplaced_model_can_do_everything_except_train(tmp_path):
    schedule = StepDecay(0.1, 0.5, 10)
    model = make_model(keras.optimizers.SGD(adapter.UnplacedSchedule(schedule), momentum=0.5))
    model.optimizer.build(model.trainable_variables)
    model.evaluate(X, Y, verbose=0)
    model.predict(X, verbose=0)
    model.save_weights(tmp_path / "model.weights.h5")
    model.load_weights(tmp_path / "model.weights.h5")
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    for unplaced in (model, loaded):
        with pytest.raises(LrtuneError) as error:
            fit(unplaced)
        assert str(error.value) == NOT_PLACED
        # The error costs nothing: placed now, it trains.
        adapter.place(unplaced, schedule.to_keras(STEPS))
        fit(unplaced)
        assert int(unplaced.optimizer.iterations) == STEPS


@pytest.mark.parametrize("build_first", [False, True])
@pytest.mark.parametrize("rate", [0.1, adapter.UnplacedSchedule(Constant(0.1)), lambda: 0.1])
def test_place_works_with_every_optimizer(build_first, rate):
    optimizer = Recorder(rate, momentum=0.5)
    model = make_model(optimizer)
    if build_first:
        optimizer.build(model.trainable_variables)
    adapter.place(model, adapter.TableSchedule([0.5, 0.4, 0.3, 0.2, 0.1, 0.05]), 2)
    assert int(optimizer.iterations) == 2
    fit(model)
    assert np.array_equal(optimizer.rates, np.float32([0.3, 0.2, 0.1, 0.05]))
    # The table is no optimizer state, or optimizer states of other lengths would not load.
    assert [variable.name.split("_")[-1] for variable in optimizer.variables] == [
        "iteration",
        "momentum",
    ]


def test_place_replaces_a_traced_schedule():
    optimizer = Recorder(0.1)
    model = make_model(optimizer)
    fit(model)
    adapter.place(model, adapter.TableSchedule([0.5, 0.4, 0.3, 0.2]), 0)
    fit(model)
    assert np.array_equal(optimizer.rates, np.float32([0.1] * 4 + [0.5, 0.4, 0.3, 0.2]))


def test_place_reaches_into_a_loss_scale_optimizer():
    inner = Recorder(adapter.UnplacedSchedule(Constant(0.1)))
    model = make_model(keras.optimizers.LossScaleOptimizer(inner))
    adapter.place(model, adapter.TableSchedule([0.5, 0.4, 0.3, 0.2, 0.1]), 1)
    assert adapter.rate_at(model.optimizer, 4) == np.float32(0.1)
    assert int(model.optimizer.iterations) == 1
    # Its first loss scale overflows nothing here, so every step counts.
    fit(model)
    assert np.array_equal(inner.rates, np.float32([0.4, 0.3, 0.2, 0.1]))


def test_rate_at_is_what_the_optimizer_uses():
    table = TimeDecay(0.1, 0.3).table(2, 5)
    optimizer = keras.optimizers.SGD(adapter.TableSchedule(table))
    optimizer.iterations.assign(3)
    assert [adapter.rate_at(optimizer, step) for step in range(10)] == table.tolist()
    assert int(optimizer.iterations) == 3
    assert adapter.rate_at(keras.optimizers.SGD(0.1), 8) == np.float32(0.1)
    assert adapter.rate_at(keras.optimizers.SGD(lambda: 0.1), 8) == 0.1
    accumulating = keras.optimizers.SGD(adapter.TableSchedule(table), gradient_accumulation_steps=2)
    assert adapter.rate_at(accumulating, 7) == table[7]


def test_rate_at_restores_the_step_count_after_an_error():
    optimizer = keras.optimizers.SGD(adapter.UnplacedSchedule(Constant(0.1)))
    with pytest.raises(LrtuneError):
        adapter.rate_at(optimizer, 5)
    assert int(optimizer.iterations) == 0


@pytest.mark.parametrize(
    ("act", "message"),
    [
        (
            lambda: Constant(0.1).to_keras(0),
            "steps_per_epoch must be an integer >= 1. Received: steps_per_epoch=0.",
        ),
        (
            lambda: adapter.KerasSchedule(0.1, 5),
            "schedule must be an lrtune Schedule or its config. Received: schedule=0.1.",
        ),
        (
            lambda: adapter.UnplacedSchedule(None),
            "schedule must be an lrtune Schedule or its config. Received: schedule=None.",
        ),
        (
            lambda: adapter.TableSchedule([]),
            (
                "table must be an array [steps] of learning rates, at least one. "
                "Received: shape (0,), dtype float64."
            ),
        ),
        (
            lambda: adapter.TableSchedule([[0.1]]),
            (
                "table must be an array [steps] of learning rates, at least one. "
                "Received: shape (1, 1), dtype float64."
            ),
        ),
        (
            lambda: adapter.TableSchedule(["a"]),
            (
                "table must be an array [steps] of learning rates, at least one. "
                "Received: shape (1,), dtype <U1."
            ),
        ),
        (
            lambda: adapter.TableSchedule([0.1, -0.5]),
            "table must hold finite learning rates >= 0. Received: -0.5.",
        ),
        (
            lambda: adapter.TableSchedule([0.1, float("nan")]),
            "table must hold finite learning rates >= 0. Received: nan.",
        ),
        (
            lambda: adapter.TableSchedule([1e39]),
            "table must hold finite learning rates >= 0. Received: 1e+39.",
        ),
        (
            lambda: adapter.TableSchedule([0.1], first_step=-1),
            "first_step must be an integer >= 0. Received: first_step=-1.",
        ),
        (
            lambda: adapter.TableSchedule([0.1, 0.2]).assign([0.1]),
            "table must have as many rates as before, 2. Received: 1 rates.",
        ),
        (
            lambda: adapter.place(make_model("sgd"), 0.1),
            "schedule must be a Keras LearningRateSchedule. Received: schedule=0.1.",
        ),
        (
            lambda: adapter.place(keras.Sequential(), adapter.TableSchedule([0.1])),
            "model must be compiled, with an optimizer. Received: none in it.",
        ),
        (
            lambda: adapter.place(make_model("sgd"), adapter.TableSchedule([0.1]), -1),
            "initial_step must be an integer >= 0. Received: initial_step=-1.",
        ),
        (
            lambda: adapter.rate_at(keras.optimizers.SGD(), 1.5),
            "step must be an integer >= 0. Received: step=1.5.",
        ),
    ],
)
def test_arguments_outside_the_domain_are_refused(act, message):
    with pytest.raises(ArgumentError) as error:
        act()
    assert str(error.value) == message


@pytest.mark.parametrize("name", keras_private.PRIVATE)
def test_keras_still_has_each_private_name(name):
    # Where this fails Keras has changed since SEEN_IN: look at what replaced the name.
    optimizer = keras.optimizers.SGD(0.1)
    assert hasattr(optimizer, name), f"{name}, last seen in Keras {keras_private.SEEN_IN}"


def test_keras_still_keeps_the_arguments_that_a_model_was_compiled_with():
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model.compile("sgd", loss="mse", loss_weights=[0.5])
    assert all(hasattr(model, name) for name in keras_private.OF_MODELS)
    assert all(hasattr(model._compile_loss, name) for name in keras_private.OF_LOSSES)
    mean = keras.metrics.MeanMetricWrapper(keras.metrics.mean_squared_error)
    assert all(hasattr(mean, name) for name in keras_private.OF_METRICS)
    found = keras_private.compile_arguments(model)
    assert (found["loss"], found["loss_weights"]) == ("mse", [0.5])
    model.compile(**found)
