"""Trials in words: what may come from a run folder is printable, and one line."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from lrtune._util.printable import printable
from lrtune.records.schema import BASELINE, BASELINE_SEARCH
from lrtune.report.words import brief, call, count
from lrtune.stats.ranking import described

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lrtune.records.schema import Outcome

_SEARCHED_BASELINE = f"{BASELINE}/{BASELINE_SEARCH}/"


def is_arm(trial_id: str) -> bool:
    """Whether this is a seed of an arm, whose name says what is trained."""
    return "/" in trial_id and not trial_id.startswith(_SEARCHED_BASELINE)


def short_id(trial_id: str) -> str:
    """The id as a column shows it: "0007", "constant 0007" of the baseline's search."""
    if trial_id.startswith(_SEARCHED_BASELINE):
        return f"constant {printable(trial_id.removeprefix(_SEARCHED_BASELINE))}"
    kind, _, rest = trial_id.partition("/")
    return printable(rest or kind)


def schedule_and_momentum(values: Mapping[str, Any]) -> tuple[str, str]:
    """Hyperparameter values as ("step(lr0=0.1, drop=0.5, epochs_drop=10)", "0.83")."""
    shown = described(values)
    schedule = printable(call(shown)) if shown["schedule"] is not None else ""
    momentum = shown["momentum"]
    return schedule, "" if math.isnan(momentum) else brief(momentum)


def what(trial_id: str, values: Any) -> str:
    """A trial with its id and its schedule, or a seed of an arm by its name."""
    if is_arm(trial_id):
        return printable(trial_id)
    name = trial_id.removeprefix(_SEARCHED_BASELINE)
    if name != trial_id:
        name += " for the baseline"
    schedule, momentum = schedule_and_momentum(values)
    parts = ["trial", printable(name), schedule, f"momentum={momentum}" if momentum else ""]
    return " ".join(part for part in parts if part)


def trial_line(outcome: Outcome) -> str:
    """A finished trial in one line."""
    name = what(outcome.trial_id, outcome.values)
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
