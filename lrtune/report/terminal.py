"""The report in a terminal, and as plain text where there is none."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from lrtune._util.printable import printable
from lrtune.report.build import build_report
from lrtune.report.grid import lay_out
from lrtune.report.sections import build_sections

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

    from lrtune.records.reader import RunRecords
    from lrtune.report.build import Report
    from lrtune.report.grid import Column, Section

PIPED = 120
"""Characters per line where there is no terminal to ask: enough for any row."""

PROSE = 100
"""Sentences are wrapped at this many characters, however wide the terminal is."""


def print_report(
    records: RunRecords, console: Console, top: int = 10, *, details: bool = False
) -> None:
    """Print the report of a run.

    Args:
        records: of the run.
        console: where to print; its width is kept.
        top: int >= 1, how many trials of the full budget to list.
        details: whether to print importance and tuning curves, too.

    Raises:
        ArgumentError: `top` is below 1.
    """
    _render(build_report(records, top, details=details), console)


def make_console() -> Console:
    """Standard output: a terminal in its own width, a pipe or file in a width for any row."""
    import os
    import sys

    from rich.console import Console

    width = None if sys.stdout.isatty() or "COLUMNS" in os.environ else PIPED
    return Console(width=width, highlight=False, emoji=False, markup=False)


def say(console: Console, text: str) -> None:
    """Print lines without styling, made printable, and wrapped by the terminal only."""
    lines = map(printable, text.split("\n"))
    console.print("\n".join(lines), highlight=False, soft_wrap=True, markup=False)


def _render(report: Report, console: Console) -> None:
    """Lay the report out; the verdict, which matters most, comes last."""
    page = _Page(console)
    page.prose(report.header[0], style="bold")
    for line in report.header[1:]:
        page.prose(line)
    if report.warning:
        page.gap()
        page.prose(report.warning, style="bold red")
    for section in build_sections(report).values():
        page.section(section)
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


class _Page:
    """Prints from top to bottom, wrapped, in characters that the console can show."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self.width = min(console.width, PROSE)

    def section(self, section: Section) -> None:
        self.heading(section.title)
        for line in section.about:
            self.prose(line, indent=2)
        if section.columns:
            self.table(section.columns, section.best)
        for line in section.legend:
            self.prose(line, indent=2, style="dim")
        if section.columns and section.pairs:
            self.gap()
        if section.pairs:
            self.pairs(section.pairs)
        if section.columns and section.notes:
            self.gap()
        for line in section.notes:
            self.prose(line, indent=2, style="dim")

    def gap(self) -> None:
        self.console.print()

    def heading(self, words: str) -> None:
        self.gap()
        self.prose(words, style="bold cyan")

    def prose(self, words: str, *, indent: int = 0, style: str = "") -> None:
        self.wrapped(words, " " * indent, " " * indent, style)

    def pairs(self, pairs: tuple[tuple[str, str], ...]) -> None:
        """Names, and words beside each."""
        shown = [(printable(name), words) for name, words in pairs]
        longest = max(len(name) for name, _ in shown)
        for name, words in shown:
            self.wrapped(words, f"  {name:{longest}}  ", " " * (longest + 4))

    def wrapped(self, words: str, first: str, others: str, style: str = "") -> None:
        """Words with one indent before the first line and another before the others."""
        # NOTE: rich would pad lines with blanks, which do not belong into a file.
        lines = textwrap.wrap(
            printable(words), self.width, initial_indent=first, subsequent_indent=others
        )
        for line in lines or [first]:
            self.code(line, style)

    def table(self, columns: Sequence[Column], best: frozenset[int]) -> None:
        """A table; the rows with these numbers, from 0, stand out."""
        heading, *rows = lay_out(columns, self.console.width - 2)
        for line in heading:
            self.code(f"  {line}", "bold")
        self.code(f"  {'─' * max(len(line) for lines in (heading, *rows) for line in lines)}")
        for number, lines in enumerate(rows):
            for line in lines:
                self.code(f"  {line}", "green" if number in best else "")

    def code(self, line: str, style: str = "") -> None:
        """One line as it is, however long, so that it can be copied."""
        from rich.text import Text

        words, encoding = printable(line), self.console.encoding
        try:
            words.encode(encoding)
        except UnicodeEncodeError:
            words = words.replace("±", "+/-").replace("─", "-")
            words = words.encode(encoding, "replace").decode(encoding)
        self.console.print(Text(words, style=style), soft_wrap=True)
