from __future__ import annotations

import itertools
import logging
import math
import statistics

import numpy as np
import pandas as pd
import pytest

from lrtune.errors import ArgumentError
from lrtune.records.reader import read_run
from lrtune.stats.frames import curves_frame
from lrtune.stats.tuning_curves import best_so_far, family_curves, tuning_curve
from tests.runs import build_run

log = logging.getLogger(__name__)

SCORES = [0.7, 0.5, 0.68, 0.71]


def assert_same(curve, other):
    pd.testing.assert_frame_equal(curves_frame({"": curve}), curves_frame({"": other}))


def test_the_expected_best_by_enumeration():
    curve = tuning_curve(SCORES, "max")

    for n, expected in zip(curve.n, curve.expected, strict=True):
        best = [max(draws) for draws in itertools.product(SCORES, repeat=n)]
        assert expected == pytest.approx(statistics.fmean(best))
    assert curve.n.tolist() == [1, 2, 3, 4]
    assert curve.trials == 4


def test_the_median_best_is_the_first_score_that_half_of_all_draws_stay_within():
    # One draw is at most the second score of four half of the time. Two draws are at most the third
    # with (3/4)**2 > 1/2. For three draws (3/4)**3 < 1/2, so it is the fourth.
    assert tuning_curve(SCORES, "max").median.tolist() == [0.68, 0.7, 0.71, 0.71]
    # The same for a loss, from the other end: 3/4 of the draws are above .5.
    assert tuning_curve(SCORES, "min").median[1:].tolist() == [0.68, 0.5, 0.5]


def test_less_is_better_for_a_loss():
    up = tuning_curve(SCORES, "max", method="ks")
    down = tuning_curve([-score for score in SCORES], "min", method="ks")

    assert down.expected == pytest.approx([-score for score in up.expected])
    # Four scores do not bound the best of four from its better side.
    assert down.lower[-1] == -math.inf
    assert up.upper[-1] == math.inf


@pytest.mark.parametrize("direction", ["max", "min"])
@pytest.mark.parametrize("method", ["ld_equal_tailed", "ld_highest_density", "ks", "dkw"])
def test_the_band_lies_around_the_median(direction, method):
    scores = np.random.default_rng(0).normal(0.68, 0.02, 12)
    curve = tuning_curve(scores, direction, method=method, support=(0.0, 1.0))

    for low, middle, high in zip(curve.lower, curve.median, curve.upper, strict=True):
        assert 0 <= low <= middle <= high <= 1


@pytest.mark.parametrize(("trials", "method"), [(51, "ks"), (50, "ld_equal_tailed")])
def test_above_50_scores_the_default_band_is_the_quick_one(trials, method):
    scores = np.random.default_rng(0).random(trials)

    assert_same(tuning_curve(scores, "max"), tuning_curve(scores, "max", method=method))


def test_the_same_seed_gives_the_same_band_in_any_order():
    draw = np.random.default_rng(1)
    few, more = draw.random(5), draw.random(9)
    first = tuning_curve(few, "max", seed=5), tuning_curve(more, "max", seed=5)
    second = tuning_curve(more, "max", seed=5), tuning_curve(few, "max", seed=5)

    assert_same(first[0], second[1])
    assert_same(first[1], second[0])


def test_ties_cause_no_warning():
    assert tuning_curve([0.5] * 5 + [0.7], "max").expected[0] == pytest.approx(3.2 / 6)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([], "max"), "scores must be finite numbers, at least one. Received: scores=[]."),
        (
            ([math.nan], "max"),
            "scores must be finite numbers, at least one. Received: scores=[nan].",
        ),
        (([1.0], "up"), "direction must be 'max' or 'min'. Received: direction='up'."),
    ],
)
def test_scores_and_directions_outside_their_domain_are_errors(arguments, message):
    with pytest.raises(ArgumentError) as error:
        tuning_curve(*arguments)
    assert str(error.value) == message


def test_options_outside_their_domain_are_errors():
    with pytest.raises(ArgumentError, match=r"^confidence must be > 0 and < 1\. Received: "):
        tuning_curve([0.5], "max", confidence=1.0)
    message = r"^support must hold all scores, 0\.5 to 1\.5\. Received: support=\(0, 1\)\.$"
    with pytest.raises(ArgumentError, match=message):
        tuning_curve([0.5, 1.5], "max", support=(0, 1))


