"""Prints a page of text: prose, pairs and grids, broken at the width there is."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from lrtune._util.printable import printable
from lrtune.report.grid import lay_out

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console
    from rich.text import Text

    from lrtune.report.grid import Column

PROSE = 100
"""Sentences are broken at this many columns, however wide the terminal is."""


class Page:
    """Prints one after the other, in characters that the console can show."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self.width = min(console.width, PROSE)

    def gap(self) -> None:
        """An empty line."""
        self.console.print()

    def heading(self, words: str) -> None:
        """The heading of a section, after an empty line."""
        self.gap()
        self.prose(words, style="bold cyan")

    def prose(self, words: str, *, indent: int = 0, style: str = "") -> None:
        """Sentences, broken where the width ends."""
        self.lines(words, " " * indent, " " * indent, style)

    def pairs(self, pairs: tuple[tuple[str, str], ...]) -> None:
        """Names, and words beside each; at least one pair."""
        longest = max(len(name) for name, _ in pairs)
        for name, words in pairs:
            self.lines(words, f"  {name:{longest}}  ", " " * (longest + 4))

    def lines(self, words: str, first: str, others: str, style: str = "") -> None:
        """Sentences behind one beginning, and behind another where they go on."""
        # NOTE: rich would fill lines up with blanks, which is no good in a file.
        for line in textwrap.wrap(
            words, self.width, initial_indent=first, subsequent_indent=others
        ) or [first]:
            self.code(line, style)

    def code(self, line: str, style: str = "") -> None:
        """One line as it is, however long, so that it can be copied."""
        self.console.print(self.text(line, style), soft_wrap=True)

    def table(self, columns: Sequence[Column], best: frozenset[int] = frozenset()) -> None:
        """A grid below its heading.

        Args:
            columns: of the grid.
            best: numbers of the rows, from 0, that stand out.
        """
        heading, *rows = lay_out(columns, self.console.width - 2)
        for line in heading:
            self.code(f"  {line}", "bold")
        self.code(f"  {'─' * max(len(line) for lines in (heading, *rows) for line in lines)}")
        for number, lines in enumerate(rows):
            for line in lines:
                self.code(f"  {line}", "green" if number in best else "")

    def legend(self, words: str) -> None:
        """What the columns of a table mean."""
        self.prose(words, indent=2, style="dim")

    def text(self, words: str, style: str = "") -> Text:
        """Words in characters that the console can show."""
        from rich.text import Text

        words = printable(words)
        encoding = self.console.encoding
        try:
            words.encode(encoding)
        except UnicodeEncodeError:
            words = words.replace("±", "+/-").replace("─", "-")
            words = words.encode(encoding, "replace").decode(encoding)
        return Text(words, style=style)
