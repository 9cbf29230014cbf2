"""The options of `lrtune search`: the default folder, the command to resume with."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import math
import shlex
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lrtune._util import checks
from lrtune._util.references import is_reference
from lrtune.cli import app as cli
from lrtune.cli.engine import runner_of
from lrtune.cli.flags import FLAGS, in_flags, pairs
from lrtune.cli.time_limit import parse_seconds
from lrtune.errors import ArgumentError
from lrtune.runner.options import RunOptions
from lrtune.search.algorithms import ALGORITHMS

if TYPE_CHECKING:
    from lrtune.schedules.space import Space

EPOCHS, TRIALS = 50, 20
USUAL = "val_accuracy"
"""The objective of a search for the CNN."""


AUTO = ("lr0", "auto")
"""The range of lr0 that a range test finds."""
QUICK_EPOCHS, QUICK_TRIALS, QUICK_TRAIN, QUICK_VALIDATION = 3, 4, 4_000, 1_000
"""The size of a search with `--quick`, which ends within a minute on two cores."""


@dataclass(frozen=True)
class Options:
    """The options of the command line, with their help and defaults.

    `option_checks` has their domains.

    `lrtune search` gets its signature from these fields, so that each option is written once.
    """

    algo: Annotated[str, typer.Option(help=f"Search algorithm: {', '.join(ALGORITHMS)}.")] = (
        "hyperband"
    )
    model: cli.Model = None
    data: cli.Data = "auto"
    max_epochs: Annotated[
        int | None,
        typer.Option(
            help="Horizon: epochs of a full training.",
            show_default=f"{EPOCHS}, or {QUICK_EPOCHS} with --quick",
        ),
    ] = None
    max_trials: Annotated[
        int | None,
        typer.Option(
            help="How many trials; Hyperband plans its own number.",
            show_default=f"{TRIALS}, or {QUICK_TRIALS} with --quick",
        ),
    ] = None
    families: Annotated[
        str,
        typer.Option(
            help="Schedule families to search, separated by commas; warmup+NAME for one after a "
            "warmup; or a preset: reading (constant, time, step, exponential), modern, all."
        ),
    ] = "reading"
    optimizer: cli.Optimizer = None
    loss: cli.Loss = None
    metrics: Annotated[
        str | None,
        typer.Option(
            help="Metrics by Keras' names, separated by commas: mae,r2_score.",
            show_default="accuracy where the loss is a cross-entropy",
        ),
    ] = None
    ranges: Annotated[
        list[str] | None,
        typer.Option(
            "--range",
            metavar="NAME=LOW:HIGH",
            help="Search a hyperparameter in this range, lr0=1e-4:1 for example; lr0=auto runs a "
            "range test first. Repeatable.",
        ),
    ] = None
    fixed: Annotated[
        list[str] | None,
        typer.Option(
            "--fix",
            metavar="NAME=VALUE",
            help="Do not search a hyperparameter, momentum=0.9 for example. Repeatable.",
        ),
    ] = None
    tries: Annotated[
        list[str] | None,
        typer.Option(
            "--try",
            metavar="TEXT",
            help="Begin with this schedule, 'step lr0=0.1 momentum=0.9' for example. Repeatable.",
        ),
    ] = None
    objective: Annotated[
        str | None,
        typer.Option(
            help="Metric to search for, val_loss for example; NAME:max or NAME:min for one of your "
            "own.",
            show_default="val_accuracy, or val_loss for a model without accuracy",
        ),
    ] = None
    batch_size: Annotated[
        str,
        typer.Option(
            help="Samples in a training step; 32,64,128 searches it, and the first is that of the "
            "constant rates .1 and .01."
        ),
    ] = "64"
    workers: cli.Workers = RunOptions.workers
    workers_per_gpu: cli.WorkersPerGpu = RunOptions.workers_per_gpu
    engine: cli.Engine = "local"
    ray_address: cli.RayAddress = None
    gpus_per_trial: cli.GpusPerTrial = None
    seed: Annotated[int, typer.Option(help="Seed of the search; 0 is allowed.")] = 1
    score: Annotated[
        str,
        typer.Option(
            help="What a trial's score is: the objective of its last epoch (last), the mean of the "
            "last tenth of its epochs (tail), or its best epoch (best)."
        ),
    ] = "last"
    horizon: Annotated[
        str | None,
        typer.Option(
            help="What Hyperband's short trials train: all of a schedule in less time (rescaled), "
            "or its first epochs, after which a promoted trial continues (truncated).",
            show_default="rescaled",
        ),
    ] = None
    min_epochs: Annotated[
        int | None,
        typer.Option(
            help="Epochs that Hyperband's first rung has at least.",
            show_default="a ninth of --max-epochs, or 1 with --horizon truncated",
        ),
    ] = None
    baseline_budget: Annotated[
        float,
        typer.Option(
            help="Epochs of the search for the best constant rate, as a share of this search's; 0 "
            "for none."
        ),
    ] = 0.5
    confirm: Annotated[
        bool,
        typer.Option(
            "--confirm", help="Then confirm the winner, as `lrtune confirm` does: one result."
        ),
    ] = False
    max_seeds: Annotated[
        int | None,
        typer.Option(
            help="With --confirm: the most pairs of trainings of the test.", show_default="20"
        ),
    ] = None
    time_limit: Annotated[
        str | None,
        typer.Option(
            metavar="TIME",
            help="Plan all of it within this time: 30m, 90s, 2h, 1h30m. Fewer trials are searched, "
            "and no new ones begin at the end of the search's part of it.",
            show_default="none",
        ),
    ] = None
    keep_models: Annotated[
        int,
        typer.Option(
            help="How many of the best trials keep their models, for run.best_model(); each takes "
            ".1 MB, .2 MB with a momentum."
        ),
    ] = 1
    trial_timeout: cli.TrialTimeout = RunOptions.trial_timeout
    max_retries: cli.MaxRetries = RunOptions.max_retries
    in_process: cli.InProcess = False
    tensorboard: Annotated[
        Path | None,
        typer.Option(help="Also write event files for TensorBoard, into a folder below this one."),
    ] = None
    run_dir: Annotated[
        Path | None,
        typer.Option(
            help="Run folder. A search that is already there is resumed.",
            show_default="runs/ and a name made of the options",
        ),
    ] = None
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Erase the run that is in the run folder.")
    ] = False
    quick: Annotated[
        bool,
        typer.Option("--quick", help="A look in under a minute: 3 epochs of 4,000 images."),
    ] = False
    quiet: cli.Quiet = False

    @cached_property
    def space(self) -> Space:
        """The hyperparameters to search.

        Raises:
            ArgumentError: a wrong value of --families, --optimizer, --range or --fix.
        """
        from lrtune.schedules.optimizers import OPTIMIZERS
        from lrtune.schedules.space import Space, families_of, parse_value

        name = checks.one_of("--optimizer", self.optimizer or "sgd", tuple(OPTIMIZERS))
        kind = OPTIMIZERS[name]
        ranges = {
            name: kind.lr0 if (name, value) == AUTO else tuple(map(parse_value, value.split(":")))
            for name, value in pairs("--range", self.ranges)
        }
        fixed = {name: parse_value(value) for name, value in pairs("--fix", self.fixed)}
        try:
            families, sizes = families_of(self.families), self.batch_sizes
            return Space(families, self.epochs, kind, ranges, fixed, sizes)
        except ArgumentError as error:
            raise ArgumentError(in_flags(str(error))) from error

    @property
    def own_code(self) -> bool:
        """Whether a file of the user's must be run to know what is searched."""
        return self.model is not None or is_reference(self.data)

    @property
    def as_usual(self) -> bool:
        """Whether the reading's CNN is trained, on images, with its own loss and metrics."""
        return not (self.own_code or self.loss or self.metrics)

    @property
    def metric_names(self) -> list[str] | None:
        """The metrics to measure; None for the usual ones."""
        return [one.strip() for one in self.metrics.split(",")] if self.metrics else None

    @property
    def finds_range(self) -> bool:
        """Whether a range test finds the range of lr0; until then `space` has the usual one."""
        return AUTO in pairs("--range", self.ranges)

    def with_lr0(self, low: float, high: float) -> Options:
        """The same search with a range that a range test has found."""
        others = [f"{name}={one}" for name, one in pairs("--range", self.ranges) if name != "lr0"]
        # The default folder is named after what was typed.
        return replace(self, ranges=[*others, f"lr0={low!r}:{high!r}"], run_dir=self.folder)

    @property
    def batch_sizes(self) -> tuple[int, ...]:
        """The batch sizes to search; empty for one that is not searched."""
        return self._batch_sizes if len(self._batch_sizes) > 1 else ()

    @property
    def one_batch_size(self) -> int | None:
        """The batch size of all trainings; None if it is searched."""
        return self._batch_sizes[0] if len(self._batch_sizes) == 1 else None

    @cached_property
    def _batch_sizes(self) -> tuple[int, ...]:
        from lrtune.schedules.batch_sizes import parse_batch_sizes

        return parse_batch_sizes("--batch-size", self.batch_size)

    @property
    def family_names(self) -> tuple[str, ...]:
        """The schedule families to search."""
        return self.space.families

    @property
    def searched_families(self) -> tuple[str, ...]:
        """The same without the constant rate where that has a search of its own."""
        if not self.baseline_budget:
            return self.family_names
        from lrtune.search.families import searched_families

        return searched_families(self.family_names, self.tries or ())

    @property
    def tried(self) -> tuple[dict[str, Any], ...]:
        """The hyperparameter values of the schedules to begin with.

        Raises:
            ArgumentError: a wrong value of --try.
        """
        from lrtune.search.tries import parse_tries

        try:
            return parse_tries(self.tries or (), self.space)
        except ArgumentError as error:
            raise ArgumentError(in_flags(str(error))) from error

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
    def most_seeds(self) -> int:
        """The most pairs of the confirmation's test."""
        from lrtune.confirmation.plan import Design

        return Design(max_seeds=self.max_seeds).most

    @property
    def seconds(self) -> float:
        """The time limit; infinity without one."""
        if self.time_limit is None:
            return math.inf
        return parse_seconds("--time-limit", self.time_limit)

    @property
    def run_options(self) -> RunOptions:
        """How trainings are run."""
        runner = runner_of(self.engine, self.ray_address, self.gpus_per_trial)
        return RunOptions(
            self.workers,
            self.trial_timeout,
            self.max_retries,
            self.in_process,
            self.workers_per_gpu,
            runner,
        )

    @property
    def local_workers(self) -> bool:
        """Whether processes of this machine train, beside this one."""
        return self.engine == "local" and not self.in_process

    @property
    def folder(self) -> Path:
        """The run folder."""
        return default_run_dir(self) if self.run_dir is None else self.run_dir


