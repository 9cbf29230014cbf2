"""Multi-step decay: a drop by the same factor at given epochs."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import accumulate
from typing import Any, ClassVar

from typing_extensions import Self, override

from lrtune._util import checks
from lrtune.schedules.base import Schedule
from lrtune.schedules.ranges import Range
from lrtune.schedules.registry import register


@register
@dataclass(frozen=True)
class MultiStepDecay(Schedule):
    """Multi-step decay: `lr0 gamma**n`, n the number of boundaries <= t.

    A boundary belongs to the new rate: the first step at or after it has the rate after the drop.

    Source: He et al., "Deep residual learning", 2016; torch's `MultiStepLR` (milestones in epochs);
    Keras' `PiecewiseConstantDecay`, whose boundaries, in steps, belong to the *old* rate.

    Trap: timm's `MultiStepLRScheduler` drops one epoch earlier.

    A search samples `first`, the first boundary, and the two gaps after it, `gap_2` and `gap_3`, in
    epochs. A boundary after the horizon has no effect, so that there are one to three drops.

    Attributes:
        lr0: float > 0 (1.2e-38 to 3.4e38, float32's range), learning rate at epoch 0.
        boundaries: floats > 0, finite and rising, in epochs; at least one.
        gamma: float > 0 and <= 1, factor of each drop.
    """

    name: ClassVar[str] = "multi_step"
    ranges: ClassVar[tuple[Range, ...]] = (
        Range("first", lambda e: 0.3 * e, lambda e: 0.6 * e, lambda e: 0.5 * e),
        Range("gap_2", lambda e: 0.1 * e, lambda e: 0.4 * e, lambda e: 0.25 * e),
        Range("gap_3", lambda e: 0.1 * e, lambda e: 0.4 * e, lambda e: 0.25 * e),
        Range("gamma", lambda _: 0.03, lambda _: 0.5, lambda _: 0.1, "log"),
    )
    domains: ClassVar = {
        "boundaries": checks.rising,
        "gamma": checks.fraction,
        # What a search samples for the boundaries.
        **dict.fromkeys(("first", "gap_2", "gap_3"), checks.positive),
    }

    boundaries: tuple[float, ...]
    gamma: float

    @classmethod
    @override
    def from_search(cls, parameters: Any) -> Self:
        gaps = [cls.domains[name](name, parameters[name]) for name in ("first", "gap_2", "gap_3")]
        return cls(parameters["lr0"], tuple(accumulate(gaps)), parameters["gamma"])

    @override
    def in_keras(self) -> tuple[str, dict[str, str]] | None:
        # A boundary of Keras' belongs to the rate before it.
        rates = [self.lr0 * self.gamma**passed for passed in range(len(self.boundaries) + 1)]
        return "PiecewiseConstantDecay", {
            "boundaries": f"[math.ceil(t * steps_per_epoch) - 1 for t in {list(self.boundaries)}]",
            "values": f"{rates}",
        }

    def formula(self, t: Any, xp: Any) -> Any:
        """lr0 gamma**(number of boundaries <= t)."""
        rate = xp.full_like(t, self.lr0)
        for boundary in self.boundaries:
            rate = xp.where(t >= boundary, rate * self.gamma, rate)
        return rate
