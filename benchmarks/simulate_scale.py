"""How a search scales to 1,000 workers and 10,000 trials: lrtune's own time, with nothing trained.

    python benchmarks/simulate_scale.py --trials 10000

The loop, the oracles and the writer are the real ones; trials are recorded trainings, a minute long
on average, and their time is simulated. While the driver works, simulated time goes on as real time
does, and free workers wait. Each setting runs in its own process and prints one line of JSON: the
share of the workers' time that they trained, the driver's milliseconds a trial (real ones, and the
processor's), and how long a report and resuming take. What real workers add is left out: starting
them, and sending them tasks and states.

`--proposals 50,100,200 --algorithm bayesian` times single proposals after so many trials instead.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any
from unittest import mock

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

AT = (100, 1_000, 10_000)
"""Trials at which the driver's time is told."""


def main() -> None:
    """Runs all settings, one after another."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--algorithm", action="append", help="repeatable; random and hyperband")
    parser.add_argument("--workers", default="1,10,100,1000", help="simulated ones")
    parser.add_argument("--trials", type=int, default=1_000)
    parser.add_argument("--seconds", type=float, default=60.0, help="mean length of a trial")
    parser.add_argument("--families", default="reading", help="that are searched")
    parser.add_argument("--proposals", help="trials before a proposal that is timed")
    parser.add_argument("--page", action="store_true", help="time the page, too")
    parser.add_argument("--quick", action="store_true", help="20 random trials on 4 workers")
    parser.add_argument("--step", nargs="*", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.step:
        kind, *rest = arguments.step
        print(json.dumps(STEPS[kind](arguments, *rest)))
        return
    if arguments.quick:
        arguments.algorithm, arguments.workers, arguments.trials = ["random"], "4", 20
    for name in arguments.algorithm or ["random", "hyperband"]:
        if arguments.proposals:
            sizes = arguments.proposals.split(",")
            lines = (_proposal(arguments, name, one) for one in sizes)
        else:
            workers = arguments.workers.split(",")
            lines = (_setting(arguments, name, int(one)) for one in workers)
        for line in lines:
            print(json.dumps(line), flush=True)


def _proposal(arguments: argparse.Namespace, name: str, trials: str) -> dict[str, Any]:
    found = _step("propose", name, trials, options=["--families", arguments.families])
    return {"algorithm": name, **found}


def _setting(arguments: argparse.Namespace, name: str, workers: int) -> dict[str, Any]:
    from report import measure

    with tempfile.TemporaryDirectory() as folder:
        run = str(Path(folder, "run"))
        size = ["--trials", str(arguments.trials), "--seconds", str(arguments.seconds)]
        size += ["--families", arguments.families]
        found = _step("search", name, str(workers), run, options=size)
        resumed = _step("resume", name, str(workers), run, options=size)
        report = [sys.executable, "-m", "lrtune.report", run]
        found |= {"resume_seconds": resumed["seconds"], "resume_mib": resumed["mib"]}
        found["report_seconds"] = measure(report)["seconds"]
        if arguments.page:
            found["page_seconds"] = measure([*report, "--html", f"{folder}/page.html"])["seconds"]
    return {"algorithm": name, "workers": workers, **found}


def _step(kind: str, *rest: str, options: list[str] | None = None) -> dict[str, Any]:
    """Runs one of `STEPS` in a process of its own."""
    command = [sys.executable, __file__, *(options or []), "--step", kind, *rest]
    ended = subprocess.run(command, check=False, capture_output=True, text=True)
    if ended.returncode:
        raise RuntimeError(ended.stderr)
    found: dict[str, Any] = json.loads(ended.stdout.splitlines()[-1])
    return found


def search(arguments: argparse.Namespace, name: str, workers: str, run: str) -> dict[str, Any]:
    """A whole search."""
    import psutil

    process = psutil.Process()
    _start()
    tuner = _tuner(arguments, name, run)
    runner = _runner(arguments, tuner, int(workers))
    before = process.memory_info().rss
    _run(tuner, runner)
    ended = runner.driver[-1].ended
    at = sorted({one for one in AT if one < ended} | {ended})
    return {
        "trials": ended,
        "use": round(runner.use, 4),
        "driver_ms": {one: round(runner.milliseconds(one)[0], 1) for one in at},
        "processor_ms": {one: round(runner.milliseconds(one)[1], 1) for one in at},
        "mib": round(process.memory_info().rss / 2**20),
        "grown_mib": round((process.memory_info().rss - before) / 2**20),
    }


def resume(arguments: argparse.Namespace, name: str, workers: str, run: str) -> dict[str, Any]:
    """Resumes a search to which nothing is left, after TensorFlow has been imported."""
    import psutil

    _start()
    began = time.perf_counter()
    tuner = _tuner(arguments, name, run)
    runner = _runner(arguments, tuner, int(workers))
    _run(tuner, runner)
    if runner.busy:
        raise RuntimeError(f"{len(runner.busy)} trials were trained again")
    seconds = round(time.perf_counter() - began, 2)
    return {"seconds": seconds, "mib": round(psutil.Process().memory_info().rss / 2**20)}


def propose(arguments: argparse.Namespace, name: str, trials: str) -> dict[str, Any]:
    """The mean time of three proposals after trials that were drawn at random."""
    from lrtune.records.schema import Outcome, Span
    from lrtune.records.task import TrialTask
    from lrtune.schedules.recipe import Recipe
    from lrtune.search.oracle import tell
    from lrtune.search.seeds import trial_seed

    _start()
    arguments.trials = 3 * int(trials)
    with tempfile.TemporaryDirectory() as folder:
        tuner = _tuner(arguments, name, f"{folder}/run")
    algorithm, runner = tuner._algorithm, _runner(arguments, tuner, 1)
    points, algorithm.oracle.num_initial_points = algorithm.oracle.num_initial_points, 10**6
    for number in range(int(trials)):
        trial = algorithm.ask(1)
        values = trial.hyperparameters.values
        task = TrialTask(
            trial.trial_id, Recipe.from_values(values), trial_seed(1, str(number)), 0, tuner.epochs
        )
        ended = runner.outcome(task)
        score = ended.epochs[-1]["val_accuracy"] if ended.status == "completed" else 0.5
        span = Span(1, tuner.epochs, tuner.epochs)
        outcome = Outcome(trial.trial_id, "completed", values, span, 1, ended.seconds, score=score)
        tell(algorithm.oracle, trial, outcome, {})
    algorithm.oracle.num_initial_points = points
    began, processor = time.perf_counter(), time.process_time()
    for _ in range(3):
        algorithm.ask(1)
    return {
        "trials": int(trials),
        "proposal_seconds": round((time.perf_counter() - began) / 3, 3),
        "processor_seconds": round((time.process_time() - processor) / 3, 3),
    }


STEPS = {"search": search, "resume": resume, "propose": propose}


def _start() -> None:
    import lrtune

    lrtune.start_tensorflow(threads=1)


def _table() -> Any:
    from schedule_table.table import load

    return load()["reading"]


def _tuner(arguments: argparse.Namespace, name: str, run: str) -> Any:
    """A tuner of at least so many trials."""
    import lrtune
    from lrtune.search.algorithms import tuner_of

    epochs, folder = _table().horizon, Path(run)
    common = {"objective": "val_accuracy", "seed": 1, "baseline_seeds": 0, "workers": 1}
    common |= {"directory": str(folder.parent)}

    def make(project_name: str = folder.name, **size: int) -> Any:
        hypermodel = lrtune.CatsVsDogsHyperModel(epochs=epochs, families=arguments.families)
        return tuner_of(name)(hypermodel, **common, project_name=project_name, **size)

    if name != "hyperband":
        tuner = make(max_trials=arguments.trials)
    else:
        # Elsewhere, or it would read a run of 10,000 trials.
        once, _ = make("one-iteration", max_epochs=epochs).plan()
        tuner = make(max_epochs=epochs, hyperband_iterations=-(-arguments.trials // once))
    tuner.epochs = epochs
    return tuner


def _runner(arguments: argparse.Namespace, tuner: Any, workers: int) -> Any:
    from tabular.recorded import RecordedRunner, trainings_of

    trials, epochs = tuner.plan()
    return RecordedRunner(trainings_of(_table()), workers, arguments.seconds * trials / epochs)


def _run(tuner: Any, runner: Any) -> None:
    """Searches as a script does whose output goes to a file."""
    import numpy as np
    from rich.console import Console

    from lrtune.display import Leaderboard, make_progress
    from lrtune.search import tuner as tuner_module

    x, y = np.zeros((64, 32, 32, 3), np.float32), np.arange(64) % 2
    board = Leaderboard("val_accuracy", "max", tuner.epochs)
    with (
        Path(os.devnull).open("w", encoding="utf-8") as nowhere,
        make_progress(Console(file=nowhere), board, *tuner.plan()) as progress,
        mock.patch.object(tuner_module, "make_runner", return_value=runner),
    ):
        tuner.search(x, y, validation_data=(x, y), batch_size=64, observer=progress)


if __name__ == "__main__":
    main()
