"""How soon is it known whether a schedule beats a constant rate? Stock Keras Tuner, and lrtune.

By hand: stock Hyperband over the reading's schedules, the same over constant rates, then the best
three schedules and the best two constants in plain Keras, eight seeds each, on training and
validation images, scored on the test images. lrtune: `lrtune search --confirm`, which ends with a
verdict. Each starts with a new Python process and ends with the numbers that a person decides by.

    python benchmarks/answer.py --data shared/data/cifar10_cats_dogs.npz --work-dir /tmp/answer

With --work-dir, an interrupted benchmark continues after the last training or stage it finished:
run the same command again.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import answer_power
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

SCHEDULES, CONSTANTS, SEEDS = 3, 2, 8
QUICK_IMAGES, QUICK_EPOCHS, QUICK_SEEDS = 800, 2, 2
BATCH = 64
SIDES = ("stock", "lrtune")
QUIET = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}


class Stages:
    """Stages that have ended, kept in a file: name -> seconds, epochs and what it found."""

    def __init__(self, path: Path, settings: dict[str, Any]) -> None:
        self.path = path
        self.done: dict[str, dict[str, Any]] = {}
        if path.exists():
            found = json.loads(path.read_text())
            if found["settings"] != settings:
                sys.exit(f"{path} has {found['settings']}, you asked for {settings}. Use another "
                         "--work-dir.")  # fmt: skip
            self.done = found["stages"]
        self.settings = settings

    def run(self, name: str, stage: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        """What the stage returns, with its seconds; from the file if it has ended before."""
        if name not in self.done:
            started = time.perf_counter()
            found = stage()
            self.add(name, {"seconds": time.perf_counter() - started, **found})
        return self.done[name]

    def add(self, name: str, found: dict[str, Any]) -> None:
        """Keeps a stage and prints it."""
        self.done[name] = found
        temporary = self.path.with_suffix(".tmp")
        temporary.write_text(json.dumps({"settings": self.settings, "stages": self.done}, indent=1))
        temporary.replace(self.path)
        print(f"  {name}: {found['seconds']:.1f} s, {found['epochs']} epochs", flush=True)


def stock(arguments: argparse.Namespace, stages: Stages, folder: Path) -> None:
    """What people do today, in one process with all cores, as TensorFlow uses them by default."""
    import psutil

    began = psutil.Process().create_time()
    import keras_tuner

    import lrtune

    data = lrtune.load_data(arguments.data)
    if "start" not in stages.done:  # a continued benchmark starts again, which does not count
        stages.add("start", {"seconds": time.time() - began, "epochs": 0})

    def search(name: str, families: list[str], best: int) -> list[dict[str, Any]]:
        def stage() -> dict[str, Any]:
            tuner = keras_tuner.Hyperband(
                lrtune.CatsVsDogsHyperModel(epochs=arguments.max_epochs, families=families),
                objective="val_accuracy",
                max_epochs=arguments.max_epochs,
                directory=str(folder),
                project_name=name,
                seed=arguments.repeat,
                overwrite=True,
            )
            tuner.search(
                data.train.x,
                data.train.y,
                validation_data=(data.validation.x, data.validation.y),
                batch_size=BATCH,
                verbose=0,
            )
            trials = tuner.oracle.get_best_trials(len(tuner.oracle.trials))
            return {
                "epochs": sum(map(epochs_of, tuner.oracle.trials.values())),
                "trials": len(tuner.oracle.trials),
                "best": distinct([one.hyperparameters.values for one in trials])[:best],
            }

        return stages.run(name, stage)["best"]

    schedules = search("search", ["time", "step", "exponential"], SCHEDULES)
    constants = search("constants", ["constant"], CONSTANTS)
    arms = [*schedules, *constants]
    x = np.concatenate([data.train.x, data.validation.x])
    y = np.concatenate([data.train.y, data.validation.y])
    scores: dict[str, list[float]] = {}
    for arm, values in enumerate(arms, start=1):
        for seed in range(1, arguments.seeds + 1):
            training = partial(retrain, values, seed, arguments.max_epochs, (x, y), data.test)
            found = stages.run(f"retrain {arm} of {len(arms)}, seed {seed}", training)
            name = f"{arm} {lrtune.Recipe.from_values(values)}"
            scores.setdefault(name, []).append(found["accuracy"])
    stages.run("compare", partial(compare, scores, len(schedules)))


def retrain(
    values: dict[str, Any], seed: int, epochs: int, train: tuple[Any, Any], test: Any
) -> dict[str, Any]:
    """One training in plain Keras, scored once on the test images."""
    import keras

    import lrtune

    keras.backend.clear_session()
    keras.utils.set_random_seed(seed)
    recipe = lrtune.Recipe.from_values(values)
    model = lrtune.cats_vs_dogs_cnn()
    schedule = recipe.schedule.to_keras(-(-len(train[0]) // BATCH))
    model.compile(
        keras.optimizers.SGD(schedule, momentum=recipe.settings["momentum"]),
        loss="sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    model.fit(*train, batch_size=BATCH, epochs=epochs, verbose=0)
    accuracy = model.evaluate(test.x, test.y, batch_size=BATCH, verbose=0)[1]
    return {"epochs": epochs, "accuracy": float(accuracy)}


def compare(scores: dict[str, list[float]], schedules: int) -> dict[str, Any]:
    """The best schedule against the best constant by a paired t-test, without correction."""
    for name, one in scores.items():
        print(f"    {name}: {np.mean(one):.4f} over {len(one)} seeds")
    rows = np.array(list(scores.values()))
    best, reference = (max(part, key=np.mean) for part in (rows[:schedules], rows[schedules:]))
    with np.errstate(divide="ignore", invalid="ignore"):
        # 0 / 0 if all seeds are equal, as they may be at chance: no evidence.
        p = float(np.nan_to_num(answer_power.paired_t(best, reference), nan=1.0))
    print(f"    best schedule - best constant: {(best - reference).mean():+.4f}, p = {p:.3f}")
    return {"epochs": 0, "gain": float((best - reference).mean()), "p": p}


def distinct(values: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Each schedule once: a promoted trial has the hyperparameters of the trial it continues."""
    own = [
        {name: value for name, value in one.items() if not name.startswith("tuner/")}
        for one in values
    ]
    return [one for index, one in enumerate(own) if one not in own[:index]]


