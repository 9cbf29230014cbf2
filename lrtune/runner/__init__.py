"""Runners: what trains trials. `make_runner` picks one."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

from lrtune.errors import UnsendableJobError
from lrtune.runner.options import RunOptions

if TYPE_CHECKING:
    from collections.abc import Callable

    from lrtune.records.task import TrainingJob
    from lrtune.runner.base import Runner

__all__ = ["RunOptions", "make_runner"]


def make_runner(
    job: TrainingJob, options: RunOptions, notify: Callable[[str], None] = warnings.warn
) -> Runner:
    """The runner for a number of workers.

    Args:
        job: what all tasks have in common. If it cannot be sent to other processes, this one
            trains.
        options: how many workers, and how long each may be silent.
        notify: is called with a sentence if this process trains although it was not asked to.

    Raises:
        SearchError: the disk is too full for what the workers need, or a cluster cannot be used.
    """
    if options.runner is not None:
        return options.runner.start(job, options, notify)
    if not options.trains_here:
        from lrtune.runner.local import LocalRunner, gpus, physical_cores

        workers = options.workers or len(gpus()) or physical_cores()
        try:
            return LocalRunner(job, workers, options.trial_timeout)
        except UnsendableJobError as error:
            notify(f"{error}. This process trains instead, one trial at a time.")
    from lrtune.runner.inprocess import InProcessRunner

    return InProcessRunner(job)
