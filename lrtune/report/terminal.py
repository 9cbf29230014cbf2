"""The report in a terminal, and as plain text where there is none."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from lrtune._util.printable import printable
from lrtune.report.build import build_report, build_sections
from lrtune.report.grid import lay_out
from lrtune.report.summary import build_summary, closing_lines
from lrtune.report.trials import TOP
from lrtune.report.words import unbroken

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

    from lrtune.records.reader import RunRecords
    from lrtune.report.build import Report
    from lrtune.report.grid import Section

PIPED = 120
"""Characters per line where there is no terminal to ask: enough for any row."""

PROSE = 100
"""Sentences are wrapped at this many characters, however wide the terminal is."""

LINES = 40
"""The short report fits so many lines, a terminal's usual height, wherever its texts allow."""

FEWEST = 3
"""How many trials the short report lists however long it gets."""

NOTES = 3
"""How many files that could not be read the short report names."""

INDENT = "  "


def print_report(
    records: RunRecords, console: Console, top: int | None = None, *, details: bool = False
) -> None:
    """Print the report of a run.

    Args:
        records: of the run.
        console: where to print; its width is kept.
        top: int >= 1, how many trials of the full budget to list; None for as many of the best 10
            as fit `LINES` lines.
        details: whether to print all sections, with importance and tuning curves.

    Raises:
        ArgumentError: `top` is below 1.
    """
    report = build_report(records, top, details=details)
    if details:
        page = _Page(console)
        _begin(page, report)
        for section in build_sections(report).values():
            page.section(section)
        _end(page, report)
    else:
        page = _short(report, console)
    page.print()


def make_console() -> Console:
    """Standard output: a terminal with its own width, a pipe or file with `PIPED` characters."""
    import os
    import sys

    from rich.console import Console

    width = None if sys.stdout.isatty() or "COLUMNS" in os.environ else PIPED
    return Console(width=width, highlight=False, emoji=False, markup=False)


def say(console: Console, text: str) -> None:
    """Print lines without styling, made printable, and wrapped by the terminal only."""
    lines = map(printable, text.split("\n"))
    console.print("\n".join(lines), highlight=False, soft_wrap=True, markup=False)


def _short(report: Report, console: Console) -> _Page:
    """The short report, with fewer trials if it would be longer than `LINES`."""
    for top in range(TOP, FEWEST - 1, -1):
        page = _Page(console)
        _begin(page, report)
        for section in build_summary(report, top):
            page.section(section)
        page.line()
        page.prose(*closing_lines(report), style="dim")
        _end(page, report, NOTES)
        if len(page.lines) <= LINES:
            break
    return page


def _begin(page: _Page, report: Report) -> None:
    """What every report begins with: the run, the answer, and the code for exactly that choice."""
    page.prose(report.header[0], style="bold")
    page.prose(*report.header[1:])
    if report.warning:
        page.line()
        page.prose(report.warning, style="bold red")
    page.line()
    page.prose(report.answer.use, style="bold")
    page.prose(*filter(None, (report.answer.why, report.answer.caveats)))
    if report.usage:
        page.heading("Use it")
        for line in report.usage:
            page.line(INDENT + line)


def _end(page: _Page, report: Report, most: int | None = None) -> None:
    """The files that could not be read, `most` of them at most."""
    if report.notes:
        hidden = len(report.notes) - (most or len(report.notes))
        more = [f"and {hidden} more: see `--details`"] if hidden > 0 else []
        page.heading("Notes")
        page.prose(*report.notes[:most], *more, indent=INDENT)


class _Page:
    """Lines from top to bottom, wrapped, in characters that the console can show."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self.width = min(console.width, PROSE)
        self.lines: list[Text] = []

    def print(self) -> None:
        """Print all lines, however long they are, so that they can be copied."""
        for line in self.lines:
            self.console.print(line, soft_wrap=True)

    def section(self, section: Section) -> None:
        self.heading(section.title)
        self.prose(*section.about, indent=INDENT)
        if section.columns:
            self.table(section)
        self.prose(*section.legend, indent=INDENT, style="dim")
        if section.columns and section.pairs:
            self.line()
        longest = max((len(printable(name)) for name, _ in section.pairs), default=0)
        for name, words in section.pairs:
            first = f"{INDENT}{printable(name):{longest}}  "
            self.prose(words, first=first, indent=" " * len(first))
        if section.columns and section.notes:
            self.line()
        self.prose(*section.notes, indent=INDENT, style="dim")

    def heading(self, words: str) -> None:
        self.line()
        self.prose(words, style="bold cyan")

    def prose(
        self, *texts: str, first: str | None = None, indent: str = "", style: str = ""
    ) -> None:
        """Texts, each from a new line; `first` begins their first lines, `indent` the others."""
        start = indent if first is None else first
        for text in map(unbroken, texts):
            # NOTE: not rich's wrapping, which pads lines with blanks; they would end up in files.
            lines = textwrap.wrap(
                text,
                self.width,
                initial_indent=start,
                subsequent_indent=indent,
                break_on_hyphens=False,  # a command that is broken at one cannot be pasted
            )
            for line in lines or [start]:
                self.line(line, style)

    def table(self, section: Section) -> None:
        heading, *rows = lay_out(section.columns, self.console.width - len(INDENT))
        longest = max(len(line) for lines in (heading, *rows) for line in lines)
        styled = [(line, "bold") for line in heading] + [("─" * longest, "")]
        for number, lines in enumerate(rows):
            styled += [(line, "green" if number in section.best else "") for line in lines]
        for line, style in styled:
            self.line(INDENT + line, style)

    def line(self, line: str = "", style: str = "") -> None:
        """One line as it is."""
        from rich.text import Text

        words, encoding = printable(line), self.console.encoding
        try:
            words.encode(encoding)
        except UnicodeEncodeError:
            words = words.replace("±", "+/-").replace("─", "-")
            words = words.encode(encoding, "replace").decode(encoding)
        self.lines.append(Text(words, style=style))
