"""The table of real trainings: how it is written, and how it is loaded.

    import sys; sys.path.insert(0, "benchmarks/schedule_table")
    from table import load
    table = load()["reading"]
    table.curve(schedule=12, budget=27, seed=1).val_accuracy
"""

from __future__ import annotations

import datetime
import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

HERE = Path(__file__).parent
METRICS = ("loss", "accuracy", "val_loss", "val_accuracy")


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
        """Of the searches that trained the schedules."""
        return sorted(self.trainings.seed.unique().tolist())

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
    manifest = json.loads((folder / "manifest.json").read_text())
    frames = {name: pd.read_parquet(folder / f"{name}.parquet") for name in ("schedules", "trainings", "epochs")}
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


def write(target: Path, folders: Mapping[str, Sequence[tuple[int, int, Path]]]) -> None:
    """Writes the table from the run folders of all searches.

    Args:
        target: where to write three Parquet files and `manifest.json`.
        folders: task -> (budget in epochs, seed, run folder) of each search.
    """
    schedules, trainings, epochs, tasks = [], [], [], {}
    for task, searches in folders.items():
        runs = {(budget, seed): _read(folder) for budget, seed, folder in searches}
        horizon = max(budget for budget, _ in runs)
        first = next(iter(runs.values()))
        for number, (outcome, _) in enumerate(first["trials"]):
            schedules.append({"task": task, "schedule": number, **_described(outcome["values"])})
        for (budget, seed), run in runs.items():
            key = {"task": task, "budget": budget, "seed": seed}
            for number, (outcome, curve) in enumerate(run["trials"]):
                trainings.append(
                    {**key, "schedule": number, **{name: outcome[name] for name in ("status", "score", "seconds")}}
                )
                epochs += [
                    {**key, "schedule": number, **{name: one[name] for name in ("epoch", "lr", *METRICS)}}
                    for one in curve
                ]
        asked = first["manifest"]
        tasks[task] = {
            "horizon": horizon,
            "budgets": sorted({budget for budget, _ in runs}, reverse=True),
            "seeds": sorted({seed for _, seed in runs}),
            **{name: asked.get(name) for name in ("batch_size", "families", "data", "optimizer", "versions")},
        }
    _parquet(pd.DataFrame(schedules), target / "schedules.parquet")
    _parquet(pd.DataFrame(trainings), target / "trainings.parquet")
    _parquet(pd.DataFrame(epochs), target / "epochs.parquet")
    made = datetime.datetime.now(datetime.timezone.utc).date().isoformat()
    (target / "manifest.json").write_text(json.dumps({"made": made, "tasks": tasks}, indent=1) + "\n")
    print(f"{len(trainings)} trainings, {len(epochs)} epochs in {target}")


def _read(folder: Path) -> dict[str, Any]:
    trials = []
    for path in sorted(folder.glob("trial_*/outcome.json")):
        lines = path.with_name("epochs.jsonl")
        curve = [json.loads(line) for line in lines.read_text().splitlines()] if lines.exists() else []
        trials.append((json.loads(path.read_text()), curve))
    return {"manifest": json.loads((folder / "run.json").read_text()), "trials": trials}


def _described(values: Mapping[str, Any]) -> dict[str, Any]:
    family = values["schedule"]
    momentum = values.get("momentum", values.get("beta_1"))
    return {"family": family, "lr0": values["lr0"], "momentum": momentum, "values": json.dumps(values)}


def _parquet(frame: pd.DataFrame, path: Path) -> None:
    small = {
        name: "int16" if kind.kind == "i" else "float32"
        for name, kind in frame.dtypes.items()
        if getattr(kind, "kind", "O") in "if" and name not in ("lr0", "momentum")
    }
    frame.astype(small).to_parquet(path, index=False, compression="zstd")
