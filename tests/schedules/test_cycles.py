"""The families that come back to a higher rate: where their cycles begin, peak and end."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from lrtune.schedules import CosineRestarts, SineCycles, TriangularCycles
from tests.schedules.definitions import exactly

every_wave = pytest.mark.parametrize("family", [TriangularCycles, SineCycles])
LENGTHS = [0.1, 0.3, 0.7, 1.1, 2.5, 3.3, 7]


@pytest.mark.parametrize("multiplier", [1.0, 1.1, 1.3, 1.5, 2.0, 2.7, 3.0])
@pytest.mark.parametrize("first_cycle", LENGTHS)
def test_a_restart_comes_with_the_first_step_of_its_cycle(first_cycle, multiplier):
    schedule = CosineRestarts(1.0, first_cycle, multiplier, peak_decay=0.9)
    start, length = Fraction(0), exactly(first_cycle)
    for cycle in range(40):
        assert schedule(float(start)) == pytest.approx(0.9**cycle, rel=1e-12)
        if cycle:  # just before, the cycle before has reached its end
            assert schedule(float(start) * (1 - 1e-12)) < 1e-8
        assert schedule(float(start + length / 2)) == pytest.approx(0.9**cycle / 2, rel=1e-9)
        start, length = start + length, length * exactly(multiplier)


@pytest.mark.parametrize("multiplier", [1 + 2**-52, 1 + 1e-12, 1 + 1e-9, 1 + 1e-6])
def test_cycles_that_hardly_grow_are_like_cycles_that_do_not(multiplier):
    growing, even = CosineRestarts(1.0, 3, multiplier), CosineRestarts(1.0, 3)
    t = np.linspace(0.01, 89.9, 777)
    assert growing(t) == pytest.approx(even(t), abs=1e3 * (multiplier - 1) + 1e-12)


@pytest.mark.parametrize("multiplier", [1e3, 1e100, 1e307])
def test_a_second_cycle_may_last_for_ever(multiplier):
    schedule = CosineRestarts(1.0, 5, multiplier, peak_decay=0.5)
    assert schedule([0, 5, 6]) == pytest.approx([1, 0.5, 0.5], rel=1e-5)
    assert schedule(5 * (1 - 1e-12)) < 1e-9


def test_each_restart_starts_lower_and_ends_at_the_same_share():
    schedule = CosineRestarts(1.0, 10, peak_decay=0.5, end=0.1)
    assert schedule([0, 10, 20]).tolist() == [1.0, 0.5, 0.25]
    ends = schedule(np.array([10, 20, 30]) * (1 - 1e-12))
    assert ends == pytest.approx([0.1, 0.05, 0.025], rel=1e-12)


@every_wave
@pytest.mark.parametrize("half_cycle", LENGTHS)
def test_a_cycle_begins_low_and_peaks_at_lr0_in_its_middle(family, half_cycle):
    schedule = family(1.0, half_cycle, ratio=5)
    for number in range(40):
        assert schedule(float(2 * number * exactly(half_cycle))) == pytest.approx(0.2, rel=1e-12)
        middle = float((2 * number + 1) * exactly(half_cycle))
        assert schedule(middle) == pytest.approx(1.0, rel=1e-12)
    assert schedule(half_cycle) == 1.0
    assert schedule(0) == pytest.approx(0.2, rel=1e-15)


@every_wave
@pytest.mark.parametrize("half_cycle", LENGTHS)
def test_a_cycle_that_halves_does_so_with_its_first_step(family, half_cycle):
    schedule = family(1.0, half_cycle, ratio=1e12, mode="halving")
    length = 2 * exactly(half_cycle)
    # A quarter of a cycle in, twice as high as a quarter into the next.
    quarters = [schedule(float((number + Fraction(1, 4)) * length)) for number in range(20)]
    first = 0.5 if family is TriangularCycles else 0.5**0.5
    assert quarters == pytest.approx([first * 0.5**number for number in range(20)], rel=1e-5)


def test_the_height_of_exponential_cycles_falls_with_time_not_with_the_cycle():
    schedule = TriangularCycles(1.0, 2, ratio=1e12, mode="exponential", gamma=0.9)
    assert schedule([1, 2, 6]) == pytest.approx([0.5 * 0.9, 0.9**2, 0.9**6], rel=1e-9)


@every_wave
def test_gamma_has_no_effect_in_the_other_modes(family):
    t = np.linspace(0, 30, 100)
    for mode in ("even", "halving"):
        with_gamma = family(0.1, 3, mode=mode, gamma=0.5)(t)
        assert with_gamma.tolist() == family(0.1, 3, mode=mode)(t).tolist()


def test_a_sine_is_above_the_triangle_but_at_the_ends_and_in_the_middle():
    t = np.linspace(0, 20, 401)
    sine, triangle = SineCycles(1.0, 5)(t), TriangularCycles(1.0, 5)(t)
    between = t % 5 != 0
    assert (sine[between] > triangle[between]).all()
    assert sine[~between] == pytest.approx(triangle[~between], rel=1e-15)


def test_both_are_symmetric_within_a_cycle():
    t = np.linspace(0, 5, 101)
    for schedule in (SineCycles(1.0, 5), TriangularCycles(1.0, 5)):
        assert schedule(10 - t) == pytest.approx(schedule(t), rel=1e-13)
