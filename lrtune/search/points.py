"""Hyperparameter values as points: drawn, varied, and placed where their schedules' curves are."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from lrtune.errors import ArgumentError
from lrtune.schedules.base import Schedule
from lrtune.schedules.features import (
    curve_features,
    effective_rates,
    summary_features,
)
from lrtune.schedules.recipe import Recipe
from lrtune.schedules.space import get_family, own_ranges
from lrtune.search.oracle import is_active

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

_PER_RANGE = math.sqrt(12.0)
"""Ranges are this long, so that a uniform value in them has variance 1. Two choices are as far
apart."""

_FLAT = 1e-2
"""Curves that differ by less (in decades of the rate, root mean square) count as equal."""


class Placed(NamedTuple):
    """Points in feature space.

    Attributes:
        x: float64 array [points, columns], finite.
        groups: the group of each column; columns of a group belong together.
    """

    x: NDArray[np.float64]
    groups: tuple[int, ...]


def draw(
    space: Sequence[Any], rng: np.random.Generator, known: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Values of all active hyperparameters, at random.

    Args:
        space: Keras Tuner's hyperparameters, each after those that it depends on.
        rng: draws.
        known: values that are not drawn.
    """
    known = known or {}
    values: dict[str, Any] = {}
    for hp in space:
        if hp.name not in values and is_active(hp, values):
            drawn = hp.prob_to_value(rng.random())
            values[hp.name] = known.get(hp.name, drawn)
    return values


def draw_evenly(space: Sequence[Any], rng: np.random.Generator, count: int) -> list[dict[str, Any]]:
    """`count` draws, as many of each schedule family as of any other."""
    choices = next((hp.values for hp in space if hp.name == "schedule" and is_choice(hp)), None)
    if choices is None:
        return [draw(space, rng) for _ in range(count)]
    return [draw(space, rng, {"schedule": choices[i % len(choices)]}) for i in range(count)]


def vary(
    space: Sequence[Any], rng: np.random.Generator, values: Mapping[str, Any], width: float
) -> dict[str, Any]:
    """Values near others, of the same schedule family.

    Args:
        space: as for `draw`.
        rng: draws.
        values: to be varied.
        width: float > 0, standard deviation of a change, as a share of the hyperparameter's range.
            About every second hyperparameter changes; choices change to any other one.
    """
    near: dict[str, Any] = {}
    for hp in space:
        changes, step, anywhere = rng.random() < 0.5, rng.normal(), rng.random()
        if hp.name in near or not is_active(hp, near):
            continue
        if hp.name not in values:
            near[hp.name] = hp.prob_to_value(anywhere)
        elif hp.name == "schedule" or not changes:
            near[hp.name] = values[hp.name]
        elif is_choice(hp):
            near[hp.name] = hp.prob_to_value(anywhere)
        else:
            moved = place_of(hp, values[hp.name]) + width * step
            near[hp.name] = hp.prob_to_value(min(max(moved, 0.0), 1.0 - 1e-9))
    return near


def is_choice(hp: Any) -> bool:
    """Whether a hyperparameter's values have no distance: a choice or a boolean, not a number."""
    return type(hp).__name__ in ("Choice", "Boolean")


def place_of(hp: Any, value: Any) -> float:
    """Where a value is in its hyperparameter's range, 0 to 1; .5 for one that cannot be placed.

    A schedule that the user wants tried may be outside.
    """
    try:
        return min(max(float(hp.value_to_prob(value)), 0.0), 1.0)
    except (ValueError, ZeroDivisionError):
        return 0.5


