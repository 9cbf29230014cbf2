"""Properties of one recorded trial that several statistics need."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lrtune.records.schema import Manifest, Outcome


def families_of(manifest: Manifest) -> tuple[str, ...]:
    """The families that were searched, each once, in the manifest's order."""
    return tuple(dict.fromkeys(manifest.families))


def family_of(outcome: Outcome) -> str:
    """The trial's schedule family; "None" if it is not recorded."""
    return str(outcome.recipe.family)


def score_of(outcome: Outcome) -> float:
    """The trial's score; NaN if there is none, if it is infinite and for a failed trial."""
    if outcome.status == "failed" or outcome.score is None or not math.isfinite(outcome.score):
        return math.nan
    return float(outcome.score)


def epochs_of(outcome: Outcome) -> int:
    """How many epochs the trial trained itself, not counting those of the trials it continues."""
    return max(outcome.epochs.last - outcome.epochs.first + 1, 0)


def is_full(outcome: Outcome, manifest: Manifest) -> bool:
    """Whether the trial was meant to reach the full budget."""
    return outcome.epochs.planned == manifest.max_epochs
