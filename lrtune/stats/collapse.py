"""Trainings that learned nothing: a seed that collapsed ends where an untrained model is."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from lrtune.stats.chance import TOLERANCE
from lrtune.stats.race import Ran
from lrtune.stats.trials import score_of
from lrtune.stats.winner import Direction

if TYPE_CHECKING:
    from lrtune.records.schema import ConfirmManifest, DataRecord, Manifest, Outcome


def is_largest_class(score: float, data: DataRecord, objective: str) -> bool:
    """Whether an accuracy is the share of the largest class: that of always predicting this class.

    Args:
        score: of a training, on the data that the record's share is of.
        data: as recorded.
        objective: what the score is; only an accuracy is compared.
    """
    share = data.largest_class
    if share is None or "accuracy" not in objective:
        return False
    return math.isclose(score, share, rel_tol=0, abs_tol=TOLERANCE)


def has_collapsed(outcome: Outcome, manifest: Manifest | ConfirmManifest) -> bool:
    """Whether a training ended where it began.

    It did if it diverged, if its score is no better than that of its own model before the first
    step, or if it is the accuracy of always predicting the largest class. NOTE: a loss has no such
    number, so a model that always predicts the classes' shares counts as trained if its loss is
    below that of the untrained model.

    Args:
        outcome: of a training; a failed one has not collapsed, it has no score.
        manifest: of its search, or of its confirmation.
    """
    score = score_of(outcome)
    if math.isnan(score):
        return False
    if outcome.status == "diverged" or is_largest_class(score, manifest.data, manifest.objective):
        return True
    untrained = outcome.untrained
    return untrained is not None and not Direction(manifest.direction).better(score, untrained)


def ran(outcome: Outcome, manifest: Manifest | ConfirmManifest) -> Ran:
    """What a race counts of a training."""
    return Ran(score_of(outcome), has_collapsed(outcome, manifest))
