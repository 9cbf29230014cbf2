"""REX: reflected exponential decay."""

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
class RexDecay(Schedule):
    """Reflected exponential decay: `lr0 (1 - u) / (1/2 + (1 - u) / 2)`, u = t / epochs.

    It lies above linear decay: at half of the epochs the rate is 2/3 of lr0. After `epochs` it is
    0.

    Source: Chen, Wolfe & Kyrillidis, "REX: revisiting budgeted training with an improved schedule",
    2022 (arXiv 2107.04197).

    Attributes:
        lr0: float > 0 (1.2e-38 to 3.4e38, float32's range), learning rate at epoch 0.
        epochs: float > 0, finite, when the rate has reached 0.
    """

    name: ClassVar[str] = "rex"
    ranges: ClassVar[tuple[Range, ...]] = (HORIZON,)
    domains: ClassVar = {"epochs": checks.positive}

    epochs: float

    def formula(self, t: Any, xp: Any) -> Any:
        """lr0 (1 - u) / (1/2 + (1 - u) / 2)."""
        left = 1.0 - fraction_of(t, self.epochs, xp)
        return self.lr0 * (left / (0.5 + 0.5 * left))
