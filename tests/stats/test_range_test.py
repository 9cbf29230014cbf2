"""What is read off the losses of a range test, on curves whose answer is known."""

from __future__ import annotations

import numpy as np
import pytest

from lrtune.stats.range_test import bound_of, read

STEPS = 200
RATES = np.geomspace(1e-5, 10, STEPS)
DECADE = 10.0


def noisy(curve, noise=0.02, seeds=3, seed=0):
    return curve + noise * np.random.default_rng(seed).normal(size=(seeds, len(curve)))


def valley(fall_at, rise_at):
    """A loss of 1 that falls to .2 around one rate and explodes from another one on."""
    fall = 0.8 / (1 + (RATES / fall_at) ** 2)
    return 0.2 + fall + 50 * np.log(np.maximum(RATES / rise_at, 1))


@pytest.mark.parametrize("seed", range(5))
def test_it_finds_where_the_loss_falls_and_rises(seed):
    found = read(RATES, noisy(valley(0.01, 1.0), seed=seed), 0.1)
    # 1 / (1 + (r/a)^2) is steepest, over log r, at r = a.
    assert 0.01 / 2 < found.steepest < 0.01 * 2
    assert 1.0 / 2.5 < found.rises < 1.0 * 1.5
    low, high = found.suggested
    assert high == pytest.approx(found.rises / 3, rel=0.05)
    assert low == pytest.approx(high / 300, rel=0.05)


def test_without_a_rise_the_range_ends_with_the_test():
    found = read(RATES, noisy(valley(0.01, np.inf)), 0.1)
    assert found.rises is None
    assert found.suggested == (pytest.approx(10 / 300, rel=0.05), 10)


def test_a_loss_that_never_rises_again_but_is_lowest_early_does_not_lead_to_high_rates():
    back = valley(0.001, np.inf) + 0.8 / (1 + (0.1 / RATES) ** 4)  # back to where it began
    found = read(RATES, noisy(back), 0.1)
    assert found.suggested[1] < 0.1
    assert found.suggested[0] < found.steepest < found.suggested[1]


def test_without_a_fall_a_rise_is_enough():
    found = read(RATES, noisy(1 + np.maximum(0, RATES - 1)), 0.1)
    assert found.steepest is None
    assert 1.0 / 2.5 < found.rises < 1.5
    assert found.suggested[1] == pytest.approx(found.rises / 3, rel=0.05)


def test_nothing_is_suggested_where_the_loss_stays_as_it_is():
    found = read(RATES, np.full((3, STEPS), 0.7), 0.1)
    assert (found.steepest, found.rises, found.suggested) == (None, None, None)


def test_nothing_is_suggested_where_the_loss_rises_from_the_first_rate_on():
    found = read(RATES, noisy(1 + np.linspace(0, 3, STEPS)), 0.1)
    assert found.rises < 3 * RATES[0] * DECADE
    assert found.steepest is None
    assert found.suggested is None or found.suggested[1] < RATES[0] * DECADE


def test_noise_alone_rarely_counts_as_a_fall_or_a_rise():
    found = [read(RATES, noisy(np.full(STEPS, 0.7), seed=seed), 0.1) for seed in range(100)]
    assert sum(one.steepest is not None for one in found) <= 15
    assert sum(one.rises is not None for one in found) <= 15


def test_one_seed_that_diverges_early_does_not_decide():
    losses = noisy(valley(0.01, 1.0))
    losses[0, STEPS // 2 :] = np.nan
    assert read(RATES, losses, 0.1).rises > 0.3


def test_steps_after_divergence_count_as_high_losses():
    losses = noisy(valley(0.01, np.inf))
    at = int(np.searchsorted(RATES, 1.0))
    losses[:, at:] = np.nan
    assert 0.3 < read(RATES, losses, 0.1).rises < 1.5


@pytest.mark.parametrize(
    ("first", "bound"),
    [([1.0], 4.0), ([2.0, 2.0, 50.0], 8.0), ([-1.0], 2.0), ([np.nan, 1.0], 4.0), ([np.inf], 0.0)],
)
def test_a_training_ends_at_four_times_its_first_loss_negative_ones_too(first, bound):
    assert bound_of(np.array(first)) == bound


def test_the_smoothed_loss_has_no_lag():
    step = np.where(RATES > 0.1, 0.2, 1.0)
    smoothed = read(RATES, np.tile(step, (3, 1)), 0.1).smoothed
    crossing = RATES[np.flatnonzero(smoothed < 0.6)[0]]
    assert 0.1 / 1.2 < crossing < 0.1 * 1.2
