"""A whole schedule in less time: what a short training of a rescaled search follows."""

from __future__ import annotations

import math
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from typing_extensions import override

from lrtune._util import checks
from lrtune.schedules.derived import Derived
from lrtune.schedules.registry import register
from lrtune.schedules.shapes import ROUNDING

if TYPE_CHECKING:
    from collections.abc import Sequence


@register
@dataclass(frozen=True)
class Compressed(Derived):
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

    factor: float

    @override
    def feedback(self, losses: Sequence[float]) -> float:
        """That of `then` after `factor` times as many epochs, with losses in between on a line."""
        ends = self.factor * np.arange(1, len(losses) + 1)
        if not len(ends):
            return self.then.feedback(losses)
        times = np.arange(math.ceil(ends[0]), math.floor(ends[-1] * ROUNDING) + 1)
        return self.then.feedback(np.interp(times, ends, losses).tolist())

    @override
    def __str__(self) -> str:
        return f"{self.then}, {self.factor:.3g} times as fast"

    @override
    def time_of_then(self, t: Any, xp: Any) -> Any:
        """The time of `then`; ROUNDING, because a third of an epoch times 3 may fall below one."""
        return xp.minimum(t * self.factor * ROUNDING, sys.float_info.max)
