r"""Is the score of averaged weights less noisy? Keras' exponential average, on the reading's task.

    python benchmarks/averaged_weights.py --data shared/data/cifar10_cats_dogs.npz \
        --work-dir runs/averaged

trains schedules of the table again, with the same seeds, while Keras keeps an exponential average
of the weights and measures that one at the end of each epoch. But for rounding, the training itself
stays the same, which is checked. An interrupted one continues: run the same command again.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

HERE = Path(__file__).parent
sys.path.append(str(HERE / "schedule_table"))

import numpy as np  # noqa: E402
import pandas as pd  # noqa: E402
from table import Table, load  # noqa: E402
from tasks import FAMILIES, TASKS  # noqa: E402

SEEDS = (1, 2)
RESAMPLES = 2000


def main() -> None:
    """Trains, compares and prints a row a score."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", default="auto", help="see lrtune search --help")
    parser.add_argument("--work-dir", type=Path, required=True, help="where the searches are kept")
    parser.add_argument("--schedules", type=int, default=44, help="so many of the table's")
    parser.add_argument(
        "--average", type=float, action="append", help="share of it that stays at a step; .99"
    )
    parser.add_argument("--workers", type=int, default=None)
    arguments = parser.parse_args()
    table = load()["reading"]
    scores = {"last": of_table(table, arguments.schedules)}
    for momentum in arguments.average or [0.99]:
        scores[f"average {momentum:g}"] = np.array(
            [averaged(table, momentum, seed, arguments) for seed in SEEDS]
        )
    print(compared(scores).round(3).to_string())


def of_table(table: Table, count: int) -> Any:
    """Scores of the first schedules after the last epoch: float array [seeds, schedules]."""
    whole = table.trainings[table.trainings.budget == table.horizon]
    wide = whole.pivot_table(index="seed", columns="schedule", values="score")
    return wide.loc[list(SEEDS), range(count)].to_numpy()


def averaged(table: Table, momentum: float, seed: int, arguments: argparse.Namespace) -> Any:
    """Scores of averaged weights: float array [schedules]."""
    import keras

    import lrtune

    task, count = TASKS["reading"], arguments.schedules
    train, validation = task.data(arguments.data)
    model = lrtune.CatsVsDogsHyperModel(
        epochs=task.horizon,
        families=FAMILIES,
        optimizer="sgd",
        optimizer_options={"use_ema": True, "ema_momentum": momentum},
    )
    folder = arguments.work_dir / f"average-{momentum:g}-seed-{seed}"
    tuner = lrtune.RandomSearch(
        model,
        objective="val_accuracy",
        max_trials=count,
        directory=str(folder.parent),
        project_name=folder.name,
        seed=seed,
        tries=table.schedules["values"][:count].tolist(),
        baseline_seeds=0,
        keep_models=0,
        workers=arguments.workers,
    )
    tuner.search(
        *train,
        validation_data=validation,
        batch_size=task.batch_size,
        callbacks=[keras.callbacks.SwapEMAWeights()],
        verbose=0,
    )
    scores = []
    for path in sorted(folder.glob("trial_*/outcome.json")):
        outcome = json.loads(path.read_text(encoding="utf-8"))
        run = lrtune.load_run(folder).epochs(outcome["trial_id"])
        curve = table.curve(int(outcome["trial_id"]), table.horizon, seed)
        # Another graph rounds otherwise, which trainings at a high rate amplify after some epochs.
        if not np.isclose(run["loss"].iloc[0], curve["loss"].iloc[0], rtol=1e-4):
            sys.exit(f"{path}: its training loss is not that of the table")
        scores.append(outcome["score"])
    return np.array(scores)


def compared(scores: dict[str, Any]) -> pd.DataFrame:
    """How noisy each score is, and how well it tells the other seed's score of the last epoch.

    Returns:
        A row a score. noise: standard deviation between seeds, as a share of that of "last"; truth:
        Spearman's rank correlation with "last" of the other seed, with 95 % bootstrap intervals.
    """
    rng = np.random.default_rng(0)
    count = scores["last"].shape[1]
    draws = rng.integers(0, count, (RESAMPLES, count))
    rows = {}
    for name, found in scores.items():
        own, usual = ((one[0] - one[1]) ** 2 for one in (found, scores["last"]))
        noise = np.sqrt(own[draws].mean(axis=1) / usual[draws].mean(axis=1))
        truth = [
            np.mean(
                [
                    pd.Series(found[seed][draw]).corr(
                        pd.Series(scores["last"][1 - seed][draw]), method="spearman"
                    )
                    for seed in (0, 1)
                ]
            )
            for draw in (np.arange(count), *draws[:400])
        ]
        rows[name] = {
            "noise": float(np.sqrt(own.mean() / usual.mean())),
            "noise low": np.quantile(noise, 0.025),
            "noise high": np.quantile(noise, 0.975),
            "truth": truth[0],
            "truth low": np.quantile(truth[1:], 0.025),
            "truth high": np.quantile(truth[1:], 0.975),
        }
    return pd.DataFrame(rows).T


if __name__ == "__main__":
    main()
