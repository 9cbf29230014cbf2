"""The arguments of lrtune's tuners that Keras Tuner's do not have, and those it has in vain."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from lrtune.errors import ArgumentError

if TYPE_CHECKING:
    from collections.abc import Mapping

NOT_OURS = {
    "distribution_strategy",
    "executions_per_trial",
    "loss",
    "max_model_size",
    "metrics",
    "optimizer",
}
"""Arguments of Keras Tuner's tuners that its own `search` heeds and ours would not."""


def check_arguments(
    score: Any,
    baseline_seeds: Any,
    baseline_budget: Any,
    max_retries: Any,
    trial_timeout: Any,
    others: Mapping[str, Any],
) -> None:
    """Raises ArgumentError for the first argument outside its domain.

    Args:
        score: must be "last" or "best".
        baseline_seeds: must be an int >= 0.
        baseline_budget: must be a number >= 0 and finite.
        max_retries: must be an int >= 0.
        trial_timeout: must be a number > 0.
        others: all others by name; none of `NOT_OURS` must be among them.
    """
    if score not in ("last", "best"):
        raise ArgumentError(f"score must be 'last' or 'best'. Received: score={score!r}.")
    if type(baseline_seeds) is not int or baseline_seeds < 0:
        raise ArgumentError(
            f"baseline_seeds must be an int >= 0. Received: baseline_seeds={baseline_seeds!r}."
        )
    if not (isinstance(baseline_budget, int | float) and 0 <= baseline_budget < math.inf):
        raise ArgumentError(
            f"baseline_budget must be a number >= 0. Received: baseline_budget={baseline_budget!r}."
        )
    if type(max_retries) is not int or max_retries < 0:
        raise ArgumentError(
            f"max_retries must be an int >= 0. Received: max_retries={max_retries!r}."
        )
    if not (isinstance(trial_timeout, int | float) and trial_timeout > 0):
        raise ArgumentError(
            "trial_timeout must be a number of seconds > 0. Received: "
            f"trial_timeout={trial_timeout!r}."
        )
    for name in NOT_OURS & others.keys():
        raise ArgumentError(
            f"{name} is not taken by lrtune's tuners, which train each trial once, compiled by "
            f"its hypermodel: give loss= and metrics= to that. Received: {name}="
            f"{others[name]!r}."
        )
