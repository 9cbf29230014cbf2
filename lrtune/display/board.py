"""What a display knows of a search: what is running, what is done, how long the rest may take.

It has no thread of its own. Whoever draws it from another thread holds `lock` meanwhile, as every
method here does.
"""

from __future__ import annotations

import math
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from lrtune.display.pace import Length, Pace
from lrtune.display.stages import Speed
from lrtune.display.words import in_words
from lrtune.report.words import count

if TYPE_CHECKING:
    from collections.abc import Callable

    from lrtune.display.leaderboard import Leaderboard
    from lrtune.records.schema import Outcome
    from lrtune.records.task import EpochRecord, TrialTask


@dataclass
class Running:
    """A trial that a worker is training.

    Attributes:
        task: the trial.
        since: when its present epoch began, by the board's clock.
        cold: whether it is its worker's first trial.
        epoch: the last epoch it finished.
        lr: the rate in that epoch; NaN before the first.
        metric: the objective; the training metric where epochs are not validated.
        scores: this metric, epoch by epoch.
    """

    task: TrialTask
    since: float
    cold: bool
    epoch: int
    lr: float = math.nan
    metric: str = ""
    scores: list[float] = field(default_factory=list)

    @property
    def trained(self) -> int:
        """How many epochs of its own it has finished."""
        return max(self.epoch - self.task.first_epoch, 0)

    def record(self, objective: str, record: EpochRecord) -> None:
        """Keeps what an epoch reached."""
        self.epoch = int(record["epoch"])
        self.lr = record.get("lr", math.nan)
        for name in (objective, objective.removeprefix("val_")):
            if name in record:
                if name != self.metric:
                    self.metric, self.scores = name, []
                self.scores.append(record[name])
                return


class Board:
    """Counts trials and epochs, and estimates the time left.

    Args:
        leaderboard: gets every trial that ends.
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
        self._pace = Pace()

    def trial_found(self, outcome: Outcome) -> None:
        """A trial that ended before this session."""
        epochs = outcome.epochs.last - outcome.epochs.first + 1
        with self.lock:
            self.found_trials += 1
            self.found_epochs += epochs
            self.epochs_done += epochs
            self._pace.found(outcome)
            self._count(outcome)

    def trial_began(self, task: TrialTask) -> None:
        """A worker begins a trial."""
        with self.lock:
            # More trials run than ever before, so this one has a worker that has trained none.
            cold = len(self.running) >= self.slots
            self.running[task.trial_id] = Running(task, self.clock(), cold, task.first_epoch)
            self.slots = max(self.slots, len(self.running))

    def epoch_ended(self, trial_id: str, record: EpochRecord) -> None:
        """A trial finished an epoch; it took the recorded time, else that since the last epoch."""
        with self.lock:
            self.epochs_done += 1
            trial = self.running.get(trial_id)
            if trial is None:
                return
            now, seconds = self.clock(), record.get("seconds", math.nan)
            took = seconds if math.isfinite(seconds) else now - trial.since
            self._pace.ended(took, cold=trial.cold and not trial.trained)
            trial.since = now
            trial.record(self.leaderboard.objective, record)

    def trial_lost(self, trial_id: str) -> None:
        """The worker of a trial is gone: its epochs will be trained again."""
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
            # The epochs that a diverged or failed trial did not train are not left to do.
            self.epochs -= outcome.epochs.planned - outcome.epochs.last
        self.leaderboard.add(outcome)

    def speed(self) -> Speed | None:
        """How fast the workers train; None until an epoch has been timed."""
        with self.lock:
            length = self._pace.length(())
            if length is None or not length.sure or not self.slots:
                return None
            return Speed(length.seconds, self.slots)

    def left(self) -> Length | None:
        """Seconds until everything is trained; None if unknown.

        The remaining epochs are shared among the workers, but a trial is not: the running trial
        with the most epochs to go sets the least it takes.
        """
        with self.lock:
            now, running = self.clock(), list(self.running.values())
            length = self._pace.length([now - one.since for one in running])
            if self.epochs is None or self.stopped or length is None:
                return None
            epoch = length.seconds
            spent = [min(now - one.since, epoch) for one in running]
            whole = max(self.epochs - self.epochs_done, 0) * epoch - sum(spent)
            alone = [
                (one.task.last_epoch - one.epoch) * epoch - gone
                for one, gone in zip(running, spent, strict=True)
            ]
            return Length(max(0.0, whole / max(self.slots, 1), *alone), length.sure)

    def time_left(self) -> str:
        """The same in words."""
        left = self.left()
        if left is None:
            return "time left unknown"
        return f"{'about' if left.sure else 'at least'} {in_words(left.seconds)} left"

    def planned(self) -> str:
        """How much there is to train, in words; "" if unknown."""
        if self.trials is None or self.epochs is None:
            return ""
        return f"at most {count(self.trials, 'training')}, {count(self.epochs, 'epoch')} in all"

    def done(self) -> str:
        """What this session did, in words."""
        trials = count(self.trials_done - self.found_trials, "trial")
        epochs = count(self.epochs_done - self.found_epochs, "epoch")
        return f"{trials} and {epochs} in {in_words(self.clock() - self.began)}"

    def found(self) -> str:
        """What there was when this session began, in words."""
        return f"{count(self.found_trials, 'trial')} found, {count(self.found_epochs, 'epoch')}"
