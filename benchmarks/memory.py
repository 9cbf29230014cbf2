"""Memory of a long search in which every model has another width, so that each is compiled anew."""

from __future__ import annotations

import argparse
import json
import tempfile
from typing import Any

import common


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=500)
    parser.add_argument("--in-process", action="store_true", help="train in the search's process")
    arguments = parser.parse_args()

    import keras
    import numpy as np

    import lrtune

    lrtune.start_tensorflow(threads=1)

    def build(hp: Any) -> keras.Model:
        width = hp.Int("width", 8, 8 + 10 * arguments.trials)
        return keras.Sequential(
            [keras.Input((8,)), keras.layers.Dense(width, "relu"), keras.layers.Dense(2)]
        )

    draw = np.random.default_rng(1)
    x, y = draw.normal(size=(64, 8)).astype("float32"), draw.integers(0, 2, 64)
    tuner = lrtune.RandomSearch(
        lrtune.ScheduleHyperModel(
            build,
            epochs=1,
            loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
            metrics=["accuracy"],
        ),
        objective="val_loss",
        max_trials=arguments.trials,
        directory=tempfile.mkdtemp(),
        seed=1,
        workers=1,
        in_process=arguments.in_process,
        baseline_seeds=0,
    )

    with common.Memory() as memory:
        tuner.search(x, y, validation_data=(x, y), batch_size=32, verbose=0)
    tenths = [len(memory.driver_mib) * number // 10 for number in range(1, 11)]
    print(
        json.dumps(
            {
                "trials": arguments.trials,
                "driver_mib": [round(memory.driver_mib[tenth - 1]) for tenth in tenths],
                "worker_mib": round(max(memory.worker_mib)),
                "own_mib": round(max(memory.own_mib)),
            }
        )
    )


if __name__ == "__main__":
    main()
