"""Wall time with one and two workers, and the memory of the driver and the workers."""

from __future__ import annotations

import resource
import tempfile
import time
from typing import TYPE_CHECKING, Any

import common

if TYPE_CHECKING:
    import argparse

TRIALS = 8


def with_workers(workers: int) -> common.Side:
    """A random search; with one worker, the driver itself trains."""

    def side(arguments: argparse.Namespace) -> dict[str, Any]:
        import lrtune

        lrtune.start_tensorflow(threads=1)
        args, kwargs = common.images(arguments)
        tuner = lrtune.RandomSearch(
            lrtune.CatsVsDogsHyperModel(epochs=arguments.max_epochs),
            objective="val_accuracy",
            max_trials=TRIALS,
            directory=tempfile.mkdtemp(),
            seed=1,
            workers=workers,
            baseline_seeds=0,
        )
        started = time.perf_counter()
        tuner.search(*args, **kwargs, verbose=0)
        seconds = time.perf_counter() - started
        # Linux gives peak resident memory in KiB, of this process and of the largest child.
        return {
            "seconds": seconds,
            "driver_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
            "worker_mib": resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024,
        }

    return side


def summary(medians: dict[str, dict[str, float]]) -> dict[str, Any]:
    return {
        "speedup_2_workers": round(medians["one"]["seconds"] / medians["two"]["seconds"], 2),
        "driver_mib": round(medians["two"]["driver_mib"]),
        "worker_mib": round(medians["two"]["worker_mib"]),
    }


if __name__ == "__main__":
    common.run(__doc__, {"one": with_workers(1), "two": with_workers(2)}, summary)
