"""A time limit: how fast the workers train, and how much of a search fits into the time."""

from __future__ import annotations

import math
from statistics import fmean
from typing import TYPE_CHECKING

from lrtune._util.failures import summary_of
from lrtune.display.stages import Speed
from lrtune.errors import SearchError
from lrtune.records.ids import BASELINE_SEARCH
from lrtune.records.manifest import DamagedManifestError, load_manifest
from lrtune.records.task import TrialTask
from lrtune.records.writer import holds_run

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from lrtune.display.stages import Stage
    from lrtune.records.task import TrialOutcome
    from lrtune.runner.base import Runner
    from lrtune.schedules.recipe import Recipe

MARGIN = 0.9
"""Share of the time that is planned; the rest is for what a plan does not know of."""

SMALLEST = 0.1
"""The smallest share of a search's trials that is still a search."""

_STEPS = 100
"""Shares are multiples of a hundredth, so that `run.json` holds a short number."""


def measure_speed(runner: Runner, recipe: Recipe, seed: int) -> Speed:
    """How fast a runner trains with all its workers; nothing is recorded.

    Every worker trains twice: one epoch, in which it starts and prepares the model, then two more,
    the second of which is timed.

    Args:
        runner: without running tasks.
        recipe: to train.
        seed: of the trainings.

    Raises:
        SearchError: it cannot be trained.
    """
    first = _train(runner, recipe, seed, 1)
    ended = _train(runner, recipe, seed, 2)
    timed = [one for one in ended if one.epochs]
    if not timed:
        why = summary_of(ended[-1].message) or ended[-1].status
        raise SearchError(
            f"no epoch can be timed for the time limit: a training of {recipe} ended with: {why}"
        )
    epoch = fmean(float(one.epochs[-1]["seconds"]) for one in timed)
    start = fmean(
        max(one.seconds - sum(float(epoch["seconds"]) for epoch in one.epochs), 0.0)
        for one in timed
    )
    warm_up = max(fmean(one.seconds for one in first) - epoch - start, 0.0)
    return Speed(max(epoch, 1e-6), runner.slots, start, warm_up)


def _train(runner: Runner, recipe: Recipe, seed: int, epochs: int) -> list[TrialOutcome]:
    for number in range(runner.slots):
        runner.submit(TrialTask(str(number), recipe, seed, 0, epochs))
    ended: list[TrialOutcome] = []
    while runner.running:
        ended += runner.wait(lambda *_: None)
    return ended


def seconds_of(stages: Sequence[Stage], speed: Speed) -> float:
    """How long stages usually take, the margin for what is not known included."""
    return sum(one.seconds(speed, usually=True) for one in stages) / MARGIN


def largest_share(
    stages_at: Callable[[float], Sequence[Stage]],
    speed: Speed,
    seconds: float,
    smallest: float = SMALLEST,
) -> float | None:
    """The largest share of a search's trials for which all stages fit into the time.

    Args:
        stages_at: the stages with a share of the trials.
        speed: of the workers.
        seconds: that there are.
        smallest: the smallest share, 0 to 1.

    Returns:
        float > 0 and <= 1; None if even the smallest share does not fit.
    """
    low, high = math.ceil(smallest * _STEPS), _STEPS

    def fits(step: int) -> bool:
        return seconds_of(stages_at(step / _STEPS), speed) <= seconds

    if fits(high):
        return 1.0
    if not fits(low):
        return None
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if fits(middle) else (low, middle)
    return low / _STEPS


def largest_horizon(fits: Callable[[int], bool], horizon: int) -> int | None:
    """The most epochs below the horizon that fit; None if not even one does.

    Args:
        fits: whether a search of so many epochs does; of fewer epochs, too, if it does.
        horizon: int >= 1, epochs that do not fit.
    """
    low, high = 0, horizon
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if fits(middle) else (low, middle)
    return low or None


def recorded_share(folder: Path, baseline_budget: float) -> float:
    """The share of the trials that the search in the folder was planned with, 1 without one.

    Args:
        folder: the run folder.
        baseline_budget: of the search, whose search of constant rates has the share too.
    """
    if not holds_run(folder):
        return 1.0
    try:
        return load_manifest(folder).share
    except DamagedManifestError:
        nested = folder / BASELINE_SEARCH
        if not (baseline_budget and holds_run(nested)):
            return 1.0
        return min(round(recorded_share(nested, 0.0) / baseline_budget, 2), 1.0)
