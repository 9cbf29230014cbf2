"""What the cyclical families have in common: all but the shape of a cycle."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar

from lrtune._util import checks
from lrtune.schedules.base import Schedule
from lrtune.schedules.ranges import Choice, Range
from lrtune.schedules.shapes import MOST, ROUNDING, blend, in_units_of

MODES = ("even", "halving", "exponential")


@dataclass(frozen=True)
class Cycles(Schedule):
    """Cycles between `lr0 / ratio` and lr0; see the families for the formulas."""

    ranges: ClassVar[tuple[Range | Choice, ...]] = (
        # 2 to 10 epochs for Smith's trainings of about 20 to 100; at most two cycles and a half for
        # the shortest horizon, so that a cycle is never longer than the training.
        Range("half_cycle", lambda e: 0.05 * e, lambda e: 0.5 * e, lambda e: 0.2 * e, "log"),
        Range("ratio", lambda _: 3.0, lambda _: 20.0, lambda _: 6.0, "log"),
        Choice("mode", MODES),
        # The height falls to a hundredth at the most over the whole training.
        Range(
            "gamma", lambda e: 0.01 ** (1 / e), lambda _: 1.0, lambda e: 0.1 ** (1 / e), "log",
            only_if=("mode", "exponential"),
        ),
    )  # fmt: skip
    domains: ClassVar = {
        "half_cycle": checks.positive,
        "ratio": checks.at_least_one,
        "mode": partial(checks.one_of, choices=MODES),
        "gamma": checks.fraction,
    }

    half_cycle: float
    ratio: float = 6.0
    mode: str = "even"
    gamma: float = 1.0

    @abstractmethod
    def _wave(self, place: Any, xp: Any) -> Any:
        """The shape, from 0 to 1 and back to 0, at a place within a cycle, from 0 to 1."""

    def formula(self, t: Any, xp: Any) -> Any:
        """Lo + (lr0 - lo) g wave."""
        cycles = xp.minimum(in_units_of(self.half_cycle, t) / 2.0, MOST)
        cycle = xp.floor(cycles * ROUNDING)
        height = self._wave(xp.clip(cycles - cycle, 0.0, 1.0), xp)
        if self.mode == "halving":
            height = height * xp.power(0.5, cycle)
        elif self.mode == "exponential":
            height = height * xp.power(self.gamma, t)
        return self.lr0 * blend(height, 1.0 / self.ratio)
