"""The report of a long search, in the terminal and as a page: seconds, memory and their limits."""

from __future__ import annotations

import argparse
import dataclasses
import json
import math
import multiprocessing
import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from lrtune.records.schema import DataRecord
    from lrtune.records.writer import RunWriter

BOUNDS = {"terminal": {"seconds": 2.0, "mib": 500.0}, "page": {"seconds": 10.0, "mib": 500.0}}
"""Limits for the medians, with and without a confirmation."""

READY_SECONDS = 3.0
"""Limit for the page of the run with the most trials in a browser."""

FAMILIES = ("constant", "time", "step", "exponential")
GAINS = {"constant": 0.0, "time": 0.008, "step": 0.012, "exponential": 0.015}
ARMS, SEEDS = 5, 8
"""In the confirmation. The first arm is the baseline."""

PLAIN = """
import json, pathlib, sys
import pandas
rows = []
for path in pathlib.Path(sys.argv[1]).rglob("outcome.json"):
    epochs = [json.loads(line) for line in (path.parent / "epochs.jsonl").open()]
    keras_tuner = path.parent / "trial.json"
    state = json.loads(keras_tuner.read_text()) if keras_tuner.exists() else None
    rows.append({**json.loads(path.read_text()), "trained": len(epochs)})
print(pandas.DataFrame(rows).sort_values("score", ascending=False).head(10).to_string())
"""
"""Reads the same files without any checks, and shows ten rows."""

Measured = dict[str, float]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=1_000)
    parser.add_argument("--epochs", type=int, default=50)
    parser.add_argument("--more", type=int, default=3_000, help="trials of a run without limits")
    parser.add_argument("--repeats", type=int, default=5)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        sizes = {"run": (arguments.trials, 0), "confirmed": (arguments.trials, ARMS)}
        sizes["more"] = (arguments.more, ARMS)
        for name, (trials, arms) in sizes.items():
            _make_in_another_process(Path(folder, name), trials, arguments.epochs, arms)
        sides = _sides(Path(folder), list(sizes))
        refuse_tensorflow(sides["terminal confirmed"], sides["page confirmed"])
        results: dict[str, list[Measured]] = {name: [] for name in sides}
        for repeat in range(-1, arguments.repeats):
            for name, command in sides.items():
                measured = measure(command)
                if repeat < 0:
                    continue  # the first round reads the files into the disk cache
                results[name].append(measured)
                print(f"{name}: {measured}", flush=True)
        ready = seconds_until_ready(Path(folder, "more.html"))
    medians = {
        name: {key: statistics.median(one[key] for one in rows) for key in rows[0]}
        for name, rows in results.items()
    }
    broken = broken_bounds(medians)
    if ready is not None and ready > READY_SECONDS:
        broken.append(f"page more: ready after {ready} s > {READY_SECONDS}")
    said = {**vars(arguments), **summary(medians), "ready_seconds": ready, "broken": broken}
    said["medians"] = medians
    print(json.dumps(said))
    sys.exit(1 if broken else 0)


def measure(command: list[str]) -> Measured:
    """Wall and processor seconds, peak resident memory, and the size of the page, if any."""
    started = time.perf_counter()
    # NOTE: a child's peak memory starts at that of its parent process (Linux counts what was
    # there before exec). So this process imports nothing large, and makes the runs in another one.
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(child.pid, 0)
    seconds = time.perf_counter() - started
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        raise subprocess.CalledProcessError(child.returncode, command)
    measured = {
        "seconds": round(seconds, 3),
        "cpu_seconds": round(usage.ru_utime + usage.ru_stime, 3),
        "mib": round(usage.ru_maxrss / 1024, 1),
    }
    if "--html" in command:
        measured["page_mb"] = round(Path(command[-1]).stat().st_size / 1e6, 2)
    return measured


def seconds_until_ready(page: Path) -> float | None:
    """Seconds until Chromium shows a page and its script has run; None without a browser."""
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        return None
    if path is None:
        return None
    event = "performance.getEntriesByType('navigation')[0].domContentLoadedEventEnd"
    with sync_playwright() as driver:
        arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
        tab = driver.chromium.launch(executable_path=path, args=arguments).new_page()
        tab.goto(page.as_uri())
        return round(float(tab.evaluate(event)) / 1000, 2)


