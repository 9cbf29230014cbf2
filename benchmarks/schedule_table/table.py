"""The table of real trainings: how it is written, and how it is loaded.

With `benchmarks/` on Python's path:

    from schedule_table.table import load
    table = load()["reading"]
    table.curve(schedule=12, budget=27, seed=1).val_accuracy
"""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

HERE = Path(__file__).parent
METRICS = ("loss", "accuracy", "val_loss", "val_accuracy")
FRAMES = ("schedules", "trainings", "epochs")
KEPT = ("batch_size", "families", "data", "optimizer", "versions")
"""What the table's manifest keeps of a search's own."""


@dataclass(frozen=True)
class Table:
    """All trainings of one task.

    Attributes:
        name: of the task.
        horizon: epochs of a whole training.
        schedules: a row a schedule: family, lr0, momentum and `values`, its hyperparameter values.
        trainings: a row a training: schedule, budget, seed, status, score (of its last epoch; the
            untrained model's if it diverged), seconds.
        epochs: a row an epoch: schedule, budget, seed, epoch (from 1), lr and the metrics.
    """

    name: str
    horizon: int
    schedules: pd.DataFrame
    trainings: pd.DataFrame
    epochs: pd.DataFrame

    @cached_property
    def budgets(self) -> list[int]:
        """Epochs that the schedules are laid out over, the horizon first."""
        return sorted(self.trainings.budget.unique().tolist(), reverse=True)

    @cached_property
    def seeds(self) -> list[int]:
        """Seeds that every schedule was trained with over the horizon."""
        whole = self.trainings[self.trainings.budget == self.horizon]
        trained = whole.groupby("seed").schedule.nunique()
        return sorted(trained.index[trained == len(self.schedules)].tolist())

    @cached_property
    def seconds_per_epoch(self) -> float:
        """Median over the trainings of the horizon, building included."""
        whole = self.trainings[self.trainings.budget == self.horizon]
        epochs = self.epochs[self.epochs.budget == self.horizon]
        trained = epochs.groupby(["schedule", "seed"]).size().rename("trained")
        both = whole.merge(trained.reset_index(), on=["schedule", "seed"])
        return float((both.seconds / both.trained).median())

    def curve(self, schedule: int, budget: int, seed: int) -> pd.DataFrame:
        """The epochs of one training, in their order; empty for one that diverged at once."""
        return self._by_training.get((schedule, budget, seed), self.epochs.iloc[:0])

    @cached_property
    def _by_training(self) -> dict[Any, pd.DataFrame]:
        return dict(iter(self.epochs.groupby(["schedule", "budget", "seed"], sort=False)))


def load(folder: Path = HERE) -> dict[str, Table]:
    """The table, by task.

    Args:
        folder: that `make.py` wrote.
    """
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    frames = {name: pd.read_parquet(folder / f"{name}.parquet") for name in FRAMES}
    frames["schedules"]["values"] = frames["schedules"]["values"].map(json.loads)
    return {
        name: Table(
            name,
            one["horizon"],
            **{
                key: frame[frame.task == name].drop(columns="task").reset_index(drop=True)
                for key, frame in frames.items()
            },
        )
        for name, one in manifest["tasks"].items()
    }


class Search(NamedTuple):
    """A search of the table.

    Attributes:
        budget: epochs of its trials.
        seed: of the search.
        folder: its run folder.
        schedules: the numbers of the schedules that its trials are; None if they are the trials'
            own numbers.
    """

    budget: int
    seed: int
    folder: Path
    schedules: tuple[int, ...] | None = None


def write(target: Path, folders: Mapping[str, Sequence[Search]]) -> None:
    """Writes the table from the run folders of all searches; other tasks stay as they are.

    Args:
        target: where three Parquet files and `manifest.json` are, or will be.
        folders: task -> its searches, the one that drew the schedules first. A search may lack
            trials of the first one, but has no others.
    """
    rows: dict[str, list[dict[str, Any]]] = {name: [] for name in FRAMES}
    tasks = {}
    for task, searches in folders.items():
        for outcome, _ in _trials(searches[0].folder):
            key = {"task": task, "schedule": int(outcome["trial_id"])}
            rows["schedules"].append({**key, **_described(outcome["values"])})
        for budget, seed, folder, numbers in searches:
            for outcome, curve in _trials(folder):
                trial = int(outcome["trial_id"])
                number = trial if numbers is None else numbers[trial]
                key = {"task": task, "schedule": number, "budget": budget, "seed": seed}
                kept = {name: outcome[name] for name in ("status", "score", "seconds")}
                rows["trainings"].append({**key, **kept})
                for one in curve:
                    kept = {name: one[name] for name in ("epoch", "lr", *METRICS)}
                    rows["epochs"].append({**key, **kept})
        asked = json.loads((searches[0].folder / "run.json").read_text(encoding="utf-8"))
        tasks[task] = {
            "horizon": max(one.budget for one in searches),
            "budgets": sorted({one.budget for one in searches}, reverse=True),
            "seeds": sorted({one.seed for one in searches}),
            **{name: asked.get(name) for name in KEPT},
        }
    frames = {name: pd.DataFrame(found) for name, found in rows.items()}
    if (target / "manifest.json").exists():
        before = json.loads((target / "manifest.json").read_text(encoding="utf-8"))["tasks"]
        tasks = {name: one for name, one in before.items() if name not in tasks} | tasks
        for name in FRAMES:
            kept = pd.read_parquet(target / f"{name}.parquet")
            frames[name] = pd.concat([kept[~kept.task.isin(folders)], frames[name]])
    save(target, frames, tasks)


def save(target: Path, frames: Mapping[str, pd.DataFrame], tasks: Mapping[str, Any]) -> None:
    """Writes the three frames and the manifest.

    Args:
        target: an existing folder.
        frames: schedules, trainings and epochs, each with a column `task`; a schedule's `values`
            are JSON.
        tasks: task -> what the manifest says of it, "horizon" at least.
    """
    for name in FRAMES:
        _parquet(frames[name], target / f"{name}.parquet")
    made = dt.datetime.now(dt.timezone.utc).date().isoformat()
    manifest = json.dumps({"made": made, "tasks": tasks}, indent=1)
    (target / "manifest.json").write_text(manifest + "\n", encoding="utf-8")
    print(f"{len(frames['trainings'])} trainings, {len(frames['epochs'])} epochs in {target}")


def _trials(folder: Path) -> list[tuple[dict[str, Any], list[dict[str, Any]]]]:
    """Outcome and epochs of each training of a search that has ended."""
    trials = []
    for path in sorted(folder.glob("trial_*/outcome.json")):
        lines = path.with_name("epochs.jsonl")
        text = lines.read_text(encoding="utf-8") if lines.exists() else ""
        curve = [json.loads(line) for line in text.splitlines()]
        trials.append((json.loads(path.read_text(encoding="utf-8")), curve))
    return trials


def _described(values: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "family": values["schedule"],
        "lr0": values["lr0"],
        "momentum": values.get("momentum", values.get("beta_1")),
        "values": json.dumps(values),
    }


def _parquet(frame: pd.DataFrame, path: Path) -> None:
    small = {
        name: "int16" if kind.kind == "i" else "float32"
        for name, kind in frame.dtypes.items()
        if getattr(kind, "kind", "O") in "if" and name not in ("lr0", "momentum")
    }
    frame.astype(small).to_parquet(path, index=False, compression="zstd")
