"""Cosine decay."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from typing_extensions import override

from lrtune._util import checks
from lrtune.schedules.base import Schedule
from lrtune.schedules.ranges import HORIZON, Range
from lrtune.schedules.registry import register
from lrtune.schedules.shapes import blend, fraction_of, half_cosine


@register
@dataclass(frozen=True)
class CosineDecay(Schedule):
    """Cosine decay: `lr0 (end + (1 - end) (1 + cos(pi u)) / 2)`, u = t / epochs.

    After `epochs` the rate stays at `lr0 end`.

    Source: Loshchilov & Hutter, "SGDR", 2017 (one cycle of it); Keras' `CosineDecay` with alpha =
    end and decay_steps = epochs * steps_per_epoch; torch's `CosineAnnealingLR`, optax'
    `cosine_decay_schedule`, timm's `CosineLRScheduler`.

    Trap: after their end, the rates of torch and of Hugging Face's cosine schedules rise again.

    Attributes:
        lr0: float > 0 (1.2e-38 to 3.4e38, float32's range), learning rate at epoch 0.
        epochs: float > 0, finite, when the rate has reached its end.
        end: float in [0, 1], the last rate as a share of lr0.
    """

    name: ClassVar[str] = "cosine"
    ranges: ClassVar[tuple[Range, ...]] = (
        HORIZON,
        Range("end", lambda _: 0.0, lambda _: 0.1, lambda _: 0.0),
    )
    domains: ClassVar = {"epochs": checks.positive, "end": checks.share}

    epochs: float
    end: float = 0.0

    @override
    def in_keras(self) -> tuple[str, dict[str, str]] | None:
        return "CosineDecay", {
            "initial_learning_rate": f"{self.lr0}",
            "decay_steps": f"{self.epochs} * steps_per_epoch",
            "alpha": f"{self.end}",
        }

    def formula(self, t: Any, xp: Any) -> Any:
        """lr0 (end + (1 - end) (1 + cos(pi u)) / 2)."""
        return self.lr0 * blend(half_cosine(fraction_of(t, self.epochs, xp), xp), self.end)
