"""A linear warmup in front of any schedule."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from typing_extensions import Self, override

from lrtune._util import checks
from lrtune.errors import ArgumentError
from lrtune.schedules.base import Schedule
from lrtune.schedules.ranges import Choice, Range
from lrtune.schedules.registry import register
from lrtune.schedules.shapes import ROUNDING, blend, fraction_of

PREFIX = "warmup+"
"""What the name of a family with a warmup begins with: "warmup+cosine"."""


@register
@dataclass(frozen=True)
class Warmup(Schedule):
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
    stands_alone: ClassVar[bool] = False

    lr0: float = field(init=False, repr=False)
    then: Schedule
    epochs: float
    start: float = 0.0

    def __post_init__(self) -> None:
        then = Schedule.from_config(self.then) if isinstance(self.then, Mapping) else self.then
        if not isinstance(then, Schedule) or isinstance(then, Warmup):
            raise ArgumentError(
                "then must be a schedule without a warmup of this kind, or its config. "
                f"Received: then={self.then!r}."
            )
        object.__setattr__(self, "then", then)
        object.__setattr__(self, "lr0", then.lr0)
        super().__post_init__()

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

    def formula(self, t: Any, xp: Any) -> Any:
        """then(max(t - epochs, 0)) times the rise."""
        return self.then.evaluate(self._after(t, xp), xp) * blend(self._risen(t, xp), self.start)

    @property
    @override
    def moves_momentum(self) -> bool:
        return self.then.moves_momentum

    @override
    def momentum_factor(self, t: Any, xp: Any) -> Any:
        return self.then.momentum_factor(self._after(t, xp), xp)

    @property
    @override
    def closed_loop(self) -> bool:
        return self.then.closed_loop

    @override
    def feedback(self, losses: Any) -> float:
        return self.then.feedback(losses)

    @override
    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {"then": self.then.get_config()}

    @override
    def __str__(self) -> str:
        return f"warmup(epochs={self.epochs:.3g}, start={self.start:.3g}) then {self.then}"

    def _after(self, t: Any, xp: Any) -> Any:
        """The time since the warmup, 0 during it."""
        # A difference that should be whole may lie below it by rounding: see ROUNDING. 4.1 - 0.1 is
        # 3.9999999999999996.
        return xp.clip(t * ROUNDING - self.epochs, 0.0, t)

    def _risen(self, t: Any, xp: Any) -> Any:
        return fraction_of(t, self.epochs, xp) if self.epochs else xp.full_like(t, 1.0)
