from __future__ import annotations

import math

import numpy as np
import pytest
import scipy.stats

from lrtune.errors import ArgumentError
from lrtune.records.reader import read_run
from lrtune.stats.baseline import measure_baseline, noise_spread
from tests.runs import build_run


def baseline_of(folder, scores, **changes):
    build_run.write_manifest(folder, **changes)
    build_run.write_baseline(folder, scores)
    return measure_baseline(read_run(folder))


def test_the_figures_of_a_run_by_hand(tmp_path):
    baseline = baseline_of(tmp_path, build_run.SCORES)

    first, second = baseline.arms
    # .679 .680 .684: mean .681, squares .000004 + .000001 + .000009
    assert first.name == "constant-0.1"
    assert first.recipe.values == {"schedule": "constant", "lr0": 0.1, "momentum": 0.0}
    assert first.scores == (0.679, 0.68, 0.684)
    assert (first.n, first.diverged, first.failed) == (3, 0, 0)
    assert first.mean == pytest.approx(0.681)
    assert first.std == pytest.approx(math.sqrt(0.000014 / 2))
    # .658 .638 .660: mean .652, squares .000036 + .000196 + .000064
    assert second.std == pytest.approx(math.sqrt(0.000296 / 2))
    assert baseline.reference is first
    # t(.975, 2) = 4.302653 in any table
    expected = 4.302653 * math.sqrt(0.000014 / 2) * math.sqrt(4 / 3)
    assert baseline.spread == pytest.approx(expected, rel=1e-6)


def test_less_is_better_for_a_loss(tmp_path):
    baseline = baseline_of(tmp_path, build_run.SCORES, direction="min", objective="val_loss")

    assert baseline.reference.name == "constant-0.01"


def test_trials_are_compared_with_the_best_rate_that_ran_to_the_end_of_the_race(tmp_path):
    scores = {
        "constant-tuned": (0.67, 0.674, 0.672),
        "constant-tuned-2": (0.671, 0.66, 0.66),
        "constant-tuned-3": (0.66, 0.69),  # better by its mean, which is of two seeds
        "constant-0.1": (0.66,),
        "constant-0.01": (0.66,),
    }
    baseline = baseline_of(tmp_path, scores)

    assert baseline.reference.name == "constant-tuned"
    # Squares .000004 and .000004 around .672.
    assert baseline.spread == pytest.approx(4.302653 * 0.002 * math.sqrt(4 / 3), rel=1e-6)
    assert baseline.within_noise(0.0099) is True
    assert baseline.within_noise(0.01) is False


def test_a_plain_rate_that_did_best_is_the_reference(tmp_path):
    baseline = baseline_of(tmp_path, {**build_run.SCORES, "constant-tuned": (0.67, 0.674, 0.672)})

    assert baseline.reference.name == "constant-0.1"  # .681
    assert baseline.was_searched


def test_a_rate_with_a_collapsed_seed_is_not_the_reference_while_another_has_none(tmp_path):
    scores = {"constant-tuned": (0.70, 0.71, 0.72), "constant-0.1": (0.66, 0.65)}
    build_run.write_manifest(tmp_path)
    build_run.write_baseline(tmp_path, scores)
    name = "baseline/constant-tuned/seed-3"
    build_run.write_trial(tmp_path, name, 0.5, status="diverged", rows=0)
    assert measure_baseline(read_run(tmp_path)).reference.name == "constant-0.1"

    name = "baseline/constant-0.1/seed-2"
    build_run.write_trial(tmp_path, name, 0.5, status="diverged", rows=0)
    assert measure_baseline(read_run(tmp_path)).reference.name == "constant-tuned"


def test_a_tuned_rate_without_a_score_is_not_the_reference(tmp_path):
    build_run.write_manifest(tmp_path)
    build_run.write_baseline(tmp_path)
    name = "baseline/constant-tuned/seed-1"
    build_run.write_trial(tmp_path, name, None, status="failed", rows=0)

    baseline = measure_baseline(read_run(tmp_path))

    assert baseline.reference.name == "constant-0.1"


def test_without_any_score_there_is_no_baseline(tmp_path):
    assert baseline_of(tmp_path, {}) is None


def test_with_one_seed_per_arm_the_noise_is_unknown(tmp_path):
    baseline = baseline_of(tmp_path, {"constant-0.1": (0.7,), "constant-0.01": (0.6,)})

    assert math.isnan(baseline.reference.std)
    assert math.isnan(baseline.spread)
    assert baseline.within_noise(0.1) is None


def test_the_noise_of_other_arms_is_not_used(tmp_path):
    baseline = baseline_of(tmp_path, {"constant-0.1": (0.7,), "constant-0.01": (0.6,)})

    assert baseline.reference.name == "constant-0.1"
    assert math.isnan(baseline.spread)


