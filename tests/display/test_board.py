"""What is left to train, and how long that takes."""

from __future__ import annotations

from dataclasses import replace

import pytest

from lrtune.display import Leaderboard
from lrtune.display.board import Board
from lrtune.records.schema import Span
from tests.display.boards import VALUES, Clock, outcome
from tests.tasks import task_of


def seconds_left(board: Board) -> float:
    left = board.left()
    assert left is not None
    return left.seconds


def test_time_left_is_what_is_left_shared_by_the_workers():
    clock = Clock()
    board = Board(Leaderboard("m", "max", 9), 8, 72, clock)
    for trial in ("0000", "0001"):
        board.trial_began(task_of(trial, VALUES, 1, 0, 9))
    clock.now += 20  # TensorFlow starts in the workers
    for trial in ("0000", "0001"):
        board.epoch_ended(trial, {"epoch": 1, "lr": 0.1})
    assert board.time_left() == "time left unknown"  # a first epoch is mostly the worker's start
    clock.now += 4
    board.epoch_ended("0000", {"epoch": 2, "lr": 0.1})
    # 69 epochs of 4 s, two workers; the second epoch of the other one is 4 s old.
    assert seconds_left(board) == pytest.approx((69 * 4 - 4) / 2)
    clock.now += 2
    board.epoch_ended("0001", {"epoch": 2, "lr": 0.1})
    # 4 and 6 s: 5 s an epoch. 68 epochs are left, of one of which 2 s are gone; two workers.
    assert seconds_left(board) == pytest.approx((68 * 5 - 2) / 2)
    clock.now += 100  # a stalled epoch is not more than one epoch
    assert seconds_left(board) == pytest.approx((68 * 5 - 10) / 2)
    assert board.time_left() == "about 3 min left"


def test_time_left_is_no_less_than_the_longest_trial_takes():
    clock = Clock()
    board = Board(Leaderboard("m", "max", 50), 3, 101, clock)
    for trial in ("0000", "0001", "0002"):
        board.trial_began(task_of(trial, VALUES, 1, 0, 50 if trial == "0002" else 10))
    for epoch in range(1, 10):
        clock.now += 10
        for trial in ("0000", "0001", "0002"):
            board.epoch_ended(trial, {"epoch": epoch, "lr": 0.1})
    assert seconds_left(board) == 41 * 10


def test_epochs_that_a_diverged_trial_skips_do_not_count_as_left():
    board = Board(Leaderboard("m", "max", 9), 2, 18)
    board.trial_began(task_of("0000", VALUES, 1, 0, 9))
    board.epoch_ended("0000", {"epoch": 1.0, "lr": 0.1})
    board.trial_ended(replace(outcome("0000", 0.5), status="diverged", epochs=Span(1, 1, 9)))
    assert (board.epochs, board.epochs_done) == (10, 1)


def test_epochs_of_a_lost_worker_count_as_left_to_train():
    board = Board(Leaderboard("m", "max", 9), 2, 18)
    board.trial_began(task_of("0000", VALUES, 1, 3, 9))
    for epoch in (4, 5):
        board.epoch_ended("0000", {"epoch": epoch, "lr": 0.1})
    board.trial_lost("0000")
    assert board.epochs_done == 0
