"""Step decay: a drop by the same factor every so many epochs."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar

from lrtune._util import checks
from lrtune.schedules.base import Schedule
from lrtune.schedules.ranges import Range
from lrtune.schedules.registry import register

# t, epochs_drop and their quotient are each off by at most half a unit in the last place (2**-53).
# A quotient that should be a whole number can therefore fall below it: 0.3 / 0.1 is
# 2.9999999999999996, and the third drop would come a step late. 2**-50 outweighs the three errors.
_ROUNDING = 1.0 + 2.0**-50


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

    def formula(self, t: Any, xp: Any) -> Any:
        """lr0 drop**floor(t / epochs_drop)."""
        return self.lr0 * xp.power(self.drop, xp.floor(t / self.epochs_drop * _ROUNDING))
