"""The objective of a search: the name of a metric, and whether more of it is better."""

from __future__ import annotations

import re
from typing import Any

import keras_tuner

from lrtune.errors import ArgumentError

DIRECTIONS = ("max", "min")

# NOTE: Keras Tuner 1.4.8 would minimize F1Score, R2Score, CosineSimilarity, and fails for MeanIoU.
_MORE_IS_BETTER = re.compile(
    r"(acc|accuracy|auc|precision|recall|score|io_?u|similarity|correlation|true_positives"
    r"|true_negatives|at_(precision|recall|sensitivity|specificity))(_\d+)?$"
)
_LESS_IS_BETTER = re.compile(
    r"(loss|error|crossentropy|mae|mse|mape|msle|rmse|hinge|divergence|log_?cosh|poisson|huber"
    r"|false_positives|false_negatives)(_\d+)?$"
)
"""What the names of Keras' own metrics end with; a second one of a kind gets a number."""


def parse_objective(objective: Any) -> Any:
    """An objective with its direction.

    Args:
        objective: the name of a metric as Keras logs it ("val_accuracy", "val_price_mae" for the
            output `price`); with ":max" or ":min" after it for a metric that is not Keras' own; or
            a `keras_tuner.Objective`.

    Returns:
        `keras_tuner.Objective`; anything but text is returned unchanged.

    Raises:
        ArgumentError: nobody knows whether more of this metric is better.
    """
    if not isinstance(objective, str):
        return objective
    name, colon, direction = objective.rpartition(":")
    if colon and direction in DIRECTIONS:
        return keras_tuner.Objective(name, direction)
    plain = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", objective).lower()
    if _LESS_IS_BETTER.search(plain):
        return keras_tuner.Objective(objective, "min")
    if _MORE_IS_BETTER.search(plain):
        return keras_tuner.Objective(objective, "max")
    raise ArgumentError(
        f"objective must say what is better, {objective}:max or {objective}:min, as its name is "
        f"not that of one of Keras' metrics. Received: {objective}"
    )
