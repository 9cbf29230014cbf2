"""Which arms are confirmed: the best of each family, what was named, and the baseline."""

from __future__ import annotations

import pytest

from lrtune.confirmation.arms import choose_arms
from lrtune.errors import ArgumentError, RunFolderError
from lrtune.records.reader import read_run
from tests.runs import build_run

READING = ["constant-0.1", "constant-0.01"]


def chosen(folder, *args, **kwargs):
    return choose_arms(read_run(folder), *args, **kwargs)


@pytest.fixture
def run(tmp_path):
    """Ranked: 1 exponential .712, 0 step .705, 9 exponential .704, 2 time .69, 3 constant .69."""
    folder = build_run.small_run(tmp_path / "run")
    build_run.write_trial(folder, "9", 0.704, values=build_run.EXPONENTIAL)
    return folder


@pytest.mark.parametrize(
    ("top", "trials"),
    [
        (1, ["1"]),
        (2, ["1", "0"]),
        (3, ["1", "0", "2"]),
        (4, ["1", "0", "2", "3"]),
        (5, ["1", "0", "9", "2", "3"]),
        (99, ["1", "0", "9", "2", "3"]),
    ],
)
def test_the_best_of_each_family_comes_before_a_second_of_any(run, top, trials):
    arms = chosen(run, top)
    assert list(arms.values) == [*(f"trial-{one}" for one in trials), *READING]
    assert arms.trials == {f"trial-{one}": one for one in trials}


def test_if_less_is_better_the_lowest_score_is_the_best(run):
    build_run.write_manifest(run, direction="min", objective="val_loss")
    assert list(chosen(run, 1).trials.values()) == ["2"]


def test_arms_have_the_values_and_scores_of_the_search(run):
    arms = chosen(run, 1)
    assert arms.values["trial-1"] == build_run.EXPONENTIAL
    assert arms.search_scores["trial-1"] == 0.712
    assert arms.search_scores["constant-0.1"] == pytest.approx((0.679 + 0.68 + 0.684) / 3)
    assert arms.reference.name == "constant-0.1"


def test_the_reference_is_the_baseline_and_other_tuned_rates_are_left_out(run):
    tuned = {"schedule": "constant", "lr0": 0.03, "momentum": 0.9}
    build_run.write_manifest(
        run, baseline_arms={**build_run.MANIFEST["baseline_arms"], "constant-tuned": tuned}
    )
    for seed in (1, 2, 3):
        build_run.write_trial(run, f"baseline/constant-tuned/seed-{seed}", 0.7, values=tuned)
        build_run.write_trial(run, f"baseline/constant-tuned-2/seed-{seed}", 0.6, values=tuned)
    arms = chosen(run)
    assert arms.reference.name == "constant-tuned"
    assert arms.values["constant-tuned"] == tuned
    assert [arm for arm in arms.values if "constant" in arm] == [*READING, "constant-tuned"]
    named = chosen(run, chosen=["1", "constant-tuned-2"])
    assert "constant-tuned-2" in named.values


def test_without_other_constants_only_the_reference_is_compared_with(run):
    arms = choose_arms(read_run(run), 3, constants=False)
    assert [arm for arm in arms.values if "constant" in arm] == ["constant-0.1"]


def test_named_trials_replace_the_top_ones(run):
    assert list(chosen(run, chosen=["2", "trial-0"]).trials.values()) == ["2", "0"]
    assert list(chosen(run, chosen=["2", "constant-0.1"]).values) == ["trial-2", *READING]


def test_a_trial_named_twice_makes_two_arms(run):
    arms = chosen(run, chosen=["1", "1", "1"])
    assert list(arms.trials) == ["trial-1", "trial-1-2", "trial-1-3"]
    assert arms.values["trial-1"] == arms.values["trial-1-3"]


@pytest.mark.parametrize("name", ["77", "7", "step", "../1", ""])
def test_an_unknown_arm_is_an_error_that_lists_the_known_ones(run, name):
    with pytest.raises(ArgumentError) as error:
        chosen(run, chosen=["1", name])
    assert str(error.value) == (
        "--arm must be a trial of the run that did not fail, or an arm of its baseline (such as 1, "
        f"0, 9, 2, 3, constant-0.1, constant-0.01). Received: {name}"
    )


def test_a_run_without_a_finished_trial_or_a_baseline_is_an_error(tmp_path):
    folder = build_run.write_manifest(tmp_path / "run")
    with pytest.raises(RunFolderError, match="has no constant rate that was trained for all 50"):
        chosen(folder)
    build_run.write_baseline(folder)
    build_run.write_trial(folder, "4", 0.66, epochs=(1, 17, 17))
    build_run.write_trial(folder, "5", 0.5, status="diverged", epochs=(1, 3, 50))
    with pytest.raises(RunFolderError, match="has no trial that completed 50 epochs"):
        chosen(folder)


def test_top_below_1_is_an_error(run):
    with pytest.raises(ArgumentError, match=r"top must be at least 1. Received: 0"):
        chosen(run, 0)
