"""Straight lines between knots, on a log scale: the free shape."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, ClassVar

from typing_extensions import Self, override

from lrtune._util import checks
from lrtune.schedules.base import Schedule
from lrtune.schedules.ranges import HORIZON, Range
from lrtune.schedules.registry import register
from lrtune.schedules.shapes import fraction_of

SEARCHED = tuple(f"knot_{number}" for number in range(1, 6))
"""The knots that a search places."""


@register
@dataclass(frozen=True)
class PiecewiseLinear(Schedule):
    """The logarithm of the rate is linear between knots at equal distances over the epochs.

    A knot is the rate there as a share of lr0: `knots=(1.0, 1.0, 0.1)` holds lr0 for half of the
    epochs and then falls to a tenth. After `epochs` the rate stays at the last knot.

    Source: "What do near-optimal learning rate schedules look like?", 2026 (arXiv 2603.10301),
    which finds that the common families are not optimal; optax' `piecewise_interpolate_schedule`
    (linear in the rate, not in its logarithm).

    A search samples 5 knots, `knot_1` to `knot_5`.

    Attributes:
        lr0: float > 0 (1.2e-38 to 3.4e38, float32's range), what the knots are shares of.
        epochs: float > 0, finite, from the first knot to the last.
        knots: floats > 0 and <= 1, at least two.
    """

    name: ClassVar[str] = "piecewise_linear"
    ranges: ClassVar[tuple[Range, ...]] = (
        HORIZON,
        *(Range(name, lambda _: 0.01, lambda _: 1.0, lambda _: 1.0, "log") for name in SEARCHED),
    )
    domains: ClassVar = {
        "epochs": checks.positive,
        "knots": checks.fractions,
        **dict.fromkeys(SEARCHED, checks.fraction),
    }

    epochs: float
    knots: tuple[float, ...]

    @classmethod
    @override
    def from_search(cls, parameters: Any) -> Self:
        knots = tuple(cls.domains[name](name, parameters[name]) for name in SEARCHED)
        return cls(parameters["lr0"], parameters["epochs"], knots)

    def formula(self, t: Any, xp: Any) -> Any:
        """lr0 exp(log of the knots, interpolated)."""
        place = fraction_of(t, self.epochs, xp) * (len(self.knots) - 1)
        logs = [math.log(knot) for knot in self.knots]
        height = xp.full_like(place, logs[0])
        for number, (left, right) in enumerate(pairwise(logs)):
            height = height + (right - left) * xp.clip(place - number, 0.0, 1.0)
        # The sum of the differences may miss 0, the logarithm of lr0 itself, by rounding.
        return self.lr0 * xp.exp(xp.minimum(height, 0.0))
