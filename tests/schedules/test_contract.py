"""What holds for every schedule family, checked on every family."""

from __future__ import annotations

import dataclasses
import json
import math
import pickle
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lrtune import schedules
from lrtune.errors import ArgumentError
from lrtune.schedules import Constant, ExponentialDecay, Schedule, StepDecay, TimeDecay

TINY = float(np.finfo(np.float32).tiny)
HUGE = float(np.finfo(np.float32).max)

# Every value of the domains, however odd.
rates = st.floats(TINY, HUGE)
decays = st.floats(0, allow_infinity=False)
drops = st.floats(0, 1, exclude_min=True)
spans = st.floats(0, exclude_min=True, allow_infinity=False)
ANY = {
    "constant": st.builds(Constant, rates),
    "time": st.builds(TimeDecay, rates, decays, per_step=st.booleans()),
    "step": st.builds(StepDecay, rates, drops, spans, per_step=st.booleans()),
    "exponential": st.builds(ExponentialDecay, rates, decays, per_step=st.booleans()),
}

# Values somebody may train with, written in decimals, as people write them.
sane_rates = st.floats(1e-4, 1)
sane_decays = st.floats(0, 3)
decimals = st.integers(1, 5_000).map(lambda n: n / 100)
SANE = {
    "constant": st.builds(Constant, sane_rates),
    "time": st.builds(TimeDecay, sane_rates, sane_decays, per_step=st.booleans()),
    "step": st.builds(StepDecay, sane_rates, st.floats(0.05, 1), decimals, per_step=st.booleans()),
    "exponential": st.builds(ExponentialDecay, sane_rates, sane_decays, per_step=st.booleans()),
}


def exactly(number):
    """The decimal number that a float stands for."""
    return Fraction(repr(number))


