"""A list in a sentence, however long it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


def some(names: Iterable[str], most: int = 5) -> str:
    """The first names and the number of others: "a, b, c, d, e and 3 more"; empty for no names."""
    names = list(names)
    more = f" and {len(names) - most:,} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
