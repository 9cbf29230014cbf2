"""A hyperbola that hardly depends on how long the training is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from lrtune._util import checks
from lrtune.schedules.base import Schedule
from lrtune.schedules.ranges import HORIZON, Range
from lrtune.schedules.registry import register
from lrtune.schedules.shapes import fraction_of


@register
@dataclass(frozen=True)
class HyperbolicDecay(Schedule):
    """HyperbolicLR: `lr0 (1 - (1 - end) (h(0) - h(t)))`, a hyperbola.

    `h(t) = sqrt((N - t)/U (2 - (N + t)/U))` with N = epochs and U = stretch N. The first epochs
    are nearly the same for trainings of different lengths with the same U. With stretch 1 the rate
    falls to `lr0 end`, with a larger one less far. After `epochs` the rate stays as it is.

    Source: Kim, "HyperbolicLR: epoch insensitive learning rate scheduler", 2024 (arXiv 2407.15200)
    with its upper bound U and infimum `lr0 end`.

    Attributes:
        lr0: float > 0 (1.2e-38 to 3.4e38, float32's range), learning rate at epoch 0.
        epochs: float > 0, finite, when the rate has reached its end.
        stretch: float >= 1, finite, U / N, the upper bound of all lengths over this one.
        end: float in [0, 1], the infimum of the rates as a share of lr0.
    """

    name: ClassVar[str] = "hyperbolic"
    ranges: ClassVar[tuple[Range, ...]] = (
        HORIZON,
        Range("stretch", lambda _: 1.0, lambda _: 5.0, lambda _: 2.0, "log"),
        Range("end", lambda _: 0.0, lambda _: 0.1, lambda _: 0.0),
    )
    domains: ClassVar = {
        "epochs": checks.positive,
        "stretch": checks.at_least_one,
        "end": checks.share,
    }

    epochs: float
    stretch: float = 2.0
    end: float = 0.0

    def formula(self, t: Any, xp: Any) -> Any:
        """lr0 (1 - (1 - end) (h(0) - h(t)))."""
        u = fraction_of(t, self.epochs, xp)
        fallen = self._height(xp.full_like(u, 0.0), xp) - self._height(u, xp)
        return self.lr0 * (1.0 - (1.0 - self.end) * xp.clip(fallen, 0.0, 1.0))

    def _height(self, u: Any, xp: Any) -> Any:
        return xp.sqrt((1.0 - u) / self.stretch * (2.0 - (1.0 + u) / self.stretch))