def epochs_of(trial: Any) -> int:
    """What a trial of stock Hyperband trained: a promoted one from its parent's last epoch on."""
    values = trial.hyperparameters.values
    return int(values["tuner/epochs"]) - int(values["tuner/initial_epoch"])


def lrtune_side(arguments: argparse.Namespace, stages: Stages, folder: Path) -> None:
    """`lrtune search --confirm`, in a process of its own, with the workers it starts by default."""
    if "confirm" in stages.done:
        return
    run = folder / f"lrtune-{arguments.repeat}"
    command = [sys.executable, "-m", "lrtune", "search", "--algo", "hyperband", "--confirm"]
    options = {
        "--max-seeds": arguments.max_seeds,
        "--max-epochs": arguments.max_epochs,
        "--data": arguments.data,
        "--batch-size": BATCH,
        "--seed": arguments.repeat,
        "--run-dir": run,
    }
    command += [str(word) for option in options.items() for word in option]
    shutil.rmtree(run, ignore_errors=True)  # what an interrupted benchmark left
    started, clock = time.perf_counter(), time.time()
    ended = subprocess.run(command, check=False, env=QUIET)
    seconds = time.perf_counter() - started
    if ended.returncode:
        sys.exit(f"lrtune ended with exit code {ended.returncode}")
    for name, found in stages_of(run, clock, seconds).items():
        stages.add(name, found)


def stages_of(run: Path, clock: float, seconds: float) -> dict[str, dict[str, Any]]:
    """Seconds and epochs of each stage of a run that began at `clock`, the last one up to its end.

    A stage ends when its last training does. The choice of the arm to test is part of "confirm".
    """
    files = {
        "baseline": list(run.glob("baseline/**/epochs.jsonl")),
        "search": list(run.glob("trial_*/epochs.jsonl")),
        "confirm": [
            path for name in ("choice", "confirm") for path in run.glob(f"{name}/**/epochs.jsonl")
        ],
    }
    ends = {
        name: max((path.stat().st_mtime for path in paths), default=clock)
        for name, paths in files.items()
    }
    ends["confirm"] = clock + seconds
    found, last = {}, clock
    for name in sorted(files, key=ends.__getitem__):
        epochs = sum(len(path.read_bytes().splitlines()) for path in files[name])
        found[name] = {"seconds": ends[name] - last, "epochs": epochs}
        last = ends[name]
    return found


def main() -> None:
    arguments = parse()
    if arguments.power_only:
        print(json.dumps({"power": power()}))
        return
    folder = Path(arguments.work_dir or tempfile.mkdtemp())
    folder.mkdir(parents=True, exist_ok=True)
    if arguments.quick and not arguments.side:
        arguments.data = str(quick_data(folder))
    if arguments.side:
        stock(arguments, stages_file(arguments, folder, "stock"), folder)
        return
    results: dict[str, list[dict[str, Any]]] = {side: [] for side in arguments.sides.split(",")}
    for repeat in range(1, arguments.repeats + 1):
        arguments.repeat = repeat
        for side, runs in results.items():
            print(f"{side}, run {repeat}", flush=True)
            if side == "stock":
                in_a_process(arguments, folder)
            else:
                lrtune_side(arguments, stages_file(arguments, folder, side), folder)
            runs.append(totals(stages_file(arguments, folder, side).done))
    report(arguments, results)


