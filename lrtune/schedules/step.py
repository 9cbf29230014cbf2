"""Step decay: a drop by the same factor every so many epochs."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar

from typing_extensions import override

from lrtune._util import checks
from lrtune.schedules.base import Schedule
from lrtune.schedules.ranges import Range
from lrtune.schedules.registry import register
from lrtune.schedules.shapes import ROUNDING, in_units_of


@register
@dataclass(frozen=True)
class StepDecay(Schedule):
    """Step decay: `lr0 drop**floor(e / epochs_drop)`, e = floor(t) the epoch, from 0.

    Boundaries belong to the new rate: the first step of epoch `epochs_drop` already has the rate
    after the first drop. A drop within an epoch (a fractional `epochs_drop`) takes effect at the
    next epoch's first step. With `per_step=True` e is t itself, as in Keras' staircase, and a drop
    takes effect at once.

    Source: the reading; Krizhevsky, Sutskever & Hinton 2012; Keras' `ExponentialDecay` with
    staircase=True, decay_rate = drop, decay_steps = epochs_drop * steps_per_epoch.

    Trap: the classic formula `drop**floor((1 + e) / epochs_drop)` drops one epoch earlier than this
    one and than Keras'.

    Attributes:
        lr0: float > 0 (1.2e-38 to 3.4e38, float32's range), learning rate at epoch 0.
        drop: float > 0 and <= 1, factor of each drop.
        epochs_drop: float > 0, finite, epochs between drops.
        per_step: bool, True to let a drop take effect within an epoch.
    """

    name: ClassVar[str] = "step"
    ranges: ClassVar[tuple[Range, ...]] = (
        Range("drop", lambda _: 0.1, lambda _: 0.8, lambda _: 0.5, "log"),
        Range("epochs_drop", lambda e: 0.1 * e, lambda e: 0.5 * e, lambda e: 0.2 * e, kind="int"),
    )
    domains: ClassVar = {"drop": checks.fraction, "epochs_drop": checks.positive}

    drop: float
    epochs_drop: float
    per_step: bool = field(default=False, kw_only=True)

    @override
    def in_keras(self) -> tuple[str, dict[str, str]] | None:
        if self.epochs_drop % 1:  # Keras rounds another way
            return None
        return "ExponentialDecay", {
            "initial_learning_rate": f"{self.lr0}",
            "decay_steps": f"{int(self.epochs_drop)} * steps_per_epoch",
            "decay_rate": f"{self.drop}",
            "staircase": "True",
        }

    def formula(self, t: Any, xp: Any) -> Any:
        """lr0 drop**floor(t / epochs_drop)."""
        return self.lr0 * xp.power(self.drop, xp.floor(in_units_of(self.epochs_drop, t) * ROUNDING))
