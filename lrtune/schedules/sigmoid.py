"""Decay along a logistic curve."""

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
class SigmoidDecay(Schedule):
    """Sigmoid decay: `lr0 / (1 + exp(steepness (u - center)))`, u = t / epochs.

    At `center` the rate is half of lr0. After `epochs` the rate stays as it is.

    Source: Caffe's policy "sigmoid" (`lr0 / (1 + exp(-gamma (step - stepsize)))` with a negative
    gamma); Nakamura et al., "Learning-rate annealing methods for deep neural networks", 2021.

    Trap: in Caffe and LRBench a positive gamma makes the rate *rise*.

    Attributes:
        lr0: float > 0 (1.2e-38 to 3.4e38, float32's range), the learning rate that it starts from.
        epochs: float > 0, finite, when the rate has reached its end.
        steepness: float > 0, finite, how sudden the fall is.
        center: float in [0, 1], when the rate is lr0 / 2, as a share of the epochs.
    """

    name: ClassVar[str] = "sigmoid"
    ranges: ClassVar[tuple[Range, ...]] = (
        HORIZON,
        Range("steepness", lambda _: 5.0, lambda _: 30.0, lambda _: 12.0, "log"),
        Range("center", lambda _: 0.3, lambda _: 0.9, lambda _: 0.6),
    )
    domains: ClassVar = {
        "epochs": checks.positive,
        "steepness": checks.positive,
        "center": checks.share,
    }

    epochs: float
    steepness: float = 12.0
    center: float = 0.6

    def formula(self, t: Any, xp: Any) -> Any:
        """lr0 / (1 + exp(steepness (u - center)))."""
        u = fraction_of(t, self.epochs, xp)
        return self.lr0 / (1.0 + xp.exp(self.steepness * (u - self.center)))
