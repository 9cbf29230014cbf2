"""How trainings are run; none of these options changes their numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lrtune._util import checks

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True)
class RunOptions:
    """How trainings are run.

    Attributes:
        workers: int >= 1, worker processes; 1 trains in this process, which then dies if the model
            crashes. None means one process for each GPU, or for each physical core if there is no
            GPU.
        trial_timeout: seconds > 0 that a worker may take for an epoch before it counts as hung.
        max_retries: int >= 0, how often a training starts again after its worker was lost.

    Raises:
        ArgumentError: one of them is outside its domain.
    """

    workers: int | None = None
    trial_timeout: float = 3600.0
    max_retries: int = 2

    def __post_init__(self) -> None:
        check_options(self.workers, self.trial_timeout, self.max_retries)


def check_options(
    workers: int | None,
    trial_timeout: float,
    max_retries: int,
    spell: Callable[[str], str] = str,
) -> None:
    """Raises ArgumentError for the first option of `RunOptions` outside its domain.

    Args:
        workers: as in `RunOptions`.
        trial_timeout: likewise.
        max_retries: likewise.
        spell: turns an option's name into the one in messages, such as a flag.
    """
    if workers is not None:
        checks.integer(spell("workers"), workers, at_least=1)
    checks.positive(spell("trial_timeout"), trial_timeout)
    checks.integer(spell("max_retries"), max_retries, at_least=0)
