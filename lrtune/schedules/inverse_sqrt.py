"""Inverse square root with a warmup, the schedule of the first transformers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from lrtune._util import checks
from lrtune.schedules.base import Schedule
from lrtune.schedules.ranges import Range
from lrtune.schedules.registry import register
from lrtune.schedules.shapes import in_units_of


@register
@dataclass(frozen=True)
class InverseSquareRoot(Schedule):
    """Inverse square root: `lr0 min(t / warmup, sqrt(warmup / t))`.

    The rate rises from 0 to lr0 within `warmup` epochs and then falls without a horizon.

    Source: Vaswani et al., "Attention is all you need", 2017, section 5.3, where lr0 is
    1 / sqrt(d_model * warmup steps); Hugging Face's `get_inverse_sqrt_schedule` with timescale =
    num_warmup_steps.

    Attributes:
        lr0: float > 0 (1.2e-38 to 3.4e38, float32's range), the highest learning rate.
        warmup: float > 0, finite, epochs until the rate is lr0.
    """

    name: ClassVar[str] = "inverse_sqrt"
    ranges: ClassVar[tuple[Range, ...]] = (
        Range("warmup", lambda e: 0.01 * e, lambda e: 0.2 * e, lambda e: 0.05 * e, "log"),
    )
    domains: ClassVar = {"warmup": checks.positive}

    warmup: float

    def formula(self, t: Any, xp: Any) -> Any:
        """lr0 min(t / warmup, sqrt(warmup / t))."""
        in_warmups = in_units_of(self.warmup, t)
        # One of the two is always 1; nothing is divided by 0.
        rise, fall = xp.minimum(in_warmups, 1.0), xp.sqrt(1.0 / xp.maximum(in_warmups, 1.0))
        return self.lr0 * (rise * fall)
