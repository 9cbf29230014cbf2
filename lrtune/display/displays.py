"""The displays: live on a terminal, plain lines elsewhere, only warnings with `--quiet`."""

from __future__ import annotations

import os
import sys
import time
from typing import TYPE_CHECKING

from rich.live import Live
from rich.segment import SegmentLines
from typing_extensions import Self, override

from lrtune._util.printable import printable
from lrtune.display.board import Board
from lrtune.display.frame import draw
from lrtune.display.observer import Observer
from lrtune.display.words import one_line, trial_line, what

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.console import Console

    from lrtune.display.frame import Lines
    from lrtune.display.leaderboard import Leaderboard
    from lrtune.display.stages import Stages
    from lrtune.records.schema import Outcome
    from lrtune.records.task import EpochRecord, TrialTask

_PLAIN_SECONDS = 30.0
"""How often plain lines report progress between the trials' own lines."""

_REFRESHES = 2
"""How often a second the live display checks whether anything has changed."""


def make_progress(
    console: Console,
    leaderboard: Leaderboard,
    trials: int | None,
    epochs: int | None,
    *,
    quiet: bool = False,
    clock: Callable[[], float] = time.monotonic,
    stages: Stages | None = None,
) -> Display:
    """The display that suits the console: live on a terminal, plain lines anywhere else.

    Args:
        console: where to show it.
        leaderboard: gets every trial that ends.
        trials: how many there will be at most; None if unknown.
        epochs: likewise.
        quiet: whether to show only warnings.
        clock: gives seconds.
        stages: to print before it starts, with the minutes of each once an epoch is timed.
    """
    kind: type[Display] = Display
    if not quiet:
        kind = LiveProgress if _can_redraw(console) else PlainProgress
    return kind(console, Board(leaderboard, trials, epochs, clock), stages)


def _can_redraw(console: Console) -> bool:
    """Whether printed lines can be drawn over, and somebody may be looking."""
    if not console.is_terminal or console.is_dumb_terminal or console.is_jupyter:
        return False
    if os.environ.get("CI", "").lower() not in ("", "0", "false") or "ipykernel" in sys.modules:
        return False
    # With FORCE_COLOR rich takes a pipe for a terminal, but only colours were asked for.
    return not os.environ.get("FORCE_COLOR") or console.file.isatty()


