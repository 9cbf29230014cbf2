"""`lrtune confirm RUN`: is the best schedule of a search better than a constant rate?"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lrtune.cli import app as cli
from lrtune.errors import ArgumentError
from lrtune.model.start import start_tensorflow

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

    from lrtune.confirmation.plan import Images
    from lrtune.display.observer import Observer
    from lrtune.records.reader import RunRecords
    from lrtune.records.schema import ConfirmManifest
    from lrtune.run import Run


def confirm(
    run: str | os.PathLike[str] | Run,
    *,
    top: int = 3,
    arms: Sequence[str] = (),
    seeds: int | Sequence[int] = 8,
    train_on: str = "train+validation",
    data: Any = None,
    hypermodel: Any = None,
    workers: int | None = None,
    trial_timeout: float = 3600.0,
    max_retries: int = 2,
    overwrite: bool = False,
    observer: Observer | None = None,
    verbose: int | str = "auto",
) -> Run:
    """Train the best of a search and the constant rates anew, with paired seeds, for the test part.

    Args:
        run: the run folder, or what `load_run` returned.
        top: int >= 1, how many trials: the best of each family first.
        arms: ids of trials in place of the top ones; one named twice makes two arms.
        seeds: int >= 6, how many; or the seeds themselves. One seed means the same initial weights,
            image order and dropout for every arm.
        train_on: "train+validation" or "train".
        data: None for the search's own, a data source (as `--data` takes it), or four arrays: x and
            y to train on, x and y to test on.
        hypermodel: the search's `keras_tuner.HyperModel`; None for the cats-vs-dogs CNN.
        workers: as for lrtune's tuners.
        trial_timeout: likewise.
        max_retries: likewise.
        overwrite: whether to erase a confirmation that is there; otherwise it is continued.
        observer: watches, in place of what is printed.
        verbose: 0 for silence; otherwise a live display in a terminal, a line a finished training
            elsewhere, and at the end `report.html` in the run folder.

    Returns:
        The run with its confirmation: see `Run.comparison`.

    Raises:
        ArgumentError, RunFolderError, DataError: what cannot be confirmed, and why.
    """
    from lrtune.run import load_run

    folder = run if isinstance(run, str | os.PathLike) else run.records.folder
    records = load_run(folder).records
    manifest, images = _plan(records, top, arms, seeds, train_on, data, overwrite=overwrite)
    from lrtune.confirmation.train import train_arms
    from lrtune.display.script import watching

    with watching(observer, verbose, records.folder, manifest) as seen:
        train_arms(
            records.folder,
            manifest,
            hypermodel or _cats_vs_dogs(records, images),
            images,
            workers=workers,
            trial_timeout=trial_timeout,
            max_retries=max_retries,
            overwrite=overwrite,
            observer=seen,
        )
    return load_run(folder)


def command(
    run: Annotated[str, typer.Argument(help="The run folder: --run-dir of the search.")],
    top: Annotated[int, typer.Option(help="How many trials: the best of each family first.")] = 3,
    arm: Annotated[
        list[str] | None,
        typer.Option(help="A trial's id, in place of --top; may be given several times."),
    ] = None,
    seeds: Annotated[int, typer.Option(help="Fresh seeds for every arm, at least 6.")] = 8,
    train_on: Annotated[
        str, typer.Option(help="Images to train on: train+validation, or train alone.")
    ] = "train+validation",
    data: Annotated[
        str | None,
        typer.Option(help="Where the search's images are now.", show_default="the search's --data"),
    ] = None,
    workers: Annotated[
        int | None,
        typer.Option(
            help="Worker processes; 1 trains in this process.", show_default="one a physical core"
        ),
    ] = None,
    trial_timeout: Annotated[
        float, typer.Option(help="Seconds for an epoch after which a worker counts as hung.")
    ] = 3600.0,
    max_retries: Annotated[
        int, typer.Option(help="Further tries of a training whose worker crashed or was killed.")
    ] = 2,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Erase the confirmation that is in the run folder.")
    ] = False,
    quiet: Annotated[
        bool, typer.Option("--quiet", help="Nothing while it runs but warnings; then the report.")
    ] = False,
) -> None:
    """Train the best of a search and the constant rates anew; compare them on the test images.

    Every arm is trained over the whole horizon with the same fresh seeds. The test images are
    looked at once for each training, at its end. The same command continues a confirmation that
    was stopped.
    """
    from rich.console import Console

    from lrtune.confirmation.plan import cost_in_words
    from lrtune.report.ending import keep_page, print_run
    from lrtune.report.terminal import say
    from lrtune.run import load_run

    cli.check_running(workers, trial_timeout, max_retries)
    console = Console()
    records = load_run(run).records
    manifest, images = _plan(records, top, arm or (), seeds, train_on, data, overwrite=overwrite)
    found = records.confirmation
    finished = found is not None and found.manifest.finished is not None and not overwrite
    try:
        if finished:
            say(console, f"The confirmation in {run} is finished; --overwrite starts it anew.")
        else:
            if not quiet:
                cost = cost_in_words(records, manifest, workers)
                say(console, f"{cost}\nStarting TensorFlow ...")
            _train(
                records,
                manifest,
                images,
                console,
                quiet=quiet,
                workers=workers,
                trial_timeout=trial_timeout,
                max_retries=max_retries,
                overwrite=overwrite,
            )
        print_run(run, console)
        keep_page(run, console, anew=not finished)
    except KeyboardInterrupt:
        print_run(run, console)
        say(console, "\nInterrupted. The same command continues the confirmation.")
        raise typer.Exit(cli.INTERRUPTED) from None


def _plan(
    records: RunRecords,
    top: int,
    arms: Sequence[str],
    seeds: int | Sequence[int],
    train_on: str,
    data: Any,
    *,
    overwrite: bool,
) -> tuple[ConfirmManifest, Images]:
    """What to train, or an error, before TensorFlow starts."""
    from lrtune.confirmation.arms import choose_arms
    from lrtune.confirmation.plan import (
        check_seeds,
        images_of,
        make_manifest,
        refuse_other_confirmation,
    )

    chosen = choose_arms(records, top, arms)
    fresh = check_seeds(seeds, records.manifest.seed)
    images = images_of(records.manifest, data, train_on)
    manifest = make_manifest(records.manifest, chosen, fresh, train_on, images)
    if records.confirmation is not None and not overwrite:
        refuse_other_confirmation(records.folder, records.confirmation.manifest, manifest)
    return manifest, images


def _train(
    records: RunRecords,
    manifest: ConfirmManifest,
    images: Images,
    console: Console,
    *,
    quiet: bool,
    **running: Any,
) -> None:
    # One thread, as in every worker: a training's numbers do not depend on where it ran.
    start_tensorflow(threads=1)
    from lrtune.confirmation.train import train_arms
    from lrtune.display import Leaderboard, make_progress

    leaderboard = Leaderboard.of(manifest)
    with make_progress(console, leaderboard, *manifest.planned, quiet=quiet) as observer:
        train_arms(
            records.folder,
            manifest,
            _cats_vs_dogs(records, images),
            images,
            observer=observer,
            **running,
        )


def _cats_vs_dogs(records: RunRecords, images: Images) -> Any:
    manifest = records.manifest
    if manifest.data.argument is None:
        raise ArgumentError(
            "hypermodel must be given, for the search was run by a script: "
            "lrtune.confirm(run, hypermodel=..., data=(x, y, x_test, y_test))"
        )
    from lrtune.model.hypermodel import CatsVsDogsHyperModel

    return CatsVsDogsHyperModel(
        epochs=manifest.max_epochs,
        families=manifest.families,
        input_shape=images.x.shape[1:],
        num_classes=int(images.y.max()) + 1,
    )