def refuse_tensorflow(*commands: list[str]) -> None:
    """Raises RuntimeError if a command imports TensorFlow or Keras."""
    for python, *rest in commands:
        done = subprocess.run(
            [python, "-X", "importtime", *rest], check=True, capture_output=True, text=True
        )
        imported = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
        if heavy := imported & {"tensorflow", "keras", "keras_tuner"}:
            raise RuntimeError(f"{' '.join(rest)} imports {', '.join(sorted(heavy))}")


def summary(medians: dict[str, Measured]) -> dict[str, Any]:
    """Ratios of processor time, which depends least on what else the machine does."""
    cpu = {name: numbers["cpu_seconds"] for name, numbers in medians.items()}
    pairs = {
        "terminal_to_plain": ("terminal run", "plain run"),
        "terminal_to_plain_confirmed": ("terminal confirmed", "plain confirmed"),
        "page_to_plain": ("page run", "plain run"),
        "page_to_plain_confirmed": ("page confirmed", "plain confirmed"),
        "terminal_to_plain_more": ("terminal more", "plain more"),
        "page_to_plain_more": ("page more", "plain more"),
    }
    return {name: round(cpu[one] / cpu[other], 2) for name, (one, other) in pairs.items()}


def broken_bounds(medians: dict[str, Measured]) -> list[str]:
    return [
        f"{side} {run}: {key} {medians[f'{side} {run}'][key]} > {bound}"
        for side, bounds in BOUNDS.items()
        for run in ("run", "confirmed")
        for key, bound in bounds.items()
        if medians[f"{side} {run}"][key] > bound
    ]


def _sides(folder: Path, runs: list[str]) -> dict[str, list[str]]:
    sides = {"import pandas": [sys.executable, "-c", "import pandas"]}
    for name in runs:
        run, page = str(folder / name), str(folder / f"{name}.html")
        report = [sys.executable, "-m", "lrtune.report", run]
        sides[f"plain {name}"] = [sys.executable, "-c", PLAIN, run]
        sides[f"terminal {name}"] = report
        sides[f"page {name}"] = [*report, "--html", page]
    return sides


def _make_in_another_process(*run: Any) -> None:
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        pool.apply(make_run, run)


