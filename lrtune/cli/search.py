"""`python -m lrtune.search`: searches schedules for the cats-vs-dogs CNN and ranks them.

The front door parses and checks; TensorFlow is imported only when everything typed makes sense.
"""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from lrtune.cli import app as cli
from lrtune.cli.options import (
    FAMILIES,
    QUICK_EPOCHS,
    QUICK_TRAIN,
    QUICK_VALIDATION,
    Options,
    check,
    command_line,
    default_run_dir,
    resolve_max_trials,
)
from lrtune.model.start import start_tensorflow

if TYPE_CHECKING:
    from rich.console import Console

    from lrtune.data import Dataset
    from lrtune.display.observer import Observer


def command(
    algo: Annotated[
        str, typer.Option(help="Search algorithm: hyperband, bayesian or random.")
    ] = "hyperband",
    data: Annotated[
        str,
        typer.Option(
            help="auto (CIFAR-10, else synthetic), cifar10, synthetic, an .npz file, or a folder "
            "of images with one sub-folder a class."
        ),
    ] = "auto",
    max_epochs: Annotated[
        int | None,
        typer.Option(
            help="Horizon: epochs of a full training.", show_default="50, or 3 if --quick"
        ),
    ] = None,
    max_trials: Annotated[
        int | None,
        typer.Option(
            help="Trials of a bayesian or random search; Hyperband plans its own.",
            show_default="20, or 4 if --quick",
        ),
    ] = None,
    families: Annotated[
        str, typer.Option(help="Schedule families to search, separated by commas.")
    ] = ",".join(FAMILIES),
    objective: Annotated[
        str, typer.Option(help="val_accuracy, val_loss, accuracy or loss.")
    ] = "val_accuracy",
    batch_size: Annotated[int, typer.Option(help="Images in a training step.")] = 64,
    workers: Annotated[
        int | None,
        typer.Option(
            help="Worker processes; 1 trains in this process.", show_default="one a physical core"
        ),
    ] = None,
    seed: Annotated[int, typer.Option(help="Seed of the search; 0 is one too.")] = 1,
    score: Annotated[
        str, typer.Option(help="Which epoch's objective is a trial's score: last or best.")
    ] = "last",
    baseline_budget: Annotated[
        float,
        typer.Option(
            help="Epochs of the search for the best constant rate, as a share of this search's; 0 "
            "for none."
        ),
    ] = 0.5,
    trial_timeout: Annotated[
        float,
        typer.Option(help="Seconds for an epoch after which a worker counts as hung."),
    ] = 3600.0,
    max_retries: Annotated[
        int,
        typer.Option(help="Further tries of a trial whose worker crashed, hung or was killed."),
    ] = 2,
    tensorboard: Annotated[
        Path | None,
        typer.Option(help="Also write event files for TensorBoard, into a folder below this one."),
    ] = None,
    run_dir: Annotated[
        Path | None,
        typer.Option(
            help="Run folder. One that holds this search is continued.",
            show_default="runs/ and what is searched",
        ),
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Erase the run that is in the run folder.")
    ] = False,
    quick: Annotated[
        bool,
        typer.Option("--quick", help="A look in under a minute: 3 epochs of 4,000 images."),
    ] = False,
    quiet: Annotated[
        bool, typer.Option("--quiet", help="Nothing while it runs but warnings; then the report.")
    ] = False,
) -> None:
    """Search learning-rate schedules for the cats-vs-dogs CNN; rank them against a constant rate.

    Searches the best constant rate first, trains it and the constant rates .1 and .01 with three
    seeds each, then the trials that the algorithm proposes, and prints the ranking. Everything is
    kept in the run folder: `lrtune report RUN` prints it again, and the same command continues a
    search that was stopped, by Ctrl-C or anything else.
    """
    options = Options(
        algo=algo,
        data=data,
        max_epochs=max_epochs if max_epochs is not None else QUICK_EPOCHS if quick else 50,
        max_trials=resolve_max_trials(algo, max_trials, quick=quick),
        families=tuple(name.strip() for name in families.split(",") if name.strip()),
        objective=objective,
        batch_size=batch_size,
        workers=workers,
        seed=seed,
        score=score,
        baseline_budget=baseline_budget,
        trial_timeout=trial_timeout,
        max_retries=max_retries,
        tensorboard=tensorboard,
        run_dir=run_dir or Path(),
        overwrite=overwrite,
        quick=quick,
        quiet=quiet,
    )
    check(options)
    search(options if run_dir else replace(options, run_dir=default_run_dir(options)))


