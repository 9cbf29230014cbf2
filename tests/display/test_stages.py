"""The stages of a search and its confirmation."""

from __future__ import annotations

import pytest

from lrtune.display import Leaderboard
from lrtune.display.board import Board
from lrtune.display.displays import LiveProgress, PlainProgress
from lrtune.display.stages import Speed, Stages, stage_of_confirmation, stages_of_search
from lrtune.records.schema import Rung
from tests.display.boards import VALUES, Clock, outcome, pipe, shown, terminal, unstyled
from tests.tasks import task_of

PLAN = (
    Rung("baseline/search", 47, 0, 11),
    Rung("baseline", 10, 0, 50),
    Rung("search", 90, 0, 10),
    Rung("search", 4, 0, 50),
)


def staged(kind, console, clock, speed=None):
    stages = (*stages_of_search(PLAN), stage_of_confirmation(3, 20, 50))
    board = Board(Leaderboard("val_accuracy", "max", 50), 151, 2117, clock)
    return kind(console, board, Stages(stages, speed))


TABLE = [
    "Planned, at most:",
    "  search of constant rates  47 trainings    517 epochs",
    "  baseline                  10 trainings    500 epochs",
    "  search of schedules       94 trainings  1,100 epochs",
    "  choice and test           48 trainings  2,400 epochs; usually 22 trainings",
]
MINUTES = [
    "Planned, at most:",
    "  search of constant rates  47 trainings    517 epochs  about 9 min",
    "  baseline                  10 trainings    500 epochs  about 8 min",
    "  search of schedules       94 trainings  1,100 epochs  about 18 min",
    (
        "  choice and test           48 trainings  2,400 epochs  about 40 min; usually 22 "
        "trainings, 18 min"
    ),
]


def train_two(display, clock, epochs):
    """Two workers train so many epochs of 2 s."""
    for number in ("0000", "0001"):
        display.trial_began(task_of(number, VALUES, 1, 0, 50))
    for epoch in range(1, epochs + 1):
        clock.now += 2.0
        for number in ("0000", "0001"):
            display.epoch_ended(number, {"epoch": epoch, "seconds": 2.0})


@pytest.mark.parametrize("kind", [PlainProgress, LiveProgress])
def test_the_stages_are_printed_first_and_their_minutes_once_an_epoch_is_timed(kind):
    console = pipe() if kind is PlainProgress else terminal(width=120)
    clock = Clock()
    with staged(kind, console, clock) as display:
        before = lines_of(console)
        train_two(display, clock, 1)  # a worker's first epoch says nothing
        between = lines_of(console)
        train_two(display, clock, 3)
        after = lines_of(console)
    assert before[:5] == TABLE
    assert [line for line in between if line.startswith("Planned")] == ["Planned, at most:"]
    assert [line for line in after if line in MINUTES] == ["Planned, at most:", *MINUTES]


def lines_of(console):
    """What was printed, without what a live display draws over."""
    told = unstyled(shown(console)).replace("\r", "\n")
    return [line.rstrip() for line in told.splitlines() if line.strip()]


def test_with_a_known_speed_the_minutes_are_printed_at_once_and_only_then():
    console, clock = pipe(), Clock()
    with staged(PlainProgress, console, clock, Speed(2.0, 2)) as display:
        assert lines_of(console) == MINUTES
        train_two(display, clock, 3)
    assert lines_of(console).count("Planned, at most:") == 1


def test_what_earlier_sessions_trained_takes_no_more_minutes():
    console, clock = pipe(), Clock()
    with staged(PlainProgress, console, clock) as display:
        for number in range(47):
            display.trial_found(
                outcome(f"baseline/search/{number:04d}", 0.6, epochs=11, seconds=22.0)
            )
        display.trial_found(outcome("baseline/constant-0.1/seed-1", 0.6, 50, seconds=100.0))
        train_two(display, clock, 3)
    told = lines_of(console)
    first = told.index("Left, at most:")
    assert told[first + 1 : first + 3] == [
        "  baseline              9 trainings    450 epochs  about 8 min",
        "  search of schedules  94 trainings  1,100 epochs  about 18 min",
    ]


def test_stages_of_seconds_have_no_minutes():
    console, clock = pipe(), Clock()
    stages = stages_of_search([Rung("search", 4, 0, 2)])
    board = Board(Leaderboard("val_accuracy", "max", 2), 4, 8, clock)
    with PlainProgress(console, board, Stages(stages)) as display:
        train_two(display, clock, 2)
    told = [line for line in lines_of(console) if "training" in line]
    assert told == ["  search of schedules  4 trainings  8 epochs"]


@pytest.mark.parametrize(("first", "seconds"), [(3, 9.0), (0, 12.0)])
def test_a_promotion_takes_as_long_as_its_epochs_however_many_workers_there_are(first, seconds):
    # It continues after 3 of 9 epochs, or trains 9 after another trial has trained 3.
    (stage,) = stages_of_search([Rung("search", 9, 0, 3), Rung("search", 3, first, 9)])
    assert stage.seconds(Speed(1.0, 100), usually=False) == seconds
