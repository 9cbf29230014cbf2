"""How long an epoch takes, as far as it is known at a moment."""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass
from statistics import fmean
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection

    from lrtune.records.schema import Outcome

REMEMBERED = 200
"""How many of the last epochs set the pace."""

START_UP = 60.0
"""Seconds that a worker takes at most to start TensorFlow, build its first model and trace it.

NOTE: a generous limit. Measured for the reading's CNN, two workers on two busy cores: a first trial
of one epoch took 5 s without TensorFlow's start; its epoch took 2.2 s, later ones 1.1 s.
"""


@dataclass(frozen=True)
class Length:
    """The length of an epoch.

    Attributes:
        seconds: float > 0.
        sure: whether epochs of this length have ended; otherwise they take at least so long.
    """

    seconds: float
    sure: bool


class Pace:
    """Collects what is known of the length of an epoch.

    The epochs of this session count first. Until one of them has ended, the trials of earlier
    sessions set the pace, unless the running epochs have already taken longer: an epoch takes at
    least the time since it began.

    A worker's first epoch includes its start, so it counts only beyond `START_UP`: one that takes
    2 s says nothing about the others, one that takes 5 minutes does.
    """

    def __init__(self) -> None:
        self._took: deque[float] = deque(maxlen=REMEMBERED)
        self._earlier_seconds = 0.0
        self._earlier_epochs = 0

    def found(self, outcome: Outcome) -> None:
        """Counts a trial of an earlier session, the building of its model included."""
        epochs = outcome.epochs.last - outcome.epochs.first + 1
        if epochs > 0 and math.isfinite(outcome.seconds):
            self._earlier_seconds += outcome.seconds
            self._earlier_epochs += epochs

    def ended(self, seconds: float, *, cold: bool) -> None:
        """Counts an epoch of this session.

        Args:
            seconds: float >= 0 that it took.
            cold: whether it was its worker's first.
        """
        if not cold or seconds > START_UP:
            self._took.append(seconds)

    def length(self, running: Collection[float]) -> Length | None:
        """The length of an epoch; None while nothing is known.

        Args:
            running: seconds since each of the running epochs began.
        """
        if self._took:
            return Length(fmean(self._took), sure=True)
        least = fmean(max(gone - START_UP, 0.0) for gone in running) if running else 0.0
        if self._earlier_epochs:
            earlier = self._earlier_seconds / self._earlier_epochs
            if earlier >= least:
                return Length(earlier, sure=True)
        return Length(least, sure=False) if least else None