def search(options: Options) -> None:
    """Runs a search as the command line does: data, baseline, trials, ranking.

    Raises:
        LrtuneError: bad input or a run folder that cannot be used.
        typer.Exit: with code 130, after an interrupt.
    """
    from rich.console import Console

    from lrtune.data import load
    from lrtune.records.writer import RunWriter, erase_run, refuse_foreign_folder
    from lrtune.report.finish import keep_page, next_commands, print_run
    from lrtune.report.terminal import say

    console = Console()
    refuse_foreign_folder(options.run_dir)
    if options.tensorboard is not None:
        from lrtune.export.live import check_folder

        check_folder(options.tensorboard, options.run_dir)
    dataset = load(
        options.data, notify=lambda line: console.print(line, markup=False, style="bold yellow")
    )
    if options.quick:
        dataset = dataset.subset(
            train=min(QUICK_TRAIN, len(dataset.train)),
            validation=min(QUICK_VALIDATION, len(dataset.validation)),
        )
    if options.overwrite:
        erase_run(options.run_dir)
    if _is_finished(options, dataset):
        say(console, f"The search in {options.run_dir} is finished; --overwrite starts it anew.")
        print_run(options.run_dir, console)
        keep_page(options.run_dir, console, overwrite=False)
        return
    RunWriter(options.run_dir).close()  # fails here, before TensorFlow starts, if it cannot write
    sizes = dataset.sizes
    if not options.quiet:
        say(
            console,
            f"Images: {dataset.source}, {sizes['train']:,} to train, {sizes['validation']:,} to "
            f"validate, {sizes['test']:,} test images left untouched. Starting TensorFlow ...",
        )
    try:
        _run(options, dataset, console)
        print_run(options.run_dir, console)
        keep_page(options.run_dir, console)
        say(console, next_commands(options.run_dir))
    except KeyboardInterrupt:
        _interrupted(options, console)


def _is_finished(options: Options, dataset: Dataset) -> bool:
    """Whether the run folder holds this search and nothing is left to do or to mend.

    Raises:
        RunFolderError: it holds another search.
    """
    from lrtune.records.identity import refuse_other_search
    from lrtune.records.reader import DamagedManifestError, read_run
    from lrtune.records.writer import holds_run

    if not holds_run(options.run_dir):
        return False
    try:
        records = read_run(options.run_dir)
    except DamagedManifestError:  # the tuner knows what it must have been
        return False
    asked = {
        "fingerprint": dataset.fingerprint,
        **{
            name: getattr(options, name)
            for name in ("algo", "seed", "objective", "score", "max_epochs", "batch_size")
        },
        "families": options.families,
        # Where constant rates alone are searched, there is nothing to tune them for.
        "baseline_budget": 0.0 if options.families == ("constant",) else options.baseline_budget,
    }
    refuse_other_search(options.run_dir, records.manifest, asked)
    more = (options.max_trials or 0) > (records.manifest.max_trials or 0)
    return records.manifest.finished is not None and not (more or records.notices)


def _interrupted(options: Options, console: Console) -> NoReturn:
    """Says what there is and how to go on, and ends with exit code 130."""
    from lrtune.records.writer import holds_run
    from lrtune.report.finish import print_run
    from lrtune.report.terminal import say

    if holds_run(options.run_dir):
        print_run(options.run_dir, console)
    say(console, f"\nInterrupted. This continues the search:\n  {command_line(options)}")
    raise typer.Exit(cli.INTERRUPTED)


def _run(options: Options, dataset: Dataset, console: Console) -> None:
    # One thread, as in every worker: a trial's numbers do not depend on where it was trained.
    start_tensorflow(threads=1)
    from lrtune.display import Leaderboard, make_progress
    from lrtune.records.schema import DataRecord

    tuner = _tuner(options, dataset)
    trials, epochs = tuner.plan()
    leaderboard = Leaderboard(
        options.objective, tuner.oracle.objective.direction, options.max_epochs
    )
    with ExitStack() as stack:
        progress = stack.enter_context(
            make_progress(console, leaderboard, trials, epochs, quiet=options.quiet)
        )
        observer: Observer = progress
        if options.tensorboard is not None:
            from lrtune.export.live import Observers, TensorBoardObserver

            events = TensorBoardObserver(options.tensorboard, options.run_dir, progress.noticed)
            observer = Observers(progress, stack.enter_context(events))
        tuner.search(
            dataset.train.x,
            dataset.train.y,
            validation_data=(dataset.validation.x, dataset.validation.y),
            batch_size=options.batch_size,
            observer=observer,
            data=DataRecord(
                dataset.source,
                dataset.fingerprint,
                dataset.sizes,
                synthetic=dataset.synthetic,
                argument=options.data,
            ),
        )


def _tuner(options: Options, dataset: Dataset) -> Any:
    from lrtune.model.hypermodel import CatsVsDogsHyperModel
    from lrtune.search import tuners

    hypermodel = CatsVsDogsHyperModel(
        epochs=options.max_epochs,
        families=options.families,
        input_shape=dataset.input_shape,
        num_classes=dataset.num_classes,
    )
    common: dict[str, Any] = {
        "objective": options.objective,
        "directory": str(options.run_dir.parent),
        "project_name": options.run_dir.name,
        "seed": options.seed,
        "workers": options.workers,
        "score": options.score,
        "baseline_budget": options.baseline_budget,
        "trial_timeout": options.trial_timeout,
        "max_retries": options.max_retries,
    }
    if options.algo == "hyperband":
        return tuners.Hyperband(hypermodel, max_epochs=options.max_epochs, **common)
    kind = tuners.BayesianOptimization if options.algo == "bayesian" else tuners.RandomSearch
    return kind(hypermodel, max_trials=options.max_trials, **common)
