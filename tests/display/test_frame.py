"""The picture of a running search."""

from __future__ import annotations

import io

import pytest
from rich.cells import cell_len
from rich.console import Console

from lrtune.display import Leaderboard
from lrtune.display.board import Board
from lrtune.display.frame import curve, draw
from tests.display.boards import LEVELS, VALUES, Clock, a_search, outcome, plain, text
from tests.tasks import task_of


@pytest.mark.parametrize(
    ("numbers", "shown"),
    [
        ([], ""),
        ([0.5], "▁"),
        ([0.0, 7.0], "▁█"),
        ([0, 1, 2, 3, 4, 5, 6, 7], LEVELS),
        ([1.0, float("nan"), 0.0], "█ ▁"),
        ([float("nan")], " "),
        ([-1.7e308, 1.7e308], "▁█"),
        (list(range(16)), LEVELS),
    ],
)
def test_a_sparkline_spans_the_lowest_to_the_highest_number(numbers, shown):
    assert curve(numbers, 8) == shown


@pytest.mark.parametrize("width", [80, 60, 40, 20, 5, 1])
@pytest.mark.parametrize("height", [50, 24, 16, 10, 4, 2])
@pytest.mark.parametrize("workers", [1, 4, 16])
def test_lines_fit_the_terminal_whatever_its_size(width, height, workers):
    board = a_search(Clock(), workers)
    board.trial_began(task_of("0099", {**VALUES, "schedule": "漢字" * 40}, 1, 0, 9))
    lines = text(board, width, height)
    assert len(lines) <= height - 1
    assert max(map(cell_len, lines)) <= width


def test_all_that_was_asked_for_fits_80_by_24_with_four_workers():
    assert text(a_search(Clock())) == [
        "━━━━━━━━╸━━━━━━━━━━━━━━━  146 of 400 epochs, about 2 min left",
        "14 of 40 trials, 10 s, 14 trials found, 126 epochs",
        "",
        "0010  constant(lr0=0.02), momentum 0.5",
        "      epoch 5 of 9  ▁▃▅▆█      val_accuracy 0.5500  lr 0.02",
        "0011  constant(lr0=0.02), momentum 0.5",
        "      epoch 5 of 9  ▁▃▅▆█      val_accuracy 0.5500  lr 0.02",
        "0012  constant(lr0=0.02), momentum 0.5",
        "      epoch 5 of 9  ▁▃▅▆█      val_accuracy 0.5500  lr 0.02",
        "0013  constant(lr0=0.02), momentum 0.5",
        "      epoch 5 of 9  ▁▃▅▆█      val_accuracy 0.5500  lr 0.02",
        "",
        "Best  val_accuracy after 9 epochs                     momentum    score    delta",
        "0009  constant(lr0=0.02)                                   0.5   0.6900  +0.0400",
        "0008  constant(lr0=0.02)                                   0.5   0.6800  +0.0300",
        "0007  constant(lr0=0.02)                                   0.5   0.6700  +0.0200",
        "0006  constant(lr0=0.02)                                   0.5   0.6600  +0.0100",
        "0005  constant(lr0=0.02)                                   0.5   0.6500  +0.0000",
        "",
        "Constant rate",
        "constant-tuned  0.6500 ± 0.0141 over 2 seeds, delta is against this",
        "constant-0.1    0.6100 ± 0.0141 over 2 seeds",
        "",
    ]


@pytest.mark.parametrize("width", [80, 60, 40])
def test_a_narrow_terminal_cuts_schedules_not_ids_or_scores(width):
    shown = text(a_search(Clock(), workers=8), width, 20)
    for trial in range(10, 18):
        [line] = [line for line in shown if line.startswith(f"{trial:04d}  5/9")]
        assert "0.5500" in line
    [best] = [line for line in shown if line.startswith("0009")]
    assert best.endswith("0.6900  +0.0400")


def test_before_a_full_budget_the_longest_trials_are_listed_as_short():
    board = Board(Leaderboard("val_accuracy", "max", 9), 40, 400, Clock())
    board.trial_found(outcome("0000", 0.6, epochs=3))
    board.trial_found(outcome("baseline/constant-0.1/seed-1", 0.7))
    picture = "\n".join(text(board))
    assert "Best  val_accuracy after 3 epochs, none after 9 yet" in picture
    assert "0.5   0.6000        -" in picture  # no delta against what was trained for longer


def test_the_height_stays_while_trials_end_and_arms_appear():
    clock = Clock()
    board = a_search(clock)
    height = len(text(board))
    board.trial_ended(outcome("0010", 0.7))
    assert len(text(board)) == height
    board.trial_ended(outcome("baseline/constant-0.01/seed-0", 0.6))
    for worker in (11, 12, 13):
        board.trial_ended(outcome(f"{worker:04d}", 0.7))
    assert len(text(board)) == height
    assert "no trial is running" in text(board)[3]
    board.trial_began(task_of("0014", VALUES, 1, 0, 9))
    assert len(text(board)) == height


def test_a_confirmation_shows_every_arm_and_the_baseline_first():
    board = Board(Leaderboard("val_accuracy", "max", 9, arms=("constant-tuned", "0007")), 4, 36)
    board.trial_ended(outcome("confirm/0007/seed-5", 0.72))
    board.trial_ended(outcome("confirm/constant-tuned/seed-5", 0.70))
    assert text(board)[-3:] == [
        "On the test data",
        "constant-tuned    0.7000 with 1 seed, the baseline",
        "0007              0.7200 with 1 seed, +0.0200",
    ]


def test_epochs_without_validation_show_the_training_metric():
    board = Board(Leaderboard("val_accuracy", "max", 9), 4, 36)
    board.trial_began(task_of("confirm/0007/seed-5", VALUES, 1, 0, 9))
    board.epoch_ended("confirm/0007/seed-5", {"epoch": 1, "lr": 0.1, "accuracy": 0.61})
    assert "▁          accuracy 0.6100  lr 0.1" in "\n".join(text(board))


@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "latin-1"])
def test_a_terminal_without_block_characters_gets_others(encoding):
    file = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    console = Console(file=file, force_terminal=True, width=60, height=24)
    board = a_search(Clock())
    board.trial_began(task_of("0099", {**VALUES, "schedule": "漢字" * 40}, 1, 0, 9))
    lines = plain(draw(board, console))
    assert "0099" in "".join(lines)
    assert all(line.isascii() for line in lines)


def test_what_comes_from_a_file_steers_no_terminal():
    board = Board(Leaderboard("m\x1b[2J", "max", 9), 2, 18)
    values = {"schedule": "\x1b]0;x\x07[red]", "lr0": 0.1, "momentum": 0.5}
    board.trial_began(task_of("0000", values, 1, 0, 9))
    board.trial_ended(outcome("0001", 0.5, values=values))
    console = Console(file=io.StringIO(), width=80)
    lines = plain(draw(board, console))
    assert all(line.isprintable() for line in lines)
    assert "[red]" in "".join(lines)
