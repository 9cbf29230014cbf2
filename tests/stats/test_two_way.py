from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.formula.api import ols
from statsmodels.stats.anova import anova_lm

from lrtune.errors import ArgumentError
from lrtune.stats.two_way import two_way_interval

MATRIX = "a matrix of at least 2 seeds x 2 samples, bool or finite numbers"
SHAPES = "arm and reference must have one shape, seeds x samples."


def right(draw, n, m):
    """Two arms whose predictions agree on most samples."""
    easy = draw.random(m)
    return draw.random((n, m)) < easy, draw.random((n, m)) < 0.9 * easy


def test_two_seeds_and_two_samples_by_hand():
    # D = [[1, 0], [1, -1]], g = 1/4; rows 1/2, 0; columns 1, -1/2.
    # V_seeds = 2 (1/4)^2 / 2 = 1/16, V_samples = 2 (3/4)^2 / 2 = 9/16, residuals +- 1/4:
    # V_residual = 4 / 16 / 4 = 1/16, V = 9/16, df = 81 / (1 + 81 + 1), not below 1.
    found = two_way_interval([[1, 0], [1, 0]], [[0, 0], [0, 1]])

    assert (found.mean, found.se_seeds, found.se_samples) == (0.25, 0.25, 0.75)
    assert (found.se, found.df) == (0.75, 1.0)
    # The quantile .975 of Student's t with one degree of freedom is 12.706.
    assert (found.lower, found.upper) == pytest.approx((0.25 - 9.530, 0.25 + 9.530), abs=1e-3)


@pytest.mark.parametrize(("n", "m"), [(2, 30), (5, 40), (8, 25)])
def test_the_variances_are_the_mean_squares_of_a_two_way_anova(n, m):
    arm, reference = right(np.random.default_rng([n, m]), n, m)
    found = two_way_interval(arm, reference)
    frame = pd.DataFrame(
        {
            "d": (arm.astype(float) - reference).ravel(),
            "seed": np.repeat(np.arange(n), m),
            "sample": np.tile(np.arange(m), n),
        }
    )
    table = anova_lm(ols("d ~ C(seed) + C(sample)", frame).fit())
    seeds, samples, residual = table["sum_sq"] / table["df"] / (n * m)

    assert found.se_seeds**2 == pytest.approx(seeds)
    assert found.se_samples**2 == pytest.approx(samples)
    assert found.se**2 == pytest.approx(max(seeds + samples - residual, seeds, samples))
    spent = seeds**2 / (n - 1) + samples**2 / (m - 1) + residual**2 / ((n - 1) * (m - 1))
    assert found.df == pytest.approx(max(found.se**4 / spent, min(n, m) - 1))
    half = max(
        scipy.stats.t.ppf(0.975, df) * se
        for df, se in [
            (found.df, found.se),
            (n - 1, found.se_seeds),
            (m - 1, found.se_samples),
        ]
    )
    assert (found.lower, found.upper) == pytest.approx((found.mean - half, found.mean + half))


def test_where_only_seeds_differ_the_interval_is_that_of_their_means():
    gains = np.array([0.01, 0.03, 0.02, 0.05])
    found = two_way_interval(np.tile(gains[:, None], (1, 50)), np.zeros((4, 50)))
    expected = scipy.stats.ttest_1samp(gains, 0).confidence_interval()

    assert (found.lower, found.upper) == pytest.approx(tuple(expected))
    assert found.se_samples == pytest.approx(0, abs=1e-12)


def test_where_only_samples_differ_more_seeds_do_not_narrow_the_interval():
    gains = np.random.default_rng(1).integers(-1, 2, 60)
    expected = scipy.stats.ttest_1samp(gains, 0).confidence_interval()

    for n in (2, 20):
        found = two_way_interval(np.tile(gains, (n, 1)), np.zeros((n, 60)))
        assert (found.lower, found.upper) == pytest.approx(tuple(expected))


def test_equal_arms_have_no_difference_and_no_width():
    arm = np.random.default_rng(0).random((4, 20)) < 0.7
    found = two_way_interval(arm, arm)

    assert (found.mean, found.lower, found.upper, found.se, found.df) == (0, 0, 0, 0, 3)


def test_the_same_difference_everywhere_has_no_width():
    found = two_way_interval(np.full((3, 7), 0.1), np.full((3, 7), 0.3), "min")

    assert found.lower == found.mean == found.upper == pytest.approx(0.2)


