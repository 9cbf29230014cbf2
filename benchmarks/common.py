"""What all benchmarks share: the images, one process per run of a side, medians."""

from __future__ import annotations

import argparse
import contextlib
import json
import statistics
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable
from typing import Any

import psutil
from typing_extensions import Self

Side = Callable[[argparse.Namespace], dict[str, Any]]


def run(
    description: str,
    sides: dict[str, Side],
    summary: Callable[..., dict[str, Any]],
    options: Callable[[argparse.ArgumentParser], None] = lambda _: None,
) -> None:
    """Runs all sides in turn, `--repeats` times, and prints a summary of their medians as JSON.

    Args:
        description: shown by `--help`.
        sides: name -> function that takes the arguments and returns named numbers. Each call runs
            in a fresh process.
        summary: function that takes {side: {name of number: median}} and returns what to print.
        options: function that adds more of them to the parser.
    """
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--data", default="auto", help="see python -m lrtune.search --help")
    parser.add_argument("--max-epochs", type=int, default=9)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--side", choices=sides, help=argparse.SUPPRESS)
    options(parser)
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


class Memory:
    """While entered, samples the memory of this process and of its workers, four times a second.

    Attributes:
        driver_mib: resident memory of this process, sample by sample.
        worker_mib: that of its largest worker; 0 where there is none.
        own_mib: what this worker shares with no other process.
    """

    def __init__(self) -> None:
        self.driver_mib: list[float] = []
        self.worker_mib: list[float] = []
        self.own_mib: list[float] = []
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._sample)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def _sample(self) -> None:
        driver = psutil.Process()
        while not self._ended.wait(0.25):
            self.driver_mib.append(driver.memory_info().rss / 2**20)
            workers = [one for server in driver.children() for one in server.children()]
            found = [(0.0, 0.0)]
            for worker in workers:
                with contextlib.suppress(psutil.Error):
                    memory = worker.memory_full_info()
                    found.append((memory.rss / 2**20, memory.uss / 2**20))
            self.worker_mib.append(max(found)[0])
            self.own_mib.append(max(found)[1])


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
        **({"horizon": "truncated"} if tuners is lrtune else {}),
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
