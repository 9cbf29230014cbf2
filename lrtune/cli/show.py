"""`lrtune show RUN [NAME]`: the code of the recommended schedule, or of any other."""

from __future__ import annotations

from typing import Annotated

import typer

from lrtune.cli import app as cli


def show(
    run: cli.RunFolder,
    name: Annotated[
        str | None,
        typer.Argument(
            help="A trial's id, or an arm's name.", show_default="the recommended choice"
        ),
    ] = None,
    as_: Annotated[
        str,
        typer.Option(
            "--as",
            help="keras (needs no lrtune), lrtune (shorter), json (all values), or error (of a "
            "trial that failed: its traceback).",
        ),
    ] = "keras",
) -> None:
    """Print the code that trains with a schedule of a search.

    Without a name, this is what the report recommends: the best schedule if it was shown to beat
    the constant rate, else the constant rate.
    """
    from lrtune._util import checks
    from lrtune._util.printable import printable
    from lrtune.report.code import STYLES
    from lrtune.run import load_run

    checks.one_of("--as", as_, (*STYLES, "error"))
    found = load_run(run)
    text = found.error(name or "") if as_ == "error" else found.code(name, as_)  # type: ignore[arg-type]
    for line in text.splitlines():
        typer.echo(printable(line))
