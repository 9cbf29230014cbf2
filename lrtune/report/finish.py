"""What a finished search or confirmation shows: its report, its page, and the next commands."""

from __future__ import annotations

import shlex
import threading
from contextlib import suppress
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
    """Print the report of a run folder as it is now.

    Args:
        folder: the run folder.
        console: where to print.

    Raises:
        RunFolderError: the folder holds no run that can be read.
    """
    print_report(read_run(folder), console)


def keep_page(folder: str | os.PathLike[str], console: Console, *, overwrite: bool = True) -> None:
    """Write the run's page into its folder and print where it is.

    A page that cannot be written does not end the search: one line says why.

    Args:
        folder: the run folder.
        console: where to print.
        overwrite: whether to replace an existing page.
    """
    path = Path(folder) / PAGE
    if overwrite or not path.exists():
        # Imported late, so that the report does not wait .5 s for pictures and templates.
        from lrtune.records.writer import RunWriter
        from lrtune.report.page import render_page

        try:
            text = render_page(read_run(folder))
            with RunWriter(Path(folder)) as writer:
                writer.page(text)
        except LrtuneError as error:
            say(console, f"\nThe page {path} could not be written: {error}")
            return
    quoted = shlex.quote(str(path))
    say(console, f"\nOpen {quoted} for the report with pictures and every trial's curves.")


def prepare_page() -> None:
    """Imports in the background what `keep_page` needs: half of its time after a search."""
    threading.Thread(target=_import_page, daemon=True).start()


def _import_page() -> None:
    with suppress(Exception):  # `keep_page` meets it again
        import lrtune.report.page  # noqa: F401 - imported for its effect


def next_commands(folder: str | os.PathLike[str]) -> str:
    """The commands to run after a search, in a sentence; the folder is quoted for a shell.

    Args:
        folder: the run folder.
    """
    quoted = shlex.quote(str(folder))
    return (
        f"`lrtune report {quoted}` prints this again, "
        f"`lrtune confirm {quoted}` checks whether the result holds up."
    )
