"""What a search shows while it runs: a live display on a terminal, plain lines elsewhere."""

from __future__ import annotations

import os
import sys
import time
from typing import TYPE_CHECKING

from lrtune.display.displays import Display, LiveProgress, PlainProgress, QuietProgress
from lrtune.display.leaderboard import Leaderboard
from lrtune.display.words import trial_line

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.console import Console

__all__ = [
    "Display",
    "Leaderboard",
    "LiveProgress",
    "PlainProgress",
    "QuietProgress",
    "make_progress",
    "trial_line",
]


def make_progress(
    console: Console,
    leaderboard: Leaderboard,
    trials: int | None,
    epochs: int | None,
    *,
    quiet: bool = False,
    clock: Callable[[], float] = time.monotonic,
) -> Display:
    """The display that suits the console: live on a terminal, plain lines anywhere else.

    Args:
        console: where to.
        leaderboard: is told every trial that ends.
        trials: how many there will be at most; None if unknown.
        epochs: likewise.
        quiet: whether to show warnings alone.
        clock: gives seconds.
    """
    kind: type[Display] = QuietProgress
    if not quiet:
        kind = LiveProgress if _can_redraw(console) else PlainProgress
    return kind(console, leaderboard, trials, epochs, clock)


def _can_redraw(console: Console) -> bool:
    """Whether what was printed can be drawn over, and somebody may be looking."""
    if not console.is_terminal or console.is_dumb_terminal or console.is_jupyter:
        return False
    if os.environ.get("CI", "").lower() not in ("", "0", "false") or "ipykernel" in sys.modules:
        return False
    # FORCE_COLOR makes a terminal of a pipe to rich: colours are all that was asked for.
    return not os.environ.get("FORCE_COLOR") or console.file.isatty()
