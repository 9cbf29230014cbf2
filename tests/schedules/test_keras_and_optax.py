"""Ours against the schedules of Keras and optax, point by point."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from lrtune.schedules import (
    Constant,
    CosineDecay,
    CosineRestarts,
    ExponentialDecay,
    LinearDecay,
    MultiStepDecay,
    OneCycle,
    PiecewiseLinear,
    PolynomialDecay,
    ReduceOnPlateau,
    StepDecay,
    TimeDecay,
    Warmup,
)

# Keras 3.15 itself under NumPy 2.4, wherever it turns a variable into an array.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

PER_EPOCH = 4  # steps; powers of 2 so that times are exact in float32, in which Keras computes
STEPS = np.arange(12 * PER_EPOCH)
SAME_AS_KERAS = {
    "ExponentialDecay in stairs": (
        StepDecay(0.1, 0.5, 3),
        lambda own: own.ExponentialDecay(0.1, 3 * PER_EPOCH, 0.5, staircase=True),
    ),
    "ExponentialDecay each epoch": (
        ExponentialDecay(0.1, 0.1),
        lambda own: own.ExponentialDecay(0.1, PER_EPOCH, np.exp(-0.1), staircase=True),
    ),
    "ExponentialDecay": (
        ExponentialDecay(0.1, 0.1, per_step=True),
        lambda own: own.ExponentialDecay(0.1, PER_EPOCH, np.exp(-0.1)),
    ),
    "InverseTimeDecay": (
        TimeDecay(0.1, 0.25),
        lambda own: own.InverseTimeDecay(0.1, PER_EPOCH, 0.25),
    ),
    "InverseTimeDecay in stairs": (
        TimeDecay(0.1, 0.25, per_step=False),
        lambda own: own.InverseTimeDecay(0.1, PER_EPOCH, 0.25, staircase=True),
    ),
    "PolynomialDecay": (
        PolynomialDecay(0.1, 10, 2, end=0.1),
        lambda own: own.PolynomialDecay(0.1, 10 * PER_EPOCH, 0.01, power=2),
    ),
    "PolynomialDecay of power 1": (
        LinearDecay(0.1, 10, end=0.1),
        lambda own: own.PolynomialDecay(0.1, 10 * PER_EPOCH, 0.01),
    ),
    "CosineDecay": (
        CosineDecay(0.1, 10, end=0.1),
        lambda own: own.CosineDecay(0.1, 10 * PER_EPOCH, alpha=0.1),
    ),
    "CosineDecay with warmup_target": (
        Warmup(CosineDecay(0.1, 8), 2, start=0.25),
        lambda own: own.CosineDecay(
            0.025, 8 * PER_EPOCH, warmup_target=0.1, warmup_steps=2 * PER_EPOCH
        ),
    ),
    "CosineDecayRestarts": (
        CosineRestarts(0.1, 2, 2, peak_decay=0.5),
        lambda own: own.CosineDecayRestarts(0.1, 2 * PER_EPOCH, t_mul=2.0, m_mul=0.5),
    ),
    "CosineDecayRestarts of one length": (
        CosineRestarts(0.1, 3, end=0.1),
        lambda own: own.CosineDecayRestarts(0.1, 3 * PER_EPOCH, t_mul=1.0, alpha=0.1),
    ),
}


@pytest.mark.parametrize("case", SAME_AS_KERAS)
def test_ours_has_the_rates_of_keras(case):
    ours, make = SAME_AS_KERAS[case]
    theirs = make(keras.optimizers.schedules)
    expected = [float(theirs(step)) for step in STEPS]
    assert ours(STEPS / PER_EPOCH) == pytest.approx(expected, rel=3e-5, abs=1e-8)


def test_a_boundary_of_keras_belongs_to_the_old_rate():
    ours = MultiStepDecay(1.0, (2, 5), 0.5)(STEPS / PER_EPOCH)
    theirs = keras.optimizers.schedules.PiecewiseConstantDecay(
        [2 * PER_EPOCH, 5 * PER_EPOCH], [1.0, 0.5, 0.25]
    )
    expected = np.array([float(theirs(step)) for step in STEPS])
    assert np.flatnonzero(ours != expected).tolist() == [2 * PER_EPOCH, 5 * PER_EPOCH]


def test_later_cycles_of_keras_restarts_end_at_a_share_of_lr0():
    ours = CosineRestarts(0.1, 2, peak_decay=0.5, end=0.2)(STEPS / PER_EPOCH)
    theirs = keras.optimizers.schedules.CosineDecayRestarts(
        0.1, 2 * PER_EPOCH, t_mul=1.0, m_mul=0.5, alpha=0.2
    )
    cycle = STEPS // (2 * PER_EPOCH)
    expected = np.array([float(theirs(step)) for step in STEPS])
    # Theirs is a + (1 - a) p h, ours p (a + (1 - a) h): less by (1 - p) a.
    assert ours == pytest.approx(expected - 0.1 * 0.2 * (1 - 0.5**cycle), rel=1e-4)


def test_keras_cannot_reduce_the_rate_of_a_schedule_on_a_plateau():
    model = keras.Sequential([keras.layers.Input((1,)), keras.layers.Dense(1)])
    model.compile(keras.optimizers.SGD(Constant(0.1).to_keras(5)), "mse")
    callback = keras.callbacks.ReduceLROnPlateau(patience=1, monitor="loss")
    callback.set_model(model)
    callback.on_train_begin()
    callback.on_epoch_end(0, {"loss": 1.0})
    with pytest.raises(TypeError, match="not settable"):
        callback.on_epoch_end(1, {"loss": 1.0})


LOSSES = {
    "falls": [3.0, 2.0, 1.0, 0.5],
    "stays": [1.0] * 12,
    "falls too little": [1.0, 0.9999, 0.9998, 0.9997, 0.99, 0.98995, 0.9899, 0.98],
    "swings": [1, 2, 1, 2, 0.5, 2, 1, 2, 0.4, 0.5, 0.5, 0.5, 0.5],
    "diverges": [1.0, 2.0, float("inf"), float("nan"), float("nan"), 0.5],
}


@pytest.mark.parametrize("losses", LOSSES.values(), ids=LOSSES)
@pytest.mark.parametrize("patience", [1, 2, 3])
@pytest.mark.parametrize("min_delta", [0, 1e-4, 0.3])
def test_a_plateau_reduces_the_rate_when_keras_callback_does(losses, patience, min_delta):
    class Model:
        optimizer = keras.optimizers.SGD(1.0)

    callback = keras.callbacks.ReduceLROnPlateau(
        factor=0.5, patience=patience, min_delta=min_delta, mode="min"
    )
    callback.set_model(Model())
    callback.on_train_begin()
    ours = ReduceOnPlateau(1.0, 0.5, patience, min_delta)
    for epoch, loss in enumerate(losses):
        callback.on_epoch_end(epoch, {"val_loss": loss})
        assert ours.feedback(losses[: epoch + 1]) == float(Model.optimizer.learning_rate)


@pytest.fixture(scope="module")
def optax():
    pytest.importorskip("optax.contrib")
    return pytest.importorskip("optax")


def rates_of_optax(schedule):
    import jax

    return np.asarray(jax.vmap(schedule)(STEPS))


SAME_AS_OPTAX = {
    "constant_schedule": (Constant(0.1), lambda own: own.constant_schedule(0.1)),
    "exponential_decay": (
        ExponentialDecay(0.1, 0.1, per_step=True),
        lambda own: own.exponential_decay(0.1, PER_EPOCH, np.exp(-0.1)),
    ),
    "exponential_decay in stairs": (
        StepDecay(0.1, 0.5, 3),
        lambda own: own.exponential_decay(0.1, 3 * PER_EPOCH, 0.5, staircase=True),
    ),
    "piecewise_constant_schedule": (
        MultiStepDecay(0.1, (2, 5), 0.3),
        lambda own: own.piecewise_constant_schedule(0.1, {2 * PER_EPOCH: 0.3, 5 * PER_EPOCH: 0.3}),
    ),
    "polynomial_schedule": (
        PolynomialDecay(0.1, 10, 2, end=0.1),
        lambda own: own.polynomial_schedule(0.1, 0.01, 2, 10 * PER_EPOCH),
    ),
    "linear_schedule": (
        LinearDecay(0.1, 10, end=0.1),
        lambda own: own.linear_schedule(0.1, 0.01, 10 * PER_EPOCH),
    ),
    "cosine_decay_schedule": (
        CosineDecay(0.1, 10, end=0.1),
        lambda own: own.cosine_decay_schedule(0.1, 10 * PER_EPOCH, alpha=0.1),
    ),
    "warmup_constant_schedule": (
        Warmup(Constant(0.1), 2, start=0.1),
        lambda own: own.warmup_constant_schedule(0.01, 0.1, 2 * PER_EPOCH),
    ),
    "warmup_cosine_decay_schedule": (
        # Its decay_steps include the warmup, as `before` has it.
        Warmup.before(CosineDecay(0.1, 10, end=0.1), 2, start=0.1),
        lambda own: own.warmup_cosine_decay_schedule(
            0.01, 0.1, 2 * PER_EPOCH, 10 * PER_EPOCH, end_value=0.01
        ),
    ),
    "join_schedules": (
        Warmup(TimeDecay(0.1, 0.3), 2),
        lambda own: own.join_schedules(
            [own.linear_schedule(0, 0.1, 2 * PER_EPOCH), lambda n: 0.1 / (1 + 0.3 * n / PER_EPOCH)],
            [2 * PER_EPOCH],
        ),
    ),
    "sgdr_schedule": (
        CosineRestarts(0.1, 2, 2, peak_decay=0.5, end=0.1),
        lambda own: own.sgdr_schedule(
            [
                {"init_value": peak, "peak_value": peak, "warmup_steps": 0,
                 "decay_steps": length * PER_EPOCH, "end_value": 0.1 * peak}
                for peak, length in ((0.1, 2), (0.05, 4), (0.025, 8))
            ]
        ),
    ),
    "cosine_onecycle_schedule": (
        OneCycle(0.1, 10, peak=0.3, div=10, final=500),
        lambda own: own.cosine_onecycle_schedule(10 * PER_EPOCH, 0.1, 0.3, 10, 50),
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", SAME_AS_OPTAX)
def test_ours_has_the_rates_of_optax(optax, case):
    ours, make = SAME_AS_OPTAX[case]
    expected = rates_of_optax(make(optax))
    assert ours(STEPS / PER_EPOCH) == pytest.approx(expected, rel=3e-5, abs=1e-8)


def test_between_its_knots_optax_is_linear_in_the_rate_itself(optax):
    ours = PiecewiseLinear(0.1, 12, (1.0, 0.5, 0.5, 0.25))(STEPS / PER_EPOCH)
    knots = 4 * PER_EPOCH
    theirs = rates_of_optax(
        optax.piecewise_interpolate_schedule(
            "linear", 0.1, {knots: 0.5, 2 * knots: 1.0, 3 * knots: 0.5}
        )
    )
    assert ours[::knots] == pytest.approx(theirs[::knots], rel=1e-6)
    # A geometric mean is below the arithmetic one.
    falling = (STEPS % knots != 0) & (STEPS // knots != 1)
    assert (ours[falling] < theirs[falling]).all()


def test_the_linear_one_cycle_of_optax_has_a_third_phase(optax):
    # Back to the first rate at pct_final, then down; ours goes straight down, like torch's.
    ours = OneCycle(0.1, 10, peak=0.3, div=10, final=500, annealing="linear")(STEPS / PER_EPOCH)
    theirs = rates_of_optax(optax.linear_onecycle_schedule(10 * PER_EPOCH, 0.1, 0.3, 0.85, 10, 50))
    until_the_peak = 3 * PER_EPOCH + 1
    assert ours[:until_the_peak] == pytest.approx(theirs[:until_the_peak], rel=1e-5)
    assert theirs[round(8.5 * PER_EPOCH)] == pytest.approx(theirs[0], rel=1e-5)
    assert ours[round(8.5 * PER_EPOCH)] > 1.5 * ours[0]
    assert ours[10 * PER_EPOCH :] == pytest.approx(theirs[10 * PER_EPOCH :], rel=1e-4)


def test_a_plateau_reduces_the_rate_when_optax_does(optax):
    import jax

    optimizer = optax.contrib.reduce_on_plateau(0.5, patience=2, rtol=0.0, atol=0.25)
    update = jax.jit(optimizer.update)
    ours = ReduceOnPlateau(1.0, 0.5, 2, min_delta=0.25)
    for losses in LOSSES.values():
        state = optimizer.init(0.0)
        for epoch, loss in enumerate(losses):
            _, state = update(1.0, state, value=float(loss))
            assert ours.feedback(losses[: epoch + 1]) == float(state.scale)
