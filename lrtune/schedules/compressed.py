"""A whole schedule in less time: what a short training of a rescaled search follows."""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
from typing_extensions import override

from lrtune._util import checks
from lrtune.errors import ArgumentError
from lrtune.schedules.base import Schedule
from lrtune.schedules.registry import register
from lrtune.schedules.shapes import ROUNDING


@register
@dataclass(frozen=True)
class Compressed(Schedule):
    """Another schedule, `factor` times as fast: its rate at t is `then(factor t)`.

    Over 9 epochs and with the factor 3, it goes through all rates of a schedule of 27 epochs. What
    is held over each epoch of `then` is held over a third of an epoch here.

    Source: how short trainings stand for long ones in "Budgeted training" (Li, Yumer and Ramanan,
    ICLR 2020, arXiv 1905.04753), where a schedule is a function of the share of the budget.

    Attributes:
        then: the schedule, or its config.
        factor: float from 1 to 10,000.
        lr0: that of `then`.
    """

    name: ClassVar[str] = "compressed"
    domains: ClassVar = {"factor": checks.multiple}
    stands_alone: ClassVar[bool] = False

    lr0: float = field(init=False, repr=False)
    then: Schedule
    factor: float

    def __post_init__(self) -> None:
        then = Schedule.from_config(self.then) if isinstance(self.then, Mapping) else self.then
        if not isinstance(then, Schedule):
            raise ArgumentError(
                f"then must be a schedule, or its config. Received: then={self.then!r}."
            )
        object.__setattr__(self, "then", then)
        object.__setattr__(self, "lr0", then.lr0)
        super().__post_init__()

    def formula(self, t: Any, xp: Any) -> Any:
        """then(factor t)."""
        return self.then.evaluate(self._time(t, xp), xp)

    @property
    @override
    def moves_momentum(self) -> bool:
        return self.then.moves_momentum

    @override
    def momentum_factor(self, t: Any, xp: Any) -> Any:
        return self.then.momentum_factor(self._time(t, xp), xp)

    @property
    @override
    def closed_loop(self) -> bool:
        return self.then.closed_loop

    @override
    def feedback(self, losses: Sequence[float]) -> float:
        """That of `then` after `factor` times as many epochs, with losses in between on a line."""
        ends = self.factor * np.arange(1, len(losses) + 1)
        if not len(ends):
            return self.then.feedback(losses)
        times = np.arange(math.ceil(ends[0]), math.floor(ends[-1] * ROUNDING) + 1)
        return self.then.feedback(np.interp(times, ends, losses).tolist())

    @override
    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {"then": self.then.get_config()}

    @override
    def __str__(self) -> str:
        return f"{self.then}, {self.factor:.3g} times as fast"

    def _time(self, t: Any, xp: Any) -> Any:
        """The time of `then`; ROUNDING, because a third of an epoch times 3 may fall below one."""
        return xp.minimum(t * self.factor * ROUNDING, sys.float_info.max)
