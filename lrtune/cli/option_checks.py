"""Whether the options of `lrtune search` are within their domains and go together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lrtune._util import checks
from lrtune.cli import app as cli
from lrtune.cli.data import runs_own_code
from lrtune.cli.engine import check_engine
from lrtune.errors import ArgumentError
from lrtune.runner.options import check_options
from lrtune.search.algorithms import ALGORITHMS

if TYPE_CHECKING:
    from lrtune.cli.options import Options


def check(options: Options) -> None:
    """Raises ArgumentError for the first option outside its domain."""
    from lrtune.search.seeds import LARGEST
    from lrtune.stats.score import SCORES

    checks.one_of("--algo", options.algo, tuple(ALGORITHMS))
    if options.max_trials is not None and options.trials is None:
        raise ArgumentError(
            f"--max-trials does not go with --algo {options.algo}, which plans its own number of "
            f"trials from --max-epochs. Received: {options.max_trials}"
        )
    checks.one_of("--score", options.score, SCORES)
    checks.integer("--max-epochs", options.epochs, at_least=1)
    _check_rungs(options)
    runs_own_code(options.model, options.data)
    if options.as_usual and options.objective is not None:
        objectives = ("val_accuracy", "val_loss", "accuracy", "loss")
        checks.one_of("--objective", options.objective, objectives)
    _ = options.batch_sizes
    if options.trials is not None:
        checks.integer("--max-trials", options.trials, at_least=1)
    check_options(
        options.workers,
        options.trial_timeout,
        options.max_retries,
        cli.flag,
        in_process=options.in_process,
        workers_per_gpu=options.workers_per_gpu,
    )
    check_engine(
        options.engine, options.ray_address, options.gpus_per_trial, in_process=options.in_process
    )
    checks.integer("--seed", options.seed, at_least=0, at_most=LARGEST)
    tried = options.tries or ()
    if options.model is None:  # else it may have hyperparameters of its own
        _ = options.tried
    if options.trials is not None and len(tried) > options.trials:
        raise ArgumentError(
            f"--try may be given at most --max-trials times, {options.trials}. "
            f"Received: {len(tried)} times."
        )
    checks.non_negative("--baseline-budget", options.baseline_budget)
    if options.max_seeds is not None:
        checks.integer("--max-seeds", options.max_seeds, at_least=1)
        if not options.confirm:
            raise ArgumentError(
                f"--max-seeds goes with --confirm only. Received: {options.max_seeds}"
            )
    _ = options.seconds
    checks.integer("--keep-models", options.keep_models, at_least=0)


def _check_rungs(options: Options) -> None:
    """Raises ArgumentError for a wrong --horizon or --min-epochs."""
    from lrtune.records.schema import HORIZONS

    if options.horizon is not None:
        checks.one_of("--horizon", options.horizon, HORIZONS)
    if options.min_epochs is not None:
        checks.integer("--min-epochs", options.min_epochs, at_least=1, at_most=options.epochs)
    for flag, value, of_others in (
        ("--horizon", options.horizon, "truncated"),
        ("--min-epochs", options.min_epochs, 1),
    ):
        if options.trials is not None and value not in (None, of_others):
            raise ArgumentError(
                f"{flag} goes with --algo hyperband only, as --algo {options.algo} trains every "
                f"trial for all epochs. Received: {value}"
            )
