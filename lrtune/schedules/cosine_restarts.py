"""Cosine decay with warm restarts, SGDR."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

from lrtune._util import checks
from lrtune.schedules.base import Schedule
from lrtune.schedules.ranges import Choice, Range
from lrtune.schedules.registry import register
from lrtune.schedules.shapes import MOST, ROUNDING, blend, half_cosine, in_units_of


@register
@dataclass(frozen=True)
class CosineRestarts(Schedule):
    """Cosine decay that restarts: cycle i (from 0) lasts `first_cycle multiplier**i` epochs.

    Within a cycle the rate is `lr0 peak_decay**i (end + (1 - end) (1 + cos(pi v)) / 2)`, v from 0
    to 1; the first step of a cycle has its highest rate.

    Source: Loshchilov & Hutter, "SGDR: stochastic gradient descent with warm restarts", 2017;
    Keras' `CosineDecayRestarts` with t_mul = multiplier, m_mul = peak_decay, alpha = end (where
    later cycles end at `lr0 end` too, ours at `lr0 peak_decay**i end`); torch's
    `CosineAnnealingWarmRestarts` (whole multipliers, no peak decay).

    Attributes:
        lr0: float > 0 (1.2e-38 to 3.4e38, float32's range), learning rate at epoch 0.
        first_cycle: float > 0, finite, epochs of the first cycle.
        multiplier: float >= 1, finite, how much longer each cycle is than the one before.
        peak_decay: float > 0 and <= 1, a cycle's highest rate as a share of that before.
        end: float in [0, 1], a cycle's last rate as a share of its first.
    """

    name: ClassVar[str] = "cosine_restarts"
    ranges: ClassVar[tuple[Range | Choice, ...]] = (
        Range("first_cycle", lambda e: 0.07 * e, lambda e: 0.5 * e, lambda e: 0.2 * e, "log"),
        Choice("multiplier", (1.0, 2.0)),
        Range("peak_decay", lambda _: 0.5, lambda _: 1.0, lambda _: 1.0),
    )
    domains: ClassVar = {
        "first_cycle": checks.positive,
        "multiplier": checks.at_least_one,
        "peak_decay": checks.fraction,
        "end": checks.share,
    }

    first_cycle: float
    multiplier: float = 1.0
    peak_decay: float = 1.0
    end: float = 0.0

    def formula(self, t: Any, xp: Any) -> Any:
        """lr0 peak_decay**i (end + (1 - end) (1 + cos(pi v)) / 2)."""
        # A time that should be a cycle's start may lie below it by rounding: see ROUNDING.
        passed = xp.minimum(in_units_of(self.first_cycle, t), MOST)  # in first cycles
        growth = self.multiplier - 1.0
        if growth == 0.0:
            cycle = xp.floor(passed * ROUNDING)
            within = passed - cycle
        else:  # cycle i starts after (multiplier**i - 1) / growth
            step = math.log1p(growth)
            # Twice, as logarithms add errors of their own: up to 3.2 units in the last place.
            grown = xp.minimum(passed * ROUNDING * growth, MOST)
            cycle = xp.floor(xp.log1p(grown) / step * ROUNDING)
            start = xp.expm1(cycle * step) / growth
            within = (passed - start) / xp.exp(cycle * step)
        shape = blend(half_cosine(xp.clip(within, 0.0, 1.0), xp), self.end)
        return self.lr0 * (xp.power(self.peak_decay, cycle) * shape)
