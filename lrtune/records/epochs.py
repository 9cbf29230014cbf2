"""Reads the intact lines of `epochs.jsonl`, with a notice about the others."""

from __future__ import annotations

import math
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from lrtune.records.ids import folder_of
from lrtune.records.parse import UNREADABLE, loads_numbers, read_bytes, reason
from lrtune.records.schema import EPOCHS

if TYPE_CHECKING:
    from pathlib import Path

_NUMBERS = {int, float, bool, type(None)}
"""The types that an epoch's values may have in JSON."""

_INFINITE = {math.inf, -math.inf}


def read_epochs(folder: Path, trial_id: str) -> list[dict[str, Any]]:
    """The epochs of one training that can be read, in the order in which they were written.

    Args:
        folder: the run folder.
        trial_id: see `lrtune.records.ids`.

    Returns:
        One dictionary for each epoch, as recorded, with NaN for null.
    """
    return epochs_and_notice(folder, trial_id)[0]


def read_last_epoch(folder: Path, trial_id: str) -> dict[str, Any] | None:
    """The last one of `read_epochs`, in a fifth of the time; None if there is none."""
    try:
        lines = _content(folder, f"{folder_of(trial_id)}/{EPOCHS}").split(b"\n")[:-1]
    except (OSError, ValueError):
        return None
    return next((row for line in reversed(lines) for row in _rows([line])), None)


def epochs_and_notice(folder: Path, trial_id: str) -> tuple[list[dict[str, Any]], str | None]:
    """The intact epochs of one `epochs.jsonl`, and a notice if there are damaged lines."""
    name = f"{folder_of(trial_id)}/{EPOCHS}"
    try:
        content = _content(folder, name)
    except FileNotFoundError:
        return [], None
    except (OSError, ValueError) as error:
        return [], f"{name} cannot be read ({reason(error)}): its epochs are left out."
    *lines, torn = content.split(b"\n")
    rows = _rows(lines)
    return rows, _epochs_notice(name, damaged=len(lines) - len(rows), torn=bool(torn.strip()))


def _content(folder: Path, name: str) -> bytes:
    return read_bytes(folder, name, at_most=2**30)


def _epochs_notice(name: str, *, damaged: int, torn: bool) -> str | None:
    if damaged:
        lines = "a line" if damaged == 1 else f"{damaged} lines"
        also = " and its torn last line" if torn else ""
        return f"{name} is damaged: {lines}{also} left out, the rest is kept."
    return f"{name} ends in the middle of a line: that epoch is left out." if torn else None


def _rows(lines: list[bytes]) -> list[dict[str, Any]]:
    """The epochs on these lines, without the lines that are damaged."""
    # NOTE: parsing a file at once takes half the time of parsing it line by line, which matters for
    # 1,000 trials of 50 epochs.
    with suppress(*UNREADABLE):
        content = b"[" + b",".join(lines) + b"]"
        rows: list[dict[str, Any]] = loads_numbers(content)
        if len(rows) == len(lines) and all(map(_is_epoch, rows)):
            if b"null" in content:
                for row in rows:
                    row.update({key: math.nan for key, value in row.items() if value is None})
            return rows
    return [row for line in lines for row in _rows([line])] if len(lines) > 1 else []


def _is_epoch(row: Any) -> bool:
    return (
        type(row) is dict
        and type(row.get("epoch")) is int
        and _NUMBERS.issuperset(map(type, row.values()))
        and _INFINITE.isdisjoint(row.values())
        and all(map(str.isprintable, row))
    )
