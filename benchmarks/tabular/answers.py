"""A table in the form that the runner needs: records of epochs, ready to be sliced."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from schedule_table.table import Table

    from lrtune.records.task import EpochRecord

OBJECTIVE = "val_accuracy"
SEARCHED_SEEDS = 2
"""So many seeds of each schedule are there for searches; further ones only say how good it is."""


@dataclass(frozen=True)
class Answer:
    """What one training of the table logged.

    Attributes:
        status: completed or diverged.
        epochs: one record for each epoch.
        score: of the last epoch; the untrained model's if it diverged.
    """

    status: str
    epochs: tuple[EpochRecord, ...]
    score: float


class Answers:
    """All trainings of one table.

    Args:
        table: of one task.
    """

    def __init__(self, table: Table) -> None:
        self.name, self.horizon = table.name, table.horizon
        self.seconds_per_epoch = table.seconds_per_epoch
        self.budgets = table.budgets
        self._all_seeds = table.seeds
        # Only what every searched seed has: a table that is being made lacks the last ones.
        whole = table.trainings[table.trainings.budget == table.horizon]
        has = whole[whole.seed.isin(self.seeds)].groupby("schedule").seed.nunique()
        known = set(has.index[has == len(self.seeds)])
        rows = zip(table.schedules.schedule, table.schedules["values"], strict=True)
        self.schedules: dict[int, dict[str, Any]] = {
            int(number): values for number, values in rows if number in known
        }
        self._trainings = table.trainings
        self._curves = _records(table)

    @property
    def seeds(self) -> list[int]:
        """Those that searches may use."""
        return self._all_seeds[:SEARCHED_SEEDS]

    def at(self, schedule: int, budget: int, seed: int) -> Answer:
        """A training of a schedule that was laid out over a budget.

        Raises:
            LookupError: the table has no such training.
        """
        found = self._answers.get((schedule, budget, seed))
        if found is None:
            raise LookupError(
                f"{self.name}: no training of schedule {schedule} with seed {seed} is laid out "
                f"over {budget} epochs. The table has budgets of {self.budgets} epochs"
            )
        return found

    @cached_property
    def scores(self) -> dict[int, dict[int, float]]:
        """Schedule -> seed -> score after the horizon, of all seeds."""
        found: dict[int, dict[int, float]] = {number: {} for number in self.schedules}
        for (schedule, budget, seed), one in self._answers.items():
            if budget == self.horizon and schedule in found:
                found[schedule][seed] = one.score
        return found

    def has_budget(self, epochs: int) -> bool:
        """Whether every schedule was laid out over this budget, too."""
        return all(
            (number, epochs, seed) in self._answers
            for number in self.schedules
            for seed in self.seeds
        )

    @cached_property
    def _answers(self) -> dict[tuple[int, int, int], Answer]:
        columns = ("schedule", "budget", "seed", "status", "score")
        rows = zip(*(self._trainings[name] for name in columns), strict=True)
        return {
            (int(schedule), int(budget), int(seed)): Answer(
                status, self._curves.get((schedule, budget, seed), ()), float(score)
            )
            for schedule, budget, seed, status, score in rows
        }


def _records(table: Table) -> dict[Any, tuple[EpochRecord, ...]]:
    kept = ["epoch", "lr", OBJECTIVE]
    grouped = table.epochs.groupby(["schedule", "budget", "seed"], sort=False)
    return {key: tuple(frame[kept].to_dict("records")) for key, frame in grouped}
