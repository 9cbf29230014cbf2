"""Runners: what trains trials. `make_runner` picks one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lrtune.errors import ArgumentError

if TYPE_CHECKING:
    from lrtune.records.task import TrainingJob
    from lrtune.runner.base import Runner


def make_runner(job: TrainingJob, workers: int | None, trial_timeout: float = 3600.0) -> Runner:
    """The runner for a number of workers.

    Args:
        job: what all tasks have in common.
        workers: int >= 1; 1 trains in this process, which nothing can save from a crash of the
            model. None takes one worker process a GPU, or a physical core where there is no GPU.
        trial_timeout: seconds > 0 that a worker process may take for an epoch.

    Raises:
        ArgumentError: workers is no int >= 1.
        SearchError: the job cannot be pickled and workers is not 1.
    """
    check_workers(workers)
    if workers is None:
        from lrtune.runner.local import gpus, physical_cores

        count = len(gpus()) or physical_cores()
    elif workers == 1:
        from lrtune.runner.inprocess import InProcessRunner

        return InProcessRunner(job)
    else:
        count = workers
    from lrtune.runner.local import LocalRunner

    return LocalRunner(job, count, trial_timeout)


def check_workers(workers: int | None) -> None:
    """Raises ArgumentError where `make_runner` takes no such number of workers."""
    if workers is not None and (type(workers) is not int or workers < 1):
        raise ArgumentError(f"workers must be an int >= 1. Received: workers={workers!r}.")
