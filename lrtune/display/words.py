"""Trials in words, each on one line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

from lrtune._util.failures import summary_of
from lrtune._util.printable import printable
from lrtune.records.ids import BASELINE_SEARCH, parse_id
from lrtune.report.words import count

if TYPE_CHECKING:
    from rich.console import Console

    from lrtune.records.schema import Outcome
    from lrtune.schedules.recipe import Recipe

LEVELS = "▁▂▃▄▅▆▇█"
"""Columns of a small curve, from low to high."""

_ASCII = str.maketrans({"±": "+/-", **dict(zip(LEVELS, "_.:-=+*#", strict=True))})


def one_line(text: str, console: Console, style: str = "") -> Text:
    """Any text as a line that the console's encoding has and that cannot steer a terminal."""
    text = printable(text)
    if console.options.ascii_only:
        text = text.translate(_ASCII).encode("ascii", "backslashreplace").decode()
    return Text(text, style=style)


def short_id(trial_id: str) -> str:
    """The id as a column shows it: "0007", or "constant 0007" in the baseline's search."""
    found = parse_id(trial_id)
    if found.arm:
        return f"{found.arm}/seed-{found.seed}"
    return f"constant {found.number}" if found.kind == BASELINE_SEARCH else found.number


def what(trial_id: str, recipe: Recipe) -> str:
    """A trial by its id and its recipe, or a seed of an arm by its id."""
    found = parse_id(trial_id)
    if found.arm:
        return trial_id
    purpose = " for the baseline" if found.kind == BASELINE_SEARCH else ""
    return f"trial {found.number}{purpose} {recipe_text(recipe)}".rstrip()


def recipe_text(recipe: Recipe) -> str:
    """The recipe; empty while nothing is known of it."""
    return str(recipe) if recipe.family else ""


def trial_line(outcome: Outcome) -> str:
    """A finished trial in one line."""
    name = what(outcome.trial_id, outcome.recipe)
    if outcome.status == "completed" and outcome.score is not None:
        return f"{name}: {outcome.score:.4f} after {count(outcome.epochs.last, 'epoch')}"
    reason = summary_of(outcome.message) or "no message"
    return f"{name}: {outcome.status} ({printable(reason)})"


def in_words(seconds: float) -> str:
    """A time as one would say it: "40 s", "12 min", "2 h 5 min"."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60} min"