class Map:
    """Places hyperparameter values in feature space.

    A schedule is placed by its curve, so families with equal curves are at the same place. The
    curve of a closed-loop schedule is not known in advance: it is placed by its rate without any
    feedback, beside columns that only such families have. The other hyperparameters have a place in
    their range, choices a column for each value. The momentum has none beside the effective rate
    that it is part of.

    Args:
        space: Keras Tuner's hyperparameters.
        epochs: int >= 1, the horizon; None is allowed if the space has no schedules.

    Raises:
        ArgumentError: the space has schedules, and there is no horizon.
    """

    def __init__(self, space: Sequence[Any], epochs: int | None) -> None:
        self._epochs = epochs
        families = _families(space)
        if families and epochs is None:
            raise ArgumentError(
                "epochs must be the horizon that the schedules are laid out over. "
                "Received: epochs=None."
            )
        self._has_curves = bool(families)
        drawn = {
            "schedule",
            "lr0",
            "momentum",
            *(own for name in families for own in own_ranges(name)),
        }
        self._closed = [name for name in families if _is_closed_loop(name)]
        feedback = {own for name in self._closed for own in own_ranges(name)}
        varying = [hp for hp in space if type(hp).__name__ != "Fixed"]
        self._feedback = [hp for hp in varying if hp.name in feedback]
        self._others = [hp for hp in varying if not families or hp.name not in drawn]

    def place(self, points: Sequence[Mapping[str, Any]]) -> Placed:
        """Places points together: the columns' scales follow from the spread of all of them.

        Args:
            points: values of each, at least one point.
        """
        blocks = self._curves(points) if self._has_curves else []
        blocks += [self._unit(hp, points) for hp in self._others]
        columns = [block for block in blocks if block.shape[1]]
        groups = [number for number, block in enumerate(columns) for _ in range(block.shape[1])]
        x = np.hstack(columns) if columns else np.empty((len(points), 0))
        return Placed(x, tuple(groups))

    def landmarks(self, points: Sequence[Mapping[str, Any]]) -> NDArray[np.float64]:
        """What matters most about the curves: how high they are on average, and how far they fall.

        Returns:
            float64 array [points, 2], as from `summary_features`; [points, 0] without schedules.
        """
        if not self._has_curves:
            return np.empty((len(points), 0))
        recipes = [Recipe.from_values(one) for one in points]
        return summary_features(effective_rates(recipes, self._epochs or 1))

    def _curves(self, points: Sequence[Mapping[str, Any]]) -> list[NDArray[np.float64]]:
        recipes = [Recipe.from_values(one) for one in points]
        blocks = [curve_features(effective_rates(recipes, self._epochs or 1))]
        if self._closed:
            closed = [[float(one.family in self._closed)] for one in recipes]
            blocks.append(np.hstack([closed, *(self._unit(hp, points) for hp in self._feedback)]))
        return [_scaled(block) for block in blocks]

    def _unit(self, hp: Any, points: Sequence[Mapping[str, Any]]) -> NDArray[np.float64]:
        """One hyperparameter's columns; an inactive one is in the middle."""
        if type(hp).__name__ == "Choice" and not getattr(hp, "ordered", False):
            same = [[float(one.get(hp.name) == v) for v in hp.values] for one in points]
            columns: NDArray[np.float64] = np.array(same) * (_PER_RANGE / math.sqrt(2.0))
            return columns
        places = [[place_of(hp, one[hp.name]) if hp.name in one else 0.5] for one in points]
        column: NDArray[np.float64] = np.array(places) * _PER_RANGE
        return column


def _families(space: Sequence[Any]) -> list[str]:
    """The schedule families of a space; none if it is not a space of lrtune's schedules."""
    choice = next((hp for hp in space if hp.name == "schedule" and is_choice(hp)), None)
    if choice is None or all(hp.name != "lr0" for hp in space):
        return []
    try:
        for name in choice.values:
            get_family(name)
    except ArgumentError:
        return []
    return list(choice.values)


def _is_closed_loop(name: str) -> bool:
    return get_family(name).closed_loop is not Schedule.closed_loop


def _scaled(block: NDArray[np.float64]) -> NDArray[np.float64]:
    """Centred, and a column's mean square 1; no columns if all points are in one place."""
    block = block - block.mean(axis=0)
    size = float(np.sqrt((block**2).mean()))
    found: NDArray[np.float64] = block / size if size > _FLAT else block[:, :0]
    return found
