"""What a search shows while it runs."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest
from rich.console import Console

from lrtune.progress import Leaderboard, LiveProgress, PlainProgress, make_progress
from lrtune.records.schema import Outcome, Span
from lrtune.runner.base import TrialTask

VALUES = {"schedule": "constant", "lr0": 0.02, "momentum": 0.5}


def outcome(trial_id: str, score: float | None, epochs: int = 9, **changes: object) -> Outcome:
    made = Outcome(trial_id, "completed", VALUES, Span(1, epochs, epochs), 1, 1.0, score)
    return replace(made, **changes)


def test_the_best_is_the_best_at_the_longest_budget_not_the_luckiest_short_trial():
    board = Leaderboard("val_accuracy", "max", horizon=9)
    board.add(outcome("0000", 0.7, epochs=9))
    board.add(outcome("0001", 0.9, epochs=3))
    assert board.summary() == (
        "best val_accuracy 0.7000 after 9 epochs: trial 0000 constant(lr0=0.02) momentum=0.5"
    )


@pytest.mark.parametrize(("direction", "best"), [("max", "constant-0.1"), ("min", "constant-0.01")])
def test_the_baseline_is_the_arm_with_the_better_mean(direction: str, best: str):
    board = Leaderboard("m", direction, horizon=9)
    for arm, scores in {"constant-0.1": (0.8, 0.6), "constant-0.01": (0.65, 0.55)}.items():
        for seed, score in enumerate(scores):
            board.add(outcome(f"baseline/{arm}/seed-{seed}", score))
    mean = {"constant-0.1": 0.7, "constant-0.01": 0.6}[best]
    assert board.summary() == f"{best} {mean:.4f} after 9 epochs (mean of 2)"


def test_a_diverged_trial_is_no_best_and_a_failed_one_has_no_score():
    board = Leaderboard("m", "max", horizon=9)
    board.add(outcome("0000", 0.9, status="diverged"))
    board.add(outcome("0001", None, status="failed"))
    assert board.summary() == "no trial has finished yet"


def test_plain_progress_is_one_line_a_trial_with_no_control_codes():
    text = io.StringIO()
    console = Console(file=text, width=60)
    board = Leaderboard("val_accuracy", "max", horizon=9)
    with make_progress(console, board, trials=2, epochs=18) as progress:
        assert isinstance(progress, PlainProgress)
        progress.trial_began(TrialTask("0000", VALUES, 1, 0, 9))
        progress.trial_ended(outcome("0000", 0.7))
        progress.trial_ended(
            outcome("0001", None, status="failed", message="Traceback\nValueError: [red]no")
        )
    lines = text.getvalue().splitlines()
    assert lines == [
        (
            "[1/2] trial 0000 constant(lr0=0.02) momentum=0.5: 0.7000 after 9 epochs, "
            "time left unknown"
        ),
        (
            "[2/2] trial 0001 constant(lr0=0.02) momentum=0.5: failed (ValueError: [red]no), "
            "time left unknown"
        ),
        "best val_accuracy 0.7000 after 9 epochs: trial 0000 constant(lr0=0.02) momentum=0.5",
    ]


def test_epochs_that_a_diverged_trial_will_not_train_are_no_work_left():
    progress = PlainProgress(Console(file=io.StringIO()), Leaderboard("m", "max", 9), 2, 18)
    progress.epoch_ended("0000", {"epoch": 1.0, "lr": 0.1})
    stopped = replace(outcome("0000", 0.5), status="diverged", epochs=Span(1, 1, 9))
    progress.trial_ended(stopped)
    assert progress.epochs == 10
    assert progress.epochs_done == 1


def test_the_live_display_shows_what_runs_and_the_baseline():
    text = io.StringIO()
    console = Console(file=text, width=100, force_terminal=True)
    board = Leaderboard("val_accuracy", "max", horizon=9)
    with make_progress(console, board, trials=2, epochs=18) as progress:
        assert isinstance(progress, LiveProgress)
        progress.trial_began(TrialTask("0000", VALUES, 1, 0, 9))
        progress.epoch_ended("0000", {"epoch": 3.0, "lr": 0.02, "val_accuracy": 0.61})
        progress.trial_ended(outcome("baseline/constant-0.1/seed-1", 0.68))
        shown = Console(file=io.StringIO(), width=100, record=True)
        shown.print(progress._render())
        picture = shown.export_text()
    assert "trial 0000 constant(lr0=0.02) momentum=0.5 · epoch 3, lr 0.02" in picture
    assert "val_accuracy 0.6100" in picture
    assert "constant-0.1 0.6800 after 9 epochs (mean of 1)" in picture
    assert "1/2" in picture
    assert "1/18" in picture
