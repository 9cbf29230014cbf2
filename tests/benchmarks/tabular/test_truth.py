"""How good a schedule of the table is, from few and noisy scores."""

from __future__ import annotations

import numpy as np
import pytest
from tabular.truth import Truth, cross_fitted, noise, posterior_means


def test_the_best_schedule_has_no_regret_and_all_others_have_some(made_up):
    answers, exact = made_up
    truth = Truth(answers.scores, answers.seeds)
    regrets = {number: truth.regret(number) for number in answers.schedules}

    assert min(regrets.values()) == regrets[truth.best] == 0
    assert truth.noise == pytest.approx(0.01, rel=0.3)  # see stand_in.NOISE
    assert exact[truth.best] == pytest.approx(max(exact.values()), abs=0.01)


def test_a_posterior_mean_under_a_normal_prior_is_halfway_between_score_and_prior_mean():
    draw = np.random.default_rng(1)
    values = draw.standard_normal(1000)
    scores = values + draw.standard_normal(1000)
    found = posterior_means(scores, np.ones(1000))

    middle = np.abs(scores) < 1.5
    assert np.abs(found[middle] - scores[middle] / 2).max() < 0.2
    assert np.mean((found - values) ** 2) == pytest.approx(0.5, rel=0.1)


def test_scores_without_noise_are_the_truth():
    scores = {number: dict.fromkeys((1, 2), number / 10) for number in range(4)}
    truth = Truth(scores, (1, 2))

    assert [truth.regret(number) for number in range(4)] == pytest.approx([0.3, 0.2, 0.1, 0])
    assert truth.without == pytest.approx(0.15)
    assert truth.picked_by_one_score() == pytest.approx(0)
    assert truth.held_out_reference == pytest.approx(0.3)


def test_the_noise_is_that_of_the_better_half():
    # Deviations of +-.01 in two of two seeds: a variance of .0002 with one degree of freedom each.
    assert noise([[0.5, 0.5], [0.5, 0.5], [0.69, 0.71], [0.7, 0.68]]) == pytest.approx(0.0002**0.5)


def test_values_are_right_on_average_however_a_schedule_was_picked():
    """The mean of two seeds is far too high for the best of twenty single scores."""
    draw = np.random.default_rng(3)
    errors, naive = [], []
    for _ in range(12):
        values = np.where(draw.random(165) < 0.6, draw.uniform(0.5, 0.67, 165), 0.685)
        values += 0.008 * draw.standard_normal(165)
        scores = values[:, None] + 0.01 * draw.standard_normal((165, 2))
        truth = Truth({n: dict(enumerate(row)) for n, row in enumerate(scores)}, (0, 1))
        for _ in range(40):
            tried = draw.permutation(165)[:20]
            found = tried[scores[tried, 0].argmax()]
            errors.append(truth.value(int(found)) - values[found])
            naive.append(scores[found].mean() - values[found])

    assert abs(np.mean(errors)) < 0.0012
    assert np.mean(naive) > 0.004


def test_held_out_scores_are_of_seeds_that_no_search_uses_if_there_are_any():
    scores = {0: {1: 0.9, 2: 0.7, 3: 0.8, 4: 0.82}, 1: {1: 0.9, 2: 0.7}}
    truth = Truth(scores, (1, 2))

    assert truth.held_out(0, [2]) == pytest.approx(0.81)
    assert truth.held_out(1, [2]) == pytest.approx(0.7)
    assert truth.held_out(1, []) == pytest.approx(0.8)
    # The only schedule with four seeds is picked by any two and scored by the others.
    assert cross_fitted(scores) == pytest.approx(0.805, abs=0.01)
