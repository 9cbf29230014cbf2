"""A schedule family of your own: ten lines, and a search can use it.

    python examples/own_family.py

The rate rises and falls with a cosine over the whole training. `ranges` says what a search tries
for each parameter; a parameter without a range would keep its default.
"""

from __future__ import annotations

import math
import sys
from dataclasses import dataclass

import lrtune
from lrtune.schedules import Range, Schedule, register


@register
@dataclass(frozen=True)
class Hill(Schedule):
    """A cosine from 0 to lr0 and back to 0 in `width` epochs."""

    name = "hill"
    ranges = (Range("width", lambda e: 0.2 * e, lambda e: 2.0 * e, lambda e: 1.0 * e),)

    width: float

    def formula(self, t, xp):
        return self.lr0 * 0.5 * (1.0 - xp.cos(2.0 * math.pi * t / self.width))


def main(data: str = "synthetic", epochs: int = 3, folder: str = "runs") -> None:
    print(Hill(lr0=0.1, width=4)([0, 1, 2]))

    images = lrtune.load_data(data)
    hypermodel = lrtune.CatsVsDogsHyperModel(epochs=epochs, families=["hill", "cosine"])
    tuner = lrtune.RandomSearch(
        hypermodel,
        objective="val_accuracy",
        max_trials=4,
        directory=folder,
        project_name="own-family",
        seed=1,
    )
    train, validation = images.train, images.validation
    tuner.search(
        train.x, train.y, validation_data=(validation.x, validation.y), batch_size=64, verbose=0
    )
    print(lrtune.load_run(f"{folder}/own-family").ranking())


if __name__ == "__main__":
    main(*sys.argv[1:2])
