"""The ranking as comma-separated values, for spreadsheets and other programs."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from lrtune._util import checks
from lrtune._util.printable import printable
from lrtune.stats.ranking import rank

if TYPE_CHECKING:
    import pandas as pd

    from lrtune.records.reader import RunRecords

STDOUT = "-"
"""The file name that means standard output."""

_FORMULA = re.compile("(^|;[\\s\"']*)(?=[-=+@\uff1d\uff0b\uff0d\uff20])")
"""Where a spreadsheet would find a formula.

OWASP, "CSV Injection": =, +, -, @ and their full-width forms start one, also after a tab or a line
end. Where ; separates cells, as in much of Europe, one may start after any ; in the text.
"""


def write_csv(records: RunRecords, file: str) -> None:
    """Write all of `rank(records)`, one line a trial; text is made safe by `without_formulas`.

    Numbers are written in full; unknown ones are empty.

    Args:
        records: of the run.
        file: path, overwritten if it exists; "-" for standard output.

    Raises:
        ArgumentError: the file cannot be written.
    """
    text = without_formulas(rank(records)).to_csv(index=False, lineterminator="\n")
    if file == STDOUT:
        encoding = sys.stdout.encoding or "utf-8"
        sys.stdout.write(text.encode(encoding, "backslashreplace").decode(encoding))
        return
    what = "a file that can be written, or - for standard output"
    with checks.writable("--csv", what, file, also=ValueError):
        Path(file).write_text(text, encoding="utf-8", newline="\n")


def without_formulas(frame: pd.DataFrame) -> pd.DataFrame:
    """The frame with text that no spreadsheet runs as a formula and no terminal obeys.

    Text is made printable and stripped of leading and trailing blanks. Where a formula would start,
    an apostrophe is put before it, which tells spreadsheets that it is text.

    Args:
        frame: any; columns of text (object or string) and column names are changed.
    """
    # Only columns of text: in other columns a leading minus belongs to a number.
    text = frame.select_dtypes(["object", "string"])
    cells = {name: text[name].map(_cell, na_action="ignore") for name in text}
    changed: pd.DataFrame = frame.assign(**cells).rename(columns=_cell)
    return changed


def _cell(value: object) -> str:
    return _FORMULA.sub(r"\1'", printable(str(value)).strip())