# The definitions again, at an exact time: by hand, in rational numbers as far as it goes.
DEFINITIONS = {
    "constant": lambda s, t: s.lr0,
    "time": lambda s, t: s.lr0 / float(1 + exactly(s.k) * t),
    "step": lambda s, t: s.lr0 * s.drop ** (t // exactly(s.epochs_drop)),
    "exponential": lambda s, t: s.lr0 * math.exp(-exactly(s.k) * t),
}

every_family = pytest.mark.parametrize("family", schedules.names())
examples = settings(max_examples=60, deadline=None)


def test_contract_covers_every_family():
    assert set(ANY) == set(SANE) == set(DEFINITIONS) == set(schedules.names())


@every_family
@examples
@given(data=st.data())
def test_rates_are_finite_and_never_negative(family, data):
    schedule = data.draw(ANY[family])
    t = data.draw(st.lists(st.floats(0, allow_infinity=False), min_size=1, max_size=8))
    found = schedule(np.array([0.0, *t]))
    assert np.isfinite(found).all()
    assert (found >= 0).all()
    assert (found <= schedule.lr0).all()
    table = schedule.table(3, 7)
    assert np.isfinite(table).all()
    assert (table >= 0).all()


@every_family
@examples
@given(data=st.data())
def test_starts_at_lr0_exactly(family, data):
    schedule = data.draw(ANY[family])
    assert schedule(0) == schedule.lr0


@every_family
@examples
@given(data=st.data(), step=st.integers(0, 40_000), steps_per_epoch=st.integers(1, 800))
def test_follows_its_definition(family, data, step, steps_per_epoch):
    schedule = data.draw(SANE[family])
    t = Fraction(step, steps_per_epoch)
    right = DEFINITIONS[family](schedule, t if schedule.per_step else Fraction(math.floor(t)))
    assert schedule(step / steps_per_epoch) == pytest.approx(
        right if right >= TINY else 0.0, rel=1e-11, abs=0
    )


@every_family
@examples
@given(data=st.data(), epochs=st.integers(1, 12), steps_per_epoch=st.integers(1, 40))
def test_table_holds_the_pointwise_rates(family, data, epochs, steps_per_epoch):
    schedule = data.draw(SANE[family])
    table = schedule.table(epochs, steps_per_epoch)
    assert table.dtype == np.float32
    pointwise = [np.float32(schedule(i / steps_per_epoch)) for i in range(epochs * steps_per_epoch)]
    assert table.tolist() == pointwise


@every_family
@examples
@given(data=st.data(), t=st.lists(st.floats(0, 1e4), min_size=1, max_size=33))
def test_scalars_and_arrays_agree(family, data, t):
    schedule = data.draw(ANY[family])
    found = schedule(t)
    assert found.dtype == np.float64
    assert found.tolist() == [schedule(value) for value in t]
    # A strided view takes another path through NumPy.
    assert schedule(np.repeat(t, 2)[::2]).tolist() == found.tolist()


@every_family
@examples
@given(data=st.data())
def test_config_round_trip(family, data):
    schedule = data.draw(ANY[family])
    config = json.loads(json.dumps(schedule.get_config()))
    assert config["name"] == family
    assert Schedule.from_config(config) == schedule
    assert type(schedule).from_config(config) == schedule
    del config["name"]
    assert type(schedule).from_config(config) == schedule
    assert pickle.loads(pickle.dumps(schedule)) == schedule  # noqa: S301 - our own bytes


@every_family
@examples
@given(data=st.data(), epoch=st.integers(0, 60), within=st.floats(0, 1, exclude_max=True))
def test_a_held_schedule_keeps_the_rate_of_the_epochs_start(family, data, epoch, within):
    schedule = data.draw(SANE[family])
    if family != "constant":
        schedule = dataclasses.replace(schedule, per_step=False)
    t = epoch + within  # may round up to the next epoch
    assert schedule(t) == schedule(math.floor(t))


@every_family
@examples
@given(data=st.data(), epoch=st.integers(0, 60))
def test_per_step_and_held_agree_at_the_start_of_an_epoch(family, data, epoch):
    schedule = data.draw(SANE[family])
    if family != "constant":
        other = dataclasses.replace(schedule, per_step=not schedule.per_step)
        assert schedule(epoch) == other(epoch)


@every_family
@examples
@given(data=st.data())
def test_no_schedule_here_ever_rises(family, data):
    table = data.draw(SANE[family]).table(20, 13)
    assert (np.diff(table) <= 0).all()


SAMPLE = {
    "constant": Constant(0.1),
    "time": TimeDecay(0.1, 0.3),
    "step": StepDecay(0.1, 0.5, 10),
    "exponential": ExponentialDecay(0.1, 0.1),
}
every_sample = pytest.mark.parametrize("schedule", SAMPLE.values(), ids=SAMPLE.keys())


@every_sample
@pytest.mark.parametrize(
    ("t", "shape"),
    [(np.zeros((2, 3)), (2, 3)), ([], (0,)), (np.array(1.5), ()), ([[1], [2]], (2, 1))],
)
def test_the_shape_of_an_array_is_kept(schedule, t, shape):
    found = schedule(t)
    assert isinstance(found, np.ndarray)
    assert found.shape == shape
    assert found.dtype == np.float64


@every_sample
@pytest.mark.parametrize("t", [3, 3.0, np.float32(3), np.float64(3), np.int64(3)])
def test_a_number_gives_a_float(schedule, t):
    assert type(schedule(t)) is float
    assert schedule(t) == schedule([3.0])[0]


@every_sample
def test_is_frozen_and_hashable(schedule):
    assert hash(schedule) == hash(dataclasses.replace(schedule))
    with pytest.raises(dataclasses.FrozenInstanceError):
        schedule.lr0 = 1.0


@every_sample
@pytest.mark.parametrize(
    ("t", "message"),
    [
        (-1, "t must be finite and >= 0, in epochs. Received: t=-1."),
        (-1e-300, "t must be finite and >= 0, in epochs. Received: t=-1e-300."),
        (math.nan, "t must be finite and >= 0, in epochs. Received: t=nan."),
        (math.inf, "t must be finite and >= 0, in epochs. Received: t=inf."),
        ([0, -2], "t must be finite and >= 0, in epochs. Received: t=-2.0 in an array."),
        ("1", "t must be a number of epochs, or an array of such numbers. Received: t='1'."),
        (None, "t must be a number of epochs, or an array of such numbers. Received: t=None."),
        (True, "t must be a number of epochs, or an array of such numbers. Received: t=True."),
        (1j, "t must be a number of epochs, or an array of such numbers. Received: t=1j."),
        (
            [[1], [1, 2]],
            "t must be a number of epochs, or an array of such numbers. Received: t=[[1], [1, 2]].",
        ),
    ],
)
def test_times_outside_the_domain_are_refused(schedule, t, message):
    with pytest.raises(ArgumentError) as error:
        schedule(t)
    assert str(error.value) == message


@every_sample
@pytest.mark.parametrize(
    ("epochs", "steps_per_epoch", "message"),
    [
        (0, 5, "epochs must be an integer >= 1. Received: epochs=0."),
        (2.0, 5, "epochs must be an integer >= 1. Received: epochs=2.0."),
        (True, 5, "epochs must be an integer >= 1. Received: epochs=True."),
        (5, -1, "steps_per_epoch must be an integer >= 1. Received: steps_per_epoch=-1."),
        (5, "7", "steps_per_epoch must be an integer >= 1. Received: steps_per_epoch='7'."),
    ],
)
def test_a_table_needs_at_least_one_step(schedule, epochs, steps_per_epoch, message):
    with pytest.raises(ArgumentError) as error:
        schedule.table(epochs, steps_per_epoch)
    assert str(error.value) == message


@every_sample
@pytest.mark.parametrize(
    "lr0",
    [0, -0.1, math.nan, math.inf, 1e-40, 1e39, 10**400, "0.1", None, True, np.bool_(1), [0.1]],
)
def test_rates_outside_the_domain_are_refused(schedule, lr0):
    with pytest.raises(ArgumentError) as error:
        dataclasses.replace(schedule, lr0=lr0)
    assert str(error.value) == (
        "lr0 must be a number > 0 that float32 can hold (1.2e-38 to 3.4e38). "
        f"Received: lr0={lr0!r}."
    )


@every_sample
def test_integers_and_numpy_scalars_are_stored_as_floats(schedule):
    for lr0 in (1, np.int32(1), np.float32(1), np.float64(1)):
        assert type(dataclasses.replace(schedule, lr0=lr0).lr0) is float
        assert dataclasses.replace(schedule, lr0=lr0).get_config()["lr0"] == 1.0
