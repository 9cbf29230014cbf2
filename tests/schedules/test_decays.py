"""What is particular to the families that decay to a horizon or from boundary to boundary."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest

from lrtune.schedules import (
    CosineDecay,
    ExponentialDecay,
    HyperbolicDecay,
    InverseSquareRoot,
    LinearDecay,
    MultiStepDecay,
    OneCycle,
    PiecewiseLinear,
    PolynomialDecay,
    RexDecay,
    SigmoidDecay,
    TanhDecay,
    TimeDecay,
    WarmupStableDecay,
)

T = np.linspace(0, 60, 241)


@pytest.mark.parametrize("boundary", [1.0, 2.5, 0.3, 7.1])
def test_the_step_at_a_boundary_has_the_new_rate(boundary):
    schedule = MultiStepDecay(1.0, (boundary,), 0.1)
    assert schedule(np.nextafter(boundary, 0)) == 1.0
    assert schedule(boundary) == schedule(np.nextafter(boundary, 99)) == 0.1


@pytest.mark.parametrize("tenths", [1, 3, 7, 23, 57])
def test_boundaries_in_decimals_are_met_on_time(tenths):
    table = MultiStepDecay(1.0, (tenths / 10,), 0.5).table(10, 10)
    assert np.flatnonzero(table < 1)[0] == tenths


def test_a_search_places_boundaries_by_the_gaps_between_them():
    found = MultiStepDecay.from_search(
        {"lr0": 0.1, "first": 25.0, "gap_2": 12.5, "gap_3": 5.0, "gamma": 0.1}
    )
    assert found == MultiStepDecay(0.1, (25, 37.5, 42.5), 0.1)


def test_linear_is_polynomial_of_power_1():
    for end in (0, 0.1, 1):
        polynomial = PolynomialDecay(0.1, 50, 1, end)(T)
        assert LinearDecay(0.1, 50, end)(T).tolist() == polynomial.tolist()


def test_a_higher_power_falls_faster_at_first():
    inside = T[(T > 0) & (T < 50)]
    rates = [PolynomialDecay(0.1, 50, power)(inside) for power in (0.5, 1, 2, 5)]
    assert all((low < high).all() for high, low in pairwise(rates))


def test_rex_is_at_two_thirds_after_half_of_the_epochs_and_above_linear():
    schedule = RexDecay(0.3, 50)
    assert schedule([25, 50]) == pytest.approx([0.2, 0], rel=1e-15)
    inside = T[(T > 0) & (T < 50)]
    assert (schedule(inside) > LinearDecay(0.3, 50)(inside)).all()


def test_cosine_keeps_all_its_digits_down_to_the_last_step():
    # Near the end the rate is (pi x / 2)**2, x the share that is left; 1 + cos(...) has lost it.
    left = 2.0 ** -np.arange(10, 30)
    rates = CosineDecay(1.0, 1)(1 - left)
    assert rates == pytest.approx((np.pi / 2 * left) ** 2, rel=1e-6)
    assert CosineDecay(0.1, 50)([0, 25, 50]) == pytest.approx([0.1, 0.05, 0], rel=1e-15)


def test_tanh_keeps_all_its_digits_where_it_has_nearly_fallen_to_0():
    # There (1 - tanh(x)) / 2 is exp(-2 x).
    assert TanhDecay(1.0, 50, upper=15)(50) == pytest.approx(math.exp(-30), rel=1e-12)
    assert TanhDecay(1.0, 50, upper=40)(50) == pytest.approx(math.exp(-80), rel=1e-12)


def test_tanh_begins_and_ends_where_lower_and_upper_say():
    schedule = TanhDecay(0.1, 50, lower=-3, upper=3)
    assert schedule(0) == pytest.approx(0.1 * 0.99752737684, rel=1e-10)
    assert schedule([25, 50]) == pytest.approx([0.05, 0.1 * (1 - 0.99752737684)], rel=1e-8)


def test_sigmoid_is_at_half_of_lr0_at_its_center_and_symmetric_about_it():
    schedule = SigmoidDecay(0.1, 50, steepness=10, center=0.6)
    assert schedule(30) == pytest.approx(0.05, rel=1e-15)
    away = np.linspace(0, 20, 41)
    assert schedule(30 - away) + schedule(30 + away) == pytest.approx(np.full(41, 0.1))
    steeper = SigmoidDecay(0.1, 50, steepness=30, center=0.6)
    assert steeper(25) > schedule(25)
    assert steeper(35) < schedule(35)


def test_time_to_the_power_of_a_half_is_an_inverse_square_root():
    assert TimeDecay(0.1, 0.25, power=0.5)(12) == pytest.approx(0.05, rel=1e-15)
    assert TimeDecay(0.1, 0.25)(T).tolist() == TimeDecay(0.1, 0.25, power=1.0)(T).tolist()


def test_inverse_square_root_rises_for_its_warmup_and_halves_at_four_times_it():
    schedule = InverseSquareRoot(0.1, warmup=2)
    assert schedule([0, 1, 2, 8, 32]) == pytest.approx([0, 0.05, 0.1, 0.05, 0.025], rel=1e-15)


@pytest.mark.parametrize("annealing", ["cosine", "linear"])
def test_one_cycle_has_three_rates_and_a_momentum_that_dips(annealing):
    schedule = OneCycle(0.1, 50, peak=0.4, div=10, final=1000, dip=0.5, annealing=annealing)
    assert schedule([0, 20, 50, 60]) == pytest.approx([0.01, 0.1, 1e-4, 1e-4], rel=1e-12)
    assert schedule(20) == 0.1
    assert schedule([10, 35]) == pytest.approx([0.055, 0.05005], rel=1e-12)
    momentum = schedule.momentum_table(0.8, 60, 1)
    assert momentum[[0, 10, 20, 35, 50, 59]] == pytest.approx([0.8, 0.6, 0.4, 0.6, 0.8, 0.8])


def test_a_dip_of_1_leaves_the_momentum_alone():
    assert set(OneCycle(0.1, 50, dip=1).momentum_table(0.75, 60, 3)) == {np.float32(0.75)}


@pytest.mark.parametrize("momentum", [1, -0.1, "x", math.nan])
def test_a_momentum_table_needs_a_momentum(momentum):
    with pytest.raises(ValueError, match=r"^momentum must be a number >= 0 and < 1\. Received: "):
        OneCycle(0.1, 50).momentum_table(momentum, 2, 3)


@pytest.mark.parametrize(
    ("shape", "middle"), [("linear", 0.5), ("sqrt", 1 - 0.5**0.5), ("cosine", 0.5)]
)
def test_warmup_stable_decay_is_flat_between_its_two_ends(shape, middle):
    schedule = WarmupStableDecay(0.1, 50, warmup=0.1, decay=0.2, shape=shape)
    assert schedule([0, 2.5]) == pytest.approx([0, 0.05], rel=1e-12)
    assert set(schedule(np.linspace(5, 40, 71))) == {0.1}
    assert schedule([45, 50, 60]) == pytest.approx([0.1 * middle, 0, 0], rel=1e-12)
    assert schedule(40.01) < 0.1


def test_a_decay_without_room_begins_when_the_warmup_ends():
    schedule = WarmupStableDecay(0.1, 50, warmup=0.6, decay=0.8)
    assert schedule([15, 30, 40, 50]) == pytest.approx([0.05, 0.1, 0.05, 0], rel=1e-12)


def test_without_a_decay_the_rate_stays_at_lr0():
    assert set(WarmupStableDecay(0.1, 50, warmup=0, decay=0)(T)) == {0.1}
    assert WarmupStableDecay(0.1, 50, warmup=1, decay=1)([25, 50, 60]).tolist() == [0.05, 0.1, 0.1]


def test_a_piecewise_line_meets_its_knots_and_is_geometric_between_them():
    schedule = PiecewiseLinear(1.0, 40, (0.01, 1.0, 0.25, 0.5, 0.5))
    assert schedule([0, 10, 20, 30, 40]) == pytest.approx([0.01, 1, 0.25, 0.5, 0.5], rel=1e-12)
    assert schedule([5, 15]) == pytest.approx([0.1, 0.5], rel=1e-12)


def test_two_knots_are_an_exponential_decay():
    found = PiecewiseLinear(0.1, 50, (1.0, math.exp(-5)))(T[:200])
    assert found == pytest.approx(ExponentialDecay(0.1, 0.1, per_step=True)(T[:200]), rel=1e-12)


def test_a_search_places_five_knots():
    knots = {f"knot_{number}": number / 5 for number in range(1, 6)}
    assert PiecewiseLinear.from_search({"lr0": 0.1, "epochs": 50.0, **knots}) == PiecewiseLinear(
        0.1, 50, (0.2, 0.4, 0.6, 0.8, 1.0)
    )


@pytest.mark.parametrize(("stretch", "end"), [(1, 0.0), (1, 0.1), (2, 0.1), (2.5, 0.0), (20, 0.01)])
def test_hyperbolic_is_that_of_its_authors(stretch, end):
    # https://github.com/Axect/HyperbolicLR, hyperbolic_lr.py of February 2026, without warmup.
    init_lr, infimum_lr, n, u = 0.1, 0.1 * end, 50, 50 * stretch

    def theirs(x):
        height = math.sqrt((n - x) / u * (2 - (n + x) / u))
        return init_lr + (init_lr - infimum_lr) * (height - math.sqrt(n / u * (2 - n / u)))

    ours = HyperbolicDecay(0.1, 50, stretch, end)(np.arange(51))
    assert ours == pytest.approx([theirs(x) for x in range(51)], rel=1e-12, abs=1e-16)


def test_hyperbolic_reaches_its_infimum_only_without_a_stretch():
    assert HyperbolicDecay(0.1, 50, 1, 0.1)(50) == pytest.approx(0.01, rel=1e-12)
    # h(0) = sqrt(1 - (1 - 1/stretch)**2), and it falls by that.
    assert HyperbolicDecay(1.0, 50, 2, 0.1)(50) == pytest.approx(1 - 0.9 * 0.75**0.5, rel=1e-12)


def test_hyperbolic_begins_alike_for_trainings_of_different_lengths():
    # The same upper bound, 1,000 epochs. Cosine, of the same lengths, is further apart.
    t = np.arange(1, 21)
    long, short = HyperbolicDecay(1.0, 200, 5)(t), HyperbolicDecay(1.0, 100, 10)(t)
    difference = abs(CosineDecay(1.0, 200)(t) - CosineDecay(1.0, 100)(t))
    assert (abs(long - short)[-1] < 0.3 * difference[-1]).all()
