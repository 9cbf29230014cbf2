"""Wall time with one and two workers, and the memory of the driver and the workers."""

from __future__ import annotations

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
        with common.Memory() as memory:
            tuner.search(*args, **kwargs, verbose=0)
        return {
            "seconds": time.perf_counter() - started,
            "driver_mib": max(memory.driver_mib),
            "worker_mib": max(memory.worker_mib),
            "own_mib": max(memory.own_mib),
        }

    return side


def summary(medians: dict[str, dict[str, float]]) -> dict[str, Any]:
    return {
        "speedup_2_workers": round(medians["one"]["seconds"] / medians["two"]["seconds"], 2),
        "driver_mib": round(medians["two"]["driver_mib"]),
        "worker_mib": round(medians["two"]["worker_mib"]),
        "own_mib": round(medians["two"]["own_mib"]),
    }


if __name__ == "__main__":
    common.run(__doc__, {"one": with_workers(1), "two": with_workers(2)}, summary)
