from __future__ import annotations

import math

import numpy as np
import pytest
import scipy.stats

from lrtune.errors import ArgumentError
from lrtune.stats.best_of import COVERAGE, best_of_factor


@pytest.mark.parametrize("n", [2, 3, 8, 31])
def test_for_one_run_the_factor_is_the_quantile_of_students_t(n):
    assert best_of_factor(n, 1) == pytest.approx(scipy.stats.t.ppf(0.95, n - 1), rel=1e-5)


@pytest.mark.parametrize(("n", "k"), [(3, 2), (3, 12), (8, 4)])
def test_the_factor_is_the_equicoordinate_quantile_of_a_multivariate_t(n, k):
    # The k differences from one mean, over one deviation: correlations (1/n) / (1 + 1/n).
    shape = np.full((k, k), 1 / (n + 1)) + np.eye(k) * n / (n + 1)
    law = scipy.stats.multivariate_t(shape=shape, df=n - 1, seed=1)

    # Its quasi-Monte Carlo integral is right to about 3 digits.
    assert law.cdf(np.full(k, best_of_factor(n, k))) == pytest.approx(COVERAGE, abs=5e-4)


def test_the_best_of_equal_runs_exceeds_the_bound_5_times_in_100():
    # Three seeds and 12 trials, as in a search. 20,000 repetitions: standard error .0015.
    draw = np.random.default_rng(20261128)
    seeds, trials = draw.normal(size=(20_000, 3)), draw.normal(size=(20_000, 12))
    lead = (trials.max(axis=1) - seeds.mean(axis=1)) / (
        seeds.std(axis=1, ddof=1) * math.sqrt(4 / 3)
    )

    assert best_of_factor(3, 12) == pytest.approx(6.89, abs=0.005)
    assert np.mean(lead > best_of_factor(3, 12)) == pytest.approx(0.05, abs=4 * 0.0015)
    # The bound of a single run, which a verdict about the best must not use.
    assert np.mean(lead > scipy.stats.t.ppf(0.975, 2)) == pytest.approx(0.12, abs=4 * 0.0023)


def test_the_best_of_more_runs_is_further_away():
    factors = [best_of_factor(3, k) for k in (1, 2, 4, 12, 20, 90, 20_000)]

    assert factors == sorted(factors)
    assert np.round(factors[:6], 2).tolist() == [2.92, 3.96, 5.09, 6.89, 7.68, 9.8]


@pytest.mark.parametrize(
    ("n", "k", "message"),
    [
        (1, 3, "n must be an integer >= 2. Received: n=1."),
        (3, 0, "k must be an integer >= 1. Received: k=0."),
    ],
)
def test_numbers_of_runs_outside_their_domain_are_errors(n, k, message):
    with pytest.raises(ArgumentError) as error:
        best_of_factor(n, k)
    assert str(error.value) == message