_NAMED_IN_FOLDER = ("algo", "max_epochs", "seed", "quick")
_OF_NO_MATTER = (
    "max_trials", "workers", "workers_per_gpu", "engine", "ray_address", "gpus_per_trial",
    "keep_models", "trial_timeout", "max_retries", "in_process", "tensorboard", "run_dir",
    "overwrite", "quiet", "confirm", "max_seeds", "time_limit",
)  # fmt: skip
"""Options that do not matter for the default folder: a search can be resumed with others."""


def default_run_dir(options: Options) -> Path:
    """The run folder if --run-dir is missing; the same command then resumes the same search."""
    name = f"{options.algo}-{options.epochs}-epochs-seed-{options.seed}"
    if options.quick:
        name += "-quick"
    asked = _asked(options)
    if asked != _asked(Options()):
        name += "-" + hashlib.sha256(json.dumps(asked).encode()).hexdigest()[:6]
    return Path("runs", name)


def _asked(options: Options) -> dict[str, Any]:
    """What a search's folder is named after, besides what its name says in words."""
    asked = {**dataclasses.asdict(options), "families": options.family_names}
    asked |= {"optimizer": options.optimizer or "sgd", "objective": options.objective or USUAL}
    others = (*_NAMED_IN_FOLDER, *_OF_NO_MATTER)
    return {name: value for name, value in asked.items() if name not in others}


def command_line(options: Options) -> str:
    """The command that runs this search, without options that have their defaults."""
    typed: list[object] = ["python", "-m", "lrtune.search", "--algo", options.algo]
    for field in dataclasses.fields(options):
        value = getattr(options, field.name)
        if field.name in ("algo", "run_dir", "overwrite") or value == field.default:
            continue
        flag = FLAGS.get(field.name, cli.flag(field.name))
        for one in value if isinstance(value, list) else [value]:
            typed += [flag] if one is True else [flag, one]
    return shlex.join(map(str, [*typed, "--run-dir", options.folder]))
