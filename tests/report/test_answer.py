"""The answer of every report in the states in which nothing can be recommended."""

from __future__ import annotations

import pytest

from lrtune.records.reader import read_run
from lrtune.report.build import build_report
from tests.runs import build_run

HALF = {**build_run.MANIFEST["data"], "largest_class": 0.5}
SHORT = (1, 3, 3)
ADVICE = "Train longer, or check the model, the data and the learning rates."
NOTHING = "Nothing here has learned yet: 3 epochs are too few to compare anything."


def answer_of(folder):
    return build_report(read_run(folder)).answer


def quick(folder, trial, *, tuned=(0.5, 0.5, 0.5), data=HALF, **changes):
    """A run of 3 epochs, as `lrtune search --quick` leaves it."""
    arms = build_run.ARMS if tuned else {}
    build_run.write_manifest(folder, max_epochs=3, data=data, baseline_arms=arms, **changes)
    if tuned:
        build_run.write_baseline(folder, {"constant-tuned": tuned}, epochs=SHORT)
    build_run.write_trial(folder, "0", trial, epochs=SHORT)
    return folder


@pytest.mark.parametrize("tuned", [(0.5, 0.5, 0.5), (0.5, 0.5, 0.512), (0.49,)])
def test_a_constant_rate_that_learned_nothing_is_no_recommendation(tmp_path, tuned):
    answer = answer_of(quick(tmp_path, 0.561, tuned=tuned))

    assert answer.text == (
        "Nothing to recommend: 3 epochs are too few to compare anything. The baseline has not "
        "learned yet: constant-tuned is no better than 0.5000, the share of the largest class, so "
        f"there is nothing to compare the best score with, 0.5610. {ADVICE}"
    )
    assert answer.choice is None


@pytest.mark.parametrize("tuned", [(0.5, 0.5, 0.5), ()], ids=["with a baseline", "without"])
def test_where_no_score_is_above_the_largest_class_nothing_is_recommended(tmp_path, tuned):
    answer = answer_of(quick(tmp_path, 0.5, tuned=tuned))

    assert answer.text == (
        f"{NOTHING} No score is better than 0.5000, the share of the largest class. {ADVICE}"
    )
    assert answer.choice is None


def test_a_single_epoch_is_too_few(tmp_path):
    build_run.write_manifest(tmp_path, max_epochs=1, data=HALF, baseline_arms={})
    build_run.write_trial(tmp_path, "0", 0.5, epochs=(1, 1, 1))

    assert answer_of(tmp_path).use.endswith(": 1 epoch is too few to compare anything.")


def test_a_baseline_that_learned_is_recommended_over_trials_that_did_not(tmp_path):
    assert answer_of(quick(tmp_path, 0.5, tuned=(0.6, 0.61, 0.59))).use == (
        "Use a constant rate of 0.0275 with momentum 0.91."
    )


def test_without_labels_the_untrained_models_loss_is_what_must_be_beaten(tmp_path):
    loss = {"objective": "val_loss", "direction": "min", "data": build_run.MANIFEST["data"]}
    quick(tmp_path, 0.7, tuned=(0.72, 0.71, 0.73), **loss)
    for number, score in enumerate((0.69, 0.7, 0.75), start=1):
        build_run.write_trial(tmp_path, f"{number}", score, status="diverged", epochs=SHORT)

    assert answer_of(tmp_path).text == (
        f"{NOTHING} No score is better than 0.7000, the untrained model's score. {ADVICE}"
    )


def test_a_confirmation_whose_baseline_learned_nothing_recommends_nothing(tmp_path):
    data = {**build_run.CONFIRM["data"], "largest_class": 0.5}
    scores = {**build_run.CONFIRMED, "constant-tuned": (0.5,) * 8}
    answer = answer_of(build_run.confirmed_run(tmp_path, scores, data=data))

    assert answer.use == "Nothing to recommend: 50 epochs are too few to compare anything."
    assert "constant-tuned is no better than 0.5000, the share of the largest" in answer.why
    assert answer.choice is None


@pytest.mark.parametrize(
    ("statuses", "text"),
    [
        ([], "No answer yet: no trial has completed 50 epochs."),
        (
            ["diverged", "diverged", "failed"],
            (
                "Nothing to recommend: no trial has completed 50 epochs, 2 diverged and 1 failed. "
                "Search lower learning rates: `lrtune range-test` suggests a range."
            ),
        ),
        (["failed"], "Nothing to recommend: no trial has completed 50 epochs, 1 failed."),
    ],
)
def test_without_a_finished_trial_the_answer_says_what_became_of_them(tmp_path, statuses, text):
    build_run.write_manifest(tmp_path)
    build_run.write_baseline(tmp_path)
    for number, status in enumerate(statuses):
        score = 0.5 if status == "diverged" else None
        build_run.write_trial(tmp_path, f"{number}", score, status=status, rows=0)

    assert answer_of(tmp_path).text == text


def test_while_trials_are_running_there_is_no_answer_yet(tmp_path):
    build_run.write_manifest(tmp_path)
    build_run.write_trial(tmp_path, "0", 0.5, status="diverged", rows=0)
    build_run.write_epochs(tmp_path, "1", range(0))

    assert answer_of(tmp_path).text == "No answer yet: no trial has completed 50 epochs."


def test_failed_seeds_of_a_confirmation_do_not_count_as_untrained(tmp_path):
    data = {**build_run.CONFIRM["data"], "largest_class": 0.5}
    folder = build_run.confirmed_run(tmp_path, data=data)
    for seed in range(11, 15):
        name = f"confirm/constant-tuned/seed-{seed}"
        build_run.write_trial(folder, name, None, status="failed", values=build_run.TUNED)

    assert answer_of(folder).use.startswith("Use ")


def test_a_fixed_rate_that_learned_is_a_score_too(tmp_path):
    build_run.write_baseline(quick(tmp_path, 0.5), {"constant-0.1": (0.6, 0.62)}, epochs=SHORT)

    assert answer_of(tmp_path).use == "Use a constant rate of 0.1 with momentum 0."
