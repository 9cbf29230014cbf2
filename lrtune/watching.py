"""Who watches a search or confirmation that a script began: its own observer, else what prints."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext

from lrtune.observer import Observer


def watching(
    observer: Observer | None,
    verbose: int | str,
    shown: tuple[str, str, int],
    planned: tuple[int, int],
    arms: tuple[str, ...] = (),
) -> AbstractContextManager[Observer]:
    """The observer given; without one what prints, or with `verbose=0` one that only warns.

    Args:
        observer: the script's own.
        verbose: 0 for silence.
        shown: objective, its direction, and the horizon in epochs.
        planned: how many trials and epochs there will be at most.
        arms: of a confirmation.
    """
    if observer is not None or not verbose:
        return nullcontext(observer or Observer())
    # Imported late: rich is for those who are to see something.
    from rich.console import Console

    from lrtune.progress import Leaderboard, make_progress

    return make_progress(Console(), Leaderboard(*shown, arms=arms), *planned)
