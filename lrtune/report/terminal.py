"""The report in a terminal, and as plain text where there is none."""

from __future__ import annotations

import math
import textwrap
from dataclasses import replace
from typing import TYPE_CHECKING

from lrtune.printable import printable
from lrtune.report.build import build_report
from lrtune.report.grid import Column, lay_out
from lrtune.report.words import NOTHING, brief, count, duration, fixed

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

    from lrtune.report.build import Report, Row
    from lrtune.run import Run

PROSE = 100
"""Sentences are broken at this many columns, however wide the terminal is."""


def print_report(run: Run, console: Console, top: int = 10) -> None:
    """Print the report of a run.

    Args:
        run: as `load_run` returns it.
        console: where to; its width is kept.
        top: int >= 1, how many trials of the full budget to list.
    """
    render(build_report(run, top), console)


def make_console() -> Console:
    """Standard output: a terminal in its own width, a pipe or file wide enough for any row."""
    import os
    import sys

    from rich.console import Console

    width = None if sys.stdout.isatty() or "COLUMNS" in os.environ else PIPED
    return Console(width=width, highlight=False, emoji=False, markup=False)


PIPED = 120
"""Columns where there is no terminal to ask."""


def render(report: Report, console: Console) -> None:
    """Lay the report out on a console."""
    page = _Page(console)
    page.prose(report.header[0], style="bold")
    for line in report.header[1:]:
        page.prose(line)
    if report.warning:
        page.gap()
        page.prose(report.warning, style="bold red")

    page.heading("Baseline")
    if report.baseline:
        page.pairs(report.baseline)
    else:
        page.prose("none: this run has no constant learning rate to compare with", indent=2)

    if report.rows:
        page.heading(f"Trials of {count(report.budget, 'epoch')}")
        page.table(report)
    if report.apart:
        page.heading("Not in the ranking")
        page.pairs(report.apart)

    page.heading("Verdict")
    page.prose(report.verdict, indent=2)
    if report.usage:
        page.heading("Use it")
        for line in report.usage:
            page.code(f"  {line}")
    if report.notes:
        page.heading("Notes")
        for note in report.notes:
            page.prose(note, indent=2)


class _Page:
    """Prints one after the other, in characters that the console can show."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self.width = min(console.width, PROSE)

    def gap(self) -> None:
        self.console.print()

    def heading(self, words: str) -> None:
        self.gap()
        self.prose(words, style="bold cyan")

    def prose(self, words: str, *, indent: int = 0, style: str = "") -> None:
        self.lines(words, " " * indent, " " * indent, style)

    def pairs(self, pairs: tuple[tuple[str, str], ...]) -> None:
        longest = max(len(name) for name, _ in pairs)
        for name, words in pairs:
            self.lines(words, f"  {name:{longest}}  ", " " * (longest + 4))

    def lines(self, words: str, first: str, others: str, style: str = "") -> None:
        # NOTE: rich would fill lines up with blanks, which is no good in a file.
        for line in textwrap.wrap(
            words, self.width, initial_indent=first, subsequent_indent=others
        ) or [first]:
            self.code(line, style)

    def code(self, line: str, style: str = "") -> None:
        """One line as it is, however long, so that it can be copied."""
        self.console.print(self.text(line, style), soft_wrap=True)

    def table(self, report: Report) -> None:
        heading, *rows = lay_out(_columns(report), self.console.width - 2)
        for line in heading:
            self.code(f"  {line}", "bold")
        self.code(f"  {'─' * max(len(line) for lines in (heading, *rows) for line in lines)}")
        for row, lines in zip(report.rows, rows, strict=True):
            for line in lines:
                self.code(f"  {line}", "green" if row.rank == 1 else "")
        for line in _legend(report):
            self.prose(line, indent=2, style="dim")

    def text(self, words: str, style: str = "") -> Text:
        from rich.text import Text

        words = printable(words)
        encoding = self.console.encoding
        try:
            words.encode(encoding)
        except UnicodeEncodeError:
            words = words.replace("±", "+/-").replace("─", "-")
            words = words.encode(encoding, "replace").decode(encoding)
        return Text(words, style=style)


def _columns(report: Report) -> list[Column]:
    """The columns in which there is something to say."""
    rows, places = report.rows, report.places
    noise = {True: "within", False: "outside", None: NOTHING}
    columns = [
        _numbers("rank", [str(row.rank) for row in rows]),
        Column("trial", tuple(row.trial_id for row in rows)),
        Column("schedule", tuple(_schedule(row) for row in rows), least=20),
        _numbers("lr0", [brief(row.lr0) for row in rows]),
        _numbers("momentum", [brief(row.momentum) for row in rows]),
    ]
    if any(row.epochs != report.budget for row in rows):
        columns.append(_numbers("epochs", [str(row.epochs) for row in rows]))
    columns.append(_numbers("score", [fixed(row.score, places) for row in rows]))
    if any(not math.isnan(row.delta) for row in rows):
        columns.append(_numbers("delta", [fixed(row.delta, places, sign=True) for row in rows]))
    if any(row.within_noise is not None for row in rows):
        columns.append(Column("noise", tuple(noise[row.within_noise] for row in rows)))
    time = _numbers("time", [duration(row.seconds) for row in rows])
    return [*columns, replace(time, optional=True)]


def _numbers(name: str, cells: list[str]) -> Column:
    return Column(name, tuple(cells), right=True)


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
