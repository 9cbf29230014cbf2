"""What is particular to each family: its defaults, boundaries and domains, and the reading."""

from __future__ import annotations

import math
import subprocess
import sys

import numpy as np
import pytest

from lrtune.errors import ArgumentError
from lrtune.schedules import Constant, ExponentialDecay, StepDecay, TimeDecay


def test_the_readings_table():
    epochs = [0, 10, 25, 50]
    assert Constant(0.01)(epochs).tolist() == [0.01, 0.01, 0.01, 0.01]
    # Its last column is the rate in force in the 50th epoch, index 49, for step ...
    step = StepDecay(0.1, drop=0.5, epochs_drop=10)
    assert step([0, 10, 25, 49]) == pytest.approx([0.1, 0.05, 0.025, 0.00625], rel=1e-15)
    assert step(50) == pytest.approx(0.003125, rel=1e-15)
    # ... and epoch 50 itself for exponential, to the digits it prints (.0007 and .0006: cut off).
    exponential = ExponentialDecay(0.1, k=0.1)(epochs)
    assert exponential == pytest.approx([0.1, 0.03678794, 0.008208500, 0.0006737947], rel=1e-6)
    assert [math.floor(rate * 1e4) for rate in exponential] == [1000, 367, 82, 6]
    # Its time row takes k per update for k per epoch; its code has reached .006 by then.
    mistaken = TimeDecay(0.1, k=0.002, per_step=False)(epochs)
    assert [math.floor(rate * 1e3) / 1e3 for rate in mistaken] == [0.1, 0.098, 0.095, 0.09]
    assert TimeDecay.per_update(0.1, 0.002, steps_per_epoch=157)(50) == pytest.approx(
        0.1 / (1 + 0.002 * 157 * 50), rel=1e-15
    )
    assert round(TimeDecay.per_update(0.1, 0.002, steps_per_epoch=157)(50), 3) == 0.006


def test_time_falls_at_every_update_as_in_the_reading():
    table = TimeDecay.per_update(0.1, 0.002, steps_per_epoch=157).table(50, 157)
    updates = np.arange(50 * 157)
    assert table == pytest.approx(0.1 / (1 + 0.002 * updates), rel=1e-7)
    assert (np.diff(table) < 0).all()


def test_the_k_of_time_is_per_epoch():
    assert TimeDecay.per_update(0.1, 0.002, 157) == TimeDecay(0.1, 0.002 * 157)
    assert TimeDecay.per_update(0.1, 0.002, 157, per_step=False).per_step is False
    assert TimeDecay(0.1, 0.25)(4) == 0.05


def test_time_falls_at_every_step_by_default_step_and_exponential_once_per_epoch():
    assert TimeDecay(0.1, 0.1).per_step
    assert not StepDecay(0.1, 0.5, 10).per_step
    assert not ExponentialDecay(0.1, 0.1).per_step
    assert "per_step" not in Constant(0.1).get_config()


def test_exponential_changes_at_the_first_step_of_an_epoch():
    held = ExponentialDecay(0.1, 0.1)
    assert held(np.nextafter(3, 0)) == held(2)
    assert held(3) == pytest.approx(0.1 * math.exp(-0.3), rel=1e-15)
    assert held(np.nextafter(3, 4)) == held(3)
    assert ExponentialDecay(0.1, 0.1, per_step=True)(2.5) == pytest.approx(0.1 * math.exp(-0.25))


@pytest.mark.parametrize("steps_per_epoch", [1, 7, 125, 157])
def test_step_drops_at_the_first_step_of_its_epoch(steps_per_epoch):
    schedule = StepDecay(0.1, 0.5, 10)
    table = schedule.table(50, steps_per_epoch)
    for drop in range(1, 5):
        first = 10 * drop * steps_per_epoch
        assert table[first - 1] == np.float32(0.1 * 0.5 ** (drop - 1))
        assert table[first] == np.float32(0.1 * 0.5**drop)
        assert table[first + 1] == table[first] or steps_per_epoch * 10 == 1
        assert schedule(np.nextafter(10 * drop, 0)) == 0.1 * 0.5 ** (drop - 1)
        assert schedule(10 * drop) == 0.1 * 0.5**drop
        assert schedule(np.nextafter(10 * drop, 99)) == 0.1 * 0.5**drop


