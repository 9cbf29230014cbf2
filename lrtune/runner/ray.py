"""Runs tasks on a Ray cluster, or on a Ray of this machine's own.

    tuner = lrtune.Hyperband(..., runner=lrtune.RayRunner(address="auto"), workers=16)

The driver keeps the oracle and is the only one that writes. What goes over the network: the data,
once to each node; for each task its hyperparameters, a record an epoch, and the training states, to
the driver and from there to the worker that goes on with them. No folder is shared.
"""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lrtune._util import checks
from lrtune.errors import ArgumentError

if TYPE_CHECKING:
    from collections.abc import Callable

    from lrtune.records.task import TrainingJob
    from lrtune.runner.base import Runner
    from lrtune.runner.options import RunOptions


@dataclass(frozen=True)
class RayRunner:
    """Trains on a Ray cluster; needs `pip install 'lrtune[ray]'` on this machine and on all nodes.

    Each trial has a core, and a GPU or a part of one. A trial starts again as often as its node is
    lost, and `max_retries` times if its worker dies. Without a number of `workers` there are as
    many as the cluster has room for, also when nodes join or leave; with one, what does not fit
    waits, which makes a cluster grow that starts nodes when trials wait.

    Attributes:
        address: of the cluster's head node ("10.0.0.1:6379"), or "auto" for the cluster that this
            machine is a node of. None uses the Ray that the program has started, if any, else
            starts one on this machine and stops it afterwards.
        gpus_per_trial: GPUs of a trial: 0, a fraction of one, or a whole number. None means one
            where the cluster has any.

    Raises:
        ArgumentError: one of them is outside its domain, or Ray is not installed.
    """

    address: str | None = None
    gpus_per_trial: float | None = None

    def __post_init__(self) -> None:
        check_ray(self.address, self.gpus_per_trial)

    def start(self, job: TrainingJob, options: RunOptions, notify: Callable[[str], None]) -> Runner:
        """Connects and returns a runner of one job.

        Args:
            job: what all tasks have in common.
            options: how many workers, and how long each may be silent.
            notify: is called with a sentence if fewer workers than asked for can start.

        Raises:
            SearchError: the cluster cannot be reached, or never has what a trial needs.
            UnsendableJobError: the job cannot be pickled.
        """
        from lrtune.runner.ray_cluster import connect, disconnect
        from lrtune.runner.ray_pool import RayPool

        started = connect(self.address, options.workers)
        try:
            return RayPool(self.gpus_per_trial, job, options, notify, stops_ray=started)
        except BaseException:
            if started:
                disconnect()
            raise


def check_ray(
    address: str | None, gpus_per_trial: float | None, spell: Callable[[str], str] = str
) -> None:
    """Raises ArgumentError for the first attribute of `RayRunner` outside its domain.

    Args:
        address: as in `RayRunner`.
        gpus_per_trial: likewise.
        spell: turns an attribute's name into the one in messages, such as a flag.
    """
    if importlib.util.find_spec("ray") is None:
        raise ArgumentError("Ray is not installed: pip install 'lrtune[ray]'")
    if gpus_per_trial is not None:
        name = spell("gpus_per_trial")
        gpus = checks.non_negative(name, gpus_per_trial)
        if gpus > 1 and not gpus.is_integer():
            raise ArgumentError(
                f"{name} must be at most 1 or a whole number. Received: {name}={gpus_per_trial!r}."
            )
    if address is None or address == "auto":
        return
    name = spell("address")
    host, _, port = address.rpartition(":")
    if "://" in address:
        raise ArgumentError(
            f"{name} must be HOST:PORT of the head node, or auto. Ray's client (ray://) cannot pass"
            f" on epochs as they end: run lrtune on a node of the cluster. Received: {address}"
        )
    if not (host and port.isdigit()):
        raise ArgumentError(f"{name} must be HOST:PORT or auto. Received: {address}")
