"""What all benchmarks share: the images, one process per run of a side, medians."""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
from typing import Any

Side = Callable[[argparse.Namespace], dict[str, Any]]


def run(description: str, sides: dict[str, Side], summary: Callable[..., dict[str, Any]]) -> None:
    """Runs all sides in turn, `--repeats` times, and prints a summary of their medians as JSON.

    Args:
        description: shown by `--help`.
        sides: name -> function that takes the arguments and returns named numbers. Each call runs
            in a fresh process.
        summary: function that takes {side: {name of number: median}} and returns what to print.
    """
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--data", default="auto", help="see python -m lrtune.search --help")
    parser.add_argument("--max-epochs", type=int, default=9)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--side", choices=sides, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.side is not None:
        print(json.dumps(sides[arguments.side](arguments)))
        return
    results: dict[str, list[dict[str, Any]]] = {name: [] for name in sides}
    for _ in range(arguments.repeats):
        for name in sides:
            results[name].append(_in_a_process(name))
            print(f"{name}: {results[name][-1]}", flush=True)
    medians = {
        name: {key: statistics.median(one[key] for one in rows) for key in rows[0]}
        for name, rows in results.items()
    }
    print(json.dumps({"repeats": arguments.repeats, **summary(medians), "medians": medians}))


def images(arguments: argparse.Namespace) -> tuple[tuple[Any, Any], dict[str, Any]]:
    """The positional and keyword arguments of `fit` for the cats and dogs."""
    import lrtune

    dataset = lrtune.load_data(arguments.data)
    validation = (dataset.validation.x, dataset.validation.y)
    return (dataset.train.x, dataset.train.y), {"validation_data": validation, "batch_size": 64}


def hyperband(tuners: Any, arguments: argparse.Namespace, **kwargs: Any) -> Any:
    """A Hyperband tuner of `keras_tuner` or `lrtune`; both run the same trials.

    Scores decide which trials are promoted. Here a trial's score is its learning rate, so that
    training noise cannot give the two sides different trials.
    """
    import lrtune

    tuner = tuners.Hyperband(
        lrtune.CatsVsDogsHyperModel(epochs=arguments.max_epochs),
        objective="val_accuracy",
        max_epochs=arguments.max_epochs,
        directory=tempfile.mkdtemp(),
        project_name="run",
        seed=1,
        **kwargs,
    )

    def score_trial(trial: Any) -> None:
        trial.score, trial.best_step = trial.hyperparameters.values["lr0"], 0

    tuner.oracle.score_trial = score_trial
    return tuner


def _in_a_process(side: str) -> dict[str, Any]:
    ended = subprocess.run(
        [sys.executable, *sys.argv, "--side", side], check=True, capture_output=True, text=True
    )
    return json.loads(ended.stdout.splitlines()[-1])