@settings(max_examples=30, deadline=None)
@given(st.integers(2, 6), st.integers(2, 12), st.integers(0, 999))
def test_neither_the_order_of_seeds_nor_that_of_samples_matters(n, m, seed):
    draw = np.random.default_rng(seed)
    arm, reference = right(draw, n, m)
    rows, columns = draw.permutation(n)[:, None], draw.permutation(m)
    found = two_way_interval(arm, reference)
    other = two_way_interval(arm[rows, columns], reference[rows, columns])

    assert vars(other) == pytest.approx(vars(found))


@settings(max_examples=30, deadline=None)
@given(st.integers(2, 6), st.integers(2, 12), st.integers(0, 999))
def test_the_interval_contains_that_for_other_seeds_and_that_for_other_samples(n, m, seed):
    arm, reference = right(np.random.default_rng(seed), n, m)
    found = two_way_interval(arm, reference)
    differences = arm.astype(float) - reference

    assert found.se >= max(found.se_seeds, found.se_samples)
    assert found.df >= min(n, m) - 1
    for means in (differences.mean(axis=1), differences.mean(axis=0)):
        half = scipy.stats.t.ppf(0.975, len(means) - 1) * means.std(ddof=1) / math.sqrt(len(means))
        assert found.lower <= found.mean - half + 1e-9
        assert found.upper >= found.mean + half - 1e-9


def test_less_is_better_for_a_loss_and_swapping_arms_mirrors_the_interval():
    arm, reference = np.random.default_rng(3).gamma(2, 1, (2, 6, 30))
    found = two_way_interval(arm, reference, "min")
    other = two_way_interval(reference, arm, "min")

    assert found == two_way_interval(reference, arm, "max")
    assert found.mean == pytest.approx((reference - arm).mean())
    assert (other.lower, other.upper) == pytest.approx((-found.upper, -found.lower))


def test_bool_and_numbers_mean_the_same():
    arm, reference = right(np.random.default_rng(4), 5, 30)
    expected = two_way_interval(arm, reference)

    for dtype in (np.uint8, np.int64, np.float32):
        assert two_way_interval(arm.astype(dtype), reference.astype(dtype)) == expected


def test_losses_may_be_large():
    arm, reference = np.random.default_rng(5).gamma(2, 1, (2, 4, 10))
    expected = two_way_interval(arm, reference, "min")
    found = two_way_interval(1e100 * arm, 1e100 * reference, "min")

    assert found.df == pytest.approx(expected.df)
    assert found.upper == pytest.approx(1e100 * expected.upper)


def test_more_confidence_is_wider():
    arm, reference = right(np.random.default_rng(6), 8, 100)
    widths = [np.ptp(bounds(arm, reference, level)) for level in (0.5, 0.9, 0.95, 0.99)]

    assert widths == sorted(widths)
    assert not math.isclose(widths[0], widths[-1])


def bounds(arm, reference, confidence):
    found = two_way_interval(arm, reference, confidence=confidence)
    return found.lower, found.upper


@pytest.mark.parametrize(
    ("arm", "reference", "how", "message"),
    [
        (
            np.ones((1, 9)),
            np.ones((1, 9)),
            {},
            f"arm must be {MATRIX}. Received: arm of shape (1, 9), float64.",
        ),
        (
            np.ones((3, 9)),
            np.ones(9, dtype=bool),
            {},
            f"reference must be {MATRIX}. Received: reference of shape (9,), bool.",
        ),
        (
            np.ones((3, 9)),
            np.full((3, 9), "dog"),
            {},
            f"reference must be {MATRIX}. Received: reference of shape (3, 9), <U3.",
        ),
        (
            np.ones((3, 9)),
            np.ones((4, 9)),
            {},
            f"{SHAPES} Received: arm of shape (3, 9), reference of shape (4, 9).",
        ),
        (
            [[1, math.nan], [math.inf, 0]],
            np.ones((2, 2)),
            {},
            f"arm must be {MATRIX}. Received: arm with 2 not finite.",
        ),
        (
            np.ones((3, 9)),
            np.ones((3, 9)),
            {"direction": "up"},
            "direction must be 'max' or 'min'. Received: direction='up'.",
        ),
        (
            np.ones((3, 9)),
            np.ones((3, 9)),
            {"confidence": 1.0},
            "confidence must be a number > 0 and < 1. Received: confidence=1.0.",
        ),
    ],
)
def test_arguments_outside_their_domain_are_errors(arm, reference, how, message):
    with pytest.raises(ArgumentError) as error:
        two_way_interval(arm, reference, **how)
    assert str(error.value) == message
