"""A linear warmup in front of any schedule."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from typing_extensions import Self, override

from lrtune._util import checks
from lrtune.errors import ArgumentError
from lrtune.schedules.derived import Derived
from lrtune.schedules.ranges import Choice, Range
from lrtune.schedules.registry import register
from lrtune.schedules.shapes import ROUNDING, blend, fraction_of

if TYPE_CHECKING:
    from lrtune.schedules.base import Schedule

PREFIX = "warmup+"
"""What the name of a family with a warmup begins with: "warmup+cosine"."""


@register
@dataclass(frozen=True)
class Warmup(Derived):
    """A linear warmup, then another schedule: `Warmup(CosineDecay(0.1, epochs=45), epochs=5)`.

    For t < epochs the rate is `then(0) (start + (1 - start) t / epochs)`, from then on
    `then(t - epochs)`. `Warmup.before` also shortens `then`, so that both fit into a training.

    Source: Goyal et al., "Accurate, large minibatch SGD", 2017 (arXiv 1706.02677); torch's
    `LinearLR` and `SequentialLR`, optax' `join_schedules`, Keras' `CosineDecay` with
    `warmup_target`.

    Attributes:
        then: the schedule that follows, or its config.
        epochs: float >= 0, finite, how long the rate rises.
        start: float in [0, 1], the first rate as a share of then's.
        lr0: that of `then`.
    """

    name: ClassVar[str] = "warmup"
    ranges: ClassVar[tuple[Range | Choice, ...]] = (
        Range("epochs", lambda _: 0.0, lambda e: 0.2 * e, lambda e: 0.05 * e),
        Range("start", lambda _: 0.0, lambda _: 0.1, lambda _: 0.0),
    )
    domains: ClassVar = {"epochs": checks.non_negative, "start": checks.share}
    made_of: ClassVar[str] = "a schedule without a warmup of this kind"

    epochs: float
    start: float = 0.0

    @classmethod
    @override
    def takes(cls, then: Schedule) -> bool:
        return not isinstance(then, Warmup)

    @classmethod
    def before(cls, then: Schedule, epochs: float, start: float = 0.0) -> Self:
        """A warmup and, in what is left of `then.epochs`, the whole of `then`.

        Args:
            then: Schedule. One without `epochs`, like step decay, only begins later.
            epochs: float >= 0, of the warmup; fewer than then's.
            start: float in [0, 1], the first rate as a share of then's.
        """
        whole = getattr(then, "epochs", None)
        if whole is not None:
            epochs = checks.non_negative("epochs", epochs)
            if epochs >= whole:
                raise ArgumentError(
                    "epochs of a warmup must be fewer than those of the whole schedule, "
                    f"{whole:g}. Received: epochs={epochs!r}."
                )
            then = type(then).from_config({**then.get_config(), "epochs": whole - epochs})
        return cls(then, epochs, start)

    @override
    def in_keras(self) -> tuple[str, dict[str, str]] | None:
        own = self.then.in_keras()
        if own is None or not self.epochs:
            return own
        if own[0] != "CosineDecay":  # the only one of Keras' that has a warmup
            return None
        return own[0], {
            **own[1],
            "initial_learning_rate": f"{self.lr0 * self.start}",
            "warmup_target": f"{self.lr0}",
            "warmup_steps": f"{self.epochs} * steps_per_epoch",
        }

    @override
    def formula(self, t: Any, xp: Any) -> Any:
        """then(max(t - epochs, 0)) times the rise."""
        # Not through super(): code for Keras is made from this source.
        rate = self.then.evaluate(self.time_of_then(t, xp), xp)
        return rate * blend(self._risen(t, xp), self.start)

    @override
    def __str__(self) -> str:
        return f"warmup(epochs={self.epochs:.3g}, start={self.start:.3g}) then {self.then}"

    @override
    def time_of_then(self, t: Any, xp: Any) -> Any:
        """The time since the warmup, 0 during it."""
        # A difference that should be whole may lie below it by rounding: see ROUNDING. 4.1 - 0.1 is
        # 3.9999999999999996.
        return xp.clip(t * ROUNDING - self.epochs, 0.0, t)

    def _risen(self, t: Any, xp: Any) -> Any:
        return fraction_of(t, self.epochs, xp) if self.epochs else xp.full_like(t, 1.0)
