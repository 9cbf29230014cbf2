"""Exponential decay."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any, ClassVar

from typing_extensions import override

from lrtune._util import checks
from lrtune.schedules.base import Schedule
from lrtune.schedules.ranges import Range
from lrtune.schedules.registry import register


@register
@dataclass(frozen=True)
class ExponentialDecay(Schedule):
    """Exponential decay: `lr0 exp(-k e)`, e = floor(t) the epoch, from 0.

    The rate changes at the first step of each epoch and is then held, as in the reading. With
    `per_step=True` it is `lr0 exp(-k t)` and falls at every step. At t = 0 it is exactly lr0.

    Source: the reading; Li & Arora, "An exponential learning rate schedule", 2020; Keras'
    `ExponentialDecay` with decay_rate = exp(-k), decay_steps = steps_per_epoch.

    Trap: Keras, torch and optax take the factor exp(-k); here the parameter is k, per epoch.

    Attributes:
        lr0: float > 0 (1.2e-38 to 3.4e38, float32's range), learning rate at epoch 0.
        k: float >= 0, finite, decay per epoch.
        per_step: bool, True to let the rate fall at every step.
    """

    name: ClassVar[str] = "exponential"
    ranges: ClassVar[tuple[Range, ...]] = (
        # The rate at the horizon ranges from lr0/10,000 to lr0/2, evenly in its logarithm and so
        # linearly in k. The default is the reading's: k = 0.1, 50 epochs.
        Range("k", lambda e: math.log(2) / e, lambda e: math.log(1e4) / e, lambda e: 5 / e),
    )
    domains: ClassVar = {"k": checks.non_negative}

    k: float
    per_step: bool = field(default=False, kw_only=True)

    @override
    def in_keras(self) -> tuple[str, dict[str, str]] | None:
        return "ExponentialDecay", {
            "initial_learning_rate": f"{self.lr0}",
            "decay_steps": "steps_per_epoch",
            "decay_rate": f"{math.exp(-self.k)}",
            "staircase": f"{not self.per_step}",
        }

    def formula(self, t: Any, xp: Any) -> Any:
        """lr0 exp(-k t)."""
        return self.lr0 * xp.exp(-self.k * t)
