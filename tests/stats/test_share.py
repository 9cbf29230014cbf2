from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest

from lrtune.errors import ArgumentError
from lrtune.stats.share import share_not_excluded

COUNTS = st.integers(1, 60).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))
CONFIDENCES = st.sampled_from([0.5, 0.8, 0.9, 0.95, 0.99])


@pytest.mark.parametrize(
    ("collapsed", "n", "expected"), [(0, 8, 0.312), (0, 20, 0.139), (1, 8, 0.471), (0, 1, 0.95)]
)
def test_a_few_shares_as_tables_have_them(collapsed, n, expected):
    assert share_not_excluded(collapsed, n) == pytest.approx(expected, abs=5e-4)


@pytest.mark.parametrize("n", [1, 3, 8, 20, 1000])
def test_none_collapsed_has_a_bound_in_closed_form(n):
    assert share_not_excluded(0, n) == pytest.approx(1 - 0.05 ** (1 / n))


@settings(deadline=None)
@given(COUNTS, CONFIDENCES)
def test_it_is_scipys_one_sided_exact_bound(counts, confidence):
    interval = binomtest(*counts, alternative="less").proportion_ci(confidence, method="exact")

    assert share_not_excluded(*counts, confidence) == pytest.approx(interval.high, abs=1e-9)


@settings(deadline=None)
@given(COUNTS, CONFIDENCES)
def test_so_few_collapses_have_the_remaining_probability_at_the_bound(counts, confidence):
    collapsed, n = counts
    share = share_not_excluded(collapsed, n, confidence)
    few = sum(math.comb(n, k) * share**k * (1 - share) ** (n - k) for k in range(collapsed + 1))

    assert few == pytest.approx(1.0 if collapsed == n else 1 - confidence)


@settings(deadline=None)
@given(st.integers(1, 40), st.floats(0.01, 0.99))
def test_the_true_share_is_above_the_bound_in_at_most_one_case_of_twenty(n, true):
    probabilities = [math.comb(n, k) * true**k * (1 - true) ** (n - k) for k in range(n + 1)]
    missed = [share_not_excluded(k, n) < true for k in range(n + 1)]

    assert np.dot(probabilities, missed) <= 0.05 + 1e-12


def test_more_collapses_exclude_less_and_more_seeds_exclude_more():
    of_eight = [share_not_excluded(k, 8) for k in range(9)]

    assert of_eight == sorted(of_eight)
    assert of_eight[-1] == 1
    assert share_not_excluded(0, 20) < share_not_excluded(0, 8)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((0, 0), "n must be an integer >= 1. Received: n=0."),
        ((0, 8.0), "n must be an integer >= 1. Received: n=8.0."),
        ((9, 8), "collapsed must be an integer from 0 to 8. Received: collapsed=9."),
        ((-1, 8), "collapsed must be an integer from 0 to 8. Received: collapsed=-1."),
        ((0, 8, 1), "confidence must be a number > 0 and < 1. Received: confidence=1."),
    ],
)
def test_arguments_outside_their_domain_are_errors(arguments, message):
    with pytest.raises(ArgumentError) as error:
        share_not_excluded(*arguments)
    assert str(error.value) == message
