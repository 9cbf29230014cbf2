"""What a search shows while it runs: a live display on a terminal, plain lines elsewhere."""

from lrtune.display.displays import Display, make_progress
from lrtune.display.leaderboard import Leaderboard

__all__ = ["Display", "Leaderboard", "make_progress"]