def make_run(folder: Path, trials: int, epochs: int, arms: int) -> None:
    """Writes the folder of a random search: its trials, and half as many for the baseline."""
    import lrtune

    lrtune.start_tensorflow()
    draw = random.Random(1)  # noqa: S311 - numbers for a benchmark, not secrets
    _make_search(folder, trials, epochs, draw, FAMILIES)
    _make_search(folder / "baseline" / "search", trials // 2, epochs, draw, ("constant",))
    if arms:
        _make_confirmation(folder, epochs, arms, draw)


def _make_search(
    folder: Path, trials: int, epochs: int, draw: random.Random, families: tuple[str, ...]
) -> None:
    import keras_tuner
    from keras_tuner.engine.trial import Trial

    from lrtune.records.schema import Manifest
    from lrtune.records.writer import RunWriter
    from lrtune.schedules.space import Space

    space = keras_tuner.HyperParameters()
    Space(families, epochs).declare(space)
    nested = families == ("constant",)
    baseline = {} if nested else {"constant-tuned": _constant(0.0275), "constant-0.1": _constant()}
    manifest = Manifest(
        algo="random", objective="val_accuracy", direction="max", score="last",
        max_epochs=epochs, factor=None, max_trials=trials, seed=1, batch_size=64,
        families=families, space=tuple(space.get_config()["space"]),
        baseline_budget=0.0 if nested else 0.5, baseline_arms=baseline, baseline_seeds=(1, 2, 3),
        data=_data(), versions={}, created="2026-01-01T00:00:00+00:00",
    )  # fmt: skip
    ids = [f"{number:0{len(str(trials))}}" for number in range(trials)]
    with RunWriter(folder) as writer:
        writer.manifest(manifest)
        for trial_id in ids:
            hp = space.copy()
            for one in hp.space:
                hp.values[one.name] = one.random_sample(draw.randrange(2**31))
            hp.values = {one.name: hp.values[one.name] for one in hp.space if hp.is_active(one)}
            trial = Trial(hp, trial_id, status="COMPLETED")
            trial.score = write_trial(writer, trial_id, hp.values, epochs, draw)
            writer.trial(trial_id, trial.get_state())
        oracle = keras_tuner.oracles.RandomSearchOracle(manifest.objective, trials, seed=1)
        oracle.hyperparameters, oracle.start_order, oracle.end_order = space, ids, ids
        writer.oracle(oracle.get_state())
        for arm, values in baseline.items():
            for seed in manifest.baseline_seeds:
                write_trial(writer, f"baseline/{arm}/seed-{seed}", values, epochs, draw)
        writer.manifest(dataclasses.replace(manifest, finished="2026-01-02T00:00:00+00:00"))


def _make_confirmation(folder: Path, epochs: int, arms: int, draw: random.Random) -> None:
    from lrtune.records.schema import ConfirmManifest
    from lrtune.records.writer import RunWriter
    from lrtune.run import load_run

    run = load_run(folder)
    best = run.ranking()["trial_id"][: arms - 1]
    found = {"constant-tuned": run.manifest.baseline_arms["constant-tuned"]}
    found |= {f"trial-{one}": run.records.by_id[one].values for one in best}
    manifest = ConfirmManifest(
        arms=found, trials={f"trial-{one}": one for one in best}, search_scores={},
        baseline="constant-tuned", seeds=tuple(range(11, 11 + SEEDS)), train_on="train+validation",
        objective="val_accuracy", direction="max", epochs=epochs, batch_size=64, data=_data(),
        versions={}, created="2026-01-03T00:00:00+00:00", finished="2026-01-04T00:00:00+00:00",
    )  # fmt: skip
    with RunWriter(folder) as writer:
        writer.confirmation(manifest)
        for arm, values in found.items():
            for seed in manifest.seeds:
                write_trial(writer, f"confirm/{arm}/seed-{seed}", values, epochs, draw)


def write_trial(
    writer: RunWriter, trial_id: str, values: dict[str, Any], epochs: int, draw: random.Random
) -> float:
    """Writes one trial and returns its score, best if lr0 / (1 - momentum) is about .15."""
    from lrtune.records.schema import Outcome, Span
    from lrtune.schedules.recipe import Recipe

    schedule: Callable[[float], float] = Recipe.from_values(values).schedule
    step = values["lr0"] / (1 - values["momentum"])
    last = min(2, epochs) if step > 3 and draw.random() < 0.6 else epochs
    middle = 0.69 + GAINS[values["schedule"]] - 0.03 * math.log10(step / 0.15) ** 2
    score = max(0.5, middle + draw.gauss(0, 0.008))
    writer.begin_trial(trial_id)
    for epoch in range(1, last + 1):
        accuracy = score + 0.08 / math.sqrt(epochs) - 0.08 / math.sqrt(epoch)
        accuracy += draw.gauss(0, 0.006) if epoch < last else 0.0
        record = {
            "epoch": epoch, "lr": schedule(epoch - 1.0), "loss": 1.15 - accuracy,
            "accuracy": accuracy + 0.01, "val_loss": 1.2 - accuracy, "val_accuracy": accuracy,
            "lr_last": schedule(epoch - 0.01), "seconds": 0.25 + 0.01 * draw.random(),
        }  # fmt: skip
        writer.epoch(trial_id, record)
    diverged = last < epochs
    outcome = Outcome(
        trial_id=trial_id, status="diverged" if diverged else "completed", values=values,
        epochs=Span(1, last, epochs), seed=draw.randrange(2**31), seconds=0.25 * last,
        score=0.5 if diverged else score, message="the loss is NaN" if diverged else None,
    )  # fmt: skip
    writer.outcome(outcome)
    return 0.5 if diverged else score


def _constant(lr0: float = 0.1) -> dict[str, Any]:
    return {"schedule": "constant", "lr0": lr0, "momentum": 0.8 if lr0 < 0.1 else 0.0}


def _data() -> DataRecord:
    from lrtune.records.schema import DataRecord

    return DataRecord("made by benchmarks/report.py", "0" * 16, {"train": 9000, "validation": 1000})


if __name__ == "__main__":
    main()