def test_a_failed_seed_does_not_count(tmp_path):
    build_run.write_manifest(tmp_path)
    build_run.write_baseline(tmp_path)
    name = "baseline/constant-0.1/seed-3"
    build_run.write_trial(tmp_path, name, None, status="failed", rows=0)
    for seed in (1, 2, 3):
        name = f"baseline/constant-0.01/seed-{seed}"
        build_run.write_trial(tmp_path, name, None, status="failed", rows=0)

    baseline = measure_baseline(read_run(tmp_path))

    (arm,) = baseline.arms
    assert (arm.scores, arm.failed) == ((0.679, 0.68), 1)


def test_a_diverged_seed_counts_in_the_mean(tmp_path):
    build_run.write_manifest(tmp_path)
    build_run.write_baseline(tmp_path)
    name = "baseline/constant-0.1/seed-3"
    build_run.write_trial(tmp_path, name, 0.5, status="diverged", rows=0)

    baseline = measure_baseline(read_run(tmp_path))

    assert baseline.arms[0].mean == pytest.approx((0.679 + 0.68 + 0.5) / 3)
    assert baseline.arms[0].diverged == 1
    assert baseline.reference.name == "constant-0.01"


def test_where_every_arm_has_a_diverged_seed_the_noise_is_unknown(tmp_path):
    build_run.write_manifest(tmp_path)
    build_run.write_baseline(tmp_path, {"constant-0.1": (0.9, 0.9), "constant-0.01": (0.5, 0.52)})
    for arm in ("constant-0.1", "constant-0.01"):
        name = f"baseline/{arm}/seed-3"
        build_run.write_trial(tmp_path, name, 0.5, status="diverged", rows=0)

    baseline = measure_baseline(read_run(tmp_path))

    assert baseline.reference.name == "constant-0.1"
    assert math.isnan(baseline.spread)


def test_with_equal_scores_of_all_seeds_the_noise_is_unknown(tmp_path):
    scores = {"constant-0.1": (0.5, 0.5, 0.5), "constant-0.01": (0.4, 0.41, 0.42)}

    baseline = baseline_of(tmp_path, scores)

    assert baseline.reference.name == "constant-0.1"
    assert math.isnan(baseline.spread)


def test_seeds_of_another_budget_do_not_count(tmp_path):
    build_run.write_manifest(tmp_path)
    build_run.write_baseline(tmp_path, {"constant-0.1": (0.7, 0.71)})
    name = "baseline/constant-0.1/seed-3"
    build_run.write_trial(tmp_path, name, 0.1, epochs=(1, 9, 9), rows=0)

    assert measure_baseline(read_run(tmp_path)).reference.scores == (0.7, 0.71)


def test_a_difference_equal_to_the_spread_is_within_noise(tmp_path):
    baseline = baseline_of(tmp_path, build_run.SCORES)

    assert baseline.within_noise(baseline.spread) is True
    assert baseline.within_noise(-baseline.spread) is True
    assert baseline.within_noise(math.nextafter(baseline.spread, 1)) is False
    assert baseline.within_noise(math.nan) is None


@pytest.mark.parametrize("n", [2, 3, 5, 31])
def test_the_spread_uses_the_quantile_of_students_t(n):
    t = scipy.stats.t.ppf(0.975, n - 1)

    assert noise_spread(2.0, n) == pytest.approx(t * 2.0 * math.sqrt(1 + 1 / n))


def test_a_spread_of_no_runs_is_an_error():
    with pytest.raises(ArgumentError, match=r"^n must be >= 1\. Received: n=0\.$"):
        noise_spread(1.0, 0)


def test_a_further_seed_of_the_same_arm_is_within_noise_95_times_in_100():
    # Three seeds, as a search trains them. The bound is four standard errors of the simulated
    # share: sqrt(.95 * .05 / 8000) = .0024.
    draw = np.random.default_rng(20261122)
    repetitions = 8000
    seeds = draw.normal(0.68, 0.01, (repetitions, 3))
    further = draw.normal(0.68, 0.01, repetitions)
    within = [
        abs(one - three.mean()) <= noise_spread(float(three.std(ddof=1)), 3)
        for one, three in zip(further, seeds, strict=True)
    ]

    assert np.mean(within) == pytest.approx(0.95, abs=4 * 0.0024)


def test_the_noise_of_the_best_run_is_never_less_than_that_of_one(tmp_path):
    baseline = baseline_of(tmp_path, build_run.SCORES)
    deviation = math.sqrt(0.000014 / 2) * math.sqrt(4 / 3)

    # One-sided, a single run exceeds 2.92 deviations in 5 % of cases, but the two-sided noise of a
    # single run is 4.30 deviations.
    assert baseline.spread_of_best(1) == baseline.spread
    assert baseline.spread_of_best(12) == pytest.approx(6.887 * deviation, rel=1e-3)
    assert baseline.beaten_by_best(0.0211, 12) is True
    assert baseline.beaten_by_best(0.0210, 12) is False
    assert baseline.beaten_by_best(-0.5, 12) is False
    assert baseline.beaten_by_best(math.nan, 12) is None


def test_where_the_noise_of_one_run_is_unknown_so_is_that_of_the_best(tmp_path):
    baseline = baseline_of(tmp_path, {"constant-0.1": (0.7,)})

    assert math.isnan(baseline.spread_of_best(4))
    assert baseline.beaten_by_best(0.1, 4) is None
