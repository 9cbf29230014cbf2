"""The one builder of run folders for tests: real records, written by lrtune's own writer.

A test says which trials its run has, in a line each, or takes one of the runs at the end of this
file. `make_run` has larger ones, whose scores are drawn.
"""

from __future__ import annotations

import functools
import os
import random
import tempfile
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lrtune.records import schema
from lrtune.records.ids import folder_of
from lrtune.records.lock import RunLock
from lrtune.records.writer import RunWriter

if TYPE_CHECKING:
    from collections.abc import Callable

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
    "schema": schema.SCHEMA,
}
"""What `schema.Manifest` says of a search, unless a test changes it."""

CREATED = datetime.fromisoformat(MANIFEST["created"]).timestamp()

# Means .681 and .652; sums of squares around them .000014 and .000208 (by hand).
SCORES = {"constant-0.1": (0.679, 0.68, 0.684), "constant-0.01": (0.658, 0.638, 0.66)}

STEP = {"schedule": "step", "lr0": 0.1, "momentum": 0.5, "step.drop": 0.5, "step.epochs_drop": 10}
EXPONENTIAL = {"schedule": "exponential", "lr0": 0.12, "momentum": 0.83, "exponential.k": 0.08}
TIME = {"schedule": "time", "lr0": 0.1, "momentum": 0.5, "time.k": 0.314}
CONSTANT = {"schedule": "constant", "lr0": 0.05, "momentum": 0.9}


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


class _Unlocked(RunLock):
    def __init__(self) -> None:
        """Holds nothing."""

    def check(self) -> None:
        """Any folder will do."""


class Writer(RunWriter):
    """lrtune's writer without its lock, so that a test can add to a folder at any time."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._lock = _Unlocked()
        folder.mkdir(parents=True, exist_ok=True)


def manifest(**changes: Any) -> schema.Manifest:
    return schema.Manifest(**{**MANIFEST, **changes})


def write_manifest(folder: Path, **changes: Any) -> Path:
    Writer(folder).manifest(manifest(**changes))
    return folder


def row_of(epoch: int) -> dict[str, float]:
    """An epoch's record: every number follows from the epoch."""
    return {
        "epoch": epoch,
        "lr": 0.1 / epoch,
        "loss": 0.7 / epoch,
        "accuracy": 1 - 0.5 / epoch,
        "val_loss": 0.8 / epoch,
        "val_accuracy": 1 - 0.6 / epoch,
        "seconds": 0.25,
    }


def write_epochs(
    folder: Path, trial_id: str, epochs: range, row: Callable[[int], dict[str, float]] = row_of
) -> None:
    """Writes epochs of a trial, which without an outcome is one that is still running."""
    writer = Writer(folder)
    writer.begin_trial(trial_id)
    if row is row_of and epochs:
        (folder / folder_of(trial_id) / schema.EPOCHS).write_bytes(_recorded(epochs))
        return
    for epoch in epochs:
        writer.epoch(trial_id, row(epoch))


@functools.cache
def _recorded(epochs: range) -> bytes:
    """The file of these epochs, for the writer opens it for each: 20 ms in a run of 700 epochs."""
    with tempfile.TemporaryDirectory() as folder:
        writer = Writer(Path(folder))
        writer.begin_trial("0")
        for epoch in epochs:
            writer.epoch("0", row_of(epoch))
        return (writer.folder / folder_of("0") / schema.EPOCHS).read_bytes()


def write_trial(
    folder: Path,
    trial_id: str,
    score: float | None,
    *,
    values: dict[str, Any] = EXPONENTIAL,
    status: Any = "completed",
    epochs: tuple[int, int, int] = (1, 50, 50),
    seconds: Any = 12.5,
    parent: str | None = None,
    message: str | None = None,
    rows: int | None = None,
    row: Callable[[int], dict[str, float]] = row_of,
) -> Path:
    """Writes a trial that has ended.

    Args:
        folder: the run.
        trial_id: "0", or "baseline/ARM/seed-N".
        score, values, status, seconds, parent, message: see `schema.Outcome`.
        epochs: the first, the last and the planned one.
        rows: how many epochs are recorded, unless all are.
        row: makes an epoch's record.
    """
    first, last, planned = epochs
    write_epochs(folder, trial_id, range(first, last + 1 if rows is None else first + rows), row)
    span = schema.Span(first, last, planned)
    outcome = schema.Outcome(trial_id, status, values, span, 7, seconds, score, parent, message)
    Writer(folder).outcome(outcome)
    return folder / folder_of(trial_id)


def write_baseline(
    folder: Path, scores: dict[str, tuple[float, ...]] = SCORES, **more: Any
) -> None:
    """Writes arms of the baseline, each with seeds from 1."""
    for arm, of_seeds in scores.items():
        values = MANIFEST["baseline_arms"].get(arm, CONSTANT)
        for seed, score in enumerate(of_seeds, start=1):
            write_trial(folder, f"baseline/{arm}/seed-{seed}", score, values=values, **more)


def propose(folder: Path, trial_id: str, values: dict[str, Any]) -> None:
    """Writes Keras Tuner's file of a trial that has not ended, as far as we read it."""
    state = {"trial_id": trial_id, "hyperparameters": {"values": values}}
    Writer(folder).trial(trial_id, state)


