"""Run folders of small searches, with values that tests can name."""

from __future__ import annotations

import json
import os
from datetime import datetime
from typing import TYPE_CHECKING, Any

from tests.records import build_run
from tests.records.build_run import CONSTANT, EXPONENTIAL, STEP, TIME

if TYPE_CHECKING:
    from pathlib import Path

CREATED = datetime.fromisoformat(build_run.MANIFEST["created"]).timestamp()


def parameter(class_name: str, name: str, schedule: str | None = None, **config: Any) -> Any:
    """A hyperparameter as Keras Tuner 1.4.8 writes it."""
    parents = {"class_name": "Parent", "config": {"name": "schedule", "values": [schedule]}}
    conditions = [] if schedule is None else [parents]
    return {
        "class_name": class_name,
        "config": {"name": name, "conditions": conditions, "default": None, **config},
    }


SPACE = [
    parameter("Choice", "schedule", values=["constant", "time", "step", "exponential"]),
    parameter("Float", "lr0", min_value=0.001, max_value=0.3, sampling="log", default=0.1),
    parameter("Float", "momentum", min_value=0.01, max_value=0.99, sampling="reverse_log"),
    parameter("Float", "time.k", "time", min_value=0.02, max_value=19.98, sampling="log"),
    parameter("Float", "step.drop", "step", min_value=0.1, max_value=0.8, sampling="log"),
    parameter("Int", "step.epochs_drop", "step", min_value=5, max_value=25, sampling="linear"),
    parameter(
        "Float", "exponential.k", "exponential", min_value=0.01, max_value=0.2, sampling="linear"
    ),
]


def hyperband(folder: Path, **changes: Any) -> Path:
    """Budgets of 3 and 9 epochs; trial 4 continues 1 and ended, trial 5 continues 0 and has not."""
    build_run.write_manifest(
        folder, algo="hyperband", max_epochs=9, factor=3, **{"space": SPACE, **changes}
    )
    build_run.write_baseline(folder)
    rung = {"epochs": (1, 3, 3), "seconds": 6.0}
    build_run.write_trial(folder, "0", 0.6, values=STEP, **rung)
    build_run.write_trial(folder, "1", 0.65, values={**EXPONENTIAL, "tuner/bracket": 1}, **rung)
    build_run.write_trial(
        folder,
        "2",
        0.5,
        values=TIME,
        status="diverged",
        epochs=(1, 2, 3),
        message="the loss is NaN",
    )
    build_run.write_trial(
        folder, "3", None, values=CONSTANT, status="failed", epochs=(1, 0, 9), message="a\nb"
    )
    build_run.write_trial(
        folder,
        "4",
        0.7,
        values={**EXPONENTIAL, "tuner/bracket": 1},
        epochs=(4, 9, 9),
        parent="1",
    )
    propose(folder, "5", {**STEP, "tuner/trial_id": "0"})
    build_run.write_epochs(folder / "trial_5", range(4, 6))
    return folder


def propose(folder: Path, trial_id: str, values: dict[str, Any]) -> None:
    """Writes Keras Tuner's file of a trial that has not ended, as far as we read it."""
    path = folder / f"trial_{trial_id}"
    path.mkdir(exist_ok=True)
    raw = {"trial_id": trial_id, "hyperparameters": {"values": values}}
    (path / "trial.json").write_text(json.dumps(raw))


def ended(folder: Path, times: dict[str, float]) -> None:
    """Sets when trials ended, in seconds after the search began; all others 100 s after it."""
    for path in folder.rglob("outcome.json"):
        trial_id = str(path.parent.relative_to(folder)).removeprefix("trial_")
        end = CREATED + times.get(trial_id, 100.0)
        os.utime(path, (end, end))
