"""A made-up table in the format of the real one, for tests and until the real one is trained."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from lrtune.schedules.recipe import Recipe

from .table import METRICS, save

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from .tasks import Task

NOISE = 0.01
"""Standard deviation of a score over seeds."""


def stand_in(folder: Path, task: Task, extra_seeds: int = 0, seed: int = 0) -> dict[int, float]:
    """Writes a table of a task that was never trained.

    A schedule is good whose mean effective rate is right and whose last rate is low, and a training
    is the worse the higher the rate is at the time, so that early scores mislead as real ones do.

    Args:
        folder: where to write it.
        task: whose schedules are drawn as a search draws them.
        extra_seeds: so many more, of the 16 best schedules.
        seed: of everything that is drawn.

    Returns:
        Schedule -> its true mean score.
    """
    draw = np.random.default_rng(seed)
    values = [_drawn(task, number, seed) for number in range(task.schedules)]
    truth = {number: _quality(one, task.horizon, 1.0)[-1] for number, one in enumerate(values)}
    rows: dict[str, list[dict[str, Any]]] = {"schedules": [], "trainings": [], "epochs": []}
    scores: dict[int, list[float]] = {}

    def train(number: int, budget: int, of_seed: int) -> None:
        key = {"task": task.name, "schedule": number, "budget": budget, "seed": of_seed}
        curve = _quality(values[number], task.horizon, task.horizon / budget)
        curve = np.clip(curve + NOISE * draw.standard_normal(len(curve)), 0.5, 1)
        done = {"status": "completed", "score": curve[-1], "seconds": 0.5 * budget}
        rows["trainings"].append({**key, **done})
        for epoch, score in enumerate(curve, start=1):
            metrics = dict.fromkeys(METRICS, 0.0) | {"val_accuracy": score}
            rows["epochs"].append({**key, "epoch": epoch, "lr": values[number]["lr0"], **metrics})
        if budget == task.horizon:
            scores.setdefault(number, []).append(float(curve[-1]))

    for number, one in enumerate(values):
        described = {"family": one["schedule"], "lr0": one["lr0"], "momentum": 0.0}
        described["values"] = json.dumps(one)
        rows["schedules"].append({"task": task.name, "schedule": number, **described})
        for budget, of_seed in task.trainings:
            train(number, budget, of_seed)
    best = sorted(scores, key=lambda number: -float(np.mean(scores[number])))[:16]
    for number in best:
        for of_seed in range(extra_seeds):
            train(number, task.horizon, max(task.seeds) + 1 + of_seed)
    frames = {name: pd.DataFrame(found) for name, found in rows.items()}
    save(folder, frames, {task.name: {"horizon": task.horizon}})
    return truth


def _drawn(task: Task, number: int, seed: int) -> dict[str, Any]:
    """The values of a schedule; each family has its turn."""
    import keras_tuner

    space = task.hypermodel(task.horizon).space
    hp = keras_tuner.HyperParameters()
    space.declare(hp)
    values: dict[str, Any] = {"schedule": space.families[number % len(space.families)]}
    for place, one in enumerate(hp.space):
        if one.name != "schedule" and all(
            condition.is_active(values) for condition in one.conditions
        ):
            values[one.name] = one.random_sample(1_000_000 * seed + 1_000 * number + place)
    return values


def _quality(values: Mapping[str, Any], horizon: int, compression: float) -> np.ndarray:
    """The mean accuracy after each epoch of a schedule that is compressed."""
    rates = np.array(Recipe.from_values(values).schedule(np.arange(0, horizon, compression)))
    rates = rates / (1 - values.get("momentum", values.get("beta_1", 0)))
    far = np.log10(np.maximum(rates.mean(), 1e-9)) - np.log10(0.1)
    best = 0.7 - 0.04 * far**2 - 0.01 * (compression > 1)
    learnt = 1 - np.exp(-np.arange(1, len(rates) + 1) / 4)
    noisy = 0.02 * np.sqrt(np.clip(rates / 0.5, 0, 4))
    found: np.ndarray = np.clip(0.5 + (best - 0.5) * learnt - noisy, 0.5, 1)
    return found
