"""Schedules in Keras: at every step the same float32 rates as in the table."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from lrtune.schedules import (
    CosineRestarts,
    ExponentialDecay,
    MultiStepDecay,
    OneCycle,
    SineCycles,
    StepDecay,
    TimeDecay,
    TriangularCycles,
    Warmup,
    WarmupStableDecay,
)
from lrtune.schedules import keras as adapter
from tests.schedules.cases import ANY, SAMPLE

# Keras 3.15 itself under NumPy 2.4, wherever it turns a variable into an array.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

SCHEDULES = SAMPLE | {
    "time of the reading": TimeDecay.per_update(0.1, 0.002, steps_per_epoch=125),
    "time held": TimeDecay(0.1, 0.3, power=0.5, per_step=False),
    "step per step": StepDecay(0.1, 0.37, 0.7, per_step=True),
    "exponential per step": ExponentialDecay(0.1, 0.1, per_step=True),
    "to zero": ExponentialDecay(0.1, 20.0),
    "even restarts": CosineRestarts(0.1, 0.7, end=0.1),
    "triangular": TriangularCycles(0.1, 0.3),
    "sine": SineCycles(0.1, 0.3, mode="exponential", gamma=0.8),
    "one cycle in lines": OneCycle(0.1, 50, 0.4, annealing="linear"),
    "trapezoid": WarmupStableDecay(0.1, 50, 0, 0.3, "cosine"),
    "no decay": WarmupStableDecay(0.1, 50, 0.1, 0, "linear"),
    "step after a warmup": Warmup(StepDecay(0.1, 0.5, 3), 0.1),
    "boundaries after a warmup": Warmup(MultiStepDecay(0.1, (3, 14, 15.9), 0.1), 2.3),
    "one cycle after no warmup": Warmup(OneCycle(0.1, 45), 0),
}
every_schedule = pytest.mark.parametrize("name", SCHEDULES)
EPOCHS = 51  # one more than the horizon of those that have one


def in_keras(steps_per_epoch):
    """All schedules' rates in Keras, as one function of a step or of steps.

    Together, because tracing and compiling each alone takes a second.
    """
    schedules = [schedule.to_keras(steps_per_epoch) for schedule in SCHEDULES.values()]
    return lambda step: tf.stack([schedule(step) for schedule in schedules])


@pytest.fixture(scope="module")
def one_by_one():
    """Every schedule's rates, in a graph that computes one step at a time as training does."""

    every = in_keras(7)  # outside: reduce on plateau has a variable

    @tf.function(autograph=False)
    def rates(steps):
        return tf.map_fn(every, steps, fn_output_signature=tf.float32)

    found = rates(tf.range(EPOCHS * 7, dtype=tf.int64)).numpy().T
    return dict(zip(SCHEDULES, found, strict=True))


@pytest.fixture(scope="module")
def compiled():
    """Every schedule's rates, compiled by XLA."""
    rates = tf.function(in_keras(125), jit_compile=True, autograph=False)
    found = rates(tf.range(EPOCHS * 125, dtype=tf.int64)).numpy()
    return dict(zip(SCHEDULES, found, strict=True))


@every_schedule
def test_keras_has_the_tables_rates_step_by_step(one_by_one, name):
    assert one_by_one[name].tolist() == SCHEDULES[name].table(EPOCHS, 7).tolist()


@every_schedule
def test_keras_has_the_tables_rates_compiled(compiled, name):
    assert compiled[name].tolist() == SCHEDULES[name].table(EPOCHS, 125).tolist()


@every_schedule
def test_keras_has_the_tables_rates_eagerly(name):
    table = SCHEDULES[name].table(EPOCHS, 7)
    schedule = SCHEDULES[name].to_keras(7)
    steps = range(0, len(table), 51)
    assert [float(schedule(step)) for step in steps] == table[::51].tolist()
    assert schedule(tf.constant(3)).dtype == "float32"


@pytest.mark.parametrize("family", ANY)
@settings(max_examples=4, deadline=None)
@given(data=st.data(), t=st.lists(st.floats(0, 1e9), min_size=1, max_size=5))
def test_keras_gives_rates_from_0_to_lr0_for_odd_values_too(family, data, t):
    schedule = data.draw(ANY[family])
    found = keras.ops.convert_to_numpy(
        schedule.evaluate(keras.ops.convert_to_tensor([0.0, *t], "float64"), keras.ops)
    )
    assert found.dtype == np.float64
    assert ((found >= 0) & (found <= schedule.lr0)).all()


@every_schedule
def test_keras_has_the_same_momentum(name):
    t = np.arange(0, EPOCHS, 0.25)
    found = SCHEDULES[name].momentum_factor(keras.ops.convert_to_tensor(t, "float64"), keras.ops)
    ours = SCHEDULES[name].momentum_table(0.9, EPOCHS, 4)
    assert (0.9 * found.numpy()).astype("float32").tolist() == ours.astype("float32").tolist()


def test_a_table_schedule_has_exactly_the_tables_rates():
    # The traced function is one for all tables of a length.
    placed = adapter.TableSchedule(SCHEDULES["constant"].table(EPOCHS, 7))
    traced = tf.function(placed)
    for schedule in SCHEDULES.values():
        table = schedule.table(EPOCHS, 7)
        placed.assign(table)
        assert traced(tf.range(len(table), dtype=tf.int64)).numpy().tobytes() == table.tobytes()
