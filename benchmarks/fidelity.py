"""How far a short training tells which schedule ends best, measured on the table of real trainings.

    python benchmarks/fidelity.py

reads `schedule_table`, takes about a minute on one core, prints the main numbers and writes all of
them to `benchmarks/fidelity.csv`; `--pictures FOLDER` draws them. `--quick` takes seconds, for a
small table that is drawn by chance. `notebooks/short_runs.ipynb` tells the story.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

HERE = Path(__file__).parent
sys.path += [str(HERE), str(HERE / "schedule_table")]

import fidelity_pictures  # noqa: E402 - scripts beside this one
from fidelity_measures import measure, trained  # noqa: E402
from table import Table, load  # noqa: E402

CSV = HERE / "fidelity.csv"
PICTURES = ("agreement", "families", "scores")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--table", type=Path, help="folder that schedule_table/make.py wrote")
    parser.add_argument("--csv", type=Path, help="where to write the numbers")
    parser.add_argument("--pictures", type=Path, help="folder for the pictures")
    parser.add_argument("--quick", action="store_true", help="a small table drawn by chance")
    arguments = parser.parse_args()
    if arguments.quick:
        tables, resamples = {name: stand_in(name) for name in ("first", "second")}, 40
    else:
        tables, resamples = load(*filter(None, [arguments.table])), 1000
    frame = study(tables, resamples)
    with pd.option_context("display.width", 150, "display.max_columns", 9):
        print(summary(frame))
    csv = arguments.csv or (None if arguments.quick else CSV)
    if csv:
        frame.to_csv(csv, index=False, float_format="%.4f")
    if arguments.pictures:
        arguments.pictures.mkdir(parents=True, exist_ok=True)
        for name in PICTURES:
            getattr(fidelity_pictures, name)(frame).savefig(arguments.pictures / f"{name}.png")


def study(tables: dict[str, Any], resamples: int = 400) -> pd.DataFrame:
    """The numbers of all tasks; the columns are those of `fidelity_measures.measure`."""
    found = [measure(trained(table), resamples) for table in tables.values()]
    return pd.concat(found, ignore_index=True)


def summary(frame: pd.DataFrame) -> str:
    """The main numbers for a person, as text."""
    return f"{rungs(frame).round(3)}\n\n{rules(frame).round(3)}"


def rungs(frame: pd.DataFrame) -> pd.DataFrame:
    """What a short training tells, a row a task, kind and length."""
    short = frame[frame.measure.isin(["agreement", "survival", "regret"]) & (frame.share != "1")]
    what = short.measure.where(short.measure != "agreement", short.subset)
    cells = _wide(short.assign(what=what), ["task", "kind", "epochs"])
    groups = cells.groupby(level=["task", "kind"], sort=False)
    return pd.concat([rows.sort_index(level="epochs") for _, rows in groups])


def rules(frame: pd.DataFrame) -> pd.DataFrame:
    """How good each score is, a row a task and score."""
    found = frame[frame.measure.isin(["reliability", "truth", "noise", "gain"])]
    of = found.measure.where(found.measure != "truth", "truth, " + found.subset)
    return _wide(found.assign(what=of), ["task", "kind"])


def _wide(frame: pd.DataFrame, rows: list[str]) -> pd.DataFrame:
    cells = frame.pivot_table(index=rows, columns="what", values="value", sort=False)
    return cells.rename_axis(columns=None)


def stand_in(name: str, schedules: int = 44, seeds: int = 2, horizon: int = 9) -> Table:
    """A table like the real ones, drawn by chance: late bloomers, noise, one that diverges.

    The family "late" is behind until the last third. The best three have two seeds more.
    """
    draw = np.random.default_rng(len(name))
    family = np.array(["early", "late", "constant", "step"])[np.arange(schedules) % 4]
    quality = draw.normal(0.7, 0.03, schedules)
    best = np.argsort(-quality)[:3]
    trainings: list[tuple[Any, ...]] = []
    epochs: list[tuple[Any, ...]] = []
    for budget in (horizon, horizon // 3):
        for seed in range(1, seeds + (3 if budget == horizon else 1)):
            for one in range(schedules) if seed <= seeds else best:
                time = np.arange(1, budget + 1) / budget
                late = 0.08 * (time < 2 / 3) if family[one] == "late" else 0.0
                noise = draw.normal(0, 0.01) + draw.normal(0, 0.005, budget)
                curve = quality[one] - 0.1 * (1 - time) - late + noise
                diverged = one == np.argmin(quality)
                curve = curve[: 1 if diverged else budget]
                status, score = ("diverged", 0.5) if diverged else ("completed", curve[-1])
                trainings.append((one, budget, seed, status, score, 1.0))
                epochs += [
                    (one, budget, seed, number, 0.1, 1 - value, value, 1 - value, value)
                    for number, value in enumerate(curve, start=1)
                ]
    key = ["schedule", "budget", "seed"]
    metrics = ["loss", "accuracy", "val_loss", "val_accuracy"]
    return Table(
        name,
        horizon,
        pd.DataFrame(
            {
                "schedule": range(schedules),
                "family": family,
                "values": [{"schedule": one, "lr0": 0.1, "momentum": 0.9} for one in family],
            }
        ),
        pd.DataFrame(trainings, columns=[*key, "status", "score", "seconds"]),
        pd.DataFrame(epochs, columns=[*key, "epoch", "lr", *metrics]),
    )


if __name__ == "__main__":
    main()
