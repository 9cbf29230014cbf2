"""The time left is said as soon as something is known of it, and no surer than it is known."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from lrtune.display import Leaderboard
from lrtune.display.board import Board
from lrtune.records.schema import Outcome, Span
from tests.tasks import task_of

VALUES = {"schedule": "constant", "lr0": 0.02, "momentum": 0.5}
MINUTE = 60.0


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


def a_board(clock):
    """Of 10 trials of 10 epochs."""
    return Board(Leaderboard("m", "max", 10), 10, 100, clock)


def begin(board, *trials, last=10):
    for trial in trials:
        board.trial_began(task_of(trial, VALUES, 1, 0, last))


def found(seconds, epochs=10, trial_id="0000"):
    return Outcome(trial_id, "completed", VALUES, Span(1, epochs, epochs), 1, seconds, 0.5)


def test_while_the_first_epochs_run_a_lower_bound_of_the_time_left_is_shown(clock):
    board = a_board(clock)
    begin(board, "0000", "0001")
    clock.now = 30.0  # which may be the start of the workers
    assert board.time_left() == "time left unknown"
    clock.now = 4 * MINUTE
    # At least 3 minutes an epoch beyond the start: 98 epochs to begin, shared by two workers.
    assert board.time_left() == "at least 2 h 27 min left"


def test_a_first_epoch_of_minutes_is_a_pace(clock):
    board = a_board(clock)
    begin(board, "0000", "0001")
    clock.now = 5 * MINUTE
    board.epoch_ended("0000", {"epoch": 1, "seconds": 5 * MINUTE})
    # 99 epochs of 5 minutes, one of them nearly done; two workers.
    assert board.time_left() == "about 4 h 5 min left"


def test_the_first_epoch_is_not_used_as_the_pace(clock):
    board = a_board(clock)
    begin(board, "0000")
    clock.now = 20.0
    board.epoch_ended("0000", {"epoch": 1, "seconds": 2.0})
    assert board.time_left() == "time left unknown"
    board.epoch_ended("0000", {"epoch": 2, "seconds": 1.0})
    assert board.time_left() == "about 2 min left"  # 98 epochs of 1 s


def test_trials_of_one_epoch_set_the_pace_once_every_worker_has_trained_one(clock):
    board = a_board(clock)
    begin(board, "0000", "0001", last=1)
    for trial, after in {"0000": "0002", "0001": "0003"}.items():
        board.epoch_ended(trial, {"epoch": 1, "seconds": 2.0})
        board.trial_ended(found(2.0, epochs=1, trial_id=trial))
        begin(board, after, last=1)
    assert board.time_left() == "time left unknown"
    board.epoch_ended("0002", {"epoch": 1, "seconds": 1.0})
    assert board.time_left() == "about 48 s left"  # 97 epochs of 1 s, two workers


def test_trials_of_an_earlier_session_are_a_pace_from_the_start(clock):
    board = a_board(clock)
    board.trial_found(found(10 * MINUTE))
    begin(board, "0001")
    assert board.time_left() == "about 1 h 30 min left"  # 90 epochs


@pytest.mark.parametrize("seconds", [math.nan, math.inf])
def test_trials_without_a_recorded_time_are_no_pace(clock, seconds):
    board = a_board(clock)
    board.trial_found(found(seconds))
    board.trial_found(replace(found(5.0, trial_id="0001"), status="failed", epochs=Span(1, 0, 10)))
    assert board.time_left() == "time left unknown"


def test_an_earlier_pace_that_this_session_does_not_keep_is_given_up(clock):
    board = a_board(clock)
    board.trial_found(found(10.0))  # 1 s an epoch, on another machine
    begin(board, "0001", "0002")
    clock.now = 3 * MINUTE
    # At least 2 minutes an epoch: 88 epochs to begin, shared by two workers.
    assert board.time_left() == "at least 88 min left"
    board.epoch_ended("0001", {"epoch": 1, "seconds": 3 * MINUTE})
    assert board.time_left().startswith("about 2 h 12 min")  # (89 - 1) epochs of 3 minutes


def test_an_unknown_plan_has_no_time_left(clock):
    board = Board(Leaderboard("m", "max", 10), None, None, clock)
    begin(board, "0000")
    clock.now = 60 * MINUTE
    assert board.time_left() == "time left unknown"
