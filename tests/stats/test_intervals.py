from __future__ import annotations

import numpy as np
import pytest
import scipy.stats

from lrtune.stats.intervals import FEWEST, mean_interval


def bounds(scores, *arguments, **options):
    return tuple(float(bound) for bound in mean_interval(scores, *arguments, **options))


SKEWED = np.array([0.68, 0.69, 0.685, 0.678, 0.691, 0.62, 0.683, 0.688])


def test_for_many_normal_scores_it_is_close_to_the_t_interval():
    scores = np.random.default_rng(0).normal(0.68, 0.007, 200)
    t = scipy.stats.t.interval(0.95, 199, scores.mean(), scipy.stats.sem(scores))

    assert bounds(scores) == pytest.approx(t, abs=2e-4)


def test_it_is_longer_on_the_side_of_the_bad_seeds():
    lower, upper = bounds(SKEWED)

    assert SKEWED.mean() - lower > upper - SKEWED.mean() > 0


def test_it_shifts_and_scales_with_the_scores():
    lower, upper = bounds(SKEWED)

    assert bounds(3 * SKEWED + 2) == pytest.approx((3 * lower + 2, 3 * upper + 2))
    assert bounds(-SKEWED) == pytest.approx((-upper, -lower))


def test_the_same_seed_gives_the_same_interval():
    assert bounds(SKEWED, seed=4) == bounds(SKEWED, seed=4)
    assert bounds(SKEWED, seed=4) == pytest.approx(bounds(SKEWED, seed=5), abs=0.003)


def test_more_confidence_is_wider():
    narrow, wide = bounds(SKEWED, 0.8), bounds(SKEWED, 0.99)

    assert wide[0] < narrow[0] < narrow[1] < wide[1]


@pytest.mark.parametrize("score", [0.5, 0.1, 0.0])
def test_equal_scores_have_an_interval_of_width_0(score):
    assert bounds(np.full(8, score)) == (score, score)


def test_scores_with_many_ties_have_students_t_interval():
    # A third of the resamples hold six equal scores, which have no t, and all others a mean of 0.7
    # - 0.2/6 or less: without a look at the former no bound would lie below the mean.
    scores = np.array([0.7, 0.7, 0.7, 0.7, 0.7, 0.5])
    t = scipy.stats.t.interval(0.95, 5, scores.mean(), scipy.stats.sem(scores))

    assert bounds(scores) == pytest.approx(t)


def test_too_few_scores_have_no_interval():
    assert np.isnan(bounds(SKEWED[: FEWEST - 1])).all()
    assert np.isnan(bounds(np.array([]))).all()


def test_rows_are_samples_of_their_own():
    rows = np.stack([SKEWED, np.full(8, 0.5), SKEWED[::-1] + 1])
    lower, upper = mean_interval(rows, resamples=999)

    for index, row in enumerate(rows):
        assert (lower[index], upper[index]) == pytest.approx(bounds(row, resamples=999))