@pytest.mark.parametrize("tenths", [1, 2, 3, 6, 7, 11, 12, 25, 33])
def test_step_drops_on_time_where_decimals_round_badly(tenths):
    # 0.3 / 0.1 is 2.9999999999999996 in float64.
    per_epoch, epochs = 10, 300
    schedule = StepDecay(1.0, 0.999, tenths / 10, per_step=True)
    drops = np.arange(epochs * per_epoch) // tenths
    assert schedule.table(epochs, per_epoch) == pytest.approx(0.999**drops, rel=1e-6)
    held = StepDecay(1.0, 0.999, tenths / 10)
    at_start = (np.arange(epochs) * 10) // tenths
    assert held(np.arange(epochs)) == pytest.approx(0.999**at_start, rel=1e-12)


@pytest.mark.parametrize("epochs_drop", [0.1, 0.3, 0.7, 1.1, 2.5, 3.3])
def test_step_never_drops_a_step_early(epochs_drop):
    schedule = StepDecay(1.0, 0.5, epochs_drop, per_step=True)
    for drop in range(1, 30):
        at = drop * epochs_drop
        assert schedule(at * (1 - 1e-12)) == 0.5 ** (drop - 1)
        assert schedule(at) == 0.5**drop
        assert schedule(at * (1 + 1e-12)) == 0.5**drop


def test_step_within_an_epoch_waits_for_the_next_unless_per_step():
    held, exact = StepDecay(0.1, 0.5, 2.5), StepDecay(0.1, 0.5, 2.5, per_step=True)
    t = [2, 2.49, 2.5, 2.9, 3, 4.9, 5]
    assert held(t).tolist() == [0.1, 0.1, 0.1, 0.1, 0.05, 0.05, 0.025]
    assert exact(t).tolist() == [0.1, 0.1, 0.05, 0.05, 0.05, 0.05, 0.025]


def test_extreme_decays_reach_zero_without_a_warning():
    assert ExponentialDecay(0.1, 1e308)(1e308) == 0
    assert ExponentialDecay(0.1, 0)(1e308) == 0.1
    assert TimeDecay(0.1, 1e308)(1e308) == 0
    assert TimeDecay(3e38, 1.0)(1e308) == 0
    assert StepDecay(0.1, 5e-324, 5e-324)(1e308) == 0
    assert StepDecay(0.1, 1, 5e-324)(1e308) == 0.1
    assert StepDecay(0.1, 0.1, 1)(10_000) == 0
    # Below float32's normal numbers a rate is 0, in NumPy as in TensorFlow.
    assert ExponentialDecay(0.1, 1.0)(86) == 0
    assert ExponentialDecay(0.1, 1.0)(85) > 1.2e-38


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: TimeDecay(0.1, -1), "k must be a finite number >= 0. Received: k=-1."),
        (lambda: TimeDecay(0.1, math.inf), "k must be a finite number >= 0. Received: k=inf."),
        (
            lambda: TimeDecay(0.1, 0.1, per_step=1),
            "per_step must be True or False. Received: per_step=1.",
        ),
        (
            lambda: TimeDecay.per_update(0.1, -0.002, 157),
            "k_update must be a finite number >= 0. Received: k_update=-0.002.",
        ),
        (
            lambda: TimeDecay.per_update(0.1, 0.002, 0),
            "steps_per_epoch must be an integer >= 1. Received: steps_per_epoch=0.",
        ),
        (
            lambda: ExponentialDecay(0.1, "fast"),
            "k must be a finite number >= 0. Received: k='fast'.",
        ),
        (lambda: StepDecay(0.1, 0, 10), "drop must be a number > 0 and <= 1. Received: drop=0."),
        (
            lambda: StepDecay(0.1, 1.5, 10),
            "drop must be a number > 0 and <= 1. Received: drop=1.5.",
        ),
        (
            lambda: StepDecay(0.1, 0.5, 0),
            "epochs_drop must be a finite number > 0. Received: epochs_drop=0.",
        ),
        (
            lambda: StepDecay(0.1, 0.5, math.nan),
            "epochs_drop must be a finite number > 0. Received: epochs_drop=nan.",
        ),
    ],
)
def test_parameters_outside_the_domain_are_refused(make, message):
    with pytest.raises(ArgumentError) as error:
        make()
    assert str(error.value) == message


def test_schedules_and_spaces_import_no_tensorflow():
    code = (
        "import sys, lrtune.schedules, lrtune.schedules.space\n"
        "lrtune.schedules.StepDecay(0.1, 0.5, 10).table(50, 125)\n"
        "heavy = {'tensorflow', 'keras', 'keras_tuner', 'pandas', 'scipy'}\n"
        "print(sorted(heavy & {name.split('.')[0] for name in sys.modules}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert (done.stdout, done.stderr) == ("[]\n", "")
