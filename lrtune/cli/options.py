"""What `lrtune search` was asked: checked, put into a folder's name, typed again."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import shlex
from dataclasses import dataclass
from pathlib import Path

from lrtune._util import checks
from lrtune.cli.app import flag
from lrtune.errors import ArgumentError
from lrtune.runner.options import RunOptions, check_options
from lrtune.search.algorithms import ALGORITHMS

FAMILIES = ("constant", "time", "step", "exponential")

EPOCHS, TRIALS = 50, 20
QUICK_EPOCHS, QUICK_TRIALS, QUICK_TRAIN, QUICK_VALIDATION = 3, 4, 4_000, 1_000
"""What `--quick` cuts a search down to, so that it ends within a minute on two cores."""


@dataclass(frozen=True)
class Options:
    """What was typed; the defaults are those of the command line.

    Attributes:
        algo: name of a search algorithm.
        data: a data source.
        max_epochs: int >= 1, the horizon and full budget; None for the default.
        max_trials: int >= 1; None for the default, and for Hyperband, which plans its own number.
        families: schedule families to search.
        objective: name of a metric that Keras logs.
        batch_size: int >= 1.
        workers, trial_timeout, max_retries: see `RunOptions`.
        seed: int >= 0.
        score: "last" or "best".
        baseline_budget: float >= 0, share of the epochs that the search for the best constant rate
            gets.
        tensorboard: folder for TensorBoard's event files, or None.
        run_dir: run folder; None for `default_run_dir`.
        overwrite: erase a run that is there.
        quick: a small subset of the images.
        quiet: show only warnings while it runs.
    """

    algo: str = "hyperband"
    data: str = "auto"
    max_epochs: int | None = None
    max_trials: int | None = None
    families: tuple[str, ...] = FAMILIES
    objective: str = "val_accuracy"
    batch_size: int = 64
    workers: int | None = None
    seed: int = 1
    score: str = "last"
    baseline_budget: float = 0.5
    trial_timeout: float = 3600.0
    max_retries: int = 2
    tensorboard: Path | None = None
    run_dir: Path | None = None
    overwrite: bool = False
    quick: bool = False
    quiet: bool = False

    @property
    def epochs(self) -> int:
        """The horizon in epochs."""
        default = QUICK_EPOCHS if self.quick else EPOCHS
        return default if self.max_epochs is None else self.max_epochs

    @property
    def trials(self) -> int | None:
        """How many trials; None for an algorithm that plans its own number."""
        if not ALGORITHMS[self.algo].takes_max_trials:
            return None
        default = QUICK_TRIALS if self.quick else TRIALS
        return default if self.max_trials is None else self.max_trials

    @property
    def folder(self) -> Path:
        """The run folder."""
        return default_run_dir(self) if self.run_dir is None else self.run_dir

    @property
    def running(self) -> RunOptions:
        """How its trainings are run."""
        return RunOptions(self.workers, self.trial_timeout, self.max_retries)


DEFAULTS = Options()

_NAMED_IN_FOLDER = ("algo", "max_epochs", "seed", "quick")
_OF_NO_MATTER = (
    "max_trials", "workers", "trial_timeout", "max_retries", "tensorboard", "run_dir", "overwrite",
    "quiet",
)  # fmt: skip
"""Options that a search's folder is not named after: it is resumed whatever they are."""


def check(options: Options) -> None:
    """Raises ArgumentError that names the first option outside its domain."""
    from lrtune.schedules import get
    from lrtune.search.seeds import LARGEST

    checks.one_of("--algo", options.algo, tuple(ALGORITHMS))
    if options.max_trials is not None and options.trials is None:
        raise ArgumentError(
            f"--max-trials does not go with --algo {options.algo}, which plans its own number of "
            f"trials from --max-epochs. Received: {options.max_trials}"
        )
    checks.one_of("--score", options.score, ("last", "best"))
    objectives = ("val_accuracy", "val_loss", "accuracy", "loss")
    checks.one_of("--objective", options.objective, objectives)
    checks.integer("--max-epochs", options.epochs, at_least=1)
    checks.integer("--batch-size", options.batch_size, at_least=1)
    if options.trials is not None:
        checks.integer("--max-trials", options.trials, at_least=1)
    check_options(options.workers, options.trial_timeout, options.max_retries, flag)
    checks.integer("--seed", options.seed, at_least=0, at_most=LARGEST)
    if not options.families:
        raise ArgumentError("--families must name at least one schedule family")
    for family in options.families:
        get(family)
    checks.non_negative("--baseline-budget", options.baseline_budget)


def default_run_dir(options: Options) -> Path:
    """The run folder of a search that names none: the same command, typed again, resumes it."""
    name = f"{options.algo}-{options.epochs}-epochs-seed-{options.seed}"
    if options.quick:
        name += "-quick"
    others = {
        field.name: getattr(options, field.name)
        for field in dataclasses.fields(options)
        if field.name not in (*_NAMED_IN_FOLDER, *_OF_NO_MATTER)
    }
    if any(value != getattr(DEFAULTS, option) for option, value in others.items()):
        name += "-" + hashlib.sha256(json.dumps(others).encode()).hexdigest()[:6]
    return Path("runs", name)


def command_line(options: Options) -> str:
    """What to type for this search; options that have their defaults are left out."""
    typed: list[object] = ["python", "-m", "lrtune.search", "--algo", options.algo]
    for field in dataclasses.fields(options):
        value = getattr(options, field.name)
        if field.name in ("algo", "run_dir", "overwrite") or value == field.default:
            continue
        text = ",".join(value) if isinstance(value, tuple) else value
        typed += [flag(field.name)] if value is True else [flag(field.name), text]
    return shlex.join(map(str, [*typed, "--run-dir", options.folder]))
