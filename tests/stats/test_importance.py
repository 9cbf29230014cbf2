from __future__ import annotations

import math

import numpy as np
import pytest

from lrtune.errors import ArgumentError
from lrtune.records.reader import read_run
from lrtune.stats.frames import importance_frame
from lrtune.stats.importance import measure_importance, shares_of_variance
from tests.runs import build_run

FAMILIES = ("constant", "time", "step", "exponential")


def search(folder, score, trials=160, *, seed=0, **changes):
    """A random search whose scores are a function of the values."""
    draw = np.random.default_rng(seed)
    build_run.write_manifest(folder, **changes)
    for number in range(trials):
        family = FAMILIES[number % 4]
        values = {
            "schedule": family,
            "lr0": float(10 ** draw.uniform(-3, -0.5)),
            "momentum": float(1 - 10 ** draw.uniform(-2, 0)),
        }
        if family == "exponential":
            values["exponential.k"] = float(10 ** draw.uniform(-2, 0))
        if family == "step":
            values["step.drop"] = float(draw.uniform(0.1, 0.8))
            values["step.epochs_drop"] = int(draw.integers(5, 25))
        noise = float(draw.normal(0, 0.003))
        build_run.write_trial(folder, f"{number:04}", score(values) + noise, values=values, rows=0)
    return read_run(folder)


def by_lr0(values):
    return 0.7 - 0.03 * (math.log10(values["lr0"]) + 1.5) ** 2


def by_schedule(values):
    return 0.66 + 0.02 * FAMILIES.index(values["schedule"])


def test_a_score_of_lr0_alone(tmp_path):
    shares = measure_importance(search(tmp_path, by_lr0)).overall.shares

    assert next(iter(shares)) == "lr0"
    assert shares["lr0"] > 0.6
    assert abs(shares["schedule"]) < 0.05 > abs(shares["momentum"])


def test_a_score_of_the_schedule_alone(tmp_path):
    overall = measure_importance(search(tmp_path, by_schedule)).overall

    assert next(iter(overall.shares)) == "schedule"
    assert overall.shares["schedule"] > 0.7
    assert abs(overall.shares["lr0"]) < 0.05 > abs(overall.shares["momentum"])
    assert (overall.trials, overall.family, overall.reason) == (160, None, "")
    assert overall.explained > 0.7


def test_noise_is_called_noise(tmp_path):
    overall = measure_importance(search(tmp_path, lambda _: 0.7)).overall

    assert max(map(abs, overall.shares.values())) < 0.1
    assert overall.explained <= 0
    assert overall.reason == (
        "The hyperparameters of 160 trials do not predict the scores of held-out trials: these "
        "shares are noise."
    )


def test_a_familys_own_parameters_count_within_its_own_trials(tmp_path):
    def by_k(values):
        return 0.7 - 0.05 * (math.log10(values.get("exponential.k", 0.1)) + 1) ** 2

    families = measure_importance(search(tmp_path, by_k, trials=240)).families

    assert list(families) == ["constant", "time", "step", "exponential"]
    exponential = families["exponential"]
    assert set(exponential.shares) == {"lr0", "momentum", "exponential.k"}
    assert next(iter(exponential.shares)) == "exponential.k"
    assert exponential.shares["exponential.k"] > 0.4
    assert exponential.trials == 60
    assert set(families["step"].shares) == {"lr0", "momentum", "step.drop", "step.epochs_drop"}


def test_below_fifty_trials_the_importance_is_unknown(tmp_path):
    importances = measure_importance(search(tmp_path, by_lr0, trials=49))

    assert importances.overall.shares == {}
    assert importances.overall.trials == 49
    assert importances.overall.reason == (
        "Only 49 trials trained for the same number of epochs; with fewer than 50, chance often "
        "decides which hyperparameter seems to matter most."
    )
    assert importances.families["time"].reason.startswith("Only 12 trials of time trained for the")
    assert importance_frame(importances).empty


def test_an_empty_run_has_no_importance(tmp_path):
    importances = measure_importance(read_run(build_run.write_manifest(tmp_path)))

    assert importances.budget == 50
    assert importances.overall.reason.startswith(
        "No trials trained for the same number of epochs; "
    )


