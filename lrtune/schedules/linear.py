"""Linear decay to a share of the first rate."""

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
class LinearDecay(Schedule):
    """Linear decay: `lr0 ((1 - end) (1 - u) + end)`, u = t / epochs.

    After `epochs` the rate stays at `lr0 end`.

    Source: Li, Yumer & Ramanan, "Budgeted training", 2020; Defazio et al., "Optimal linear decay
    learning rate schedules", 2023 (arXiv 2310.07831), where it beats cosine; torch's `LinearLR`,
    optax' `linear_schedule`.

    Attributes:
        lr0: float > 0 (1.2e-38 to 3.4e38, float32's range), learning rate at epoch 0.
        epochs: float > 0, finite, when the rate has reached its end.
        end: float in [0, 1], the last rate as a share of lr0.
    """

    name: ClassVar[str] = "linear"
    ranges: ClassVar[tuple[Range, ...]] = (
        HORIZON,
        Range("end", lambda _: 0.0, lambda _: 0.1, lambda _: 0.0),
    )
    domains: ClassVar = {"epochs": checks.positive, "end": checks.share}

    epochs: float
    end: float = 0.0

    @override
    def in_keras(self) -> tuple[str, dict[str, str]] | None:
        return "PolynomialDecay", {
            "initial_learning_rate": f"{self.lr0}",
            "decay_steps": f"{self.epochs} * steps_per_epoch",
            "end_learning_rate": f"{self.lr0 * self.end}",
        }

    def formula(self, t: Any, xp: Any) -> Any:
        """lr0 ((1 - end) (1 - u) + end)."""
        return self.lr0 * blend(1.0 - fraction_of(t, self.epochs, xp), self.end)
