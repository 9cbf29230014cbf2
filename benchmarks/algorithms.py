"""Compares search algorithms on tables of real trainings, through lrtune's own loop and oracles.

    python benchmarks/algorithms.py

runs every algorithm 200 times on each task of `benchmarks/schedule_table`, with 1, 2 and 16
simulated workers, and writes `benchmarks/results`: `algorithms.json` (regrets, epochs and seconds
to a target), `incumbents.parquet` (the best trial of each search over time, from which
`--draw-only` makes everything else again) and two pictures for each task. `--quick` takes less than
a minute, on a table that is made up.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import pandas as pd
from schedule_table.table import HERE, load
from schedule_table.tasks import TASKS
from tabular.truth import Truth

RESULTS = Path(__file__).parent / "results"
INCUMBENTS, SUMMARY = "incumbents.parquet", "algorithms.json"


def main() -> None:
    """Runs the searches, then sums them up and draws them."""
    arguments = parsed()
    arguments.results.mkdir(parents=True, exist_ok=True)
    if arguments.quick:
        arguments.table = Path(tempfile.mkdtemp())
        make_quick_table(arguments.table)
    tasks = arguments.task or list(load(arguments.table))
    path = arguments.results / INCUMBENTS
    if not arguments.draw_only:
        found, took = run(arguments, tasks)
        found.to_parquet(path, index=False, compression="zstd")
    else:
        found, took = pd.read_parquet(path), {}
    report(arguments, found, tasks, took)


def parsed() -> argparse.Namespace:
    """The command line's arguments."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--table", type=Path, default=HERE, help="folder that make.py wrote")
    parser.add_argument("--task", action="append", help="repeatable; all of the table if left out")
    parser.add_argument("--algorithm", action="append", help="repeatable; all if left out")
    parser.add_argument("--repetitions", type=int, default=200)
    parser.add_argument("--trials", type=int, default=40, help="budget, in full trainings")
    parser.add_argument("--workers", default="1,2,16", help="simulated ones")
    parser.add_argument(
        "--noise", type=float, help="standard deviation over seeds, if the table has only one"
    )
    parser.add_argument("--jobs", type=int, default=1, help="processes")
    parser.add_argument("--results", type=Path, default=RESULTS, help="where to write")
    parser.add_argument("--draw-only", action="store_true", help="of the searches that are there")
    parser.add_argument("--quick", action="store_true", help="few short searches")
    arguments = parser.parse_args()
    if arguments.quick:
        arguments.repetitions, arguments.trials, arguments.workers = 3, 6, "1,2"
        if arguments.results == RESULTS:
            arguments.results = Path(tempfile.mkdtemp())
    arguments.workers = [int(one) for one in arguments.workers.split(",")]
    return arguments


def run(
    arguments: argparse.Namespace, tasks: list[str]
) -> tuple[pd.DataFrame, dict[str, dict[str, Any]]]:
    """All searches.

    Returns:
        Their incumbents, and for each task and algorithm how long a search took.
    """
    from joblib import Parallel, delayed
    from tabular.cell import run_cell
    from tabular.contenders import contenders

    names = arguments.algorithm or list(contenders())
    cells = [
        (arguments.table, task, name, workers, arguments.repetitions, arguments.trials)
        for task in tasks
        for name in names
        for workers in arguments.workers
    ]
    done = Parallel(n_jobs=arguments.jobs)(delayed(run_cell)(*cell) for cell in cells)
    took: dict[str, dict[str, Any]] = {}
    for (_, task, name, workers, *_), (_, facts) in zip(cells, done, strict=True):
        took.setdefault(task, {}).setdefault(name, {})[str(workers)] = facts
    return pd.concat([frame for frame, _ in done], ignore_index=True), took


def report(
    arguments: argparse.Namespace, found: pd.DataFrame, tasks: list[str], took: dict[str, Any]
) -> None:
    """Writes and prints the summary, and draws the pictures."""
    from tabular.cell import prepared
    from tabular.contenders import contenders
    from tabular.pictures import draw_regret, draw_wall_time
    from tabular.summary import shown, summary, with_regret

    path, known = arguments.results / SUMMARY, contenders()
    before = json.loads(path.read_text(encoding="utf-8")) if arguments.draw_only else {}
    groups = {name: known[name].group if name in known else "others" for name in found.algorithm}
    results: dict[str, Any] = {}
    for task in tasks:
        answers, _ = prepared(arguments.table, task)
        truth = Truth(answers.scores, answers.seeds, arguments.noise)
        own = with_regret(found[found.task == task], truth)
        reached = summary(own, truth, answers.horizon, arguments.trials)
        table: dict[str, Any] = {
            "name": task,
            "horizon": answers.horizon,
            "trials": arguments.trials,
            "schedules": len(answers.schedules),
            "seconds_per_epoch": round(answers.seconds_per_epoch, 3),
            "noise": round(truth.noise, 5),
            "reference": round(truth.reference, 5),
            "held_out_reference": round(truth.held_out_reference, 5),
            "without_search": round(truth.reference - truth.without, 5),
            "noise_limit": round(truth.picked_by_one_score(), 5),
        }
        costs = took.get(task) or before.get(task, {}).get("costs", {})
        results[task] = {**table, "algorithms": reached, "costs": costs}
        print(f"\n{task}: {json.dumps(table)}\n{shown(reached, arguments.trials)}")
        draw_regret(arguments.results / f"regret-{task}.png", reached, groups, table)
        draw_wall_time(arguments.results / f"wall-time-{task}.png", reached, table)
    path.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    print(f"\nwritten to {arguments.results}")


def make_quick_table(folder: Path) -> None:
    """A small made-up table."""
    from schedule_table.stand_in import stand_in

    task = replace(TASKS["reading"], schedules=33)
    stand_in(folder, task, extra_seeds=2)


if __name__ == "__main__":
    main()
