"""The ranking as comma-separated values, for spreadsheets and other programs."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from lrtune._util.printable import printable
from lrtune.errors import ArgumentError
from lrtune.stats.ranking import rank

if TYPE_CHECKING:
    import pandas as pd

    from lrtune.records.reader import RunRecords

STDOUT = "-"
"""The file name that means standard output."""

FORMULA = ("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""What a cell begins with that a spreadsheet takes for a formula."""


def write_csv(records: RunRecords, file: str) -> None:
    """Write all of `rank(records)`, one line a trial, numbers in full and empty where unknown.

    Text is made printable (`lrtune.printable`), and what a spreadsheet would run as a formula gets
    an apostrophe before it, which spreadsheets take for "this is text".

    Args:
        records: of the run.
        file: path, overwritten if it exists; "-" for standard output.
    """
    text = _harmless(rank(records)).to_csv(index=False, lineterminator="\n")
    if file == STDOUT:
        encoding = sys.stdout.encoding or "utf-8"
        sys.stdout.write(text.encode(encoding, "backslashreplace").decode(encoding))
        return
    try:
        Path(file).write_text(text, encoding="utf-8", newline="\n")
    except (OSError, ValueError) as error:  # ValueError for a name with a zero byte in it
        raise ArgumentError(
            f"--csv must be a file that can be written, or - for standard output. Received: "
            f"{file!r} ({getattr(error, 'strerror', None) or error})."
        ) from error


def _harmless(frame: pd.DataFrame) -> pd.DataFrame:
    # Only columns of text: in the others a leading minus is a number's.
    text = frame.select_dtypes("object")
    harmless: pd.DataFrame = frame.assign(
        **{name: text[name].map(_cell, na_action="ignore") for name in text}
    )
    return harmless


def _cell(value: object) -> str:
    # OWASP, "CSV Injection": =, +, -, @ and their full-width forms begin a formula, and so does a
    # tab or a line end before one.
    cell = printable(str(value)).strip()
    return f"'{cell}" if cell.startswith(FORMULA) else cell
