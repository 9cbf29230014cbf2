"""The base of schedules that are made of another one."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from typing_extensions import override

from lrtune.errors import ArgumentError
from lrtune.schedules.base import Schedule


@dataclass(frozen=True)
class Derived(Schedule):
    """Another schedule, at times of its own.

    Attributes:
        then: the other schedule, or its config.
        lr0: that of `then`.

    Raises:
        ArgumentError: `then` is neither, or one that this schedule cannot be made of.
    """

    stands_alone: ClassVar[bool] = False
    made_of: ClassVar[str] = "a schedule"
    """What `then` must be, in words."""

    lr0: float = field(init=False, repr=False)
    then: Schedule

    def __post_init__(self) -> None:
        then = Schedule.from_config(self.then) if isinstance(self.then, Mapping) else self.then
        if not (isinstance(then, Schedule) and self.takes(then)):
            raise ArgumentError(
                f"then must be {self.made_of}, or its config. Received: then={self.then!r}."
            )
        object.__setattr__(self, "then", then)
        object.__setattr__(self, "lr0", then.lr0)
        super().__post_init__()

    @classmethod
    def takes(cls, then: Schedule) -> bool:  # noqa: ARG003 - for subclasses that use it
        """Whether this schedule can be made of that one."""
        return True

    @property
    def parts(self) -> tuple[Schedule, ...]:
        """What it is made of, the innermost schedule first and itself last."""
        inner = self.then.parts if isinstance(self.then, Derived) else (self.then,)
        return (*inner, self)

    @abstractmethod
    def time_of_then(self, t: Any, xp: Any) -> Any:
        """The time of `then` at unchecked times `t`; arguments and result as in `formula`."""

    @override
    def formula(self, t: Any, xp: Any) -> Any:
        """The rate of `then` at its time."""
        return self.then.evaluate(self.time_of_then(t, xp), xp)

    @property
    @override
    def moves_momentum(self) -> bool:
        return self.then.moves_momentum

    @override
    def momentum_factor(self, t: Any, xp: Any) -> Any:
        return self.then.momentum_factor(self.time_of_then(t, xp), xp)

    @property
    @override
    def closed_loop(self) -> bool:
        return self.then.closed_loop

    @override
    def feedback(self, losses: Sequence[float]) -> float:
        return self.then.feedback(losses)

    @override
    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {"then": self.then.get_config()}
