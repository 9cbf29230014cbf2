"""How a search or a confirmation ends: its report in the terminal, and as a page in its folder."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from lrtune.errors import LrtuneError
from lrtune.records.reader import read_run
from lrtune.records.schema import PAGE
from lrtune.report.terminal import print_report, say

if TYPE_CHECKING:
    import os

    from rich.console import Console


def print_run(folder: str | os.PathLike[str], console: Console) -> None:
    """Print the report of a run folder as it is now."""
    print_report(read_run(folder), console)


def keep_page(folder: str | os.PathLike[str], console: Console, *, anew: bool = True) -> None:
    """Write the run's page into its folder and say where; that it could not be is a line, too.

    Args:
        folder: the run folder.
        console: where to say so.
        anew: whether to replace a page that is there.
    """
    path = Path(folder) / PAGE
    if anew or not path.exists():
        # Imported late: pictures and templates take .5 s, after a report that need not wait.
        from lrtune.records.writer import RunWriter
        from lrtune.report.page import render_page

        try:
            text = render_page(read_run(folder))
            with RunWriter(Path(folder)) as writer:
                writer.page(text)
        except LrtuneError as error:
            say(console, f"\nThe page {path} could not be written: {error}")
            return
    say(console, f"\nOpen {path} for the report with pictures and every trial's curves.")
