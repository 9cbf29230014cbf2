"""Accuracies that a model reaches by always predicting the largest class."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lrtune.report.words import fixed
from lrtune.stats.collapse import is_largest_class

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lrtune.records.schema import DataRecord


def majority(scores: Iterable[float], data: DataRecord, objective: str, places: int) -> str:
    """Words about accuracies that equal the share of the largest class.

    Args:
        scores: of trainings, on the data that the record's share is of.
        data: as recorded.
        objective: what the scores are; only an accuracy is compared.
        places: int >= 0, decimals of scores.

    Returns:
        "0.5000 is the share of the largest class"; empty if no score equals it or it is unknown.
    """
    share = data.largest_class
    if share is None or not any(is_largest_class(score, data, objective) for score in scores):
        return ""
    return f"{fixed(share, places)} is the share of the largest class"
