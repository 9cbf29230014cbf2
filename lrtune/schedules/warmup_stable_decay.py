"""Warmup, a constant rate, then decay: the trapezoid."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar

from lrtune._util import checks
from lrtune.schedules.base import Schedule
from lrtune.schedules.ranges import HORIZON, Choice, Range
from lrtune.schedules.registry import register
from lrtune.schedules.shapes import fraction_of, half_cosine

SHAPES = ("linear", "sqrt", "cosine")


@register
@dataclass(frozen=True)
class WarmupStableDecay(Schedule):
    """Warmup-stable-decay: a linear rise, lr0, then a fall to 0 over the last epochs.

    With x from 0 to 1 over the decay, the rate is `lr0 (1 - x)` (shape "linear"),
    `lr0 (1 - sqrt(x))` ("sqrt") or `lr0 (1 + cos(pi x)) / 2` ("cosine"). After `epochs` it is 0, or
    lr0 if there is no decay.

    Source: Xing et al., "A walk with SGD", 2018; MiniCPM, 2024 (arXiv 2404.06395); Haegele et al.,
    "Scaling laws and compute-optimal training beyond fixed training durations", 2024 (arXiv
    2405.18392), where 1 - sqrt does best; Hugging Face's `get_wsd_schedule`, timm's
    `WSDLRScheduler`.

    Attributes:
        lr0: float > 0 (1.2e-38 to 3.4e38, float32's range), the highest learning rate.
        epochs: float > 0, finite, the whole training.
        warmup: float in [0, 1], share of the epochs in which the rate rises from 0.
        decay: float in [0, 1], share of the epochs in which it falls; where both do not fit, the
            decay begins when the warmup ends.
        shape: "linear", "sqrt" or "cosine".
    """

    name: ClassVar[str] = "warmup_stable_decay"
    ranges: ClassVar[tuple[Range | Choice, ...]] = (
        HORIZON,
        Range("warmup", lambda _: 0.0, lambda _: 0.1, lambda _: 0.02),
        Range("decay", lambda _: 0.1, lambda _: 0.6, lambda _: 0.2),
        Choice("shape", SHAPES),
    )
    domains: ClassVar = {
        "epochs": checks.positive,
        "warmup": checks.share,
        "decay": checks.share,
        "shape": partial(checks.one_of, choices=SHAPES),
    }

    epochs: float
    warmup: float = 0.02
    decay: float = 0.2
    shape: str = "linear"

    def formula(self, t: Any, xp: Any) -> Any:
        """lr0 times the rise, or times the fall."""
        u = fraction_of(t, self.epochs, xp)
        rise = fraction_of(u, self.warmup, xp) if self.warmup else xp.full_like(u, 1.0)
        begin = max(self.warmup, 1.0 - self.decay)
        if begin == 1.0:  # nothing is left for a decay
            return self.lr0 * rise
        x = xp.clip((u - begin) / (1.0 - begin), 0.0, 1.0)
        if self.shape == "cosine":
            fall = half_cosine(x, xp)
        else:
            fall = 1.0 - (xp.sqrt(x) if self.shape == "sqrt" else x)
        return self.lr0 * (rise * fall)
