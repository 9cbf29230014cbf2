"""The values that a search tries for one parameter of a family."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True)
class Range:
    """The values a search tries for one parameter, as a function of the horizon.

    Ranges of parameters that count epochs (or are per epoch) scale with the horizon.

    Attributes:
        parameter: name of the schedule's field.
        low: horizon in epochs (int >= 1) -> the smallest value, inclusive.
        high: horizon -> the largest value, inclusive. Equal to `low` for a value that is not
            searched, like the horizon itself.
        default: horizon -> the value of a search's first trial; moved into low..high.
        sampling: what is sampled uniformly: the value ("linear"), its logarithm ("log"), or, where
            low + high = 1, the logarithm of 1 - value ("reverse_log").
        kind: "float", or "int" for whole numbers: low, high and default are then rounded, at
            least 1.
        only_if: (parameter, value): it exists only where another parameter, a `Choice` that stands
            before it, has this value.
    """

    parameter: str
    low: Callable[[int], float]
    high: Callable[[int], float]
    default: Callable[[int], float]
    sampling: Literal["linear", "log", "reverse_log"] = "linear"
    kind: Literal["float", "int"] = "float"
    only_if: tuple[str, Any] | None = None

    def bounds(self, epochs: int) -> tuple[float, float, float]:
        """(low, high, default) for a horizon of `epochs`; low <= default <= high."""
        low, high, default = self.low(epochs), self.high(epochs), self.default(epochs)
        if self.kind == "int":
            low, high, default = (max(1, round(value)) for value in (low, high, default))
        return low, high, min(max(default, low), high)


@dataclass(frozen=True)
class Choice:
    """The values a search tries for one parameter that is no range: names, or a few numbers.

    Attributes:
        parameter: name of the schedule's field.
        values: all of the same type; the first is that of a search's first trial.
        only_if: as in `Range`.
    """

    parameter: str
    values: tuple[Any, ...]
    only_if: tuple[str, Any] | None = None


HORIZON = Range("epochs", float, float, float)
"""The field `epochs` of a schedule that is laid out over the horizon."""
