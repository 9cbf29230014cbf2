"""A warmup before another schedule: its boundary, what follows, and how both fit a training."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

from lrtune.errors import ArgumentError
from lrtune.schedules import (
    Constant,
    CosineDecay,
    ExponentialDecay,
    LinearDecay,
    MultiStepDecay,
    OneCycle,
    ReduceOnPlateau,
    Schedule,
    StepDecay,
    Warmup,
)


def test_the_rate_rises_in_a_straight_line_and_the_boundary_belongs_to_what_follows():
    schedule = Warmup(Constant(0.1), epochs=4, start=0.2)
    assert schedule([0, 1, 2, 3]) == pytest.approx([0.02, 0.04, 0.06, 0.08], rel=1e-15)
    assert schedule(np.nextafter(4, 0)) == pytest.approx(0.1, rel=1e-15)
    assert schedule([4, 5, 1e9]).tolist() == [0.1, 0.1, 0.1]


def test_after_the_warmup_the_schedule_begins_at_its_own_start():
    then = CosineDecay(0.1, epochs=20)
    schedule = Warmup(then, epochs=2.5)
    t = np.linspace(0, 30, 31)
    assert schedule(2.5 + t) == pytest.approx(then(t), rel=1e-13, abs=1e-16)
    assert schedule(2.5) == 0.1


@pytest.mark.parametrize("warmup", [0.1, 0.3, 0.7, 1.1, 2.9, 10.1])
@pytest.mark.parametrize(
    "then",
    [
        ExponentialDecay(1.0, math.log(2)),
        StepDecay(1.0, 0.5, 1),
        StepDecay(1.0, 0.5, 1, per_step=True),
        MultiStepDecay(1.0, tuple(map(float, range(1, 90))), 0.5),
    ],
    ids=["exponential", "step", "step per step", "multi_step"],
)
def test_no_drop_comes_a_step_late_where_decimals_round_badly(warmup, then):
    # 4.1 - 0.1 is 3.9999999999999996 in float64.
    schedule = Warmup(then, warmup)
    tenths = round(10 * warmup)
    steps = np.arange(tenths, tenths + 800)
    drops = (steps - tenths) // 10
    assert schedule(steps / 10) == pytest.approx(0.5**drops, rel=1e-12)


def test_no_warmup_at_all_is_the_schedule_itself():
    then = ExponentialDecay(0.1, 0.3)
    t = np.linspace(0, 50, 500)
    assert Warmup(then, 0)(t).tolist() == then(t).tolist()
    assert Warmup(then, 0, start=0.5)(0) == 0.1


def test_a_warmup_before_a_schedule_shortens_it_to_what_is_left():
    assert Warmup.before(CosineDecay(0.1, 50, 0.01), 5, 0.1) == Warmup(
        CosineDecay(0.1, 45, 0.01), 5, 0.1
    )
    # One without a horizon is only moved.
    assert Warmup.before(StepDecay(0.1, 0.5, 10), 5) == Warmup(StepDecay(0.1, 0.5, 10), 5)
    ends = Warmup.before(LinearDecay(0.1, 50), 5)([5, 49.99, 50])
    assert ends == pytest.approx([0.1, 0.1 * 0.01 / 45, 0], rel=1e-9)


def test_it_takes_its_rate_and_its_momentum_from_what_follows():
    one_cycle = OneCycle(0.1, 10, peak=0.5, dip=0.5)
    schedule = Warmup(one_cycle, 2)
    assert schedule.lr0 == 0.1
    assert schedule(1) == pytest.approx(0.1 / 25 / 2, rel=1e-12)
    table = schedule.momentum_table(0.9, 12, 1)
    assert table[:3] == pytest.approx([0.9] * 3)
    assert table[7] == pytest.approx(0.45)
    assert table.argmin() == 7


def test_it_passes_the_losses_on_to_what_follows():
    schedule = Warmup(ReduceOnPlateau(0.1, 0.5, 2), 3)
    assert schedule.closed_loop
    assert schedule.feedback([1, 1, 1]) == 0.5
    assert not Warmup(Constant(0.1), 3).closed_loop


def test_its_config_contains_the_config_of_what_follows():
    schedule = Warmup(StepDecay(0.1, 0.5, 10), 5, 0.1)
    config = schedule.get_config()
    assert config == {
        "name": "warmup",
        "then": {"name": "step", "lr0": 0.1, "drop": 0.5, "epochs_drop": 10.0, "per_step": False},
        "epochs": 5.0,
        "start": 0.1,
    }
    assert Schedule.from_config(json.loads(json.dumps(config))) == schedule


def test_its_text_names_both_parts():
    assert str(Warmup(CosineDecay(0.1, 45), 5)) == (
        "warmup(epochs=5, start=0) then cosine(lr0=0.1, epochs=45, end=0)"
    )


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: Warmup(0.1, 5),
            (
                "then must be a schedule without a warmup of this kind, or its config. "
                "Received: then=0.1."
            ),
        ),
        (
            lambda: Warmup(Warmup(Constant(0.1), 1), 5),
            (
                "then must be a schedule without a warmup of this kind, or its config. Received: "
                "then=Warmup(then=Constant(lr0=0.1), epochs=1.0, start=0.0)."
            ),
        ),
        (
            lambda: Warmup({"name": "constant", "lr0": -1}, 5),
            (
                "lr0 must be a number > 0 that float32 can hold (1.2e-38 to 3.4e38). "
                "Received: lr0=-1."
            ),
        ),
        (
            lambda: Warmup.before(CosineDecay(0.1, 50), 50),
            (
                "epochs of a warmup must be fewer than those of the whole schedule, 50. "
                "Received: epochs=50.0."
            ),
        ),
        (
            lambda: Warmup.before(CosineDecay(0.1, 50), -1),
            "epochs must be a finite number >= 0. Received: epochs=-1.",
        ),
        (
            lambda: Warmup.before(0.1, 5),
            (
                "then must be a schedule without a warmup of this kind, or its config. "
                "Received: then=0.1."
            ),
        ),
    ],
)  # fmt: skip
def test_a_warmup_that_does_not_fit_is_refused(make, message):
    with pytest.raises(ArgumentError) as error:
        make()
    assert str(error.value) == message
