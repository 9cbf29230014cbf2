"""Inverse-time decay, the reading's "time-based" schedule."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar

from typing_extensions import override

from lrtune._util import checks
from lrtune.schedules.base import Schedule
from lrtune.schedules.ranges import Range
from lrtune.schedules.registry import register


@register
@dataclass(frozen=True)
class TimeDecay(Schedule):
    """Inverse-time decay: `lr0 / (1 + k t)**power`.

    The rate falls at every step by default; with `per_step=False` it is
    `lr0 / (1 + k floor(t))**power`, held over each epoch (Keras' staircase with decay_steps =
    steps_per_epoch). At t = 0 it is exactly lr0; at t = 1/k half of it, with power 1.

    Source: Robbins & Monro 1951; the reading; Keras' `InverseTimeDecay` with decay_rate = k,
    decay_steps = steps_per_epoch.

    Trap: the reading's k is per weight update, ours is per epoch and so does not depend on the
    batch size: k = k_update * steps_per_epoch, which `per_update` computes. Confusing the two is an
    error by a factor of steps_per_epoch. The reading's own table makes it (0.095 after 50 epochs,
    where its code has reached 0.006).

    Attributes:
        lr0: float > 0 (1.2e-38 to 3.4e38, float32's range), learning rate at epoch 0.
        k: float >= 0, finite, decay per epoch.
        power: float > 0, finite: 1, or .5 for the inverse square root. A search leaves it at 1.
        per_step: bool, False to hold the rate over each epoch.
    """

    name: ClassVar[str] = "time"
    ranges: ClassVar[tuple[Range, ...]] = (
        # The rate at the horizon ranges from lr0/1000 to lr0/2. The default is the reading's:
        # k_update = 0.002, 157 steps an epoch, 50 epochs.
        Range("k", lambda e: 1 / e, lambda e: 999 / e, lambda e: 0.002 * 157 * 50 / e, "log"),
    )
    domains: ClassVar = {"k": checks.non_negative, "power": checks.positive}

    k: float
    power: float = field(default=1.0, kw_only=True)
    per_step: bool = field(default=True, kw_only=True)

    @classmethod
    def per_update(
        cls, lr0: float, k_update: float, steps_per_epoch: int, *, per_step: bool = True
    ) -> TimeDecay:
        """The schedule for a decay per weight update, as in the reading and in old Keras.

        Args:
            lr0: float > 0, learning rate at epoch 0.
            k_update: float >= 0, decay per weight update (the reading: lr0 / epochs = 0.002).
            steps_per_epoch: int >= 1, weight updates an epoch.
            per_step: bool, False to hold the rate over each epoch.
        """
        steps_per_epoch = checks.integer("steps_per_epoch", steps_per_epoch, at_least=1)
        k = checks.non_negative("k_update", k_update) * steps_per_epoch
        return cls(lr0, k, per_step=per_step)

    @override
    def in_keras(self) -> tuple[str, dict[str, str]] | None:
        if self.power != 1.0:
            return None
        return "InverseTimeDecay", {
            "initial_learning_rate": f"{self.lr0}",
            "decay_steps": "steps_per_epoch",
            "decay_rate": f"{self.k}",
            "staircase": f"{not self.per_step}",
        }

    def formula(self, t: Any, xp: Any) -> Any:
        """lr0 / (1 + k t)**power."""
        fallen = 1.0 + self.k * t
        return self.lr0 / (fallen if self.power == 1.0 else xp.power(fallen, self.power))
