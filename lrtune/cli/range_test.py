"""`lrtune range-test`: which learning rates are worth searching for this model and these data?"""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lrtune._util import checks
from lrtune.cli import app as cli
from lrtune.cli.data import load_given, runs_own_code, start, what_is_trained
from lrtune.errors import ArgumentError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lrtune.finder.result import RangeTest

_FIGURES = (".png", ".svg", ".pdf")


def command(
    model: cli.Model = None,
    data: cli.Data = "auto",
    optimizer: cli.Optimizer = None,
    loss: cli.Loss = None,
    batch_size: Annotated[int, typer.Option(help="Samples in a training step.")] = 64,
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
    """Train while the rate rises, and suggest a range to search.

    The loss falls where the rate is useful and rises where it is too high. `lrtune search --range
    lr0=auto` runs this test first and searches the range that it finds.
    """
    _check(optimizer or "sgd", batch_size, epochs, seeds, figure)
    low, high = _rates(low, high)
    own_code = runs_own_code(model, data)
    console = cli.steady_console()
    from lrtune.report.terminal import say

    if own_code:
        say(console, "Starting TensorFlow ...")
        start(workers=False, own_code=own_code)
    given = load_given(data, console)
    if not own_code:
        say(console, f"{what_is_trained(data, given)} Starting TensorFlow ...")
        start(workers=False, own_code=own_code)
    from lrtune.finder.api import range_test
    from lrtune.model.named import named_hypermodel

    hypermodel = named_hypermodel(model, given.train, epochs=50, optimizer=optimizer, loss=loss)
    found = range_test(
        hypermodel, *given.train, **given.fit_kwargs, **given.batches_of(batch_size), low=low,
        high=high, epochs=epochs, seeds=seeds,
    )  # fmt: skip
    say(console, str(found))
    if figure is not None:
        found.save(figure)
        say(console, f"Picture: {figure}")
    if found.suggested is not None:
        typed = {
            "--model": model,
            "--data": data,
            "--optimizer": optimizer,
            "--loss": loss,
            "--batch-size": str(batch_size),
        }
        say(console, f"Use it:\n  {_use(found, typed)}")


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


def _use(found: RangeTest, typed: Mapping[str, str | None]) -> str:
    """The search that uses the range, without options that have their defaults."""
    usual = {"--data": "auto", "--batch-size": "64"}
    words = ["lrtune", "search"]
    for flag, value in typed.items():
        words += [] if value in (None, usual.get(flag)) else [flag, str(value)]
    return shlex.join([*words, "--range", "lr0={:g}:{:g}".format(*found.suggested or ())])
