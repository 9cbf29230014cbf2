"""Who watches a search or confirmation that a script began: its own observer, else what prints."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from lrtune.display.observer import Observer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextmanager
def watching(
    observer: Observer | None,
    verbose: int | str,
    folder: Path,
    shown: tuple[str, str, int],
    planned: tuple[int, int],
    arms: tuple[str, ...] = (),
) -> Iterator[Observer]:
    """The observer given; without one what prints, and at a good end writes the page.

    With `verbose=0` it is one that only warns. To be left when nobody writes the folder any more.

    Args:
        observer: the script's own.
        verbose: 0 for silence.
        folder: the run folder.
        shown: objective, its direction, and the horizon in epochs.
        planned: how many trials and epochs there will be at most.
        arms: of a confirmation.
    """
    if observer is not None or not verbose:
        yield observer or Observer()
        return
    # Imported late: for those who are to see something.
    from rich.console import Console

    from lrtune.display import Leaderboard, make_progress
    from lrtune.report.finish import keep_page

    console = Console()
    with make_progress(console, Leaderboard(*shown, arms=arms), *planned) as display:
        yield display
    keep_page(folder, console)
