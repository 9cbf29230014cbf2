"""What holds for every schedule family, checked on every family."""

from __future__ import annotations

import dataclasses
import json
import math
import pickle
import sys
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lrtune import schedules
from lrtune.errors import ArgumentError
from lrtune.schedules import Schedule
from tests.schedules.cases import ANY, SAMPLE, SANE, TINY
from tests.schedules.definitions import definition

# Which families have which of the properties below; "warmup" is one of any family after a warmup,
# "compressed" one of any family, or of a warmup, in less time.
STARTS_AT_LR0 = {
    "constant", "time", "step", "exponential", "multi_step", "polynomial", "linear", "rex",
    "cosine", "cosine_restarts", "hyperbolic", "plateau",
}  # fmt: skip
NEVER_RISES = STARTS_AT_LR0 - {"cosine_restarts"} | {"sigmoid", "tanh"}
STAYS_AFTER_ITS_EPOCHS = {name for name in schedules.names() if hasattr(SAMPLE.get(name), "epochs")}
HELD_OR_NOT = {"time", "step", "exponential"}

every_family = pytest.mark.parametrize("family", ANY)
every_sample = pytest.mark.parametrize("schedule", SAMPLE.values(), ids=SAMPLE)
examples = settings(max_examples=15, deadline=None)


def families_that(names):
    """Parametrizes a test with the families of one of the sets above."""
    return pytest.mark.parametrize("family", sorted(names))


def test_contract_covers_every_family():
    assert list(ANY) == list(SANE) == list(SAMPLE)
    assert set(ANY) == {*schedules.names(), "warmup", "compressed"}
    assert all(schedule.name == name for name, schedule in SAMPLE.items())


@every_family
@examples
@given(data=st.data())
def test_rates_are_finite_from_0_to_lr0(family, data):
    schedule = data.draw(ANY[family])
    t = data.draw(st.lists(st.floats(0, allow_infinity=False), min_size=1, max_size=8))
    found = schedule(np.array([0.0, *t]))
    assert np.isfinite(found).all()
    assert (found >= 0).all()
    assert (found <= schedule.lr0).all()
    table = schedule.table(3, 7)
    assert np.isfinite(table).all()
    assert (table >= 0).all()
    assert (table <= np.float32(schedule.lr0)).all()


@every_family
@examples
@given(data=st.data(), step=st.integers(0, 5_000), per_epoch=st.sampled_from([1, 7, 20, 100, 157]))
def test_follows_its_definition(family, data, step, per_epoch):
    schedule = data.draw(SANE[family])
    right = definition(schedule, Fraction(step, per_epoch))
    # Times differ by up to 1e-11 epochs, as floats and because of ROUNDING. A square root falls
    # infinitely fast where it begins.
    slack = 1e-6 if "sqrt" in repr(schedule) else 1e-11
    assert schedule(step / per_epoch) == pytest.approx(
        right if right >= TINY else 0.0, rel=1e-9, abs=slack * schedule.lr0
    )


@families_that(STARTS_AT_LR0)
@examples
@given(data=st.data())
def test_starts_at_lr0_exactly(family, data):
    schedule = data.draw(ANY[family])
    assert schedule(0) == schedule.lr0


@families_that(NEVER_RISES)
@examples
@given(data=st.data())
def test_never_rises(family, data):
    table = data.draw(SANE[family]).table(20, 13)
    assert (np.diff(table) <= 0).all()


@families_that(set(ANY) - NEVER_RISES)
def test_every_other_family_does_rise(family):
    assert (np.diff(SAMPLE[family].table(50, 13)) > 0).any()


@families_that(set(ANY) - STARTS_AT_LR0)
def test_every_other_family_starts_below_lr0(family):
    assert SAMPLE[family](0) < SAMPLE[family].lr0


@families_that(STAYS_AFTER_ITS_EPOCHS)
@examples
@given(data=st.data(), later=st.floats(0, 1e9))
def test_stays_as_it_is_after_its_epochs(family, data, later):
    schedule = data.draw(ANY[family])
    # TensorFlow knows no number below this one, so it is the shortest horizon.
    horizon = max(schedule.epochs, sys.float_info.min)
    assert schedule(max(horizon, later)) == schedule(horizon)
    assert schedule(sys.float_info.max) == schedule(horizon)


@every_family
@examples
@given(data=st.data(), epochs=st.integers(1, 5), steps_per_epoch=st.integers(1, 20))
def test_table_holds_the_pointwise_rates(family, data, epochs, steps_per_epoch):
    schedule = data.draw(SANE[family])
    table = schedule.table(epochs, steps_per_epoch)
    assert table.dtype == np.float32
    pointwise = [np.float32(schedule(i / steps_per_epoch)) for i in range(epochs * steps_per_epoch)]
    assert table.tolist() == pointwise


@every_family
@examples
@given(data=st.data(), t=st.lists(st.floats(0, 1e4), min_size=1, max_size=17))
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
    again = type(schedule).from_config(config)
    assert again == schedule
    assert hash(again) == hash(schedule)
    assert pickle.loads(pickle.dumps(schedule)) == schedule  # noqa: S301 - our own bytes


