"""Reduce on plateau: a lower rate when the loss no longer falls."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

from typing_extensions import override

from lrtune._util import checks
from lrtune.schedules.base import Schedule
from lrtune.schedules.ranges import Range
from lrtune.schedules.registry import register

if TYPE_CHECKING:
    from collections.abc import Sequence


@register
@dataclass(frozen=True)
class ReduceOnPlateau(Schedule):
    """Reduce on plateau: the rate times `factor` after `patience` epochs without a lower loss.

    The loss is the validation loss, or the training loss if there is none. It counts as lower if it
    is by more than `min_delta`. As a function of time alone the rate is lr0: what it is in a
    training is in its records.

    Source: Keras' callback `ReduceLROnPlateau` with its default monitor and no cooldown; optax'
    `contrib.reduce_on_plateau` with rtol = 0, atol = min_delta. torch's class of Keras' name, which
    timm uses too, counts one more epoch of patience, and its `threshold` is a share of the loss.

    Trap: Keras' callback cannot change a schedule object; it fails with one.

    Attributes:
        lr0: float > 0 (1.2e-38 to 3.4e38, float32's range), learning rate at epoch 0.
        factor: float > 0 and <= 1, of each reduction.
        patience: int >= 1, epochs without a lower loss before the rate is reduced.
        min_delta: float >= 0, finite, how much lower the loss must be to count.
    """

    name: ClassVar[str] = "plateau"
    ranges: ClassVar[tuple[Range, ...]] = (
        Range("factor", lambda _: 0.1, lambda _: 0.7, lambda _: 0.3, "log"),
        Range("patience", lambda e: 0.05 * e, lambda e: 0.2 * e, lambda e: 0.1 * e, kind="int"),
    )
    domains: ClassVar = {
        "factor": checks.fraction,
        "patience": partial(checks.integer, at_least=1),
        "min_delta": checks.non_negative,
    }

    factor: float
    patience: int
    min_delta: float = 1e-4

    def formula(self, t: Any, xp: Any) -> Any:
        """lr0."""
        return xp.full_like(t, self.lr0)

    @property
    @override
    def closed_loop(self) -> bool:
        return True

    @override
    def feedback(self, losses: Sequence[float]) -> float:
        best, waited, factor = float("inf"), 0, 1.0
        for loss in losses:
            if loss < best - self.min_delta:
                best, waited = loss, 0
                continue
            waited += 1
            if waited >= self.patience:
                factor, waited = factor * self.factor, 0
        return factor
