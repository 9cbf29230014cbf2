"""Wall time of `search()`: the same Hyperband trials in stock Keras Tuner and in lrtune."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import common

if TYPE_CHECKING:
    import argparse


def stock(arguments: argparse.Namespace) -> dict[str, Any]:
    """Stock Keras Tuner, which trains one trial after another with TensorFlow's own threads."""
    import keras_tuner

    args, kwargs = common.images(arguments)
    tuner = common.hyperband(keras_tuner, arguments)
    started = time.perf_counter()
    tuner.search(*args, **kwargs, verbose=0)
    return {"seconds": time.perf_counter() - started, "trials": len(tuner.oracle.trials)}


def lrtune_with(workers: int) -> common.Side:
    """Our tuner with some workers."""

    def side(arguments: argparse.Namespace) -> dict[str, Any]:
        return ours(arguments, workers=workers)

    return side


def ours(arguments: argparse.Namespace, **options: Any) -> dict[str, Any]:
    """Our tuner without the baseline, which stock does not train."""
    import lrtune

    args, kwargs = common.images(arguments)
    tuner = common.hyperband(lrtune, arguments, baseline_seeds=0, **options)
    started = time.perf_counter()
    tuner.search(*args, **kwargs, verbose=0)
    return {"seconds": time.perf_counter() - started, "trials": len(tuner.oracle.trials)}


def summary(medians: dict[str, dict[str, float]]) -> dict[str, Any]:
    seconds = {name: numbers["seconds"] for name, numbers in medians.items()}
    return {
        "ratio_2_workers": round(seconds["stock"] / seconds["lrtune_2"], 2),
        "ratio_1_worker": round(seconds["stock"] / seconds["lrtune_1"], 2),
    }


if __name__ == "__main__":
    sides = {"stock": stock, "lrtune_1": lrtune_with(1), "lrtune_2": lrtune_with(2)}
    common.run(__doc__, sides, summary)
