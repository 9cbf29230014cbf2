"""Trials in words: what may come from a run folder is printable, and one line."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from lrtune._util.printable import printable
from lrtune.records.ids import BASELINE_SEARCH, parse_id
from lrtune.report.words import brief, count

if TYPE_CHECKING:
    from lrtune.records.schema import Outcome
    from lrtune.schedules.recipe import Recipe


def short_id(trial_id: str) -> str:
    """The id as a column shows it: "0007", "constant 0007" of the baseline's search."""
    found = parse_id(trial_id)
    if found.arm:
        return f"{found.arm}/seed-{found.seed}"
    return f"constant {found.number}" if found.kind == BASELINE_SEARCH else found.number


def schedule_and_momentum(recipe: Recipe) -> tuple[str, str]:
    """A recipe as ("step(lr0=0.1, drop=0.5, epochs_drop=10)", "0.83"); empty where unknown."""
    schedule = "" if recipe.family is None else recipe.schedule_text
    return schedule, "" if math.isnan(recipe.momentum) else brief(recipe.momentum)


def what(trial_id: str, recipe: Recipe) -> str:
    """A trial with its id and its schedule, or a seed of an arm by its name."""
    found = parse_id(trial_id)
    if found.arm:
        return trial_id
    purpose = " for the baseline" if found.kind == BASELINE_SEARCH else ""
    schedule, momentum = schedule_and_momentum(recipe)
    parts = [f"trial {found.number}{purpose}", schedule, f"momentum={momentum}" if momentum else ""]
    return " ".join(part for part in parts if part)


def trial_line(outcome: Outcome) -> str:
    """A finished trial in one line."""
    name = what(outcome.trial_id, outcome.recipe)
    if outcome.status == "completed" and outcome.score is not None:
        return f"{name}: {outcome.score:.4f} after {count(outcome.epochs.last, 'epoch')}"
    reason = (outcome.message or "").strip().splitlines()[-1:] or ["no message"]
    return f"{name}: {outcome.status} ({printable(reason[0])})"


def in_words(seconds: float) -> str:
    """A time as one would say it: "40 s", "12 min", "2 h 5 min"."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60} min"
