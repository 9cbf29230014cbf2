"""The values that a search tries for one parameter of a family."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True)
class Range:
    """The values a search tries for one parameter, as a function of the horizon.

    Ranges of parameters that count epochs (or are per epoch) scale with the horizon.

    Attributes:
        parameter: name of the schedule's field.
        low: horizon in epochs (int >= 1) -> the smallest value, inclusive.
        high: horizon -> the largest value, inclusive.
        default: horizon -> the value of a search's first trial; moved into low..high.
        sampling: "linear" or "log": whether the value or its logarithm is sampled uniformly.
        kind: "float", or "int" for whole numbers: low, high and default are then rounded, at
            least 1.
    """

    parameter: str
    low: Callable[[int], float]
    high: Callable[[int], float]
    default: Callable[[int], float]
    sampling: Literal["linear", "log"] = "linear"
    kind: Literal["float", "int"] = "float"

    def bounds(self, epochs: int) -> tuple[float, float, float]:
        """(low, high, default) for a horizon of `epochs`; low <= default <= high."""
        low, high, default = self.low(epochs), self.high(epochs), self.default(epochs)
        if self.kind == "int":
            low, high, default = (max(1, round(value)) for value in (low, high, default))
        return low, high, min(max(default, low), high)
