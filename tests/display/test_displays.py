"""What a search prints while it runs: lines, or a picture that is drawn again."""

from __future__ import annotations

import io
import sys

import pytest
from rich.console import Console

from lrtune.display import Display, Leaderboard, make_progress
from lrtune.display.displays import LiveProgress, PlainProgress
from tests.display.boards import VALUES, Clock, outcome, pipe, shown, terminal, unstyled
from tests.tasks import task_of


@pytest.mark.parametrize(
    "changed", [{"CI": "true"}, {"TERM": "dumb"}, {"FORCE_COLOR": "1"}], ids=str
)
def test_lines_are_plain_where_nothing_can_be_drawn_over(changed, monkeypatch):
    for name, value in changed.items():
        monkeypatch.setenv(name, value)
    assert type(make_progress(terminal(), Leaderboard("m", "max", 9), 1, 9)) is PlainProgress


def test_lines_are_plain_in_notebooks_and_pipes(monkeypatch):
    board = Leaderboard("m", "max", 9)
    assert type(make_progress(pipe(), board, 1, 9)) is PlainProgress
    assert type(make_progress(terminal(), board, 1, 9)) is LiveProgress
    notebook = Console(file=io.StringIO(), force_jupyter=True)
    with make_progress(notebook, board, 1, 9) as progress:
        assert type(progress) is PlainProgress
    assert shown(notebook) == "at most 1 training, 9 epochs in all\nno trial has finished yet\n"
    monkeypatch.setitem(sys.modules, "ipykernel", sys)
    assert type(make_progress(terminal(), board, 1, 9)) is PlainProgress


def test_plain_progress_is_one_line_a_trial_with_no_control_codes():
    console = pipe()
    board = Leaderboard("val_accuracy", "max", horizon=9)
    with make_progress(console, board, trials=3, epochs=27) as progress:
        progress.trial_found(outcome("0000", 0.6))
        progress.trial_began(task_of("0001", VALUES, 1, 0, 9))
        progress.trial_ended(outcome("0001", 0.7))
        progress.trial_ended(
            outcome("0002", None, status="failed", message="Traceback\nValueError: [red]n\x1bo")
        )
    assert shown(console).splitlines() == [
        "at most 3 trainings, 27 epochs in all",
        "1 trial found, 9 epochs in the run folder: not trained again",
        (
            "[2/3] trial 0001 constant(lr0=0.02), momentum 0.5: 0.7000 after 9 epochs, "
            "about 2 s left"
        ),
        (
            "[3/3] trial 0002 constant(lr0=0.02), momentum 0.5: failed (ValueError: [red]n\\x1bo), "
            "about 2 s left"
        ),
        "best val_accuracy 0.7000 after 9 epochs: trial 0001 constant(lr0=0.02), momentum 0.5",
    ]


def test_during_long_trials_a_plain_line_shows_progress():
    clock, console = Clock(), pipe()
    progress = make_progress(console, Leaderboard("m", "max", 9), 1, 9, clock=clock)
    progress.trial_began(task_of("0000", VALUES, 1, 0, 9))
    for epoch in range(1, 5):
        clock.now += 16
        progress.epoch_ended("0000", {"epoch": epoch, "lr": 0.1})
    assert shown(console).splitlines() == [
        "2 of 9 epochs, about 2 min left",
        "4 of 9 epochs, about 80 s left",
    ]


@pytest.mark.parametrize("make", [terminal, pipe])
def test_quiet_says_nothing_but_warnings(make):
    console = make()
    task = task_of("0000", VALUES, 1, 0, 9)
    with make_progress(console, Leaderboard("m", "max", 9), 3, 27, quiet=True) as progress:
        assert type(progress) is Display
        progress.trial_found(outcome("0009", 0.5))
        progress.trial_began(task)
        progress.epoch_ended("0000", {"epoch": 1, "lr": 0.1})
        progress.trial_ended(outcome("0000", 0.5))
        assert shown(console) == ""
        progress.noticed("[b]epochs.jsonl is damaged")
        progress.trial_lost(task, "killed")
        progress.trial_ended(outcome("0001", None, status="failed", message="boom"))
    console = Console(file=io.StringIO(), width=200)
    what = "constant(lr0=0.02), momentum 0.5"
    lines = ["[b]epochs.jsonl is damaged", f"trial 0000 {what}: killed"]
    lines.append(f"trial 0001 {what}: failed (boom)")
    assert [line in shown(progress.console) for line in lines] == [True, True, True]
    assert shown(progress.console).count("\n") == 3


def test_the_live_display_is_drawn_again_only_when_it_changed():
    console, clock = terminal(), Clock()
    progress = make_progress(console, Leaderboard("m", "max", 9), 2, 18, clock=clock)
    with progress:
        assert isinstance(progress, LiveProgress)
        before = shown(console)
        progress.live.refresh()
        assert shown(console) == before
        progress.trial_began(task_of("0000", VALUES, 1, 0, 9))
        progress.live.refresh()
        assert "0000  constant(lr0=0.02), momentum 0.5" in unstyled(shown(console)[len(before) :])
        clock.now += 125
    assert shown(console).endswith("0 trials and 0 epochs in 2 min\n")  # the report tells the rest
    assert not progress.live.is_started


def test_a_trial_that_failed_stays_above_the_live_display():
    console = terminal(width=120)
    with make_progress(console, Leaderboard("m", "max", 9), 2, 18) as progress:
        progress.trial_ended(outcome("0001", None, status="failed", message="[red]boom"))
    assert "trial 0001 constant(lr0=0.02), momentum 0.5: failed ([red]boom)" in shown(console)


def test_plain_lines_hold_only_characters_that_the_encoding_has():
    file = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    with make_progress(Console(file=file, width=60), Leaderboard("m", "max", 9), 2, 18) as progress:
        for seed in (1, 2):
            progress.trial_ended(outcome(f"baseline/constant-0.1/seed-{seed}", 0.5))
    file.flush()
    assert b"constant-0.1 0.5000 +/- 0.0000 over 2 seeds" in file.buffer.getvalue()


def test_the_minutes_are_told_once_an_epoch_has_been_timed_unless_they_are_seconds():
    for seconds, told in ((60.0, ["2 of 9 epochs, about 7 min left"]), (2.0, [])):
        clock, console = Clock(), pipe()
        progress = make_progress(console, Leaderboard("m", "max", 9), 1, 9, clock=clock)
        progress.trial_began(task_of("0000", VALUES, 1, 0, 9))
        for epoch in range(1, 4):  # the first includes the start of its worker
            progress.epoch_ended("0000", {"epoch": epoch, "lr": 0.1, "seconds": seconds})
        assert shown(console).splitlines() == told
