"""The `lrtune` command: every front door as a subcommand."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from lrtune._version import __version__
from lrtune.cli import app as cli
from lrtune.cli import confirm, range_test, search
from lrtune.cli.export import export
from lrtune.cli.report import report
from lrtune.cli.show import show

if TYPE_CHECKING:
    from collections.abc import Callable

COMMANDS: dict[str, Callable[..., None]] = {
    "search": search.command,
    "range-test": range_test.command,
    "confirm": confirm.command,
    "report": report,
    "show": show,
    "export": export,
}


def _version(*, wanted: bool) -> None:
    if wanted:
        typer.echo(f"lrtune {__version__}")
        raise typer.Exit


def _lrtune(
    *,
    version: Annotated[
        bool,
        typer.Option(
            "--version",
            callback=lambda wanted: _version(wanted=wanted),
            is_eager=True,
            help="Show the version and exit.",
        ),
    ] = False,
) -> None:
    """Search learning-rate schedules for Keras models and rank them against a constant rate."""


def main(command: str | None = None, argv: list[str] | None = None) -> None:
    """Entry point of `lrtune`, and of `python -m lrtune.search` and `python -m lrtune.report`.

    Args:
        command: the one command to run; None for all of them as subcommands.
        argv: arguments after the program's name; those of the process if None.
    """
    words = sys.argv[1:] if argv is None else argv
    if command is None and words and words[0] in COMMANDS:
        command, *words = words
    if command is not None:
        cli.main(cli.make_app(COMMANDS[command]), f"lrtune {command}", words, last=argv is None)
    app = cli.empty_app(_lrtune.__doc__)
    app.callback(no_args_is_help=True)(_lrtune)
    for name, function in COMMANDS.items():
        app.command(name)(function)
    cli.main(app, "lrtune", words, last=argv is None)


if __name__ == "__main__":
    main()