def in_a_process(arguments: argparse.Namespace, folder: Path) -> None:
    """The stock side in a process of its own, which keeps its stages in a file."""
    options = {
        "--side": "stock",
        "--work-dir": folder,
        "--data": arguments.data,
        "--max-epochs": arguments.max_epochs,
        "--seeds": arguments.seeds,
        "--repeat": arguments.repeat,
    }
    words = [str(word) for option in options.items() for word in option]
    ended = subprocess.run([sys.executable, __file__, *words], check=False, env=QUIET)
    if ended.returncode:
        sys.exit(f"the stock side ended with exit code {ended.returncode}")


def stages_file(arguments: argparse.Namespace, folder: Path, side: str) -> Stages:
    settings = {"data": arguments.data, "max_epochs": arguments.max_epochs}
    settings |= {"seeds": arguments.seeds} if side == "stock" else {"max": arguments.max_seeds}
    return Stages(folder / f"{side}-{arguments.repeat}.json", settings)


def totals(done: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """Seconds and epochs by stage, all trainings of the retraining together, and of all."""
    found: dict[str, dict[str, float]] = {}
    for name, stage in [*done.items(), *(("all", one) for one in done.values())]:
        total = found.setdefault(name.split(" ")[0], {"seconds": 0.0, "epochs": 0})
        for unit in total:
            total[unit] += stage[unit]
    return found


def report(arguments: argparse.Namespace, results: dict[str, list[dict[str, Any]]]) -> None:
    """A table for a person, then one line of JSON."""
    medians = {
        side: {
            stage: {
                unit: round(statistics.median(run[stage][unit] for run in runs), 1)
                for unit in ("seconds", "epochs")
            }
            for stage in runs[0]
        }
        for side, runs in results.items()
    }
    print(f"\n{'side':8}{'stage':12}{'seconds':>10}{'epochs':>8}")
    for side, stages in medians.items():
        for stage, median in stages.items():
            print(f"{side:8}{stage:12}{median['seconds']:10.1f}{median['epochs']:8.0f}")
    summary: dict[str, Any] = {"repeats": arguments.repeats}
    if len(medians) == len(SIDES):
        seconds, epochs = (
            [medians[side]["all"][unit] for side in SIDES] for unit in ("seconds", "epochs")
        )
        summary["ratio"] = round(seconds[0] / seconds[1], 2)
        summary["ratio_epochs"] = round(epochs[0] / epochs[1], 2)
    print(json.dumps({**summary, "medians": medians, "power": power()}))


def power() -> list[dict[str, Any]]:
    """The simulation of both procedures, printed for a person."""
    rows = answer_power.simulate()
    print(f"\n{answer_power.table(rows)}")
    return rows


def quick_data(folder: Path) -> Path:
    """A few of the images that lrtune draws, as a file that both sides load."""
    import lrtune

    path = folder / "quick.npz"
    data = lrtune.load_data("synthetic").subset(train=QUICK_IMAGES)
    arrays = {}
    for name, part in {"train": data.train, "test": data.test}.items():
        arrays[f"x_{name}"] = np.round(255 * part.x[:QUICK_IMAGES]).astype(np.uint8)
        arrays[f"y_{name}"] = part.y[:QUICK_IMAGES]
    np.savez(path, **arrays)
    return path


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", default="auto", help="see python -m lrtune.search --help")
    parser.add_argument("--max-epochs", type=int, help="horizon, 9 by default")
    parser.add_argument("--max-seeds", type=int, default=20, help="of lrtune's confirmation")
    parser.add_argument("--repeats", type=int, default=1)
    parser.add_argument("--sides", default=",".join(SIDES), help="stock, lrtune or both")
    parser.add_argument("--work-dir", help="keep finished stages here, and continue from them")
    parser.add_argument("--quick", action="store_true", help="few synthetic images, a minute")
    parser.add_argument("--power-only", action="store_true", help="only simulate both procedures")
    parser.add_argument("--seeds", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--repeat", type=int, default=1, help=argparse.SUPPRESS)
    parser.add_argument("--side", choices=["stock"], help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    unknown = set(arguments.sides.split(",")) - set(SIDES)
    if unknown:
        parser.error(f"--sides must be stock, lrtune or both. Received: {arguments.sides}.")
    arguments.max_epochs = arguments.max_epochs or (QUICK_EPOCHS if arguments.quick else 9)
    arguments.seeds = arguments.seeds or (QUICK_SEEDS if arguments.quick else SEEDS)
    return arguments


if __name__ == "__main__":
    main()
