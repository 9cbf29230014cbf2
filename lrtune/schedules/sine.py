"""Cycles of half a sine between two rates."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

from typing_extensions import override

from lrtune.schedules.cycles import Cycles
from lrtune.schedules.registry import register


@register
@dataclass(frozen=True)
class SineCycles(Cycles):
    """Cycles of half a sine between two rates: `lo + (lr0 - lo) g abs(sin(pi t / (2 half_cycle)))`.

    lo is `lr0 / ratio`. A cycle of `2 half_cycle` epochs begins at lo and reaches lr0 in its
    middle. `mode` says what g, the height of a cycle, is: "even", 1 throughout; "halving", half of
    the cycle's before (g = 2**-(c - 1) in cycle c, from 1); "exponential", `gamma**t`.

    Source: Wu et al., "Demystifying learning rate policies for high accuracy training of deep
    neural networks", 2019 (arXiv 1908.06477), there SIN, SIN2 and SINEXP.

    Attributes:
        lr0: float > 0 (1.2e-38 to 3.4e38, float32's range), the highest learning rate.
        half_cycle: float > 0, finite, epochs from the lowest rate to the highest.
        ratio: float >= 1, finite, the highest rate over the lowest.
        mode: "even", "halving" or "exponential".
        gamma: float > 0 and <= 1, factor per epoch in the mode "exponential".
    """

    name: ClassVar[str] = "sine"

    @override
    def _wave(self, place: Any, xp: Any) -> Any:
        return xp.sin(math.pi * xp.minimum(place, 1.0 - place))
