"""What a search shows while it runs."""

from __future__ import annotations

import io
import math
import re
import sys
from dataclasses import replace

import pytest
from rich.cells import cell_len
from rich.console import Console

from lrtune.display import Display, Leaderboard, make_progress
from lrtune.display.board import Board
from lrtune.display.displays import LiveProgress, PlainProgress
from lrtune.display.frame import curve, draw
from lrtune.display.stages import Speed, Stages, stage_of_confirmation, stages_of_search
from lrtune.records.schema import Outcome, Rung, Span
from tests.tasks import task_of

VALUES = {"schedule": "constant", "lr0": 0.02, "momentum": 0.5}
LEVELS = "▁▂▃▄▅▆▇█"


@pytest.fixture(autouse=True)
def at_a_terminal(monkeypatch):
    for name in ("CI", "FORCE_COLOR", "NO_COLOR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delitem(sys.modules, "ipykernel", raising=False)


class Clock:
    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now


def outcome(trial_id: str, score: float | None, epochs: int = 9, **changes: object) -> Outcome:
    made = Outcome(trial_id, "completed", VALUES, Span(1, epochs, epochs), 1, 1.0, score)
    return replace(made, **changes)


def terminal(width: int = 80, height: int = 24) -> Console:
    return Console(file=io.StringIO(), force_terminal=True, width=width, height=height)


def pipe() -> Console:
    return Console(file=io.StringIO(), width=60)


def text(board: Board, width: int = 80, height: int = 24) -> list[str]:
    return plain(draw(board, terminal(width, height)))


def plain(lines) -> list[str]:
    return ["".join(segment.text for segment in line).rstrip() for line in lines]


def seconds_left(board: Board) -> float:
    left = board.left()
    assert left is not None
    return left.seconds


def a_search(clock: Clock, workers: int = 4) -> Board:
    """Ten trials of 9 epochs, .60 to .69; two arms of two seeds; workers in their fifth epoch."""
    board = Board(Leaderboard("val_accuracy", "max", 9), 40, 400, clock)
    for number in range(10):
        board.trial_found(outcome(f"{number:04d}", 0.60 + number / 100))
    for arm, scores in {"constant-0.1": (0.62, 0.60), "constant-tuned": (0.66, 0.64)}.items():
        for seed, score in enumerate(scores):
            board.trial_found(outcome(f"baseline/{arm}/seed-{seed}", score))
    for worker in range(workers):
        board.trial_began(task_of(f"{10 + worker:04d}", VALUES, 1, 0, 9))
    for epoch in range(1, 6):
        clock.now += 2.0
        for worker in range(workers):
            score = 0.5 + epoch / 100
            record = {"epoch": epoch, "lr": 0.02, "val_accuracy": score}
            board.epoch_ended(f"{10 + worker:04d}", record)
    return board


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


def unstyled(text: str) -> str:
    return re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", text)


def shown(console: Console) -> str:
    return console.file.getvalue()


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


@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "latin-1"])
def test_a_terminal_without_block_characters_gets_others(encoding):
    file = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    console = Console(file=file, force_terminal=True, width=60, height=24)
    board = a_search(Clock())
    board.trial_began(task_of("0099", {**VALUES, "schedule": "漢字" * 40}, 1, 0, 9))
    lines = plain(draw(board, console))
    assert "0099" in "".join(lines)
    assert all(line.isascii() for line in lines)


def test_plain_lines_hold_only_characters_that_the_encoding_has():
    file = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    with make_progress(Console(file=file, width=60), Leaderboard("m", "max", 9), 2, 18) as progress:
        for seed in (1, 2):
            progress.trial_ended(outcome(f"baseline/constant-0.1/seed-{seed}", 0.5))
    file.flush()
    assert b"constant-0.1 0.5000 +/- 0.0000 over 2 seeds" in file.buffer.getvalue()


def test_what_comes_from_a_file_steers_no_terminal():
    board = Board(Leaderboard("m\x1b[2J", "max", 9), 2, 18)
    values = {"schedule": "\x1b]0;x\x07[red]", "lr0": 0.1, "momentum": 0.5}
    board.trial_began(task_of("0000", values, 1, 0, 9))
    board.trial_ended(outcome("0001", 0.5, values=values))
    console = Console(file=io.StringIO(), width=80)
    lines = plain(draw(board, console))
    assert all(line.isprintable() for line in lines)
    assert "[red]" in "".join(lines)


def test_the_minutes_are_told_once_an_epoch_has_been_timed_unless_they_are_seconds():
    for seconds, told in ((60.0, ["2 of 9 epochs, about 7 min left"]), (2.0, [])):
        clock, console = Clock(), pipe()
        progress = make_progress(console, Leaderboard("m", "max", 9), 1, 9, clock=clock)
        progress.trial_began(task_of("0000", VALUES, 1, 0, 9))
        for epoch in range(1, 4):  # the first includes the start of its worker
            progress.epoch_ended("0000", {"epoch": epoch, "lr": 0.1, "seconds": seconds})
        assert shown(console).splitlines() == told


# The stages of a search and its confirmation


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
    told = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", console.file.getvalue()).replace("\r", "\n")
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
