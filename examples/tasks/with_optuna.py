r"""What Optuna finds for `residual_cnn.py` with its defaults, in the epochs of an lrtune search.

    python examples/tasks/with_optuna.py examples/tasks/runs/residual_cnn \
        examples/tasks/runs/residual_cnn-seed-2 --work-dir runs/optuna

Two processes share a study over the search space of the first run folder, with Optuna's default
sampler and pruner, until they have spent the epochs of its search of schedules. The best trial and
the schedules that the runs confirmed then train with the same eight fresh seeds on training and
validation images, and are tested on the test images. Needs `optuna`. The same command goes on after
an interruption; in the work folder, `trials.csv` has the trials, `winners.jsonl` the test scores.
"""

from __future__ import annotations

import argparse
import copy
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import keras_tuner
import numpy as np
import optuna
import pandas as pd
from keras_tuner.engine import hyperparameters
from residual_cnn import build_model
from scipy import stats

import lrtune

PROCESSES = 2
BATCH = 64
SEEDS = range(901, 909)
OPTUNA = "optuna"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("runs", nargs="+", type=Path, help="run folders of confirmed searches")
    parser.add_argument("--work-dir", type=Path, required=True)
    parser.add_argument("--data", default="auto", help="see lrtune search --help")
    parser.add_argument("--process", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--stage", choices=list(STAGES), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    arguments.work_dir.mkdir(parents=True, exist_ok=True)
    if arguments.stage is not None:
        lrtune.start_tensorflow(threads=1)
        images = lrtune.load_data(arguments.data)
        STAGES[arguments.stage](arguments, images)
        return
    for stage in STAGES:
        command = [sys.executable, *sys.argv, "--stage", stage, "--process"]
        running = [
            subprocess.Popen([*command, str(one)])  # noqa: S603 - this script
            for one in range(PROCESSES)
        ]
        if sum(one.wait() for one in running):
            sys.exit(f"a process of the stage {stage!r} failed")
    trials(arguments.work_dir).to_csv(arguments.work_dir / "trials.csv", index=False)
    print(table(scores(arguments.work_dir)).round(4).to_string())


def search(arguments: argparse.Namespace, images: Any) -> None:
    """Lets Optuna propose trials until the epochs are spent."""
    run = lrtune.load_run(arguments.runs[0])
    budget = int(run.cost().set_index("of")["epochs"]["search"])
    study = shared_study(arguments.work_dir)

    def enough(study: optuna.Study, _trial: Any) -> None:
        if sum(len(one.intermediate_values) for one in study.trials) >= budget:
            study.stop()

    def objective(trial: optuna.Trial) -> float:
        values = suggested(trial, run.manifest.space)
        trial.set_user_attr("values", values)
        train, validation = ((part.x, part.y) for part in (images.train, images.validation))
        _, history = trained(run.manifest, values, trial.number + 1, train, validation, trial)
        return float(history.history["val_accuracy"][-1])

    if sum(len(one.intermediate_values) for one in study.trials) < budget:
        study.optimize(objective, callbacks=[enough])


def retrain(arguments: argparse.Namespace, images: Any) -> None:
    """Trains the best trial and the schedules of the confirmations, with every second seed."""
    manifest = lrtune.load_run(arguments.runs[0]).manifest
    arms = {one.resolve().name: confirmed(one) for one in arguments.runs}
    arms[OPTUNA] = shared_study(arguments.work_dir).best_trial.user_attrs["values"]
    both = tuple(
        np.concatenate([getattr(part, name) for part in (images.train, images.validation)])
        for name in ("x", "y")
    )
    done = {(one["arm"], one["seed"]) for one in scores(arguments.work_dir)}
    for seed in list(SEEDS)[arguments.process :: PROCESSES]:
        for arm, values in arms.items():
            if (arm, seed) in done:
                continue
            model, _ = trained(manifest, values, seed, both)
            accuracy = model.evaluate(images.test.x, images.test.y, verbose=0, return_dict=True)
            line = {"arm": arm, "seed": seed, "score": accuracy["accuracy"], "values": values}
            with (arguments.work_dir / "winners.jsonl").open("a", encoding="utf-8") as file:
                file.write(json.dumps(line) + "\n")


def confirmed(folder: Path) -> dict[str, Any]:
    """The hyperparameters of the schedule that a run tested."""
    run = lrtune.load_run(folder)
    compared = run.comparison()
    (arm,) = compared["arm"][~compared["is_baseline"]]
    return dict(run.recipe(arm).values)


STAGES = {"search": search, "retrain": retrain}
"""Each runs in both processes before the next begins."""


def shared_study(folder: Path) -> optuna.Study:
    file = optuna.storages.journal.JournalFileBackend(str(folder / "study.log"))
    return optuna.create_study(
        storage=optuna.storages.JournalStorage(file),
        study_name="residual_cnn",
        direction="maximize",
        load_if_exists=True,
    )


def trials(folder: Path) -> pd.DataFrame:
    """A row a trial: what became of it, after how many epochs."""
    rows = [
        {
            "trial": one.number,
            "state": one.state.name.lower(),
            "epochs": len(one.intermediate_values),
            "schedule": one.params.get("schedule"),
            "score": one.value if one.state.name == "COMPLETE" else None,
        }
        for one in shared_study(folder).trials
    ]
    return pd.DataFrame(rows)


def suggested(trial: optuna.Trial, space: list[dict[str, Any]]) -> dict[str, Any]:
    """The values of a trial: the space's active hyperparameters, each suggested by Optuna."""
    # Keras Tuner changes what it reads.
    config = {"space": copy.deepcopy(space), "values": {}}
    chosen = keras_tuner.HyperParameters.from_config(config)
    for one in chosen.space:
        if not chosen.is_active(one):
            continue
        name = one.name
        if isinstance(one, hyperparameters.Fixed):
            chosen.values[name] = one.value
        elif isinstance(one, hyperparameters.Choice):
            chosen.values[name] = trial.suggest_categorical(name, one.values)
        else:
            log = one.sampling == "log"
            chosen.values[name] = trial.suggest_float(name, one.min_value, one.max_value, log=log)
    return dict(chosen.values)


class Prune(keras.callbacks.Callback):
    """Asks Optuna after each epoch whether to go on, as its documentation shows."""

    def __init__(self, trial: optuna.Trial) -> None:
        super().__init__()
        self.trial = trial

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        self.trial.report((logs or {})["val_accuracy"], epoch)
        if self.trial.should_prune():
            raise optuna.TrialPruned


def trained(
    manifest: Any,
    values: dict[str, Any],
    seed: int,
    train: tuple[Any, Any],
    validation: tuple[Any, Any] | None = None,
    trial: optuna.Trial | None = None,
) -> tuple[keras.Model, Any]:
    """A model trained with these values over the whole horizon."""
    keras.backend.clear_session()
    keras.utils.set_random_seed(seed)
    hp = keras_tuner.HyperParameters()
    hp.values = dict(values)
    hypermodel = lrtune.ScheduleHyperModel(
        build_model, epochs=manifest.max_epochs, families=manifest.families, fixed=manifest.fixed
    )
    model = hypermodel.build(hp)
    history = hypermodel.fit(
        hp,
        model,
        *train,
        validation_data=validation,
        batch_size=BATCH,
        callbacks=[Prune(trial)] if trial else [],
        verbose=0,
    )
    return model, history


def scores(folder: Path) -> list[dict[str, Any]]:
    path = folder / "winners.jsonl"
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    return [json.loads(line) for line in lines]


def table(lines: list[dict[str, Any]]) -> pd.DataFrame:
    """A row an arm: mean and standard deviation, and how much better it is than Optuna's."""
    wide = pd.DataFrame(lines).pivot_table(index="seed", columns="arm", values="score")
    rows = {}
    for arm in wide:
        gain = wide[arm] - wide[OPTUNA]
        margin = stats.t.ppf(0.975, len(gain) - 1) * gain.std() / np.sqrt(len(gain))
        rows[arm] = {
            "mean": wide[arm].mean(),
            "std": wide[arm].std(),
            "gain": gain.mean(),
            "lower": gain.mean() - margin,
            "upper": gain.mean() + margin,
        }
    return pd.DataFrame(rows).T


if __name__ == "__main__":
    main()
