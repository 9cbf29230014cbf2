"""The displays: live on a terminal, plain lines elsewhere, warnings alone where that is asked."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from rich.console import Group
from rich.text import Text
from typing_extensions import Self, override

from lrtune._util.printable import printable
from lrtune.display.board import Board
from lrtune.display.frame import draw, signs_for
from lrtune.display.observer import Observer
from lrtune.display.words import trial_line, what

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from rich.console import Console
    from rich.live import Live

    from lrtune.display.leaderboard import Leaderboard
    from lrtune.records.schema import Outcome
    from lrtune.records.task import EpochRecord, TrialTask

_PLAIN_SECONDS = 30.0
"""How often plain lines say how far the search is, between the trials' own lines."""

REFRESH_SECONDS = 0.5
"""How often the live display looks whether anything changed: twice a second."""


class Display(Observer):
    """Watches a search and says nothing but warnings: what `--quiet` leaves.

    Args:
        console: where to.
        leaderboard: is told every trial that ends.
        trials: how many there will be at most; None if unknown.
        epochs: likewise.
        clock: gives seconds.
    """

    def __init__(
        self,
        console: Console,
        leaderboard: Leaderboard,
        trials: int | None,
        epochs: int | None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.console = console
        self.board = Board(leaderboard, trials, epochs, clock)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Ends the display."""

    @property
    def leaderboard(self) -> Leaderboard:
        """The best trials so far."""
        return self.board.leaderboard

    @override
    def noticed(self, text: str) -> None:
        self.say(text, "yellow")

    @override
    def trial_found(self, outcome: Outcome) -> None:
        self.board.trial_found(outcome)

    @override
    def trial_began(self, task: TrialTask) -> None:
        self.board.trial_began(task.trial_id, task.recipe, task.first_epoch, task.last_epoch)

    @override
    def epoch_ended(self, trial_id: str, record: EpochRecord) -> None:
        self.epoch_took(trial_id, record, None)

    def epoch_took(self, trial_id: str, record: EpochRecord, seconds: float | None) -> None:
        """An epoch of which it is known how long it took, unlike one that ended just now."""
        self.board.epoch_ended(trial_id, record, seconds)

    @override
    def trial_lost(self, task: TrialTask, reason: str) -> None:
        self.board.trial_lost(task.trial_id)
        self.say(f"{what(task.trial_id, task.recipe)}: {reason}", "yellow")

    @override
    def trial_ended(self, outcome: Outcome) -> None:
        self.board.trial_ended(outcome)
        if outcome.status == "failed":
            self.say(trial_line(outcome), "yellow")

    def status(self, words: str, *, stopped: bool) -> None:
        """Says who writes the run.

        Args:
            words: on one line.
            stopped: whether nobody does.
        """
        with self.board.lock:
            self.board.status, self.board.stopped = printable(words), stopped

    def refresh(self) -> None:
        """Draws what is drawn, if anything has changed; nothing to do without a picture."""

    def say(self, line: str, style: str = "") -> None:
        """Prints a line: no markup, no control characters, never broken."""
        line = printable(line)
        if self.console.is_jupyter:  # rich would make a piece of HTML of every line
            self.console.file.write(f"{line}\n")
            return
        self.console.print(Text(line, style=style), highlight=False, soft_wrap=True)


class QuietProgress(Display):
    """Nothing but what was noticed, trials that failed and workers that were lost."""


class PlainProgress(Display):
    """One line a finished trial, for logs, pipes and notebooks."""

    def __init__(
        self,
        console: Console,
        leaderboard: Leaderboard,
        trials: int | None,
        epochs: int | None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(console, leaderboard, trials, epochs, clock)
        self._said = clock()
        self._found_said = False

    @override
    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._say_found()
        self.say(self.leaderboard.summary())

    @override
    def trial_began(self, task: TrialTask) -> None:
        self._say_found()
        super().trial_began(task)

    @override
    def epoch_took(self, trial_id: str, record: EpochRecord, seconds: float | None) -> None:
        super().epoch_took(trial_id, record, seconds)
        board = self.board
        if board.clock() - self._said > _PLAIN_SECONDS:
            of = "" if board.epochs is None else f" of {board.epochs}"
            self.say(f"{board.epochs_done}{of} epochs, {board.time_left()}")

    @override
    def trial_ended(self, outcome: Outcome) -> None:
        self._say_found()
        self.board.trial_ended(outcome)
        board = self.board
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
    """What every worker trains, the best trials and the baseline, drawn over and over in place."""

    def __init__(
        self,
        console: Console,
        leaderboard: Leaderboard,
        trials: int | None,
        epochs: int | None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(console, leaderboard, trials, epochs, clock)
        self._signs = signs_for(console.encoding)
        self._drawn: list[Text] = []
        self._live: Live | None = None
        self._done = threading.Event()
        self._thread: threading.Thread | None = None

    @override
    def __enter__(self) -> Self:
        from rich.live import Live

        # Not rich's own thread: that draws again what has not changed, which over ssh is seen.
        self._live = Live(
            console=self.console,
            auto_refresh=False,
            get_renderable=self._group,
            vertical_overflow="crop",
            transient=True,  # a report follows, which says all of it
        )
        self._live.start()
        self.refresh()
        self._thread = threading.Thread(target=self._refresh_on, daemon=True, name="lrtune display")
        self._thread.start()
        return self

    @override
    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._done.set()
        if self._thread is not None:
            self._thread.join()
        if self._live is not None:
            self._live.stop()
        self.say(self.board.done())

    @override
    def trial_ended(self, outcome: Outcome) -> None:
        self.board.trial_ended(outcome)
        if outcome.status != "completed":
            self.say(trial_line(outcome), "yellow" if outcome.status == "failed" else "")

    def lines(self) -> list[Text]:
        """The picture as it is to be now."""
        width, height = self.console.size
        return draw(self.board, width, height, self._signs)

    @override
    def refresh(self) -> None:
        lines = self.lines()
        if self._live is not None and lines != self._drawn:
            self._drawn = lines
            self._live.refresh()

    def _group(self) -> Group:
        return Group(*self._drawn)

    def _refresh_on(self) -> None:
        while not self._done.wait(REFRESH_SECONDS):
            self.refresh()
