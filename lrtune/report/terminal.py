"""The report in a terminal, and as plain text where there is none."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

from lrtune._util.printable import printable
from lrtune.report.build import build_report
from lrtune.report.grid import Column, numbers
from lrtune.report.sections import print_confirmation, print_costs, print_details
from lrtune.report.text_page import Page
from lrtune.report.words import NOTHING, brief, count, duration, fixed

if TYPE_CHECKING:
    from rich.console import Console

    from lrtune.records.reader import RunRecords
from lrtune.report.build import Report, Row


def print_report(
    records: RunRecords, console: Console, top: int = 10, *, details: bool = False
) -> None:
    """Print the report of a run.

    Args:
        records: of the run.
        console: where to; its width is kept.
        top: int >= 1, how many trials of the full budget to list.
        details: whether to print importance and tuning curves, too.
    """
    render(build_report(records, top, details=details), console)


def make_console() -> Console:
    """Standard output: a terminal in its own width, a pipe or file wide enough for any row."""
    import os
    import sys

    from rich.console import Console

    width = None if sys.stdout.isatty() or "COLUMNS" in os.environ else PIPED
    return Console(width=width, highlight=False, emoji=False, markup=False)


def say(console: Console, text: str) -> None:
    """Prints lines as they are, but for control characters, and wrapped by the terminal alone."""
    lines = map(printable, text.split("\n"))
    console.print("\n".join(lines), highlight=False, soft_wrap=True, markup=False)


PIPED = 120
"""Columns where there is no terminal to ask."""


def render(report: Report, console: Console) -> None:
    """Lay the report out on a console; what is asked first, the verdict, is what ends it."""
    page = Page(console)
    _print_head(report, page)
    if report.rows:
        page.heading(f"Trials of {count(report.budget, 'epoch')}")
        first = frozenset(number for number, row in enumerate(report.rows) if row.rank == 1)
        page.table(_columns(report), first)
        for line in _legend(report):
            page.legend(line)
    if report.apart:
        page.heading("Not in the ranking")
        page.pairs(report.apart)
    print_costs(report, page)
    if report.details:
        print_details(report.details, report.places, page)
    if report.confirmation:
        print_confirmation(report.confirmation, report.places, page)
    _print_end(report, page)


def _print_head(report: Report, page: Page) -> None:
    page.prose(report.header[0], style="bold")
    for line in report.header[1:]:
        page.prose(line)
    if report.warning:
        page.gap()
        page.prose(report.warning, style="bold red")
    page.heading("Baseline")
    if report.baseline:
        page.pairs(report.baseline)
        page.prose(report.tuning, indent=2)
    else:
        page.prose("none: this run has no constant learning rate to compare with", indent=2)


def _print_end(report: Report, page: Page) -> None:
    page.heading("Verdict")
    page.prose(report.headline, indent=2, style="bold")
    if report.reasons:
        page.prose(report.reasons, indent=2)
    if report.usage:
        page.heading("Use it")
        for line in report.usage:
            page.code(f"  {line}")
    if report.notes:
        page.heading("Notes")
        for note in report.notes:
            page.prose(note, indent=2)


def _columns(report: Report) -> list[Column]:
    """The columns in which there is something to say."""
    rows, places = report.rows, report.places
    noise = {True: "within", False: "outside", None: NOTHING}
    columns = [
        numbers("rank", [str(row.rank) for row in rows]),
        Column("trial", tuple(row.trial_id for row in rows)),
        Column("schedule", tuple(_schedule(row) for row in rows), least=20),
        numbers("lr0", [brief(row.lr0) for row in rows]),
        numbers("momentum", [brief(row.momentum) for row in rows]),
    ]
    if any(row.epochs != report.budget for row in rows):
        columns.append(numbers("epochs", [str(row.epochs) for row in rows]))
    columns.append(numbers("score", [fixed(row.score, places) for row in rows]))
    if any(not math.isnan(row.delta) for row in rows):
        columns.append(numbers("delta", [fixed(row.delta, places, sign=True) for row in rows]))
    if any(row.within_noise is not None for row in rows):
        columns.append(Column("noise", tuple(noise[row.within_noise] for row in rows)))
    time = numbers("time", [duration(row.seconds) for row in rows])
    return [*columns, replace(time, optional=True)]


def _schedule(row: Row) -> str:
    return f"{row.schedule}({row.parameters})" if row.parameters else row.schedule


def _legend(report: Report) -> list[str]:
    """What the columns mean, as far as their names do not tell."""
    lines = []
    if report.hidden:
        lines.append(f"and {count(report.hidden, 'more trial')}")
    if report.compared_with:
        legend = f"delta: how much better than {report.compared_with}"
        if not math.isnan(report.spread):
            spread = fixed(report.spread, report.places)
            legend += f"; noise: 95 of 100 single runs of it lie within ±{spread}"
        lines.append(legend)
    return lines
