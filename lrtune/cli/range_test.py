"""`lrtune range-test`: which learning rates are worth searching for this model and these data?"""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lrtune._util import checks
from lrtune.cli import app as cli
from lrtune.errors import ArgumentError

if TYPE_CHECKING:
    from rich.console import Console

    from lrtune.data import Dataset
    from lrtune.finder.result import RangeTest

_FIGURES = (".png", ".svg", ".pdf")


def command(
    data: Annotated[
        str, typer.Option(help="auto, cifar10, synthetic, an .npz file or a folder, as for search.")
    ] = "auto",
    optimizer: Annotated[
        str, typer.Option(help="Optimizer to train with: sgd, adam, adamw, rmsprop, lion.")
    ] = "sgd",
    batch_size: Annotated[int, typer.Option(help="Images in a training step.")] = 64,
    epochs: Annotated[
        int | None,
        typer.Option(help="How long the rate rises.", show_default="as many as have 200 steps"),
    ] = None,
    seeds: Annotated[int, typer.Option(help="How many trainings.")] = 3,
    low: Annotated[
        float | None,
        typer.Option(
            help="The first learning rate.", show_default="1/30 of the lowest usually searched"
        ),
    ] = None,
    high: Annotated[
        float | None,
        typer.Option(help="The last.", show_default="30 times the highest usually searched"),
    ] = None,
    figure: Annotated[
        Path | None, typer.Option(help="Save the picture here, as .png, .svg or .pdf.")
    ] = None,
) -> None:
    """Train with a rate that rises, and suggest a range of rates to search.

    The loss falls where the rate is useful and rises where it is too high. `lrtune search --range
    lr0=auto` runs this test first and searches the range that it finds.
    """
    _check(optimizer, batch_size, epochs, seeds, figure)
    low, high = _rates(low, high)
    console = cli.steady_console()
    dataset = _load(data, console)
    from lrtune.model.start import start_tensorflow
    from lrtune.report.terminal import say

    say(
        console,
        f"Images: {dataset.source}, {len(dataset.train):,} to train. Starting TensorFlow ...",
    )
    # One thread, as in a search, so that `--range lr0=auto` finds the same range.
    start_tensorflow(threads=1)
    from lrtune.finder.api import range_test
    from lrtune.model.hypermodel import CatsVsDogsHyperModel

    hypermodel = CatsVsDogsHyperModel(
        optimizer=optimizer, input_shape=dataset.input_shape, num_classes=dataset.num_classes
    )
    found = range_test(
        hypermodel, dataset.train.x, dataset.train.y, batch_size=batch_size, low=low, high=high,
        epochs=epochs, seeds=seeds,
    )  # fmt: skip
    say(console, str(found))
    if figure is not None:
        found.save(figure)
        say(console, f"Picture: {figure}")
    if found.suggested is not None:
        say(console, f"Use it:\n  {_use(found, data, optimizer, batch_size)}")


def _check(
    optimizer: str, batch_size: int, epochs: int | None, seeds: int, figure: Path | None
) -> None:
    """Raises ArgumentError for the first option outside its domain."""
    from lrtune.schedules.optimizers import OPTIMIZERS

    checks.one_of("--optimizer", optimizer, tuple(OPTIMIZERS))
    checks.integer("--batch-size", batch_size, at_least=1)
    if epochs is not None:
        checks.integer("--epochs", epochs, at_least=1)
    checks.integer("--seeds", seeds, at_least=1)
    if figure is None:
        return
    if figure.suffix.lower() not in _FIGURES:
        raise ArgumentError(
            f"--figure must end in {', '.join(_FIGURES[:-1])} or {_FIGURES[-1]}. Received: {figure}"
        )
    if not figure.absolute().parent.is_dir():
        raise ArgumentError(f"--figure must be in a folder that exists. Received: {figure}")


def _rates(low: float | None, high: float | None) -> tuple[float | None, float | None]:
    low = None if low is None else checks.learning_rate("--low", low)
    high = None if high is None else checks.learning_rate("--high", high)
    if low is not None and high is not None and low >= high:
        raise ArgumentError(f"--high must be greater than --low, {low:g}. Received: {high:g}")
    return low, high


def _load(data: str, console: Console) -> Dataset:
    from lrtune.data import load

    return load(data, notify=lambda line: console.print(line, markup=False, style="bold yellow"))


def _use(found: RangeTest, data: str, optimizer: str, batch_size: int) -> str:
    """The search that uses the range, without options that have their defaults."""
    typed = ["lrtune", "search"]
    for flag, value, default in (
        ("--data", data, "auto"),
        ("--optimizer", optimizer, "sgd"),
        ("--batch-size", str(batch_size), "64"),
    ):
        typed += [] if value == default else [flag, value]
    return shlex.join([*typed, "--range", "lr0={:g}:{:g}".format(*found.suggested or ())])
