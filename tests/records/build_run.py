"""Writes run folders by hand: plain JSON, independent of lrtune's own writer."""

from __future__ import annotations

import json
import random
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

MANIFEST: dict[str, Any] = {
    "algo": "random",
    "objective": "val_accuracy",
    "direction": "max",
    "score": "last",
    "max_epochs": 50,
    "factor": None,
    "max_trials": 4,
    "seed": 1,
    "batch_size": 64,
    "families": ["constant", "time", "step", "exponential"],
    "space": [{"class_name": "Float", "config": {"name": "lr0"}}],
    "baseline_budget": 0.0,
    "baseline_arms": {
        "constant-0.1": {"schedule": "constant", "lr0": 0.1, "momentum": 0.0},
        "constant-0.01": {"schedule": "constant", "lr0": 0.01, "momentum": 0.0},
    },
    "baseline_seeds": [1, 2, 3],
    "data": {
        "source": "cifar10 (cache)",
        "fingerprint": "0123456789abcdef",
        "sizes": {"train": 9000, "validation": 1000, "test": 2000},
        "synthetic": False,
        "argument": "auto",
    },
    "versions": {"lrtune": "0.1.0"},
    "created": "2026-11-22T08:00:00+00:00",
    "finished": None,
    "schema": 1,
}

# Means .681 and .652; sums of squares around them .000014 and .000208 (by hand).
SCORES = {"constant-0.1": (0.679, 0.68, 0.684), "constant-0.01": (0.658, 0.638, 0.66)}

STEP = {"schedule": "step", "lr0": 0.1, "momentum": 0.5, "step.drop": 0.5, "step.epochs_drop": 10}
EXPONENTIAL = {"schedule": "exponential", "lr0": 0.12, "momentum": 0.83, "exponential.k": 0.08}
TIME = {"schedule": "time", "lr0": 0.1, "momentum": 0.5, "time.k": 0.314}
CONSTANT = {"schedule": "constant", "lr0": 0.05, "momentum": 0.9}


def write_manifest(folder: Path, **changes: Any) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "run.json").write_text(json.dumps({**MANIFEST, **changes}))
    return folder


def write_trial(
    folder: Path,
    trial_id: str,
    score: float | None,
    *,
    values: dict[str, Any] = EXPONENTIAL,
    status: str = "completed",
    epochs: tuple[int, int, int] = (1, 50, 50),
    seconds: float | None = 12.5,
    parent: str | None = None,
    message: str | None = None,
    rows: int | None = None,
) -> Path:
    """Writes trial_ID, or baseline/ARM/seed-N; epochs are first, last and planned."""
    path = folder / (trial_id if "/" in trial_id else f"trial_{trial_id}")
    path.mkdir(parents=True, exist_ok=True)
    first, last, planned = epochs
    outcome = {
        "trial_id": trial_id,
        "status": status,
        "values": values,
        "epochs": {"first": first, "last": last, "planned": planned},
        "seed": 7,
        "seconds": seconds,
        "score": score,
        "parent": parent,
        "message": message,
        "schema": 1,
    }
    (path / "outcome.json").write_text(json.dumps(outcome))
    write_epochs(path, range(first, first + rows if rows is not None else last + 1))
    return path


