"""What a display knows of a search: what runs, what is done and how long the rest may take.

No thread: who shows it from another one takes `lock`, as all that changes it does.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from lrtune.display.words import in_words
from lrtune.report.words import count

if TYPE_CHECKING:
    from collections.abc import Callable

    from lrtune.display.leaderboard import Leaderboard
    from lrtune.records.schema import Outcome
    from lrtune.records.task import EpochRecord
    from lrtune.schedules.recipe import Recipe

REMEMBERED = 200
"""How many of the last epochs tell the pace."""


@dataclass
class Running:
    """A trial that a worker trains.

    Attributes:
        trial_id: of the trial.
        recipe: how it trains.
        first: epochs trained when it began, its parent's.
        budget: the epoch it is to reach; None where nobody told.
        since: when its present epoch began, by the board's clock.
        cold: whether its first epoch tells nothing about the others, for its worker is starting.
        epoch: the last epoch it finished.
        lr: the rate in that epoch; None before.
        metric: the objective, or, in epochs that did not validate, that of the training images.
        scores: this metric, epoch by epoch.
    """

    trial_id: str
    recipe: Recipe
    first: int
    budget: int | None
    since: float
    cold: bool
    epoch: int = 0
    lr: float | None = None
    metric: str = ""
    scores: list[float] = field(default_factory=list)

    @property
    def trained(self) -> int:
        """Epochs of its own that it has finished."""
        return max(self.epoch - self.first, 0)

    def note(self, objective: str, record: EpochRecord) -> None:
        """Keeps what an epoch reached."""
        for name in (objective, objective.removeprefix("val_")):
            if name in record:
                if name != self.metric:
                    self.metric, self.scores = name, []
                self.scores.append(record[name])
                return


class Board:
    """Counts trials and epochs, and estimates the time left.

    Args:
        leaderboard: is told every trial that ends.
        trials: how many there will be at most; None if unknown.
        epochs: likewise.
        clock: gives seconds.
    """

    def __init__(
        self,
        leaderboard: Leaderboard,
        trials: int | None,
        epochs: int | None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.leaderboard = leaderboard
        self.trials, self.epochs = trials, epochs
        self.clock = clock
        self.lock = threading.RLock()
        self.began = clock()
        self.running: dict[str, Running] = {}
        self.slots = 0
        self.trials_done = self.epochs_done = 0
        self.found_trials = self.found_epochs = 0
        self.status = ""
        self.stopped = False
        self._took: deque[float] = deque(maxlen=REMEMBERED)

    def trial_found(self, outcome: Outcome) -> None:
        """A trial that ended before this session."""
        epochs = outcome.epochs.last - outcome.epochs.first + 1
        with self.lock:
            self.found_trials += 1
            self.found_epochs += epochs
            self.epochs_done += epochs
            self._count(outcome)

    def trial_began(self, trial_id: str, recipe: Recipe, first: int, budget: int | None) -> None:
        """A worker begins a trial."""
        with self.lock:
            cold = not self._took and all(one.trained == 0 for one in self.running.values())
            self.running[trial_id] = Running(
                trial_id, recipe, first, budget, self.clock(), cold, epoch=first
            )
            self.slots = max(self.slots, len(self.running))

    def epoch_ended(self, trial_id: str, record: EpochRecord, took: float | None = None) -> None:
        """A trial finished an epoch.

        Args:
            trial_id: of the trial.
            record: of the epoch.
            took: seconds it took; None for those since the trial's last one.
        """
        now = self.clock()
        with self.lock:
            self.epochs_done += 1
            trial = self.running.get(trial_id)
            if trial is None:
                return
            if took is not None or trial.trained or not trial.cold:
                self._took.append(now - trial.since if took is None else took)
            trial.since = now
            trial.epoch = int(record["epoch"])
            trial.lr = record.get("lr")
            trial.note(self.leaderboard.objective, record)

    def trial_lost(self, trial_id: str) -> None:
        """The worker of a trial is gone: what it trained is to be trained again."""
        with self.lock:
            trial = self.running.pop(trial_id, None)
            if trial is not None:
                self.epochs_done -= trial.trained

    def trial_ended(self, outcome: Outcome) -> None:
        """A trial is recorded."""
        with self.lock:
            self.running.pop(outcome.trial_id, None)
            self._count(outcome)

    def _count(self, outcome: Outcome) -> None:
        self.trials_done += 1
        if self.epochs is not None:
            # What a diverged or failed trial did not train is no work left to do.
            self.epochs -= outcome.epochs.planned - outcome.epochs.last
        self.leaderboard.add(outcome)

    def seconds_left(self) -> float | None:
        """Seconds until all is trained, at the pace of this session; None if unknown.

        Unknown until every worker has told an epoch's length (two at least), those apart in which
        workers started. The rest is shared among the workers, but no trial is: the longest of those
        that run is the least it takes.
        """
        with self.lock:
            if self.epochs is None or self.stopped or len(self._took) < max(2, self.slots):
                return None
            epoch = sum(self._took) / len(self._took)
            now = self.clock()
            spent = [min(now - one.since, epoch) for one in self.running.values()]
            whole = max(self.epochs - self.epochs_done, 0) * epoch - sum(spent)
            alone = [
                (one.budget - one.epoch) * epoch - gone
                for one, gone in zip(self.running.values(), spent, strict=True)
                if one.budget is not None
            ]
            return max(0.0, whole / max(self.slots, 1), *alone)

    def time_left(self) -> str:
        """The same in words."""
        seconds = self.seconds_left()
        return "time left unknown" if seconds is None else f"about {in_words(seconds)} left"

    def done(self) -> str:
        """What this session did, in words."""
        trials = count(self.trials_done - self.found_trials, "trial")
        epochs = count(self.epochs_done - self.found_epochs, "epoch")
        return f"{trials} and {epochs} in {in_words(self.clock() - self.began)}"

    def found(self) -> str:
        """What was there when this session began, in words."""
        return f"{count(self.found_trials, 'trial')} found, {count(self.found_epochs, 'epoch')}"