def test_with_equal_scores_the_importance_is_unknown(tmp_path):
    build_run.write_manifest(tmp_path)
    for number in range(50):
        values = {**build_run.CONSTANT, "lr0": 0.01 + number / 1000}
        build_run.write_trial(tmp_path, f"{number:02}", 0.5, values=values, rows=0)

    overall = measure_importance(read_run(tmp_path)).overall
    assert overall.reason == "All 50 trials scored the same, so no hyperparameter mattered."


def test_a_parameter_that_is_fixed_has_no_share(tmp_path):
    def fixed(values):
        values["momentum"] = 0.9
        return by_lr0(values)

    assert measure_importance(search(tmp_path, fixed)).overall.shares["momentum"] == 0


def test_the_full_budget_counts_if_it_has_fifty_trials(tmp_path):
    records = search(tmp_path, by_lr0, trials=60)
    for number in range(100, 180):
        build_run.write_trial(tmp_path, str(number), 0.6, epochs=(1, 9, 9), rows=0)

    assert measure_importance(read_run(records.folder)).overall.trials == 60


def test_otherwise_the_budget_with_most_trials_counts(tmp_path):
    build_run.write_manifest(tmp_path)
    draw = np.random.default_rng(2)
    for number in range(70):
        budget = 9 if number < 30 else 17 if number < 60 else 50
        values = {**build_run.TIME, "lr0": float(10 ** draw.uniform(-3, -0.5))}
        score = by_lr0(values) + budget / 100
        build_run.write_trial(
            tmp_path, f"{number:02}", score, values=values, epochs=(1, budget, budget), rows=0
        )

    importances = measure_importance(read_run(tmp_path))
    # Of two as large groups the longer budget.
    assert (importances.budget, importances.overall.trials) == (17, 30)


def test_diverged_trials_count_and_failed_ones_do_not(tmp_path):
    search(tmp_path, by_lr0, trials=30)
    build_run.write_trial(tmp_path, "0030", 0.5, status="diverged", epochs=(1, 2, 50), rows=0)
    build_run.write_trial(tmp_path, "0031", None, status="failed", epochs=(1, 0, 50), rows=0)

    assert measure_importance(read_run(tmp_path)).overall.trials == 31


def test_only_the_order_of_scores_counts():
    draw = np.random.default_rng(0)
    features = draw.random((60, 2))
    scores = features[:, 0] + 0.1 * draw.random(60)
    loss = np.exp(-50 * scores)

    assert shares_of_variance(features, -loss)[0] == pytest.approx(
        shares_of_variance(features, scores)[0]
    )


def test_the_shares_are_sobols_total_indices():
    # y = 2 a + b of independent uniform a and b: variances 4/12 and 1/12, indices .8 and .2. Ranks
    # of a nearly uniform sum are close to it, and the forest predicts a little less than all.
    draw = np.random.default_rng(0)
    features = draw.random((2_000, 3))
    shares, explained = shares_of_variance(features, 2 * features[:, 0] + features[:, 1])

    np.testing.assert_allclose(shares, [0.8, 0.2, 0.0], atol=0.06)
    assert 0.95 < explained < 1


def test_the_same_run_gives_the_same_numbers(tmp_path):
    records = search(tmp_path, by_lr0, trials=60)

    assert measure_importance(records) == measure_importance(records)


def test_the_frame_has_one_row_per_parameter(tmp_path):
    frame = importance_frame(measure_importance(search(tmp_path, by_lr0, trials=240)))

    assert list(frame.columns) == [
        "schedule", "parameter", "share", "trials", "explained", "budget",
    ]  # fmt: skip
    assert frame["schedule"].tolist()[:4] == ["all", "all", "all", "constant"]
    assert frame.loc[0, "parameter"] == "lr0"
    assert frame["budget"].unique().tolist() == [50]


def test_too_few_scores_are_an_error():
    with pytest.raises(ArgumentError, match=r"^scores must be 6 or more, not all equal\. Rec"):
        shares_of_variance(np.ones((6, 1)), np.ones(6))
