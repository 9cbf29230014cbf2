"""`lrtune search`: searches schedules for the cats-vs-dogs CNN and ranks them.

The front door parses and checks; TensorFlow is imported only when everything typed makes sense.
"""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from lrtune.cli import app as cli
from lrtune.cli.options import (
    DEFAULTS,
    EPOCHS,
    QUICK_EPOCHS,
    QUICK_TRAIN,
    QUICK_TRIALS,
    QUICK_VALIDATION,
    TRIALS,
    Options,
    check,
    command_line,
)
from lrtune.search.algorithms import ALGORITHMS

if TYPE_CHECKING:
    from rich.console import Console

    from lrtune.data import Dataset
    from lrtune.display.observer import Observer


def command(
    algo: Annotated[
        str, typer.Option(help=f"Search algorithm: {', '.join(ALGORITHMS)}.")
    ] = DEFAULTS.algo,
    data: Annotated[
        str,
        typer.Option(
            help="auto (CIFAR-10, else synthetic), cifar10, synthetic, an .npz file, or a folder "
            "of images with one sub-folder a class."
        ),
    ] = DEFAULTS.data,
    max_epochs: Annotated[
        int | None,
        typer.Option(
            help="Horizon: epochs of a full training.",
            show_default=f"{EPOCHS}, or {QUICK_EPOCHS} with --quick",
        ),
    ] = DEFAULTS.max_epochs,
    max_trials: Annotated[
        int | None,
        typer.Option(
            help="How many trials; Hyperband plans its own number.",
            show_default=f"{TRIALS}, or {QUICK_TRIALS} with --quick",
        ),
    ] = DEFAULTS.max_trials,
    families: Annotated[
        str, typer.Option(help="Schedule families to search, separated by commas.")
    ] = ",".join(DEFAULTS.families),
    objective: Annotated[
        str, typer.Option(help="val_accuracy, val_loss, accuracy or loss.")
    ] = DEFAULTS.objective,
    batch_size: Annotated[
        int, typer.Option(help="Images in a training step.")
    ] = DEFAULTS.batch_size,
    workers: cli.Workers = DEFAULTS.workers,
    seed: Annotated[int, typer.Option(help="Seed of the search; 0 is allowed.")] = DEFAULTS.seed,
    score: Annotated[
        str, typer.Option(help="Which epoch's objective is a trial's score: last or best.")
    ] = DEFAULTS.score,
    baseline_budget: Annotated[
        float,
        typer.Option(
            help="Epochs of the search for the best constant rate, as a share of this search's; 0 "
            "for none."
        ),
    ] = DEFAULTS.baseline_budget,
    trial_timeout: cli.TrialTimeout = DEFAULTS.trial_timeout,
    max_retries: cli.MaxRetries = DEFAULTS.max_retries,
    tensorboard: Annotated[
        Path | None,
        typer.Option(help="Also write event files for TensorBoard, into a folder below this one."),
    ] = DEFAULTS.tensorboard,
    run_dir: Annotated[
        Path | None,
        typer.Option(
            help="Run folder. A search that is already there is resumed.",
            show_default="runs/ and a name that says what is searched",
        ),
    ] = DEFAULTS.run_dir,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Erase the run that is in the run folder.")
    ] = False,
    quick: Annotated[
        bool,
        typer.Option("--quick", help="A look in under a minute: 3 epochs of 4,000 images."),
    ] = False,
    quiet: cli.Quiet = False,
) -> None:
    """Search learning-rate schedules for the cats-vs-dogs CNN; rank them against a constant rate.

    Searches the best constant rate first, trains it and the constant rates .1 and .01 with three
    seeds each, then the trials that the algorithm proposes, and prints the ranking. Everything is
    kept in the run folder: `lrtune report RUN` prints it again, and the same command resumes a
    search that was stopped, by Ctrl-C or anything else.
    """
    typed = {**locals(), "families": tuple(filter(None, map(str.strip, families.split(","))))}
    options = Options(**typed)
    check(options)
    search(options)


