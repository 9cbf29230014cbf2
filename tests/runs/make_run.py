"""Run folders as searches would leave them: scores follow from lr0 and momentum, with noise."""

from __future__ import annotations

import math
import random
from typing import TYPE_CHECKING, Any

from lrtune.schedules import get
from lrtune.schedules.recipe import Recipe
from tests.runs import build_run

if TYPE_CHECKING:
    from pathlib import Path

EPOCHS = 27
FAMILIES = ("constant", "time", "step", "exponential")


def draw_values(draw: random.Random, families: tuple[str, ...] = FAMILIES) -> dict[str, Any]:
    family = draw.choice(families)
    values: dict[str, Any] = {
        "schedule": family,
        "lr0": 10 ** draw.uniform(-3, math.log10(0.3)),
        "momentum": 1 - 10 ** draw.uniform(-2, math.log10(0.99)),
    }
    for own in get(family).ranges:
        low, high, _ = own.bounds(EPOCHS)
        value = low * (high / low) ** draw.random()
        values[f"{family}.{own.parameter}"] = round(value) if own.kind == "int" else value
    return values


def final_score(draw: random.Random, values: dict[str, Any], epochs: int) -> float:
    """Accuracy: best where lr0 / (1 - momentum) is about .15, and a decay helps."""
    step = math.log10(values["lr0"] / (1 - values["momentum"]) / 0.15)
    gain = {"constant": 0.0, "time": 0.008, "step": 0.012, "exponential": 0.015}
    score = 0.69 + gain.get(values["schedule"], 0.0) - 0.03 * step**2
    score -= 0.08 / math.sqrt(epochs)
    return max(0.5, min(score + draw.gauss(0, 0.008), 0.99))


def write_trial(
    folder: Path,
    trial_id: str,
    values: dict[str, Any],
    draw: random.Random,
    *,
    first: int = 1,
    last: int = EPOCHS,
    parent: str | None = None,
    loss: bool = False,
) -> float:
    """Writes one trial with its epochs; returns its score. Large rates diverge now and then."""
    step = values["lr0"] / (1 - values["momentum"])
    if step > 3 and draw.random() < 0.6:
        build_run.write_trial(
            folder, trial_id, 0.6931 if loss else 0.5, values=values, status="diverged",
            epochs=(first, min(first + 1, last), last), parent=parent, message="the loss is NaN",
        )  # fmt: skip
        return 9.0 if loss else 0.5
    score = final_score(draw, values, last)
    schedule = Recipe.from_values(values).schedule

    def row(epoch: int) -> dict[str, float]:
        accuracy = score + 0.08 / math.sqrt(last) - 0.08 / math.sqrt(epoch) + draw.gauss(0, 0.006)
        accuracy = score if epoch == last else accuracy
        return {
            "epoch": epoch,
            "lr": schedule(epoch - 1.0),
            "loss": 1.15 - accuracy,
            "accuracy": accuracy + 0.01,
            "val_loss": 1.2 - accuracy,
            "val_accuracy": accuracy,
            "seconds": 0.25,
        }

    final = 1.2 - score if loss else score
    build_run.write_trial(
        folder, trial_id, final, values=values, epochs=(first, last, last), parent=parent, row=row
    )
    return final


def write_baseline(folder: Path, *, loss: bool = False, tuned: bool = False) -> dict[str, Any]:
    draw = random.Random(5)  # noqa: S311 - figures for a test, not secrets
    arms = dict(build_run.MANIFEST["baseline_arms"])
    if tuned:
        arms["constant-tuned"] = {"schedule": "constant", "lr0": 0.0275, "momentum": 0.8}
    for arm, values in arms.items():
        for seed in range(1, 4):
            write_trial(folder, f"baseline/{arm}/seed-{seed}", values, draw, loss=loss)
    return arms


def random_run(
    folder: Path, trials: int, *, loss: bool = False, tuned: bool = False, seed: int = 0,
    families: tuple[str, ...] = FAMILIES, **changes: Any,
) -> Path:  # fmt: skip
    draw = random.Random(seed)  # noqa: S311 - figures for a test, not secrets
    arms = write_baseline(folder, loss=loss, tuned=tuned)
    manifest = {
        "max_epochs": EPOCHS, "max_trials": trials, "families": families, "baseline_arms": arms,
        "objective": "val_loss" if loss else "val_accuracy", "direction": "min" if loss else "max",
    }  # fmt: skip
    build_run.write_manifest(folder, **{**manifest, **changes})
    for number in range(trials):
        write_trial(folder, f"{number:04}", draw_values(draw, families), draw, loss=loss)
    return folder


def hyperband_run(
    folder: Path, *, iterations: int = 1, loss: bool = False, tuned: bool = False, seed: int = 0
) -> Path:
    """Hyperband of 27 epochs and factor 3: brackets of 3, 2, 1, 0 promotions."""
    draw = random.Random(seed)  # noqa: S311 - figures for a test, not secrets
    arms = write_baseline(folder, loss=loss, tuned=tuned)
    build_run.write_manifest(
        folder, algo="hyperband", factor=3, max_epochs=EPOCHS, max_trials=None, baseline_arms=arms,
        objective="val_loss" if loss else "val_accuracy", direction="min" if loss else "max",
    )  # fmt: skip
    number = 0
    for _ in range(iterations):
        for bracket in (3, 2, 1, 0):
            size = math.ceil(4 * 3**bracket / (bracket + 1))
            rung = [(draw_values(draw), None) for _ in range(size)]
            before = 0
            for level in range(bracket + 1):
                budget = EPOCHS // 3 ** (bracket - level)
                scored = []
                for values, parent in rung:
                    trial_id = f"{number:04}"
                    number += 1
                    given = {**values, "tuner/bracket": bracket, "tuner/round": level}
                    score = write_trial(
                        folder, trial_id, given, draw,
                        first=before + 1, last=budget, parent=parent, loss=loss,
                    )  # fmt: skip
                    scored.append((score, trial_id, values))
                scored.sort(key=lambda one: one[0], reverse=not loss)
                size = math.ceil(size / 3)
                rung = [(values, trial_id) for _, trial_id, values in scored[:size]]
                before = budget
    return folder


def confirm(folder: Path, arms: int = 4, seeds: int = 8) -> Path:
    """A confirmation: the first arms better than the baseline, the last one worse."""
    draw = random.Random(3)  # noqa: S311 - figures for a test, not secrets
    found = {f"trial-{number:04}": draw_values(draw) for number in range(arms)}
    found["constant-tuned"] = {"schedule": "constant", "lr0": 0.0275, "momentum": 0.8}
    found["constant-0.1"] = build_run.MANIFEST["baseline_arms"]["constant-0.1"]
    scores = {}
    for place, arm in enumerate(found):
        middle = 0.712 - 0.006 * place
        middle = {"constant-tuned": 0.697, "constant-0.1": 0.681}.get(arm, middle)
        scores[arm] = tuple(draw.gauss(middle, 0.005) for _ in range(seeds))
    build_run.write_confirmation(
        folder, scores, arms=found, trials={}, search_scores={}, seeds=list(range(11, 11 + seeds))
    )
    return folder