@every_family
@examples
@given(data=st.data(), momentum=st.floats(0, 1, exclude_max=True))
def test_momentum_stays_from_0_to_the_optimizers(family, data, momentum):
    schedule = data.draw(ANY[family])
    table = schedule.momentum_table(momentum, 3, 7)
    assert table.dtype == np.float64
    assert table.shape == (21,)
    assert (table >= 0).all()
    assert (table <= momentum).all()
    if family not in ("one_cycle", "warmup", "compressed"):
        assert (table == momentum).all()


@every_family
@examples
@given(data=st.data(), losses=st.lists(st.floats(), max_size=9))
def test_only_plateau_listens_to_the_losses(family, data, losses):
    schedule = data.draw(ANY[family])
    then = getattr(schedule, "then", schedule)
    assert schedule.closed_loop == (then.name == "plateau")
    factor = schedule.feedback(losses)
    assert 0 <= factor <= 1
    assert schedule.closed_loop or factor == 1


def test_exactly_these_families_can_be_held_or_not():
    fields = {
        name: {field.name for field in dataclasses.fields(schedule)}
        for name, schedule in SAMPLE.items()
    }
    assert {name for name, own in fields.items() if "per_step" in own} == HELD_OR_NOT


@families_that(HELD_OR_NOT)
@examples
@given(data=st.data(), epoch=st.integers(0, 60), within=st.floats(0, 1, exclude_max=True))
def test_a_held_schedule_keeps_the_rate_of_the_epochs_start(family, data, epoch, within):
    schedule = dataclasses.replace(data.draw(SANE[family]), per_step=False)
    t = epoch + within  # may round up to the next epoch
    assert schedule(t) == schedule(math.floor(t))


@families_that(HELD_OR_NOT)
@examples
@given(data=st.data(), epoch=st.integers(0, 60))
def test_per_step_and_held_agree_at_the_start_of_an_epoch(family, data, epoch):
    schedule = data.draw(SANE[family])
    other = dataclasses.replace(schedule, per_step=not schedule.per_step)
    assert schedule(epoch) == other(epoch)


@every_sample
def test_the_shape_of_an_array_is_kept(schedule):
    for t, shape in [
        (np.zeros((2, 3)), (2, 3)), ([], (0,)), (np.array(1.5), ()), ([[1], [2]], (2, 1))
    ]:  # fmt: skip
        found = schedule(t)
        assert isinstance(found, np.ndarray)
        assert found.shape == shape
        assert found.dtype == np.float64


@every_sample
def test_a_number_gives_a_float(schedule):
    for t in (3, 3.0, np.float32(3), np.float64(3), np.int64(3)):
        assert type(schedule(t)) is float
        assert schedule(t) == schedule([3.0])[0]


@every_sample
def test_is_frozen_and_hashable(schedule):
    assert hash(schedule) == hash(dataclasses.replace(schedule))
    with pytest.raises(dataclasses.FrozenInstanceError):
        schedule.lr0 = 1.0


NO_TIME = "t must be a number of epochs, or an array of such numbers. Received: t="


@every_sample
def test_times_outside_the_domain_are_refused(schedule):
    for t, message in [
        (-1, "t must be finite and >= 0, in epochs. Received: t=-1."),
        (-1e-300, "t must be finite and >= 0, in epochs. Received: t=-1e-300."),
        (math.nan, "t must be finite and >= 0, in epochs. Received: t=nan."),
        (math.inf, "t must be finite and >= 0, in epochs. Received: t=inf."),
        ([0, -2], "t must be finite and >= 0, in epochs. Received: t=-2.0 in an array."),
        ("1", f"{NO_TIME}'1'."),
        (None, f"{NO_TIME}None."),
        (True, f"{NO_TIME}True."),
        (1j, f"{NO_TIME}1j."),
        ([[1], [1, 2]], f"{NO_TIME}[[1], [1, 2]]."),
    ]:
        with pytest.raises(ArgumentError) as error:
            schedule(t)
        assert str(error.value) == message


@every_sample
def test_a_table_needs_at_least_one_step(schedule):
    for epochs, steps_per_epoch, message in [
        (0, 5, "epochs must be an integer >= 1. Received: epochs=0."),
        (2.0, 5, "epochs must be an integer >= 1. Received: epochs=2.0."),
        (True, 5, "epochs must be an integer >= 1. Received: epochs=True."),
        (5, -1, "steps_per_epoch must be an integer >= 1. Received: steps_per_epoch=-1."),
        (5, "7", "steps_per_epoch must be an integer >= 1. Received: steps_per_epoch='7'."),
    ]:
        with pytest.raises(ArgumentError) as error:
            schedule.table(epochs, steps_per_epoch)
        assert str(error.value) == message
        with pytest.raises(ArgumentError) as error:
            schedule.momentum_table(0.9, epochs, steps_per_epoch)
        assert str(error.value) == message


@pytest.mark.parametrize("name", sorted(set(ANY) - {"warmup", "compressed"}))
def test_integers_and_numpy_scalars_are_stored_as_floats(name):
    for lr0 in (1, np.int32(1), np.float32(1), np.float64(1)):
        schedule = dataclasses.replace(SAMPLE[name], lr0=lr0)
        assert type(schedule.lr0) is float
        assert schedule.get_config()["lr0"] == 1.0
