"""`--engine`: whether processes of this machine train, or a Ray cluster."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lrtune._util import checks
from lrtune.errors import ArgumentError

if TYPE_CHECKING:
    from lrtune.runner.ray import RayRunner

ENGINES = ("local", "ray")
_FLAGS = {"address": "--ray-address", "gpus_per_trial": "--gpus-per-trial"}
"""The attributes of `RayRunner` on the command line."""


def check_engine(
    engine: str, ray_address: str | None, gpus_per_trial: float | None, *, in_process: bool
) -> None:
    """Raises ArgumentError for the first of these options that is wrong or has no effect."""
    checks.one_of("--engine", engine, ENGINES)
    if engine == "ray":
        from lrtune.runner.ray import check_ray

        if in_process:
            raise ArgumentError("--in-process and --engine ray exclude each other: leave one out.")
        check_ray(ray_address, gpus_per_trial, _FLAGS.__getitem__)
        return
    for flag, value in zip(_FLAGS.values(), (ray_address, gpus_per_trial), strict=True):
        if value is not None:
            raise ArgumentError(f"{flag} goes with --engine ray only. Received: {value}")


def runner_of(
    engine: str, ray_address: str | None, gpus_per_trial: float | None
) -> RayRunner | None:
    """The runner that the options ask for; None for this machine's processes."""
    if engine == "local":
        return None
    from lrtune.runner.ray import RayRunner

    return RayRunner(ray_address, gpus_per_trial)
