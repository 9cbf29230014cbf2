"""The constant learning rate: the baseline of every comparison."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from lrtune.schedules.base import Schedule
from lrtune.schedules.registry import register


@register
@dataclass(frozen=True)
class Constant(Schedule):
    """The same rate at every step: `lr0`.

    It has no `per_step`: held or not, the rate is the same.

    Source: Robbins & Monro, "A stochastic approximation method", 1951. The reading uses lr0 = 0.1
    in its code and 0.01 in its table.

    Attributes:
        lr0: float > 0 (1.2e-38 to 3.4e38, float32's range), the learning rate.
    """

    name: ClassVar[str] = "constant"

    def formula(self, t: Any, xp: Any) -> Any:
        """lr0."""
        return xp.full_like(t, self.lr0)


CONSTANT = Constant.name
"""The family of schedules that never change."""
