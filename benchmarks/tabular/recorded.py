"""A runner whose tasks are recorded trainings, drawn by chance, beside a driver in real time."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from typing_extensions import override

from lrtune.records.task import TrialOutcome

from .clock import SimulatedRunner

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from schedule_table.table import Table

    from lrtune.records.task import EpochRecord, TrialTask
    from lrtune.runner.base import OnEpoch

WEIGHTS = 51_000
"""Numbers in a training state of the reading's CNN: its weights, and as many for the momentum."""


DRAWN = 10
"""Trainings that a task is offered; it takes the one whose rate is the most similar."""


@dataclass(frozen=True)
class Training:
    """A recorded training over the whole horizon.

    Attributes:
        epochs: one record for each.
        seconds: that an epoch took; the mean over all epochs of all trainings is 1.
        diverged: whether it ended early.
        rate: of its schedule; see `rate_of`.
    """

    epochs: tuple[EpochRecord, ...]
    seconds: float
    diverged: bool
    rate: float


def rate_of(values: Mapping[str, Any]) -> float:
    """The logarithm of the initial rate of a schedule, with its momentum in it."""
    return math.log10(values["lr0"] / (1 - values["momentum"]))


def trainings_of(table: Table) -> list[Training]:
    """The trainings of a table over its horizon."""
    whole = table.trainings[table.trainings.budget == table.horizon]
    rates = dict(zip(table.schedules.schedule, table.schedules["values"].map(rate_of), strict=True))
    found = []
    for row in whole.itertuples():
        curve = table.curve(row.schedule, row.budget, row.seed)
        columns = [one for one in curve if one not in ("schedule", "budget", "seed")]
        epochs = tuple(_record(one) for one in curve[columns].to_dict("records"))
        diverged, rate = row.status == "diverged", rates[row.schedule]
        if epochs:
            found.append(Training(epochs, row.seconds / len(epochs), diverged, rate))
    epochs = sum(len(one.epochs) for one in found)
    mean = sum(one.seconds * len(one.epochs) for one in found) / epochs
    return [replace(one, seconds=one.seconds / mean) for one in found]


@dataclass(frozen=True)
class Driver:
    """What the driver has done since the search began.

    Attributes:
        ended: tasks whose outcomes it was given.
        seconds: real ones in which it worked; those of the runner do not count.
        processor: seconds of its processor in these.
    """

    ended: int
    seconds: float
    processor: float


class RecordedRunner(SimulatedRunner):
    """Ends each task as a recorded training did, one with a similar rate that its seed draws.

    So scores depend on what a search tries, and a promoted trial, which has its parent's seed,
    continues the training of its parent. While the driver works, simulated time goes on as fast as
    real time, and free workers wait.

    Args:
        trainings: to draw from, each over the horizon.
        slots: int >= 1, simulated workers.
        seconds: float > 0, the mean length of an epoch.
    """

    def __init__(self, trainings: Sequence[Training], slots: int, seconds: float) -> None:
        super().__init__(slots)
        self._trainings = trainings
        self._seconds = seconds
        self._state = {"weights": np.zeros(WEIGHTS, np.float32)}
        self._since = (time.perf_counter(), time.process_time())
        self._driver = Driver(0, 0.0, 0.0)
        self.driver: list[Driver] = []
        """What the driver had done whenever it began to wait."""
        self.busy: list[tuple[float, float]] = []
        """When each task began and ended, in simulated seconds."""
        self._short: float | None = None

    @override
    def submit(self, task: TrialTask) -> None:
        self._worked()
        super().submit(task)
        self.busy.append((self.clock, self.clock + self._latest.seconds))
        self._rested()

    @override
    def wait(self, on_epoch: OnEpoch) -> list[TrialOutcome]:
        self._worked()
        self.driver.append(self._driver)
        if self._short is None and self.running < self.slots:
            self._short = self.clock
        outcomes = super().wait(lambda *_: None)
        # All that have ended by now, as a runner with real workers returns them.
        while self._running and self._running[0][0] <= self.clock:
            outcomes += super().wait(lambda *_: None)
        self._driver = replace(self._driver, ended=self._driver.ended + len(outcomes))
        self._rested()
        for outcome in outcomes:
            for record in outcome.epochs:
                on_epoch(outcome.task.trial_id, record)
        return outcomes

    @override
    def close(self) -> None:
        self._worked()
        self.driver.append(self._driver)

    @property
    def use(self) -> float:
        """The share of the workers' time that they trained, while there was a task for each.

        When a search ends, workers have nothing to do, and at the end of Hyperband they wait for
        each other: that is not the driver's fault.
        """
        last = self.clock if self._short is None else self._short
        trained = sum(min(end, last) - begin for begin, end in self.busy if begin < last)
        return trained / (last * self.slots)

    def milliseconds(self, trial: int, window: int = 100) -> tuple[float, float]:
        """What the driver took for a trial, on average over those before one of them.

        Args:
            trial: how many had ended by then.
            window: int >= 1, how many it is averaged over; at most half of them.

        Returns:
            Real milliseconds, and those of the processor.
        """
        window = min(window, trial // 2)
        first, last = (
            next(one for one in self.driver if one.ended >= number)
            for number in (trial - window, trial)
        )
        trials = last.ended - first.ended
        return (
            1000 * (last.seconds - first.seconds) / trials,
            1000 * (last.processor - first.processor) / trials,
        )

    @override
    def outcome(self, task: TrialTask) -> TrialOutcome:
        draw = np.random.default_rng(task.seed)
        drawn = [self._trainings[one] for one in draw.integers(len(self._trainings), size=DRAWN)]
        rate = rate_of(task.values)
        training = min(drawn, key=lambda one: abs(one.rate - rate))
        epochs = training.epochs[task.first_epoch : task.last_epoch]
        diverged = training.diverged and task.last_epoch >= len(training.epochs)
        self._latest = TrialOutcome(
            task,
            "diverged" if diverged else "completed",
            epochs,
            {"val_accuracy": 0.5},
            None if diverged else self._state,
            seconds=len(epochs) * training.seconds * self._seconds,
            message="the loss is not finite" if diverged else None,
        )
        return self._latest

    def _worked(self) -> None:
        """Counts what the driver has done since `_rested`."""
        wall, processor = time.perf_counter(), time.process_time()
        seconds = wall - self._since[0]
        self.clock += seconds
        self._driver = Driver(
            self._driver.ended,
            self._driver.seconds + seconds,
            self._driver.processor + processor - self._since[1],
        )

    def _rested(self) -> None:
        """From now on the driver works."""
        self._since = (time.perf_counter(), time.process_time())


def _record(row: dict[str, Any]) -> EpochRecord:
    return {**{name: float(value) for name, value in row.items()}, "epoch": int(row["epoch"])}
