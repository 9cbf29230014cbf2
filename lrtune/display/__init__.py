"""What a search shows while it runs: a live display on a terminal, plain lines elsewhere."""

from lrtune.display.displays import Display, LiveProgress, PlainProgress, make_progress
from lrtune.display.leaderboard import Leaderboard
from lrtune.display.words import trial_line

__all__ = [
    "Display",
    "Leaderboard",
    "LiveProgress",
    "PlainProgress",
    "make_progress",
    "trial_line",
]