class Display(Observer):
    """Shows only warnings, as `--quiet` asks; the other displays add to it.

    Args:
        console: where to show them.
        board: keeps count.
        stages: what will be trained; None to say only how much in all.
    """

    def __init__(self, console: Console, board: Board, stages: Stages | None = None) -> None:
        self.console = console
        self.board = board
        self.stages = stages

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Ends the display."""

    @override
    def noticed(self, text: str) -> None:
        self.say(text, "yellow")

    @override
    def trial_found(self, outcome: Outcome) -> None:
        self.board.trial_found(outcome)
        if self.stages is not None:
            self.stages.found(outcome)

    @override
    def trial_began(self, task: TrialTask) -> None:
        self.board.trial_began(task)

    @override
    def epoch_ended(self, trial_id: str, record: EpochRecord) -> None:
        self.board.epoch_ended(trial_id, record)

    @override
    def trial_lost(self, task: TrialTask, reason: str) -> None:
        self.board.trial_lost(task.trial_id)
        self.say(f"{what(task.trial_id, task.recipe)}: {reason}", "yellow")

    @override
    def trial_ended(self, outcome: Outcome) -> None:
        self.board.trial_ended(outcome)
        if outcome.status in ("failed", "lost"):
            self.say(trial_line(outcome), "yellow")

    def say_stages(self) -> None:
        """Prints the stages, or the minutes of each once they are known; each once."""
        if self.stages is not None:
            for line in self.stages.news(self.board):
                self.say(line)

    def status(self, words: str, *, stopped: bool) -> None:
        """Shows who is writing the run.

        Args:
            words: on one line.
            stopped: whether nobody is.
        """
        with self.board.lock:
            self.board.status, self.board.stopped = printable(words), stopped

    def say(self, line: str, style: str = "") -> None:
        """Prints a line: no markup, no control characters, never wrapped."""
        text = one_line(line, self.console, style)
        if self.console.is_jupyter:  # rich would turn every line into a piece of HTML
            self.console.file.write(f"{text.plain}\n")
            return
        self.console.print(text, highlight=False, soft_wrap=True)


class PlainProgress(Display):
    """One line a finished trial, for logs, pipes and notebooks."""

    def __init__(self, console: Console, board: Board, stages: Stages | None = None) -> None:
        super().__init__(console, board, stages)
        self._said = board.clock()
        self._found_said = False
        self._timed = False

    @override
    def __enter__(self) -> Self:
        self.say_stages()
        if self.stages is None and (planned := self.board.planned()):
            self.say(planned)
        return self

    @override
    def __exit__(self, *_: object) -> None:
        self._say_found()
        self.say(self.board.leaderboard.summary())

    @override
    def trial_began(self, task: TrialTask) -> None:
        self._say_found()
        super().trial_began(task)

    @override
    def epoch_ended(self, trial_id: str, record: EpochRecord) -> None:
        super().epoch_ended(trial_id, record)
        self.say_stages()
        board = self.board
        late = board.clock() - self._said > _PLAIN_SECONDS
        if self._timed and not late:
            return  # the time left takes a look at every worker
        left = board.left()
        timed = left is not None and left.sure and left.seconds > _PLAIN_SECONDS
        first = timed and not self._timed
        if first or late:
            self._timed = self._timed or first
            of = "" if board.epochs is None else f" of {board.epochs}"
            self.say(f"{board.epochs_done}{of} epochs, {board.time_left()}")

    @override
    def trial_ended(self, outcome: Outcome) -> None:
        self._say_found()
        board = self.board
        board.trial_ended(outcome)
        of = "" if board.trials is None else f"/{board.trials}"
        self.say(f"[{board.trials_done}{of}] {trial_line(outcome)}, {board.time_left()}")

    @override
    def status(self, words: str, *, stopped: bool) -> None:
        if words and printable(words) != self.board.status:
            self.say(words)
        super().status(words, stopped=stopped)

    @override
    def say(self, line: str, style: str = "") -> None:
        super().say(line, style)
        self._said = self.board.clock()

    def _say_found(self) -> None:
        if self.board.found_trials and not self._found_said:
            self._found_said = True
            self.say(f"{self.board.found()} in the run folder: not trained again")


class LiveProgress(Display):
    """What every worker trains, the best trials and the baseline, redrawn in place."""

    def __init__(self, console: Console, board: Board, stages: Stages | None = None) -> None:
        super().__init__(console, board, stages)
        self.live = _Picture(console, board)

    @override
    def __enter__(self) -> Self:
        self.say_stages()
        self.live.start(refresh=True)
        return self

    @override
    def __exit__(self, *_: object) -> None:
        self.live.stop()
        self.say(self.board.done())

    @override
    def epoch_ended(self, trial_id: str, record: EpochRecord) -> None:
        super().epoch_ended(trial_id, record)
        self.say_stages()

    @override
    def trial_ended(self, outcome: Outcome) -> None:
        self.board.trial_ended(outcome)
        if outcome.status != "completed":
            self.say(trial_line(outcome), "yellow" if outcome.status in ("failed", "lost") else "")


class _Picture(Live):
    """Redraws only what has changed; rich would redraw all of it, which is visible over ssh."""

    def __init__(self, console: Console, board: Board) -> None:
        self._board = board
        self._drawn: Lines = []
        super().__init__(
            console=console,
            refresh_per_second=_REFRESHES,
            transient=True,  # the report that comes next says all of it
            vertical_overflow="crop",
            get_renderable=lambda: SegmentLines(self._drawn, new_lines=True),
        )

    @override
    def refresh(self) -> None:
        with self._lock:
            lines = draw(self._board, self.console)
            if lines != self._drawn:
                self._drawn = lines
                super().refresh()
