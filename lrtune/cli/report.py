"""`lrtune report RUN`: prints the report of a run and writes it to files."""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer

from lrtune.cli import app as cli
from lrtune.errors import ArgumentError

Csv = Annotated[
    str | None, typer.Option(help="Also write all trials to this file; - prints only them.")
]
Html = Annotated[
    str | None, typer.Option(help="Also write the report as one self-contained HTML file.")
]
Figures = Annotated[
    str | None, typer.Option(help="Also write all pictures of this run to this folder.")
]
Top = Annotated[
    int | None,
    typer.Option(
        help="How many of the best trials to list.",
        show_default="up to 10, as many as fit 40 lines",
    ),
]
Details = Annotated[
    bool,
    typer.Option(
        "--details",
        help="Show everything: all arms, trials without a rank, costs, which hyperparameters "
        "mattered, tuning curves.",
    ),
]
Watch = Annotated[
    bool,
    typer.Option(
        "--watch", help="First follow the search or confirmation, until it ends or Ctrl-C."
    ),
]


def report(
    run: cli.RunFolder,
    csv: Csv = None,
    html: Html = None,
    figures: Figures = None,
    top: Top = None,
    details: Details = False,
    watch: Watch = False,
) -> None:
    """Say what to use and how sure that is; rank the trials."""
    if top is not None and top < 1:
        raise ArgumentError(f"--top must be >= 1. Received: {top}.")

    from lrtune.records.reader import read_run
    from lrtune.report.tables import STDOUT, write_csv
    from lrtune.report.terminal import make_console, print_report

    if watch and csv == STDOUT:
        raise ArgumentError("--watch does not go with --csv -, both of which write to the output.")
    try:
        if watch:
            from lrtune.display.watch import watch as follow

            follow(run, make_console())
        records = read_run(run)
        if csv is not None:
            write_csv(records, csv)
        if html is not None:
            from lrtune.report.page import write_page

            write_page(records, html)
        if figures is not None:
            from lrtune.plots.gallery import save_figures

            save_figures(records, figures)
        if csv != STDOUT:
            print_report(records, make_console(), top, details=details)
        sys.stdout.flush()
    except BrokenPipeError:
        _silence()  # the reader, `head` for example, has stopped reading
    except OSError as error:
        _silence()
        raise ArgumentError(
            f"The report cannot be written to standard output ({error.strerror})."
        ) from error


def _silence() -> None:
    """Discards pending output, about which Python would complain again when it exits."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
