"""When a search or a confirmation stops asking for more trainings; those that run end as usual."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True)
class Deadline:
    """A time of a clock after which no new training is asked for.

    Attributes:
        at: seconds of the clock; infinity for no deadline.
        clock: gives seconds.
    """

    at: float = math.inf
    clock: Callable[[], float] = time.monotonic

    @property
    def left(self) -> float:
        """Seconds until then, 0 afterwards."""
        return max(self.at - self.clock(), 0.0)

    @property
    def is_past(self) -> bool:
        """Whether nothing new may begin."""
        return self.clock() >= self.at

    def earlier(self, seconds: float) -> Deadline:
        """The deadline so many seconds (float >= 0) earlier, for what comes afterwards."""
        return replace(self, at=self.at - seconds)

    def part(self, share: float) -> Deadline:
        """The deadline of what gets a share (0 to 1) of the time that is left."""
        return replace(self, at=self.clock() + share * self.left)

    def later_of(self, other: Deadline) -> Deadline:
        """The later one of two deadlines of the same clock."""
        return self if self.at >= other.at else other


NEVER = Deadline()
PAST = Deadline(-math.inf)
