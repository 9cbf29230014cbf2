"""How trainings are run; none of these options changes their numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lrtune._util import checks
from lrtune.errors import ArgumentError

if TYPE_CHECKING:
    from collections.abc import Callable

    from lrtune.runner.ray import RayRunner


@dataclass(frozen=True)
class RunOptions:
    """How trainings are run.

    Attributes:
        workers: int >= 1, worker processes. None means `workers_per_gpu` for each GPU, or one for
            each physical core if there is no GPU.
        trial_timeout: seconds > 0 that a worker may take for an epoch before it counts as hung.
        max_retries: int >= 0, how often a training starts again after its worker was lost.
        in_process: whether to train in this process, one trial at a time: for debugging, and for
            what cannot be pickled. A model that crashes then ends the search, and memory grows with
            every new architecture. None means in this process if `workers` is 1 and there is no
            `runner`.
        workers_per_gpu: int >= 1, worker processes for each GPU if `workers` is None. A small model
            leaves most of a GPU idle, and several of them train on it at the same time.
        runner: what trains in place of this machine's processes.

    Raises:
        ArgumentError: one of them is outside its domain.
    """

    workers: int | None = None
    trial_timeout: float = 3600.0
    max_retries: int = 2
    in_process: bool | None = None
    workers_per_gpu: int = 1
    runner: RayRunner | None = None

    def __post_init__(self) -> None:
        check_options(
            self.workers,
            self.trial_timeout,
            self.max_retries,
            in_process=self.in_process,
            workers_per_gpu=self.workers_per_gpu,
        )
        if self.in_process and self.runner is not None:
            raise ArgumentError(
                f"in_process=True and runner={self.runner!r} exclude each other: leave one out."
            )

    @property
    def trains_here(self) -> bool:
        """Whether this process trains."""
        if self.runner is not None:
            return False
        return self.workers == 1 if self.in_process is None else self.in_process


def check_options(
    workers: int | None,
    trial_timeout: float,
    max_retries: int,
    spell: Callable[[str], str] = str,
    *,
    in_process: bool | None,
    workers_per_gpu: int,
) -> None:
    """Raises ArgumentError for the first option of `RunOptions` outside its domain.

    Args:
        workers: as in `RunOptions`.
        trial_timeout: likewise.
        max_retries: likewise.
        spell: turns an option's name into the one in messages, such as a flag.
        in_process: as in `RunOptions`.
        workers_per_gpu: likewise.
    """
    if workers is not None:
        checks.integer(spell("workers"), workers, at_least=1)
    checks.positive(spell("trial_timeout"), trial_timeout)
    checks.integer(spell("max_retries"), max_retries, at_least=0)
    checks.integer(spell("workers_per_gpu"), workers_per_gpu, at_least=1)
    for name, value in (("workers", workers), ("workers_per_gpu", workers_per_gpu)):
        if in_process and value not in (None, 1):
            raise ArgumentError(
                f"{spell('in_process')} trains one trial at a time, so {spell(name)} must be 1 or "
                f"left out. Received: {spell(name)} {value}."
            )
