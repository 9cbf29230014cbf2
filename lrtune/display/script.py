"""Who watches a search or a confirmation that a script began."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, TextIO, cast

from lrtune._util.output import SteadyOutput
from lrtune.display.observer import Observer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from lrtune.records.schema import ConfirmManifest, Manifest


@contextmanager
def watching(
    observer: Observer | None,
    verbose: int | str,
    folder: Path,
    manifest: Manifest | ConfirmManifest,
) -> Iterator[Observer]:
    """The script's own observer; without one, a display that writes the page at a good end.

    Leave it only when nobody writes the run folder any more.

    Args:
        observer: the script's own.
        verbose: 0 for an observer that only warns.
        folder: the run folder.
        manifest: of the search or the confirmation.
    """
    if observer is not None or not verbose:
        yield observer or Observer()
        return
    # Imported late: a silent search needs none of it.
    from rich.console import Console

    from lrtune.display import Leaderboard, make_progress
    from lrtune.report.finish import keep_page

    console = Console(file=cast("TextIO", SteadyOutput(sys.stdout)))
    with make_progress(
        console, Leaderboard.of(manifest), *(manifest.planned or (None, None))
    ) as display:
        yield display
    keep_page(folder, console)
