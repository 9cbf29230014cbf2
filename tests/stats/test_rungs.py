"""Whether promoted trials keep their order, compared with scipy and with simulated intervals."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import spearmanr

from lrtune.records.reader import read_run
from lrtune.stats.rungs import correlation_interval, measure_rungs, rank_correlation
from tests.runs import build_run

EARLY = [0.61, 0.62, 0.63, 0.64, 0.65, 0.66, 0.67, 0.68]
LATER = [0.72, 0.71, 0.73, 0.74, 0.75, 0.76, 0.78, 0.77]
"""Two neighbours are swapped twice: 1 - 6 * 4 / (8 * 63)."""


def promoted(folder, early, later, *, epochs=(3, 9), start=0):
    """Trials that went on from one rung to the next, and two that did not."""
    first, then = epochs
    for number, (before, after) in enumerate(zip(early, later, strict=True)):
        parent, child = f"{start + 2 * number:04}", f"{start + 2 * number + 1:04}"
        build_run.write_trial(folder, parent, before, epochs=(1, first, first))
        build_run.write_trial(folder, child, after, epochs=(first + 1, then, then), parent=parent)
    return folder


@pytest.fixture
def folder(tmp_path):
    build_run.write_manifest(tmp_path, algo="hyperband", factor=3, max_epochs=9)
    build_run.write_trial(tmp_path, "9998", 0.5, epochs=(1, 3, 3))
    build_run.write_trial(tmp_path, "9999", 0.55, epochs=(1, 9, 9))
    return tmp_path


def test_the_correlation_is_that_of_the_trials_that_went_on(folder):
    (one,) = measure_rungs(read_run(promoted(folder, EARLY, LATER)))
    assert (one.first, one.then, one.trials) == (3, 9, 8)
    assert one.correlation == pytest.approx(1 - 24 / 504)
    z, half = math.atanh(one.correlation), 1.96 * math.sqrt((1 + one.correlation**2 / 2) / 5)
    assert (one.lower, one.upper) == pytest.approx((math.tanh(z - half), math.tanh(z + half)), 1e-4)


def test_seven_promoted_trials_are_too_few(folder):
    assert measure_rungs(read_run(promoted(folder, EARLY[:7], LATER[:7]))) == ()


def test_diverged_trials_are_left_out(folder):
    promoted(folder, EARLY, LATER)
    build_run.write_trial(folder, "9000", 0.5, status="diverged", epochs=(1, 1, 3), message="NaN")
    build_run.write_trial(
        folder, "9001", 0.5, status="diverged", epochs=(4, 3, 9), parent="9000", message="NaN"
    )
    (one,) = measure_rungs(read_run(folder))
    assert one.trials == 8


def test_every_two_successive_rungs_have_their_own_number(folder):
    promoted(folder, EARLY, LATER, epochs=(3, 9))
    promoted(folder, EARLY, LATER[::-1], epochs=(1, 3), start=100)
    found = measure_rungs(read_run(folder))
    assert [(one.first, one.then) for one in found] == [(1, 3), (3, 9)]
    assert found[0].correlation == pytest.approx(-found[1].correlation)


def test_equal_scores_have_no_order(folder):
    assert measure_rungs(read_run(promoted(folder, [0.5] * 8, LATER))) == ()


def test_the_rank_correlation_is_scipys():
    draw = np.random.default_rng(1)
    pairs = draw.integers(0, 6, (20, 2)).astype(float).tolist()  # with ties
    assert rank_correlation(pairs) == pytest.approx(spearmanr(*np.transpose(pairs)).statistic)


@pytest.mark.parametrize("correlation", [-1.0, -0.9, 0.0, 0.5, 1.0])
def test_an_interval_holds_its_correlation_and_has_a_width(correlation):
    lower, upper = correlation_interval(correlation, 8)
    assert -1 < lower < upper < 1
    assert upper - lower > 0.05
    if abs(correlation) < 1:
        assert lower < correlation < upper


@pytest.mark.parametrize(("n", "true"), [(8, 0.0), (8, 0.6), (20, 0.6), (20, 0.8)])
def test_the_interval_covers_the_true_correlation(n, true):
    draw = np.random.default_rng(2)
    covered = []
    for _ in range(1000):
        x, noise = draw.standard_normal((2, n))
        r = rank_correlation(np.column_stack([x, true * x + math.sqrt(1 - true**2) * noise]))
        lower, upper = correlation_interval(r, n)
        # Spearman's of a normal pair is a little smaller than Pearson's.
        covered.append(lower <= 6 / math.pi * math.asin(true / 2) <= upper)
    assert np.mean(covered) > 0.93
