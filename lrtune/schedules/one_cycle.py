"""One cycle: up, down, and far down, with a momentum that runs the other way."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar

from typing_extensions import override

from lrtune._util import checks
from lrtune.schedules.base import Schedule
from lrtune.schedules.ranges import HORIZON, Choice, Range
from lrtune.schedules.registry import register
from lrtune.schedules.shapes import blend, fraction_of, half_cosine

ANNEALING = ("cosine", "linear")


@register
@dataclass(frozen=True)
class OneCycle(Schedule):
    """One cycle: from `lr0 / div` up to lr0 at `peak` of the epochs, then down to `lr0 / final`.

    The momentum runs the other way: from the optimizer's own down to `dip` times it at the peak,
    and back. After `epochs` the rate stays at `lr0 / final`.

    Source: Smith & Topin, "Super-convergence", 2018 (arXiv 1708.07120); torch's `OneCycleLR` with
    max_lr = lr0, pct_start = peak, div_factor = div, final_div_factor = final / div, max_momentum =
    the optimizer's, base_momentum = dip times that. torch reaches the peak and the end one step
    earlier, because it counts from 0 to total_steps - 1; optax' `cosine_onecycle_schedule` does
    not. Its `linear_onecycle_schedule` has a third part.

    Attributes:
        lr0: float > 0 (1.2e-38 to 3.4e38, float32's range), the highest learning rate.
        epochs: float > 0, finite, the whole cycle.
        peak: float > 0 and < 1, when the rate is highest, as a share of the epochs.
        div: float >= 1, finite, the highest rate over the first.
        final: float >= 1, finite, the highest rate over the last.
        dip: float in [0, 1], the momentum at the peak as a share of the optimizer's; 1 leaves it
            constant.
        annealing: "cosine" or "linear", the shape of both parts.
    """

    name: ClassVar[str] = "one_cycle"
    ranges: ClassVar[tuple[Range | Choice, ...]] = (
        HORIZON,
        Range("peak", lambda _: 0.1, lambda _: 0.5, lambda _: 0.3),
        Range("div", lambda _: 3.0, lambda _: 30.0, lambda _: 25.0, "log"),
        Range("final", lambda _: 1e2, lambda _: 1e4, lambda _: 1e3, "log"),
    )
    domains: ClassVar = {
        "epochs": checks.positive,
        "peak": checks.proper_fraction,
        "div": checks.at_least_one,
        "final": checks.at_least_one,
        "dip": checks.share,
        "annealing": partial(checks.one_of, choices=ANNEALING),
    }

    epochs: float
    peak: float = 0.3
    div: float = 25.0
    final: float = 1e4
    dip: float = 0.85 / 0.95
    annealing: str = "cosine"

    def formula(self, t: Any, xp: Any) -> Any:
        """lr0 times a rise from 1 / div to 1, then a fall to 1 / final."""
        rises, height = self._height(t, xp)
        return self.lr0 * xp.where(
            rises, blend(height, 1.0 / self.div), blend(height, 1.0 / self.final)
        )

    @property
    @override
    def moves_momentum(self) -> bool:
        return self.dip < 1.0

    @override
    def momentum_factor(self, t: Any, xp: Any) -> Any:
        return blend(1.0 - self._height(t, xp)[1], self.dip)

    def _height(self, t: Any, xp: Any) -> tuple[Any, Any]:
        """Whether the rate still rises, and how high it is between its ends: 0 to 1."""
        u = fraction_of(t, self.epochs, xp)
        rises = u < self.peak
        left = xp.where(rises, 1.0 - u / self.peak, (u - self.peak) / (1.0 - self.peak))
        left = xp.clip(left, 0.0, 1.0)
        return rises, half_cosine(left, xp) if self.annealing == "cosine" else 1.0 - left