def search(options: Options) -> None:
    """Runs a search as the command line does: data, tuner, the search itself, answer.

    Raises:
        LrtuneError: bad input or a run folder that cannot be used.
        typer.Exit: with code 130, after an interrupt.
    """
    from rich.console import Console

    from lrtune.records.writer import RunWriter, erase_run, refuse_foreign_folder
    from lrtune.report.finish import next_commands
    from lrtune.report.terminal import say

    console = Console()
    folder = options.folder
    refuse_foreign_folder(folder)
    if options.tensorboard is not None:
        from lrtune.export.live import check_folder

        check_folder(options.tensorboard, folder)
    dataset = _load(options, console)
    if options.overwrite:
        erase_run(folder)
    if _is_finished(options, dataset):
        say(console, f"The search in {folder} is finished; --overwrite starts a new one.")
        cli.show_result(folder, console, "search", new_page=False)
        return
    RunWriter(folder).close()  # fails here, before TensorFlow starts, if it cannot write
    if not options.quiet:
        _announce(dataset, console)
    try:
        _run(options, dataset, console)
    except KeyboardInterrupt:
        _interrupted(options, console)
    cli.show_result(folder, console, "search", closing=next_commands(folder))


def _load(options: Options, console: Console) -> Dataset:
    from lrtune.data import load

    dataset = load(
        options.data, notify=lambda line: console.print(line, markup=False, style="bold yellow")
    )
    if not options.quick:
        return dataset
    return dataset.subset(
        train=min(QUICK_TRAIN, len(dataset.train)),
        validation=min(QUICK_VALIDATION, len(dataset.validation)),
    )


def _announce(dataset: Dataset, console: Console) -> None:
    from lrtune.report.terminal import say

    sizes = dataset.sizes
    say(
        console,
        f"Images: {dataset.source}, {sizes['train']:,} to train, {sizes['validation']:,} to "
        f"validate, {sizes['test']:,} test images left untouched. Starting TensorFlow ...",
    )


def _is_finished(options: Options, dataset: Dataset) -> bool:
    """Whether the run folder holds this search and nothing is left to do or to repair.

    Raises:
        RunFolderError: it holds another search.
    """
    from lrtune.records.identity import refuse_other_search
    from lrtune.records.reader import DamagedManifestError, read_run
    from lrtune.records.writer import holds_run

    if not holds_run(options.folder):
        return False
    try:
        records = read_run(options.folder)
    except DamagedManifestError:  # the tuner knows what it must have been
        return False
    asked = {
        "fingerprint": dataset.fingerprint,
        **{name: getattr(options, name) for name in ("algo", "seed", "objective", "score")},
        "max_epochs": options.epochs,
        "batch_size": options.batch_size,
        "families": options.families,
        # Where constant rates alone are searched, there is nothing to tune them for.
        "baseline_budget": 0.0 if options.families == ("constant",) else options.baseline_budget,
    }
    refuse_other_search(options.folder, records.manifest, asked)
    more = (options.trials or 0) > (records.manifest.max_trials or 0)
    return records.manifest.finished is not None and not (more or records.notices)


def _interrupted(options: Options, console: Console) -> NoReturn:
    """Says what there is and how to resume, and ends with exit code 130."""
    from lrtune.records.writer import holds_run
    from lrtune.report.finish import print_run
    from lrtune.report.terminal import say

    if holds_run(options.folder):
        print_run(options.folder, console)
    say(console, f"\nInterrupted. To resume the search:\n  {command_line(options)}")
    raise typer.Exit(cli.INTERRUPTED)


def _run(options: Options, dataset: Dataset, console: Console) -> None:
    from lrtune.model.start import start_tensorflow

    # One thread, as in every worker: a trial's numbers do not depend on where it was trained.
    start_tensorflow(threads=1)
    from lrtune.display import Leaderboard, make_progress
    from lrtune.records.schema import DataRecord

    tuner = _tuner(options, dataset)
    trials, epochs = tuner.plan()
    leaderboard = Leaderboard(options.objective, tuner.oracle.objective.direction, options.epochs)
    with ExitStack() as stack:
        progress = stack.enter_context(
            make_progress(console, leaderboard, trials, epochs, quiet=options.quiet)
        )
        observer: Observer = progress
        if options.tensorboard is not None:
            from lrtune.export.live import Observers, TensorBoardObserver

            events = TensorBoardObserver(options.tensorboard, options.folder, progress.noticed)
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
    from lrtune.search.algorithms import tuner_of

    hypermodel = CatsVsDogsHyperModel(
        epochs=options.epochs,
        families=options.families,
        input_shape=dataset.input_shape,
        num_classes=dataset.num_classes,
    )
    size = (
        {"max_epochs": options.epochs} if options.trials is None else {"max_trials": options.trials}
    )
    return tuner_of(options.algo)(
        hypermodel,
        objective=options.objective,
        directory=str(options.folder.parent),
        project_name=options.folder.name,
        seed=options.seed,
        workers=options.workers,
        score=options.score,
        baseline_budget=options.baseline_budget,
        trial_timeout=options.trial_timeout,
        max_retries=options.max_retries,
        **size,
    )