def test_a_random_search_has_one_curve_per_family(tmp_path):
    curves = family_curves(read_run(build_run.small_run(tmp_path)))

    # Of the full budget only trial 0 is step; 1 is exponential, and so is 6, which diverged, and 7,
    # which failed.
    assert list(curves) == ["constant", "time", "step", "exponential"]
    assert {family: curve.trials for family, curve in curves.items()} == {
        "constant": 1, "time": 1, "step": 1, "exponential": 2,
    }  # fmt: skip
    assert curves["exponential"].expected == pytest.approx(
        ((0.712 + 0.5) / 2, 0.75 * 0.712 + 0.25 * 0.5)
    )
    assert curves["step"].upper.tolist() == [1.0]
    frame = curves_frame(curves)
    assert list(frame.columns) == ["schedule", "n", "expected", "median", "lower", "upper"]
    assert len(frame) == 5
    assert frame["n"].tolist() == [1, 1, 1, 1, 2]
    assert list(curves_frame({}).columns) == list(frame.columns)
    assert curves_frame({}).empty


@pytest.mark.parametrize("algo", ["hyperband", "bayesian"])
def test_other_searches_have_no_tuning_curve_and_the_error_says_why(tmp_path, algo):
    with pytest.raises(ArgumentError) as error:
        family_curves(read_run(build_run.small_run(tmp_path, algo=algo)))
    assert str(error.value) == (
        "A tuning curve needs independent trials, which only random search draws: trials of "
        f"{algo!r} depend on the scores of earlier ones. Use best_so_far() to see the best score "
        "of this search after each trial."
    )


def test_best_so_far_counts_every_epoch_but_compares_full_budgets_only(tmp_path):
    curve = best_so_far(read_run(build_run.small_run(tmp_path)))

    assert list(curve.columns) == ["trial_id", "epochs", "best"]
    assert curve["trial_id"].tolist() == list("01234567")
    # 50, 33 after a parent's 17, 50, 50, 17, 17, 3 until it diverged, none.
    assert curve["epochs"].tolist() == [50, 83, 133, 183, 200, 217, 220, 220]
    assert curve["best"].tolist() == [0.705] + [0.712] * 7


def test_best_so_far_of_a_loss_and_before_any_full_budget(tmp_path):
    build_run.write_manifest(tmp_path, direction="min", objective="val_loss")
    build_run.write_trial(tmp_path, "0", 0.1, epochs=(1, 9, 9), rows=0)
    build_run.write_trial(tmp_path, "1", 0.7, rows=0)
    build_run.write_trial(tmp_path, "2", 0.6, rows=0)
    build_run.write_trial(tmp_path, "3", 0.65, rows=0)
    best = best_so_far(read_run(tmp_path))["best"]

    assert math.isnan(best[0])
    assert best[1:].tolist() == [0.7, 0.6, 0.6]


@pytest.mark.long
@pytest.mark.parametrize("direction", ["max", "min"])
@pytest.mark.parametrize(
    ("method", "n"), [("ld_equal_tailed", 10), ("ld_equal_tailed", 40), ("ks", 10), ("ks", 100)]
)
def test_the_band_holds_its_level_at_all_numbers_of_trials_at_once(method, n, direction):
    # Uniform scores: the best of n has the median .5**(1/n); for a loss it is 1 - .5**(1/n). Any
    # other continuous distribution is a monotone change of scale of scores and bands.
    repetitions = 1_000
    draw = np.random.default_rng([n, 4])
    best = 0.5 ** (1 / np.arange(1, n + 1))
    truth = best if direction == "max" else 1 - best
    held = 0
    for _ in range(repetitions):
        curve = tuning_curve(draw.random(n), direction, method=method, support=(0.0, 1.0))
        held += bool(np.all((curve.lower <= truth) & (truth <= curve.upper)))

    log.info("%s of %d trials, %s: %.3f", method, n, direction, held / repetitions)
    # The band has level .95 for the whole distribution. The curve begins at the median of one
    # trial, so the worse half of the distribution does not count. Measured: .990 to .995.
    assert held / repetitions >= 0.95


@pytest.mark.long
def test_with_ties_the_band_holds_at_least_its_level():
    # Accuracies of 20 steps: the median best of n is the first step k with (k / 20)**n >= 1/2.
    draw = np.random.default_rng(6)
    truth = np.ceil(20 * 0.5 ** (1 / np.arange(1, 31)) - 1e-9) / 20
    held = 0
    for _ in range(500):
        scores = np.ceil(20 * draw.random(30)) / 20
        curve = tuning_curve(scores, "max", support=(0.0, 1.0))
        held += bool(np.all((curve.lower <= truth) & (truth <= curve.upper)))

    log.info("ties: %.3f", held / 500)
    assert held / 500 >= 0.95
