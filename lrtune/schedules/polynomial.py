"""Polynomial decay to a share of the first rate."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from typing_extensions import override

from lrtune._util import checks
from lrtune.schedules.base import Schedule
from lrtune.schedules.ranges import HORIZON, Range
from lrtune.schedules.registry import register
from lrtune.schedules.shapes import blend, fraction_of


@register
@dataclass(frozen=True)
class PolynomialDecay(Schedule):
    """Polynomial decay: `lr0 ((1 - end) (1 - u)**power + end)`, u = t / epochs.

    After `epochs` the rate stays at `lr0 end`. Power 1 is the family `linear`.

    Source: DeepLab (Chen et al., 2017, power .9); Li, Yumer & Ramanan, "Budgeted training", 2020;
    Keras' `PolynomialDecay` with decay_steps = epochs * steps_per_epoch; optax'
    `polynomial_schedule`, timm's `PolyLRScheduler`; torch's `PolynomialLR`, whose end is 0.

    Attributes:
        lr0: float > 0 (1.2e-38 to 3.4e38, float32's range), learning rate at epoch 0.
        epochs: float > 0, finite, when the rate has reached its end.
        power: float > 0, finite: above 1 the rate falls fast at first, below 1 at last.
        end: float in [0, 1], the last rate as a share of lr0.
    """

    name: ClassVar[str] = "polynomial"
    ranges: ClassVar[tuple[Range, ...]] = (
        HORIZON,
        Range("power", lambda _: 0.5, lambda _: 5.0, lambda _: 1.0, "log"),
        Range("end", lambda _: 0.0, lambda _: 0.1, lambda _: 0.0),
    )
    domains: ClassVar = {
        "epochs": checks.positive,
        "power": checks.positive,
        "end": checks.share,
    }

    epochs: float
    power: float = 1.0
    end: float = 0.0

    @override
    def in_keras(self) -> tuple[str, dict[str, str]] | None:
        return "PolynomialDecay", {
            "initial_learning_rate": f"{self.lr0}",
            "decay_steps": f"{self.epochs} * steps_per_epoch",
            "end_learning_rate": f"{self.lr0 * self.end}",
            "power": f"{self.power}",
        }

    def formula(self, t: Any, xp: Any) -> Any:
        """lr0 ((1 - end) (1 - u)**power + end)."""
        left = 1.0 - fraction_of(t, self.epochs, xp)
        return self.lr0 * blend(xp.power(left, self.power), self.end)
