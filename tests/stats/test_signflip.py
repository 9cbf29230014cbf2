from __future__ import annotations

import itertools

import numpy as np
import pytest
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st

from lrtune.errors import ArgumentError
from lrtune.stats import signflip
from lrtune.stats.signflip import interval, p_value, subset_means

# Differences of accuracies on 2,000 images: multiples of .0005, so that ties abound.
DIFFERENCES = st.lists(st.integers(-40, 40), min_size=6, max_size=9).map(
    lambda counts: np.array(counts) / 2000
)


def p_of(differences):
    return float(p_value(subset_means(np.array(differences, dtype=float))))


def by_scipy(differences):
    return scipy.stats.permutation_test(
        (np.array(differences),),
        np.mean,
        permutation_type="samples",
        n_resamples=2 ** len(differences),
        vectorized=True,
    ).pvalue


def test_six_pairs_of_one_sign_have_the_smallest_p_value_of_six_pairs():
    # Of 64 ways to flip six signs only none and all give a sum as far from 0.
    assert p_of([0.01, 0.02, 0.005, 0.03, 0.01, 0.04]) == 2 / 64
    assert p_of([-0.01, -0.02, -0.005, -0.03, -0.01, -0.04]) == 2 / 64


def test_a_p_value_by_hand():
    # Sum 5. Subsets of a sum of 0 or less: {}, {-1}, {-1, 1}: p = 2 * 3 / 8.
    assert p_of([-1.0, 1.0, 5.0]) == 6 / 8


def test_no_difference_at_all():
    means = subset_means(np.zeros(8))

    assert p_value(means) == 1
    assert interval(means) == (0, 0)


def test_the_same_difference_with_every_seed():
    means = subset_means(np.full(8, 0.01))

    assert p_value(means) == 2 / 256
    assert interval(means) == pytest.approx((0.01, 0.01))


def test_the_interval_of_six_pairs_is_from_the_least_to_the_greatest():
    # The 2.5 % of 64 are 1.6: of 63 subset means only the outermost are cut, those of one pair.
    assert interval(subset_means(np.array([3.0, 1.0, 4.0, 1.5, 9.0, 2.6]))) == (1, 9)


def test_with_fewer_pairs_than_a_test_needs_the_interval_is_infinite():
    lower, upper = interval(subset_means(np.array([3.0, 1.0, 4.0, 1.5, 9.0])))

    assert (lower, upper) == (-np.inf, np.inf)


@settings(max_examples=50, deadline=None)
@given(DIFFERENCES)
def test_the_p_value_is_that_of_scipy(differences):
    # SciPy compares sums of floats as they are rounded; sums of whole numbers are exact.
    assert p_of(differences) == by_scipy(np.round(2000 * differences))


@settings(deadline=None)
@given(DIFFERENCES, st.sampled_from([0.01, 0.05, 0.1, 0.2, 0.3, 0.45]))
def test_the_interval_excludes_0_if_and_only_if_the_test_rejects(differences, level):
    means = subset_means(differences)
    lower, upper = interval(means, 1 - level)

    assert (lower > 0 or upper < 0) == bool(p_value(means) <= level)


@settings(max_examples=30, deadline=None)
@given(DIFFERENCES)
def test_the_interval_contains_the_differences_that_the_test_does_not_reject(differences):
    lower, upper = interval(subset_means(differences))

    def p_at(theta):
        return p_of(np.round(differences - theta, 12))

    assert p_at(lower) > 0.05 < p_at(upper)
    assert p_at(lower - 1e-5) <= 0.05 >= p_at(upper + 1e-5)


@settings(deadline=None)
@given(DIFFERENCES, st.randoms(use_true_random=False))
def test_neither_sign_nor_order_matter(differences, order):
    shuffled = list(differences)
    order.shuffle(shuffled)
    lower, upper = interval(subset_means(differences))

    assert p_of(shuffled) == p_of(differences) == p_of(-differences)
    assert interval(subset_means(-differences)) == pytest.approx((-upper, -lower))


@settings(deadline=None)
@given(DIFFERENCES, st.integers(-100, 100))
def test_the_interval_moves_with_the_differences(differences, steps):
    lower, upper = interval(subset_means(differences))
    shift = steps / 2000

    assert interval(subset_means(differences + shift)) == pytest.approx(
        (lower + shift, upper + shift)
    )


def test_rows_are_samples_of_their_own():
    rows = np.random.default_rng(0).normal(0.5, 1, (2, 3, 7))
    means = subset_means(rows)

    for index in itertools.product(range(2), range(3)):
        alone = subset_means(rows[index])
        assert p_value(means)[index] == p_value(alone)
        assert [one[index] for one in interval(means)] == list(interval(alone))


def test_many_pairs_are_drawn_and_come_close_to_the_exact_test(monkeypatch):
    draw = np.random.default_rng(3)
    differences = draw.normal(0.3, 1, (40, 14))
    exact = subset_means(differences)
    monkeypatch.setattr(signflip, "EXACT", 10)
    drawn = subset_means(differences, seed=1)

    # Empty subsets, one in 2**14, were drawn and left out.
    assert signflip.DRAWN - 10 < drawn.shape[-1] <= signflip.DRAWN
    # Four standard errors of a share of a half among 20,000: 2 * 4 * .0035.
    assert np.abs(p_value(drawn) - p_value(exact)).max() < 0.03
    np.testing.assert_allclose(interval(drawn), interval(exact), atol=0.05)
    np.testing.assert_array_equal(drawn, subset_means(differences, seed=1))


def test_no_differences_and_differences_that_are_not_finite_are_errors():
    with pytest.raises(ArgumentError, match=r"^differences must be finite numbers, at least one"):
        subset_means(np.array([0.1, np.nan]))
    with pytest.raises(ArgumentError, match=r"^differences must be finite numbers, at least one"):
        subset_means(np.array([]))
