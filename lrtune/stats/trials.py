"""What several statistics ask of one recorded trial."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lrtune.records.schema import Manifest, Outcome


def families_of(manifest: Manifest) -> tuple[str, ...]:
    """The searched families, in their order; what `family_of` gives for a trial is one of them."""
    return tuple(dict.fromkeys(manifest.families))


def family_of(outcome: Outcome) -> str:
    """The trial's schedule family; "None" where it does not say."""
    return str(outcome.recipe.family)


def score_of(outcome: Outcome) -> float:
    """The trial's score; NaN for none, for an infinite one and for a failed trial."""
    if outcome.status == "failed" or outcome.score is None or not math.isfinite(outcome.score):
        return math.nan
    return float(outcome.score)


def epochs_of(outcome: Outcome) -> int:
    """How many epochs the trial trained itself, its ancestors' not among them."""
    return max(outcome.epochs.last - outcome.epochs.first + 1, 0)


def is_full(outcome: Outcome, manifest: Manifest) -> bool:
    """Whether the trial was meant to reach the full budget."""
    return outcome.epochs.planned == manifest.max_epochs