def ended(folder: Path, times: dict[str, float]) -> None:
    """Sets when trials ended, in seconds after the search began; all others 100 s after it."""
    for path in folder.rglob("outcome.json"):
        trial_id = str(path.parent.relative_to(folder)).removeprefix("trial_")
        end = CREATED + times.get(trial_id, 100.0)
        os.utime(path, (end, end))


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
    write_epochs(folder, "8", range(0))
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
        scores = {"failed": None, "diverged": 0.5}
        if status != "failed":
            scores["completed"] = draw.gauss(0.68, 0.02)
        write_trial(
            folder,
            f"{number:04}",
            scores[status],
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
    made = schema.ConfirmManifest(**{**CONFIRM, **changes})
    Writer(folder).confirmation(made)
    for arm, of_seeds in scores.items():
        for seed, score in zip(made.seeds, of_seeds, strict=True):
            if score is not None:
                write_trial(folder, f"confirm/{arm}/seed-{seed}", score, values=made.arms[arm])


SEQUENTIAL: dict[str, Any] = {
    "arms": {arm: CONFIRM["arms"][arm] for arm in ("trial-1", "trial-0", "constant-tuned")},
    "seeds": list(range(21, 41)),
    "design": "sequential",
    "tested": "trial-1",
    "choice_seeds": [51, 52, 53],
    "choice_places": [2, 2, 2],
    "scale": 0.005,
    "min_seeds": 4,
}
"""A sequential confirmation of two candidates, of which the first is tested."""


def write_sequential(
    folder: Path,
    pairs: Sequence[tuple[float | None, float | None]],
    choice: Sequence[tuple[float | None, float | None]] = (),
    **changes: Any,
) -> None:
    """Writes a sequential confirmation; a score of None is a seed that has not ended.

    Args:
        folder: the run folder.
        pairs: (tested arm, baseline), a pair a seed.
        choice: (trial-1, trial-0), a seed each.
        **changes: to the manifest.
    """
    write_confirmation(folder, {}, **{**SEQUENTIAL, **changes})
    manifest = schema.ConfirmManifest(**{**CONFIRM, **SEQUENTIAL, **changes})
    for kind, arms, seeds, scores in (
        ("confirm", tuple(manifest.compared), manifest.seeds, pairs),
        ("choice", ("trial-1", "trial-0"), manifest.choice_seeds, choice),
    ):
        for seed, of_seed in zip(seeds, scores, strict=False):
            for arm, score in zip(arms, of_seed, strict=True):
                if score is not None:
                    name = f"{kind}/{arm}/seed-{seed}"
                    write_trial(folder, name, score, values=manifest.arms[arm])


TUNED = {"schedule": "constant", "lr0": 0.0275, "momentum": 0.91}
ARMS = {"constant-tuned": TUNED, **MANIFEST["baseline_arms"]}


def tuned_run(folder: Path, scores: tuple[float, ...] = (0.695, 0.692, 0.698)) -> Path:
    """A small run whose constant rate was searched for with half the epochs: 50 + 17 + 2."""
    small_run(folder, baseline_budget=0.5, baseline_arms=ARMS)
    write_baseline(folder, {"constant-tuned": scores})
    write_search(folder)
    return folder


def write_search(folder: Path, **changes: Any) -> None:
    """Writes the search for the best constant rate; its third trial has not ended."""
    search = folder / "baseline" / "search"
    write_manifest(search, families=["constant"], baseline_arms={}, **changes)
    write_trial(search, "0", 0.69, values=TUNED)
    write_trial(search, "1", 0.66, values=CONSTANT, epochs=(1, 17, 17))
    write_epochs(search, "2", range(1, 3))


def confirmed_run(folder: Path, scores: Any = CONFIRMED, **changes: Any) -> Path:
    """The same with a confirmation of four arms."""
    tuned_run(folder)
    write_confirmation(
        folder, scores, **{"arms": {**CONFIRM["arms"], "constant-tuned": TUNED}, **changes}
    )
    return folder


def hyperband(folder: Path, **changes: Any) -> Path:
    """Budgets of 3 and 9 epochs; trial 4 continues 1 and ended, trial 5 continues 0 and has not."""
    write_manifest(folder, algo="hyperband", max_epochs=9, factor=3, **{"space": SPACE, **changes})
    write_baseline(folder, epochs=(1, 9, 9))
    write_trial(folder, "0", 0.6, values=STEP, epochs=(1, 3, 3), seconds=6.0)
    promoted = {**EXPONENTIAL, "tuner/bracket": 1}
    write_trial(folder, "1", 0.65, values=promoted, epochs=(1, 3, 3), seconds=6.0)
    write_trial(
        folder, "2", 0.5, values=TIME, status="diverged", epochs=(1, 2, 3),
        message="the loss is NaN",
    )  # fmt: skip
    write_trial(
        folder, "3", None, values=CONSTANT, status="failed", epochs=(1, 0, 9), message="a\nb"
    )
    write_trial(folder, "4", 0.7, values=promoted, epochs=(4, 9, 9), parent="1")
    write_epochs(folder, "5", range(4, 6))
    propose(folder, "5", {**STEP, "tuner/trial_id": "0"})
    return folder
