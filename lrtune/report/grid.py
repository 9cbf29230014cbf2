"""Rows and columns as plain lines of text: nothing is cut off, and no blanks trail."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

GAP = 2
"""Blanks between columns."""


@dataclass(frozen=True)
class Column:
    """One column of a grid.

    Attributes:
        name: its heading.
        cells: one a row.
        right: whether cells stand at the right, as numbers do.
        least: int >= 1 or None; the width down to which cells may be broken into several lines at
            their blanks; None to keep them whole.
        optional: whether the column may be left out where there is too little room.
    """

    name: str
    cells: tuple[str, ...]
    right: bool = False
    least: int | None = None
    optional: bool = False

    @property
    def width(self) -> int:
        """Characters that the longest cell takes."""
        return max(len(self.name), *(len(cell) for cell in self.cells))


def numbers(name: str, cells: Sequence[str]) -> Column:
    """A column of numbers, which are kept whole and stand at the right."""
    return Column(name, tuple(cells), right=True)


def lay_out(columns: Sequence[Column], width: int) -> list[list[str]]:
    """The grid in lines.

    Args:
        columns: at least one, all with equally many cells, at least one.
        width: int >= 1, columns of the terminal. Where not even broken cells and left-out columns
            fit, lines are longer: a terminal shows all of a long line, and none of a cut one.

    Returns:
        The lines of the heading, then those of each row.
    """
    kept, widths = _fitted(list(columns), width)
    rows = list(zip(*(column.cells for column in kept), strict=True))
    return [_lines(kept, widths, row) for row in ([column.name for column in kept], *rows)]


def _fitted(columns: list[Column], width: int) -> tuple[list[Column], list[int]]:
    for kept in (columns, [column for column in columns if not column.optional]):
        spare = width - sum(column.width for column in kept) - GAP * (len(kept) - 1)
        widths = []
        for column in kept:
            least = column.width if column.least is None else min(column.least, column.width)
            given = max(least, column.width + min(spare, 0))
            spare += column.width - given
            widths.append(given)
        if spare >= 0:
            break
    return kept, widths


def _lines(columns: Sequence[Column], widths: Sequence[int], cells: Sequence[str]) -> list[str]:
    broken = [
        textwrap.wrap(cell, width, break_long_words=False, break_on_hyphens=False) or [""]
        for cell, width in zip(cells, widths, strict=True)
    ]
    lines = []
    for number in range(max(len(parts) for parts in broken)):
        texts = [parts[number] if number < len(parts) else "" for parts in broken]
        line = (" " * GAP).join(
            f"{text:>{width}}" if column.right else f"{text:<{width}}"
            for column, width, text in zip(columns, widths, texts, strict=True)
        )
        lines.append(line.rstrip())
    return lines
