"""Triangular cycles between two rates."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from typing_extensions import override

from lrtune.schedules.cycles import Cycles
from lrtune.schedules.registry import register


@register
@dataclass(frozen=True)
class TriangularCycles(Cycles):
    """Triangular cycles between two rates.

    The rate is `lo + (lr0 - lo) g max(0, 1 - abs(t / half_cycle - 2 c + 1))` in cycle c, from 1.
    lo is `lr0 / ratio`. A cycle of `2 half_cycle` epochs begins at lo and reaches lr0 in its
    middle. `mode` says what g, the height of a cycle, is: "even", 1 throughout; "halving", half of
    the cycle's before (g = 2**-(c - 1) in cycle c, from 1); "exponential", `gamma**t`.

    Source: Smith, "Cyclical learning rates for training neural networks", 2017 (arXiv 1506.01186);
    torch's `CyclicLR` (modes triangular, triangular2, exp_range, whose gamma is per step).

    Attributes:
        lr0: float > 0 (1.2e-38 to 3.4e38, float32's range), the highest learning rate.
        half_cycle: float > 0, finite, epochs from the lowest rate to the highest.
        ratio: float >= 1, finite, the highest rate over the lowest.
        mode: "even", "halving" or "exponential".
        gamma: float > 0 and <= 1, factor per epoch in the mode "exponential".
    """

    name: ClassVar[str] = "triangular"

    @override
    def _wave(self, place: Any, xp: Any) -> Any:
        return 1.0 - xp.abs(2.0 * place - 1.0)
