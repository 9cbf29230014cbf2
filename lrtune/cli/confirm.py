"""`lrtune confirm RUN`: is the best schedule of a search better than a constant rate?"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from lrtune.cli import app as cli
from lrtune.cli.data import start
from lrtune.cli.engine import check_engine, runner_of
from lrtune.runner.options import RunOptions, check_options

if TYPE_CHECKING:
    from rich.console import Console

    from lrtune.confirmation.material import Material
    from lrtune.confirmation.plan import Design
    from lrtune.records.reader import RunRecords
    from lrtune.records.schema import ConfirmManifest
    from lrtune.search.deadline import Deadline


Top = Annotated[int, typer.Option(help="How many candidates: the best trial of each family first.")]
Arms = Annotated[
    list[str] | None,
    typer.Option(help="A trial's id, in place of --top; may be given several times."),
]
DesignName = Annotated[
    str,
    typer.Option(
        help="sequential: the best candidate against the constant rate, pair by pair, until the "
        "answer is known. fixed: all of them and the constant rates, with --seeds each."
    ),
]
MaxSeeds = Annotated[
    int | None, typer.Option(help="The most pairs of a sequential test.", show_default="20")
]
MinSeeds = Annotated[
    int | None,
    typer.Option(
        help="Pairs before which it does not give up; raise it to go on.", show_default="4"
    ),
]
Seeds = Annotated[
    int | None,
    typer.Option(help="Of --design fixed: seeds for every arm, at least 6.", show_default="8"),
]
TrainOn = Annotated[
    str,
    typer.Option(
        help="What to train on: train+validation, or train alone, as for data in batches."
    ),
]
Data = Annotated[
    str | None,
    typer.Option(help="Where the search's data are now.", show_default="the search's --data"),
]
Overwrite = Annotated[
    bool, typer.Option("--overwrite", help="Erase the confirmation that is in the run folder.")
]


def command(
    run: cli.RunFolder,
    top: Top = 3,
    arm: Arms = None,
    design: DesignName = "sequential",
    max_seeds: MaxSeeds = None,
    min_seeds: MinSeeds = None,
    seeds: Seeds = None,
    train_on: TrainOn = "train+validation",
    data: Data = None,
    workers: cli.Workers = None,
    workers_per_gpu: cli.WorkersPerGpu = RunOptions.workers_per_gpu,
    engine: cli.Engine = "local",
    ray_address: cli.RayAddress = None,
    gpus_per_trial: cli.GpusPerTrial = None,
    trial_timeout: cli.TrialTimeout = RunOptions.trial_timeout,
    max_retries: cli.MaxRetries = RunOptions.max_retries,
    in_process: cli.InProcess = False,
    overwrite: Overwrite = False,
    quiet: cli.Quiet = False,
) -> None:
    """Test the best schedule with fresh seeds and on test data.

    The best trials race on the validation data. The winner and the constant rate are then trained
    with the same fresh seeds, pair by pair, until it is known whether the winner is better. Each
    training uses the test data once, at its end. The same command resumes a confirmation that was
    stopped; with a higher --min-seeds, it goes on after the answer that nothing was shown.
    """
    from lrtune.confirmation.plan import Design

    check_options(
        workers,
        trial_timeout,
        max_retries,
        cli.flag,
        in_process=in_process,
        workers_per_gpu=workers_per_gpu,
    )
    check_engine(engine, ray_address, gpus_per_trial, in_process=in_process)
    runner = runner_of(engine, ray_address, gpus_per_trial)
    options = RunOptions(workers, trial_timeout, max_retries, in_process, workers_per_gpu, runner)
    asked = Asked(
        design=Design(design, seeds, max_seeds, min_seeds),
        options=options,
        top=top,
        arms=arm or (),
        train_on=train_on,
        data=data,
        overwrite=overwrite,
        quiet=quiet,
    )
    confirm(run, asked, cli.steady_console())


@dataclass(frozen=True)
class Asked:
    """How a run is to be confirmed.

    Attributes:
        design: of the comparison.
        options: how trainings are run.
        top, arms, train_on, data, overwrite, quiet: as the command takes them.
        finished: what to say if nothing is left to do; {run} is the run folder.
        resume: what to say after an interrupt.
        deadline: from then on, no new training is begun.
    """

    design: Design
    options: RunOptions
    top: int = 3
    arms: Sequence[str] = ()
    train_on: str = "train+validation"
    data: str | None = None
    overwrite: bool = False
    quiet: bool = False
    finished: str = "The confirmation in {run} is finished; --overwrite starts a new one."
    resume: str = "The same command resumes the confirmation."
    deadline: Deadline | None = None


def confirm(run: str | os.PathLike[str], asked: Asked, console: Console) -> bool:
    """Confirms a run as the command line does, and shows its result.

    Args:
        run: the run folder.
        asked: how.
        console: where to print.

    Returns:
        Whether the deadline came before the answer.

    Raises:
        LrtuneError: bad input, or a run that cannot be confirmed.
        typer.Exit: with code 130, after an interrupt.
    """
    from lrtune.confirmation.api import choose, is_finished, plan
    from lrtune.confirmation.cost import cost_in_words, too_few_seeds
    from lrtune.confirmation.material import loaded_material
    from lrtune.records.reader import read_run
    from lrtune.report.finish import print_run
    from lrtune.report.terminal import say

    records = read_run(run)
    arms = choose(records, asked.design, asked.top, asked.arms)
    material = loaded_material(records.manifest, asked.data, asked.train_on)
    manifest = plan(records, asked.design, arms, material, overwrite=asked.overwrite)
    finished = not asked.overwrite and is_finished(records, manifest)
    stopped = False
    if finished:
        say(console, asked.finished.format(run=run))
    else:
        if not asked.quiet:
            say(console, cost_in_words(records, manifest, asked.options.workers))
        if note := too_few_seeds(manifest):
            say(console, note)
        if not (asked.quiet or "tensorflow" in sys.modules):
            say(console, "Starting TensorFlow ...")
        try:
            stopped = _train(records, manifest, material, asked, console)
        except KeyboardInterrupt:
            print_run(run, console)
            say(console, f"\nInterrupted. {asked.resume}")
            raise typer.Exit(cli.INTERRUPTED) from None
    cli.show_result(run, console, "confirmation", new_page=not finished)
    return stopped


def _train(
    records: RunRecords,
    manifest: ConfirmManifest,
    material: Material,
    asked: Asked,
    console: Console,
) -> bool:
    """Trains; whether the deadline came before the end."""
    options = asked.options
    start(
        workers=not options.trains_here,
        own_code=records.manifest.model is not None,
        server=options.runner is None,
    )
    from lrtune.confirmation.api import searched_hypermodel
    from lrtune.confirmation.train import Confirmation
    from lrtune.display import Leaderboard, make_progress

    leaderboard = Leaderboard.of(manifest)
    with make_progress(console, leaderboard, *manifest.planned, quiet=asked.quiet) as observer:
        hypermodel = searched_hypermodel(records, material)
        session = Confirmation(records.folder, manifest, hypermodel, material, options, observer)
        if asked.deadline is not None:
            session.deadline = asked.deadline
        session.run(overwrite=asked.overwrite)
    return session.stopped
