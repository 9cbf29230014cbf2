"""Sections and tables as text, and the lines of a table: nothing cut, no trailing blanks.

NOTE: why not rich.table. It pads lines with blanks up to the table's width, and if columns do not
fit, it even cuts those that must not wrap: in 18 characters a score of 0.7120 became "0.", in 24
words ended in "…" (rich 14). Here lines get longer instead.
"""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from itertools import zip_longest
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

GAP = 2
"""Blanks between columns."""


@dataclass(frozen=True)
class Column:
    """One column of a table, for the terminal and for the page.

    Attributes:
        name: its heading.
        cells: one per row.
        right: whether cells are aligned right, as numbers are.
        least: int >= 1 or None. In the terminal, the width down to which cells may be wrapped at
            their blanks; None to keep them whole.
        optional: whether the terminal may leave the column out where space is short.
        about: what the column means, if its name does not say it; else empty.
        remarks: one per row, shown after the cell; empty if there are none.
        order: one per row, what the page sorts by; empty if it sorts by the cells.
    """

    name: str
    cells: tuple[str, ...]
    right: bool = False
    least: int | None = None
    optional: bool = False
    about: str = ""
    remarks: tuple[str, ...] = ()
    order: tuple[str, ...] = ()

    @property
    def width(self) -> int:
        """Characters of the longest cell."""
        return max(len(self.name), *map(len, self.texts))

    @property
    def texts(self) -> tuple[str, ...]:
        """The cells with their remarks in brackets."""
        both = zip(self.cells, self.remarks or [""] * len(self.cells), strict=True)
        return tuple(f"{cell}({remark})" if remark else cell for cell, remark in both)


@dataclass(frozen=True)
class Section:
    """One part of a report; any attribute but the title may be empty.

    Attributes:
        title: its heading.
        about: sentences that introduce it.
        columns: a table.
        best: the table's rows to highlight, counted from 0.
        legend: how to read the table, a line each.
        pairs: names, and words about each.
        notes: what else to know, a line each.
    """

    title: str
    about: tuple[str, ...] = ()
    columns: tuple[Column, ...] = ()
    best: frozenset[int] = frozenset()
    legend: tuple[str, ...] = ()
    pairs: tuple[tuple[str, str], ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing but a title and notes."""
        return not (self.about or self.columns or self.pairs)


def numbers(name: str, cells: Iterable[str], about: str = "") -> Column:
    """A column of numbers, which never wrap and are aligned right."""
    return Column(name, tuple(cells), right=True, about=about)


def lay_out(columns: Sequence[Column], width: int) -> list[list[str]]:
    """The table in lines of text.

    Args:
        columns: at least one; all have the same number of cells, at least one.
        width: int >= 1, characters per line. If even wrapped cells do not fit, lines get longer: a
            terminal shows all of a long line, but text that was cut is lost.

    Returns:
        The lines of the heading, then the lines of each row.
    """
    kept, widths = _fitted(list(columns), width)
    rows = list(zip(*(column.texts for column in kept), strict=True))
    return [_lines(kept, widths, row) for row in ([column.name for column in kept], *rows)]


def _fitted(columns: list[Column], width: int) -> tuple[list[Column], list[int]]:
    for kept in (columns, [column for column in columns if not column.optional]):
        spare = width - sum(column.width for column in kept) - GAP * (len(kept) - 1)
        widths = []
        for column in kept:
            least = column.width if column.least is None else min(column.least, column.width)
            fitted = max(least, column.width + min(spare, 0))
            spare += column.width - fitted
            widths.append(fitted)
        if spare >= 0:
            break
    return kept, widths


def _lines(columns: Sequence[Column], widths: Sequence[int], cells: Sequence[str]) -> list[str]:
    wrapped = [_wrapped(cell, width) for cell, width in zip(cells, widths, strict=True)]
    lines = []
    for texts in zip_longest(*wrapped, fillvalue=""):
        padded = (
            text.rjust(width) if column.right else text.ljust(width)
            for column, width, text in zip(columns, widths, texts, strict=True)
        )
        lines.append((" " * GAP).join(padded).rstrip())
    return lines


def _wrapped(cell: str, width: int) -> list[str]:
    """Broken at blanks, and where that is not enough, after the bracket of a schedule's name."""
    name, bracket, parameters = cell.partition("(")
    if bracket and len(cell.split(maxsplit=1)[0]) > width:
        return [name + bracket, *_at_blanks(parameters, width)]
    return _at_blanks(cell, width) or [""]


def _at_blanks(text: str, width: int) -> list[str]:
    return textwrap.wrap(text, width, break_long_words=False, break_on_hyphens=False)