def write_epochs(path: Path, epochs: range) -> None:
    lines = [
        {
            "epoch": epoch,
            "lr": 0.1 / epoch,
            "loss": 0.7 / epoch,
            "accuracy": 1 - 0.5 / epoch,
            "val_loss": 0.8 / epoch,
            "val_accuracy": 1 - 0.6 / epoch,
            "seconds": 0.25,
        }
        for epoch in epochs
    ]
    (path / "epochs.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))


def write_baseline(folder: Path, scores: dict[str, tuple[float, ...]] = SCORES) -> None:
    for arm, of_seeds in scores.items():
        values = MANIFEST["baseline_arms"].get(arm, CONSTANT)
        for seed, score in enumerate(of_seeds, start=1):
            write_trial(folder, f"baseline/{arm}/seed-{seed}", score, values=values)


def small_run(folder: Path, **changes: Any) -> Path:
    """Four completed trials of 50 epochs, two of 17 and one each that ended otherwise."""
    write_manifest(folder, **changes)
    write_baseline(folder)
    write_trial(folder, "0", 0.705, values=STEP)
    write_trial(folder, "1", 0.712, values=EXPONENTIAL, epochs=(18, 50, 50), parent="5")
    write_trial(folder, "2", 0.69, values=TIME)
    write_trial(folder, "3", 0.69, values=CONSTANT)
    write_trial(folder, "4", 0.66, values=STEP, epochs=(1, 17, 17))
    write_trial(folder, "5", 0.67, values=EXPONENTIAL, epochs=(1, 17, 17), seconds=4.5)
    write_trial(folder, "6", 0.5, status="diverged", epochs=(1, 3, 50), message="the loss is NaN")
    write_trial(
        folder, "7", None, status="failed", epochs=(1, 0, 50), message="OOM when allocating\n at x"
    )
    (folder / "trial_8").mkdir()
    return folder


def large_run(folder: Path, trials: int, *, epochs: int = 50, seed: int = 0) -> Path:
    """A random search of many trials, every tenth diverged, every twentieth failed."""
    draw = random.Random(seed)  # noqa: S311 - figures for a test, not secrets
    write_manifest(folder, max_epochs=epochs, max_trials=trials)
    write_baseline(folder)
    for number in range(trials):
        values = dict(draw.choice((STEP, EXPONENTIAL, TIME, CONSTANT)))
        values["lr0"] = 10 ** draw.uniform(-3, -0.5)
        values["momentum"] = draw.random()
        status = "failed" if number % 20 == 19 else "diverged" if number % 10 == 9 else "completed"
        write_trial(
            folder,
            f"{number:04}",
            None if status == "failed" else draw.gauss(0.68, 0.02),
            values=values,
            status=status,
            epochs=(1, epochs, epochs),
            message=None if status == "completed" else f"{status} in epoch {1 + number % 3}",
        )
    return folder


CONFIRM: dict[str, Any] = {
    "arms": {
        "trial-1": EXPONENTIAL,
        "trial-0": STEP,
        "constant-tuned": CONSTANT,
        "constant-0.1": MANIFEST["baseline_arms"]["constant-0.1"],
    },
    "trials": {"trial-1": "1", "trial-0": "0"},
    "search_scores": {"trial-1": 0.712, "trial-0": 0.705, "constant-0.1": 0.681},
    "baseline": "constant-tuned",
    "seeds": [11, 12, 13, 14, 15, 16, 17, 18],
    "train_on": "train+validation",
    "objective": "val_accuracy",
    "direction": "max",
    "epochs": 50,
    "batch_size": 64,
    "data": {**MANIFEST["data"], "sizes": {"train": 10_000, "test": 2000}},
    "versions": {"lrtune": "0.1.0"},
    "created": "2026-11-22T09:00:00+00:00",
    "finished": "2026-11-22T09:10:00+00:00",
    "schema": 1,
}
"""A confirmation of four arms with eight seeds."""

CONFIRMED = {
    "trial-1": (0.711, 0.706, 0.713, 0.709, 0.704, 0.716, 0.712, 0.708),
    "trial-0": (0.699, 0.701, 0.69, 0.704, 0.688, 0.7, 0.697, 0.693),
    "constant-tuned": (0.695, 0.692, 0.697, 0.698, 0.688, 0.7, 0.694, 0.691),
    "constant-0.1": (0.68, 0.677, 0.683, 0.684, 0.671, 0.686, 0.679, 0.675),
}


def write_confirmation(
    folder: Path, scores: dict[str, tuple[float | None, ...]] = CONFIRMED, **changes: Any
) -> None:
    """Writes RUN/confirm; a score of None is a seed that has not ended."""
    manifest = {**CONFIRM, **changes}
    (folder / "confirm").mkdir(parents=True, exist_ok=True)
    (folder / "confirm" / "confirm.json").write_text(json.dumps(manifest))
    for arm, of_seeds in scores.items():
        for seed, score in zip(manifest["seeds"], of_seeds, strict=True):
            if score is not None:
                values = manifest["arms"][arm]
                write_trial(folder, f"confirm/{arm}/seed-{seed}", score, values=values)
