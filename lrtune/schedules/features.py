"""What a schedule looks like as numbers: for models that compare schedules of any families.

A family's parameters say nothing about those of another family. Its curve does: two schedules that
train with the same rates have the same features, whatever they are called.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from lrtune._util import checks

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from lrtune.schedules.recipe import Recipe

FRACTIONS = (0.0, 0.125, 0.25, 0.375, 0.5, 0.625, 0.75, 0.875, 1.0)
"""Where on the horizon `curve_features` reads the rate."""

FLOOR = 1e-2
"""Rates count as at least this share of the curve's peak: below it, the weights stand still. A
Gaussian process over the curves predicts no better with 1e-3."""

_END = 0.1
"""The share of the horizon whose mean rate is the end of a curve."""

_POINTS = 64
"""A curve has at least so many points, the same number in each epoch."""


def effective_rates(recipes: Sequence[Recipe], horizon: int) -> NDArray[np.float64]:
    """The rate that each recipe effectively trains with over the horizon.

    That is the learning rate, and lr / (1 - momentum) with SGD's momentum: many small steps in one
    direction add up to so much. Adam's and Lion's beta_1 does not lengthen a step. The rate of a
    closed-loop schedule is the one that it would have if the loss fell in every epoch.

    Args:
        recipes: each complete, as `Recipe.check` demands.
        horizon: int >= 1, epochs.

    Returns:
        float64 array [recipes, points], rates > 0. Every epoch has as many points, in the middle of
        equal parts, so that the mean of a rate that is held over each epoch is exact.

    Raises:
        ArgumentError: a schedule's family is unknown, or a parameter is missing or wrong.
    """
    horizon = checks.integer("horizon", horizon, at_least=1)
    points = horizon * -(-_POINTS // horizon)
    t = (np.arange(points) + 0.5) * (horizon / points)
    rates = np.empty((len(recipes), points))
    for row, recipe in zip(rates, recipes, strict=True):
        schedule = recipe.schedule
        momentum = recipe.settings.get("momentum", 0.0)
        if momentum and schedule.moves_momentum:
            momentum = momentum * schedule.momentum_factor(t, np)
        row[:] = schedule(t) / (1.0 - momentum)
    return np.maximum(rates, np.finfo(float).tiny)


def curve_features(rates: NDArray[np.float64]) -> NDArray[np.float64]:
    """The curves themselves.

    Args:
        rates: float array [recipes, points], as from `effective_rates`.

    Returns:
        float64 array [recipes, len(FRACTIONS)]: the logarithm (base 10) of the rate at each of
        `FRACTIONS`, at least that of `FLOOR` times the curve's peak.
    """
    last = rates.shape[1] - 1
    at = [round(fraction * last) for fraction in FRACTIONS]
    floor = FLOOR * rates.max(axis=1, keepdims=True)
    found: NDArray[np.float64] = np.log10(np.maximum(rates[:, at], floor))
    return found


def summary_features(rates: NDArray[np.float64]) -> NDArray[np.float64]:
    """How high each curve is on average, and how far it falls.

    Args:
        rates: float array [recipes, points], as from `effective_rates`.

    Returns:
        float64 array [recipes, 2]; logarithms have base 10.
        First, of the mean rate: so of the sum of the rates, for a given horizon. Second, of the
        mean rate of the last tenth of the horizon over the highest one, at least that of `FLOOR`.
    """
    last = rates[:, -max(1, round(_END * rates.shape[1])) :].mean(axis=1)
    fall = np.maximum(last / rates.max(axis=1), FLOOR)
    found: NDArray[np.float64] = np.log10(np.column_stack([rates.mean(axis=1), fall]))
    return found
