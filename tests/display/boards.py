"""Boards of a search, and consoles to draw them on."""

from __future__ import annotations

import io
import re
from dataclasses import replace

from rich.console import Console

from lrtune.display import Leaderboard
from lrtune.display.board import Board
from lrtune.display.frame import draw
from lrtune.records.schema import Outcome, Span
from tests.tasks import task_of

VALUES = {"schedule": "constant", "lr0": 0.02, "momentum": 0.5}
LEVELS = "▁▂▃▄▅▆▇█"


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


def unstyled(text: str) -> str:
    return re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", text)


def shown(console: Console) -> str:
    return console.file.getvalue()
