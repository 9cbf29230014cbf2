"""The `lrtune` command: every front door as a subcommand."""

from __future__ import annotations

from typing import Annotated

import typer

from lrtune import cli, confirm, search
from lrtune._version import __version__
from lrtune.export.command import export
from lrtune.report.command import report


def _version(*, wanted: bool) -> None:
    if wanted:
        typer.echo(f"lrtune {__version__}")
        raise typer.Exit


def _lrtune(
    *,
    version: Annotated[
        bool, typer.Option("--version", callback=lambda v: _version(wanted=v), is_eager=True)
    ] = False,
) -> None:
    """Search learning-rate schedules for Keras models and rank them against a constant rate."""


def main() -> None:
    """Entry point of `lrtune` and of `python -m lrtune`."""
    app = cli.empty_app()
    app.callback(no_args_is_help=True)(_lrtune)
    app.command("search")(search.command)
    app.command("confirm")(confirm.command)
    app.command("report")(report)
    app.command("export")(export)
    cli.main(app, "lrtune")


if __name__ == "__main__":
    main()
