"""What a search shows while it runs: a live display on a terminal, plain lines elsewhere."""

from __future__ import annotations

import time
from collections import Counter
from typing import TYPE_CHECKING

from rich.console import Console, Group
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.text import Text
from typing_extensions import Self, override

from lrtune import space
from lrtune.observer import Observer
from lrtune.printable import printable
from lrtune.records.schema import BASELINE, BASELINE_SEARCH, CONFIRM

if TYPE_CHECKING:
    from types import TracebackType

    from rich.live import Live

    from lrtune.records.schema import Outcome
    from lrtune.runner.base import EpochRecord, TrialTask

_SEARCHED_BASELINE = f"{BASELINE}/{BASELINE_SEARCH}/"

_PLAIN_SECONDS = 30.0
"""How often plain lines say how far the search is, between the trials' own lines."""


class Leaderboard:
    """The best trial so far and the baseline's best arm so far.

    Args:
        objective: name of the metric.
        direction: "max" or "min".
        horizon: the full budget in epochs; a shorter trial's score is no match for the baseline's.
    """

    def __init__(self, objective: str, direction: str, horizon: int) -> None:
        self.objective = objective
        self._sign = 1.0 if direction == "max" else -1.0
        self._horizon = horizon
        self._arms: dict[str, list[float]] = {}
        self._best: tuple[tuple[int, float], Outcome] | None = None

    def add(self, outcome: Outcome) -> None:
        """Takes a finished trial of the search or of the baseline into account."""
        if outcome.score is None:
            return
        if outcome.trial_id.startswith(_SEARCHED_BASELINE):
            return  # of the search for the baseline, whose best is trained anew
        if outcome.trial_id.startswith((f"{BASELINE}/", f"{CONFIRM}/")):
            self._arms.setdefault(outcome.trial_id.split("/")[1], []).append(outcome.score)
        elif outcome.status == "completed":
            key = (outcome.epochs.planned, self._sign * outcome.score)
            if self._best is None or key > self._best[0]:
                self._best = (key, outcome)

    def summary(self) -> str:
        """One line: the best trial at the longest budget so far, and the constant rate."""
        parts = []
        if self._best is not None:
            best = self._best[1]
            parts.append(
                f"best {self.objective} {best.score:.4f} after {best.epochs.last} epochs: "
                f"{_what(best.trial_id, best.values)}"
            )
        if self._arms:
            means = {name: sum(scores) / len(scores) for name, scores in self._arms.items()}
            name = max(means, key=lambda arm: self._sign * means[arm])
            parts.append(
                f"{name} {means[name]:.4f} after {self._horizon} epochs "
                f"(mean of {len(self._arms[name])})"
            )
        return "; ".join(parts) or "no trial has finished yet"


class _Counting(Observer):
    """Counts trials and epochs, and estimates the time left."""

    def __init__(
        self, console: Console, leaderboard: Leaderboard, trials: int, epochs: int
    ) -> None:
        self._console = console
        self.leaderboard = leaderboard
        self.trials, self.epochs = trials, epochs
        self.trials_done = self.epochs_done = 0
        self._told: Counter[str] = Counter()
        self._trained = 0
        self._first_epoch: float | None = None

    @override
    def noticed(self, text: str) -> None:
        self._console.print(printable(text), style="yellow", markup=False, soft_wrap=True)

    @override
    def trial_found(self, outcome: Outcome) -> None:
        self.epochs_done += outcome.epochs.last - outcome.epochs.first + 1
        self._count(outcome)

    @override
    def epoch_ended(self, trial_id: str, record: EpochRecord) -> None:
        self._told[trial_id] += 1
        self._trained += 1
        self.epochs_done += 1
        if self._first_epoch is None:
            self._first_epoch = time.monotonic()

    @override
    def trial_lost(self, task: TrialTask, reason: str) -> None:
        self.epochs_done -= self._told.pop(task.trial_id, 0)

    @override
    def trial_ended(self, outcome: Outcome) -> None:
        self._count(outcome)

    def _count(self, outcome: Outcome) -> None:
        self.trials_done += 1
        # What a diverged or failed trial did not train is no work left to do.
        self.epochs -= outcome.epochs.planned - outcome.epochs.last
        self.leaderboard.add(outcome)

    def time_left(self) -> str:
        """Time left at the pace since the first epoch trained now, in words."""
        if self._first_epoch is None or self._trained < 2:
            return "time left unknown"
        pace = (time.monotonic() - self._first_epoch) / (self._trained - 1)
        seconds = pace * max(0, self.epochs - self.epochs_done)
        if seconds < 90:
            return f"about {seconds:.0f} s left"
        return f"about {seconds / 60:.0f} min left"


