"""What `python -m lrtune.search` was asked: checked, put into a folder's name, typed again."""

from __future__ import annotations

import hashlib
import json
import math
import shlex
from dataclasses import dataclass
from pathlib import Path

from lrtune.cli import app as cli
from lrtune.errors import ArgumentError

QUICK_EPOCHS, QUICK_TRAIN, QUICK_VALIDATION = 3, 4_000, 1_000
"""What `--quick` cuts a search down to, so that it ends within a minute on two cores."""


FAMILIES = ("constant", "time", "step", "exponential")

_OTHERS = ["auto", *FAMILIES, "val_accuracy", 64, "last", 0.5]
"""The defaults of what a search's folder is not named after."""


@dataclass(frozen=True)
class Options:
    """What was typed, checked.

    Attributes:
        algo: "hyperband", "bayesian" or "random".
        data: a data source.
        max_epochs: int >= 1, the horizon and full budget.
        max_trials: int >= 1, or None for Hyperband, which plans its own.
        families: schedule families to search.
        objective: name of a metric that Keras logs.
        batch_size: int >= 1.
        workers: int >= 1 or None for one a physical core.
        seed: int >= 0.
        score: "last" or "best".
        baseline_budget: float >= 0, share of the epochs that the search for the best constant rate
            gets.
        trial_timeout: seconds > 0 without a finished epoch after which a worker counts as hung.
        max_retries: int >= 0, further tries of a trial whose worker was lost.
        tensorboard: folder for TensorBoard's event files, or None.
        run_dir: run folder.
        overwrite: erase a run that is there.
        quick: a small subset of the images.
        quiet: nothing while it runs but warnings.
    """

    algo: str
    data: str
    max_epochs: int
    max_trials: int | None
    families: tuple[str, ...]
    objective: str
    batch_size: int
    workers: int | None
    seed: int
    score: str
    baseline_budget: float
    trial_timeout: float
    max_retries: int
    tensorboard: Path | None
    run_dir: Path
    overwrite: bool
    quick: bool
    quiet: bool = False


def resolve_max_trials(algo: str, max_trials: int | None, *, quick: bool) -> int | None:
    """The number of trials that was asked for, or the default; None for Hyperband.

    Raises:
        ArgumentError: one was given for Hyperband, which plans its own.
    """
    if algo == "hyperband":
        if max_trials is not None:
            raise ArgumentError(
                "--max-trials does not go with --algo hyperband, which plans its own number of "
                f"trials from --max-epochs. Received: {max_trials}"
            )
        return None
    if max_trials is None:
        return 4 if quick else 20
    return max_trials


def check(options: Options) -> None:
    """Raises ArgumentError that names the first option outside its domain."""
    from lrtune.schedules import get
    from lrtune.search.oracle import ALGORITHMS, resolve_seed

    _one_of("--algo", options.algo, ALGORITHMS)
    _one_of("--score", options.score, ("last", "best"))
    _one_of("--objective", options.objective, ("val_accuracy", "val_loss", "accuracy", "loss"))
    cli.check_at_least("--max-epochs", options.max_epochs, 1)
    cli.check_at_least("--batch-size", options.batch_size, 1)
    if options.max_trials is not None:
        cli.check_at_least("--max-trials", options.max_trials, 1)
    cli.check_running(options.workers, options.trial_timeout, options.max_retries)
    resolve_seed(options.seed)
    if not options.families:
        raise ArgumentError("--families must name at least one schedule family")
    for family in options.families:
        get(family)
    if not 0 <= options.baseline_budget < math.inf:
        raise ArgumentError(
            f"--baseline-budget must be a number >= 0. Received: {options.baseline_budget:g}"
        )


def _one_of(name: str, value: str, choices: tuple[str, ...]) -> None:
    if value not in choices:
        raise ArgumentError(f"{name} must be one of {', '.join(choices)}. Received: {value}")


def default_run_dir(options: Options) -> Path:
    """The run folder of a search that names none: the same command, typed again, continues it."""
    name = f"{options.algo}-{options.max_epochs}-epochs-seed-{options.seed}"
    if options.quick:
        name += "-quick"
    others = [
        *(options.data, *options.families, options.objective, options.batch_size, options.score),
        options.baseline_budget,
    ]
    if others != _OTHERS:
        name += "-" + hashlib.sha256(json.dumps(others).encode()).hexdigest()[:6]
    return Path("runs", name)


def command_line(options: Options) -> str:
    """What to type for this search; options that are as they are by default are left out."""
    typed: list[object] = ["python", "-m", "lrtune.search", "--algo", options.algo]
    horizon = QUICK_EPOCHS if options.quick else 50
    defaults = {
        "data": "auto",
        "max_epochs": horizon,
        "max_trials": resolve_max_trials(options.algo, None, quick=options.quick),
        "families": FAMILIES,
        "objective": "val_accuracy",
        "batch_size": 64,
        "workers": None,
        "seed": 1,
        "score": "last",
        "baseline_budget": 0.5,
        "trial_timeout": 3600.0,
        "max_retries": 2,
        "tensorboard": None,
    }
    for name, default in defaults.items():
        value = getattr(options, name)
        if value != default:
            text = ",".join(value) if isinstance(value, tuple) else value
            typed += [f"--{name.replace('_', '-')}", text]
    typed += [f"--{name}" for name in ("quick", "quiet") if getattr(options, name)]
    return shlex.join(map(str, [*typed, "--run-dir", options.run_dir]))
