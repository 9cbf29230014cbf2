"""Runners: what trains trials. `make_runner` picks one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lrtune.runner.options import RunOptions

if TYPE_CHECKING:
    from lrtune.records.task import TrainingJob
    from lrtune.runner.base import Runner

__all__ = ["RunOptions", "make_runner"]


def make_runner(job: TrainingJob, options: RunOptions) -> Runner:
    """The runner for a number of workers.

    Args:
        job: what all tasks have in common.
        options: how many workers, and how long each may be silent.

    Raises:
        SearchError: the job cannot be pickled and trains in other processes.
    """
    if options.trains_here:
        from lrtune.runner.inprocess import InProcessRunner

        return InProcessRunner(job)
    from lrtune.runner.local import LocalRunner, gpus, physical_cores

    workers = options.workers or len(gpus()) or physical_cores()
    return LocalRunner(job, workers, options.trial_timeout)
