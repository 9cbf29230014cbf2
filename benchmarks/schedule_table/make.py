r"""Trains many schedules to their end and puts every epoch of each into one table.

    python benchmarks/schedule_table/make.py --data shared/data/cifar10_cats_dogs.npz \
        --work-dir runs/table

trains what is missing, which takes two cores about three hours, and writes `schedules.parquet`,
`trainings.parquet`, `epochs.parquet` and `manifest.json` beside this file. An interrupted one
continues where it stopped: run the same command again. With --task, the other tasks
stay as they are. `--quick` trains a small one, into the work folder.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from table import Search, write
from tasks import TASKS, quick

if TYPE_CHECKING:
    from tasks import Task


def main() -> None:
    """Makes the table of the tasks that are asked for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", default="auto", help="see lrtune search --help")
    parser.add_argument("--work-dir", type=Path, required=True, help="where the searches are kept")
    parser.add_argument("--task", choices=TASKS, action="append", help="repeatable; default: all")
    parser.add_argument("--workers", type=int, default=None)
    parser.add_argument("--quick", action="store_true", help="eleven schedules, three epochs")
    arguments = parser.parse_args()
    chosen = [TASKS[name] for name in arguments.task or TASKS]
    chosen = [quick(task) for task in chosen] if arguments.quick else chosen
    folders = {task.name: train(task, arguments) for task in chosen}
    target = arguments.work_dir if arguments.quick else Path(__file__).parent
    write(target, folders)


def train(task: Task, arguments: argparse.Namespace) -> list[Search]:
    """Trains all schedules of a task, then the best ones with more seeds."""
    data = task.data(arguments.data)
    searches: list[Search] = []
    schedules: list[dict[str, Any]] = []
    for budget, seed in task.trainings:
        folder = arguments.work_dir / task.name / f"{budget}-epochs-seed-{seed}"
        what = f"{task.schedules} schedules over {budget} epochs, seed {seed}"
        print(f"{task.name}: {what}", flush=True)
        search(task, budget, seed, folder, schedules, data, arguments.workers)
        searches.append(Search(budget, seed, folder))
        schedules = schedules or [outcome["values"] for outcome in outcomes(folder)]
    best = best_schedules(task, searches)
    for seed in task.best_seeds:
        folder = arguments.work_dir / task.name / f"best-seed-{seed}"
        print(f"{task.name}: the best {len(best)} schedules, seed {seed}", flush=True)
        tries = [schedules[number] for number in best]
        search(task, task.horizon, seed, folder, tries, data, arguments.workers)
        searches.append(Search(task.horizon, seed, folder, tuple(best)))
    return searches


def best_schedules(task: Task, searches: list[Search]) -> list[int]:
    """The schedules with the best mean scores over the horizon, the best one first."""
    scores: dict[int, float] = {}
    for one in searches:
        for number, outcome in enumerate(
            outcomes(one.folder) if one.budget == task.horizon else ()
        ):
            scores[number] = scores.get(number, 0.0) + (outcome["score"] or 0.0)
    return sorted(scores, key=lambda number: -scores[number])[: task.best]


def search(
    task: Task, budget: int, seed: int, folder: Path, schedules: Any, data: Any, workers: int | None
) -> None:
    """One search, of the schedules that are given, or of others if there are none."""
    import lrtune

    train_data, validation = data

    shorter: dict[str, Any] = {"horizon": "rescaled"} if budget < task.horizon else {}
    tuner = lrtune.RandomSearch(
        task.hypermodel(task.horizon),
        objective="val_accuracy",
        max_trials=len(schedules) or task.schedules,
        directory=str(folder.parent),
        project_name=folder.name,
        seed=seed,
        tries=schedules,
        **shorter,
        baseline_seeds=0,
        keep_models=0,
        workers=workers,
    )
    tuner.search(
        *train_data,
        validation_data=validation,
        batch_size=task.batch_size,
        epochs=budget,
        verbose=0,
    )
    if tuner.stopped:
        sys.exit("stopped")


def outcomes(folder: Path) -> list[dict[str, Any]]:
    """How a search's trials ended, in their order."""
    found = sorted(folder.glob("trial_*/outcome.json"))
    return [json.loads(path.read_text(encoding="utf-8")) for path in found]


if __name__ == "__main__":
    main()
