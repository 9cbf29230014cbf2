"""The ranking as comma-separated values, for spreadsheets and other programs."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from lrtune.errors import ArgumentError

if TYPE_CHECKING:
    from lrtune.run import Run

STDOUT = "-"
"""The file name that means standard output."""


def write_csv(run: Run, file: str) -> None:
    """Write all of `run.ranking()`, one row a trial, numbers in full and empty where unknown.

    Args:
        run: as `load_run` returns it.
        file: path, overwritten if it exists; "-" for standard output.
    """
    text = run.ranking().to_csv(index=False, lineterminator="\n")
    if file == STDOUT:
        encoding = sys.stdout.encoding or "utf-8"
        sys.stdout.write(text.encode(encoding, "backslashreplace").decode(encoding))
        return
    try:
        Path(file).write_text(text, encoding="utf-8", newline="\n")
    except OSError as error:
        raise ArgumentError(
            f"--csv must be a file that can be written, or - for standard output. Received: "
            f"{file!r} ({error.strerror})."
        ) from error