class PlainProgress(_Counting):
    """One line a finished trial, for logs, pipes and notebooks."""

    def __init__(
        self, console: Console, leaderboard: Leaderboard, trials: int, epochs: int
    ) -> None:
        super().__init__(console, leaderboard, trials, epochs)
        self._said = time.monotonic()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._say(self.leaderboard.summary())

    @override
    def trial_lost(self, task: TrialTask, reason: str) -> None:
        super().trial_lost(task, reason)
        self._say(f"{_what(task.trial_id, task.values)}: {printable(reason)}")

    @override
    def epoch_ended(self, trial_id: str, record: EpochRecord) -> None:
        super().epoch_ended(trial_id, record)
        if time.monotonic() - self._said > _PLAIN_SECONDS:
            self._say(f"{self.epochs_done} of {self.epochs} epochs, {self.time_left()}")

    @override
    def trial_ended(self, outcome: Outcome) -> None:
        super().trial_ended(outcome)
        self._say(f"[{self.trials_done}/{self.trials}] {trial_line(outcome)}, {self.time_left()}")

    def _say(self, line: str) -> None:
        self._console.print(line, highlight=False, soft_wrap=True, markup=False)
        self._said = time.monotonic()


class LiveProgress(_Counting):
    """Bars for trials and epochs, what runs now, and the best so far against the baseline."""

    def __init__(
        self, console: Console, leaderboard: Leaderboard, trials: int, epochs: int
    ) -> None:
        super().__init__(console, leaderboard, trials, epochs)
        self._running: dict[str, str] = {}
        self._bars = Progress(
            TextColumn("{task.description:7}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("{task.fields[left]}"),
        )
        self._trial_bar = self._bars.add_task("trials", total=trials, left="")
        self._epoch_bar = self._bars.add_task("epochs", total=epochs, left="")
        self._live: Live | None = None

    def __enter__(self) -> Self:
        from rich.live import Live

        self._live = Live(console=self._console, refresh_per_second=4, get_renderable=self._render)
        self._live.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._running.clear()
        if self._live is not None:
            self._live.__exit__(kind, error, trace)

    @override
    def trial_began(self, task: TrialTask) -> None:
        self._running[task.trial_id] = _what(task.trial_id, task.values)

    @override
    def epoch_ended(self, trial_id: str, record: EpochRecord) -> None:
        super().epoch_ended(trial_id, record)
        shown = record.get(self.leaderboard.objective)
        score = "" if shown is None else f", {self.leaderboard.objective} {shown:.4f}"
        name = self._running.get(trial_id, "").split(" · ")[0]
        self._running[trial_id] = (
            f"{name} · epoch {record['epoch']:.0f}, lr {record['lr']:.3g}{score}"
        )

    @override
    def trial_lost(self, task: TrialTask, reason: str) -> None:
        super().trial_lost(task, reason)
        self._console.print(
            f"{_what(task.trial_id, task.values)}: {printable(reason)}",
            markup=False,
            highlight=False,
        )

    @override
    def trial_ended(self, outcome: Outcome) -> None:
        super().trial_ended(outcome)
        self._running.pop(outcome.trial_id, None)
        if outcome.status != "completed":
            self._console.print(trial_line(outcome), markup=False, highlight=False)

    def _render(self) -> Group:
        self._bars.update(self._trial_bar, completed=self.trials_done)
        self._bars.update(
            self._epoch_bar,
            completed=self.epochs_done,
            total=self.epochs,
            left=self.time_left() if self._running else "",
        )
        lines = [
            Text("  " + line, overflow="ellipsis", no_wrap=True) for line in self._running.values()
        ]
        summary = self.leaderboard.summary().replace("; ", "\n")
        return Group(self._bars, *lines, Text(summary))


def make_progress(
    console: Console, leaderboard: Leaderboard, trials: int, epochs: int
) -> PlainProgress | LiveProgress:
    """The display that suits the console: live on a terminal, plain lines anywhere else."""
    kind = LiveProgress if console.is_terminal and not console.is_dumb_terminal else PlainProgress
    return kind(console, leaderboard, trials, epochs)


def trial_line(outcome: Outcome) -> str:
    """A finished trial in one line."""
    what = _what(outcome.trial_id, outcome.values)
    if outcome.status == "completed":
        return f"{what}: {outcome.score:.4f} after {outcome.epochs.last} epochs"
    reason = (outcome.message or "").strip().splitlines()[-1:] or ["no message"]
    return f"{what}: {outcome.status} ({printable(reason[0])})"


def _what(trial_id: str, values: object) -> str:
    if trial_id.startswith(_SEARCHED_BASELINE):
        trial_id = f"{trial_id.removeprefix(_SEARCHED_BASELINE)} for the baseline"
    elif "/" in trial_id:
        return trial_id
    if isinstance(values, dict) and "schedule" in values:
        schedule = space.describe(space.schedule_from_values(values))
        return f"trial {trial_id} {schedule} momentum={values['momentum']:.3g}"
    return f"trial {trial_id}"
