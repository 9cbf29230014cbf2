"""Wall time of `search()` on a GPU: stock Keras Tuner, and lrtune with 1, 2, 4 and 8 workers on it.

The same Hyperband trials on all sides. With `--quick` it runs without a GPU too, in a minute: only
to see that it does.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import common
import vs_keras_tuner

from lrtune.model.gpus import gpus

if TYPE_CHECKING:
    import argparse

SHARING = (1, 2, 4, 8)
QUICK_SHARING = (2,)
QUICK = ["--data", "synthetic", "--max-epochs", "2", "--repeats", "1"]


def sharing(workers_per_gpu: int) -> common.Side:
    """Our tuner with some workers on each GPU."""

    def side(arguments: argparse.Namespace) -> dict[str, Any]:
        return vs_keras_tuner.ours(arguments, workers_per_gpu=workers_per_gpu)

    return side


def summary(medians: dict[str, dict[str, float]]) -> dict[str, Any]:
    seconds = {name: numbers["seconds"] for name, numbers in medians.items()}
    stock = seconds.pop("stock")
    ratios = {f"ratio_{name}": round(stock / one, 2) for name, one in seconds.items()}
    return {"gpus": len(gpus()) or "none: all sides trained on the CPU", **ratios}


if __name__ == "__main__":
    quick = "--quick" in sys.argv
    if quick:
        sys.argv.remove("--quick")
        sys.argv[1:1] = QUICK  # what is typed counts
    elif not {"--side", "--help", "-h"} & set(sys.argv) and not gpus():
        sys.exit("gpu.py: TensorFlow finds no GPU; --quick runs without one")
    chosen = QUICK_SHARING if quick else SHARING
    sides = {f"lrtune_{number}_per_gpu": sharing(number) for number in chosen}
    common.run(__doc__, {"stock": vs_keras_tuner.stock, **sides}, summary)
