from __future__ import annotations

import math

import pytest

from lrtune.display import Leaderboard
from tests.display.boards import outcome


def test_the_best_are_of_the_full_budget_however_lucky_a_short_trial_was():
    board = Leaderboard("val_accuracy", "max", horizon=9)
    board.add(outcome("0001", 0.9, epochs=3))
    assert [one.trial_id for one in board.best] == ["0001"]
    assert board.budget == 3
    board.add(outcome("0000", 0.7, epochs=9))
    assert [one.trial_id for one in board.best] == ["0000"]
    assert board.summary() == (
        "best val_accuracy 0.7000 after 9 epochs: trial 0000 constant(lr0=0.02), momentum 0.5"
    )


@pytest.mark.parametrize(
    ("direction", "best"),
    [
        ("max", ["0004", "0001", "0005", "0000", "0003"]),
        ("min", ["0002", "0003", "0000", "0001", "0005"]),
    ],
)
def test_the_top_five_follow_the_direction_and_equal_trials_keep_their_order(direction, best):
    board = Leaderboard("m", direction, horizon=9)
    for number, score in enumerate([0.4, 0.5, 0.1, 0.3, 0.9, 0.5]):
        board.add(outcome(f"{number:04d}", score))
    assert [one.trial_id for one in board.best] == best


@pytest.mark.parametrize(("direction", "best"), [("max", "constant-0.1"), ("min", "constant-0.01")])
def test_without_a_tuned_arm_the_baseline_is_the_arm_with_the_better_mean(direction, best):
    board = Leaderboard("m", direction, horizon=9)
    for arm, scores in {"constant-0.1": (0.8, 0.6), "constant-0.01": (0.65, 0.55)}.items():
        for seed, score in enumerate(scores):
            board.add(outcome(f"baseline/{arm}/seed-{seed}", score))
    words = {
        "constant-0.1": "constant-0.1 0.7000 ± 0.1414 over 2 seeds",
        "constant-0.01": "constant-0.01 0.6000 ± 0.0707 over 2 seeds",
    }
    assert board.summary() == words[best]


def test_the_arm_with_the_most_seeds_and_the_best_mean_is_the_baseline_and_first():
    board = Leaderboard("m", "max", horizon=9)
    for seed, score in enumerate((0.7, 0.72)):
        board.add(outcome(f"baseline/constant-tuned/seed-{seed}", score))
        board.add(outcome(f"baseline/constant-tuned-2/seed-{seed}", score - 0.01))
    board.add(outcome("baseline/constant-0.1/seed-0", 0.8))
    names = ["constant-tuned", "constant-tuned-2", "constant-0.1"]
    assert [arm.name for arm in board.arms] == names
    assert board.reference is not None
    assert board.reference.name == "constant-tuned"
    assert math.isnan(board.delta(0.75))  # no trial yet
    board.add(outcome("0000", 0.75))
    assert board.delta(0.75) == pytest.approx(0.04)


def test_for_a_loss_a_delta_above_zero_is_still_the_better_one():
    board = Leaderboard("val_loss", "min", horizon=9)
    board.add(outcome("0000", 0.5))
    board.add(outcome("baseline/constant-tuned/seed-1", 0.7))
    assert board.delta(0.5) == pytest.approx(0.2)


def test_diverged_and_failed_trials_are_never_the_best():
    board = Leaderboard("m", "max", horizon=9)
    board.add(outcome("0000", 0.9, status="diverged"))
    board.add(outcome("0001", None, status="failed"))
    assert board.summary() == "no trial has finished yet"
