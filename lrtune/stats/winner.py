"""Which score is better and which trial is best: the one rule that all code uses."""

from __future__ import annotations

import math
from enum import Enum
from typing import TYPE_CHECKING, TypeVar

from lrtune.errors import ArgumentError
from lrtune.records.ids import first_tried
from lrtune.records.schema import STATUSES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from lrtune.records.reader import RunRecords
    from lrtune.records.schema import Outcome

T = TypeVar("T")


class Direction(str, Enum):
    """Whether higher or lower values of an objective are better: `Direction("max")`, as recorded.

    Raises:
        ArgumentError: the value is neither "max" nor "min".
    """

    MAX = "max"
    MIN = "min"

    @classmethod
    def _missing_(cls, value: object) -> Direction:
        raise ArgumentError(f"direction must be 'max' or 'min'. Received: direction={value!r}.")

    @property
    def sign(self) -> float:
        """1.0 if more is better, -1.0 if less is: a higher sign * score is always better."""
        return 1.0 if self is Direction.MAX else -1.0

    @property
    def word(self) -> str:
        """Which scores are better: "higher" or "lower"."""
        return "higher" if self is Direction.MAX else "lower"

    def gain(self, score: float, reference: float) -> float:
        """How much better a score is than a reference: above 0 is always better."""
        return self.sign * (score - reference)

    def better(self, score: float, other: float) -> bool:
        """Whether a score is better than another; False if one of them is NaN."""
        return self.sign * score > self.sign * other

    def best(self, items: Iterable[T], key: Callable[[T], float]) -> T | None:
        """The item with the best score; of equal ones, the first.

        Args:
            items: to choose from.
            key: gives an item's score; an item whose score is NaN is never chosen.

        Returns:
            The item; None if no item has a score.
        """
        scored = [item for item in items if not math.isnan(key(item))]
        return max(scored, key=lambda item: self.sign * key(item), default=None)


def ordered(outcomes: Iterable[Outcome], direction: str) -> list[Outcome]:
    """Trials in the order of every ranking, the best first.

    Completed trials come first, by budget (the largest first) and then by score. Then come diverged
    trials, then failed ones. Completed trials with the same budget and score are in the order in
    which they were first tried, and so are diverged trials and failed trials.

    Args:
        outcomes: of one search, or of the seeds of one arm.
        direction: "max" if higher scores are better, "min" if lower ones are.
    """
    sign = Direction(direction).sign

    def place(outcome: Outcome) -> tuple[int, int, float, tuple[int, str]]:
        status, tried = STATUSES.index(outcome.status), first_tried(outcome.trial_id)
        if outcome.status != "completed" or outcome.score is None:
            return status, 0, 0.0, tried
        return status, -outcome.epochs.planned, -sign * outcome.score, tried

    return sorted(outcomes, key=place)


def best_trial(records: RunRecords) -> Outcome | None:
    """The winner of a search, the trial of rank 1; None if no trial completed the budget."""
    return next(iter(ranked_trials(records)), None)


def ranked_trials(records: RunRecords) -> list[Outcome]:
    """The trials of a search that completed the full budget, the best first."""
    manifest = records.manifest
    return full_trials(records.outcomes, manifest.direction, manifest.max_epochs)


def full_trials(outcomes: Iterable[Outcome], direction: str, horizon: int) -> list[Outcome]:
    """The trials that completed the full budget, the best first: those that have a rank.

    Args:
        outcomes: of one search.
        direction: "max" if higher scores are better, "min" if lower ones are.
        horizon: int >= 1, the full budget in epochs.
    """
    return [
        one
        for one in ordered(outcomes, direction)
        if one.status == "completed" and one.epochs.planned == horizon
    ]
