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
        notify: is called with a sentence if this process trains although it was not asked to, or
            if there is no GPU for `workers_per_gpu`.

    Raises:
        SearchError: the disk is too full for what the workers need, or a cluster cannot be used.
    """
    if options.runner is not None:
        return options.runner.start(job, options, notify)
    if not options.trains_here:
        from lrtune.model.gpus import are_hidden, gpus
        from lrtune.runner.local import LocalRunner, physical_cores

        workers = options.workers or len(gpus()) * options.workers_per_gpu or physical_cores()
        if options.workers_per_gpu > 1 and not gpus():
            notify(
                f"workers_per_gpu={options.workers_per_gpu} changes nothing: TensorFlow finds no "
                "GPU, so the workers train on the CPU."
            )
        try:
            return LocalRunner(job, workers, options.trial_timeout)
        except UnsendableJobError as error:
            on_cpu = ", on the CPU: in_process=True trains on the GPU" if are_hidden() else ""
            notify(f"{error}. This process trains instead, one trial at a time{on_cpu}.")
    from lrtune.runner.inprocess import InProcessRunner

    return InProcessRunner(job)
