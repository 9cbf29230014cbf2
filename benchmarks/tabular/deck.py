"""Which training of the table answers a proposal: the nearest one that was not used before."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    Values = Mapping[str, Any]

SHARED = ("lr0", "momentum", "beta_1")
"""What schedules of all families have in common."""


@dataclass(frozen=True)
class Pair:
    """One training of the table, at any budget.

    Attributes:
        schedule: its number in the table.
        seed: of the training.
    """

    schedule: int
    seed: int


class Cube:
    """The schedules of a table in the unit cubes of their families.

    Distances are Euclidean over the hyperparameters of the family that are searched, each from 0 to
    1 on the scale that the search samples it on. Two values of a choice are 1 apart.

    Args:
        space: the hyperparameters of the search, as `oracle.hyperparameters.space` has them.
        schedules: number -> hyperparameter values.
    """

    def __init__(self, space: Iterable[Any], schedules: Mapping[int, Values]) -> None:
        self._space = {one.name: one for one in space if type(one).__name__ != "Fixed"}
        self.schedules = schedules
        self._places: dict[str, dict[str, Any]] = {}
        self._numbers: dict[str, list[int]] = {}
        for number, values in schedules.items():
            self._numbers.setdefault(values["schedule"], []).append(number)

    def nearest(self, values: Values) -> Iterator[int]:
        """The numbers of all schedules, the nearest first: those of its own family before others.

        Other families have other hyperparameters, so they are compared by `SHARED` alone.

        Args:
            values: hyperparameter values of a proposal.
        """
        family = values["schedule"]
        yield from self._ordered(self._numbers.get(family, []), values, self._searched(values))
        others = [one for one in self.schedules if self.schedules[one]["schedule"] != family]
        yield from self._ordered(others, values, [one for one in SHARED if one in values])

    def distance(self, a: Values, b: Values, names: Sequence[str]) -> float:
        """How far two schedules are from each other in these hyperparameters."""
        return float(np.sqrt(sum(self._gap(name, a[name], b[name]) ** 2 for name in names)))

    def _searched(self, values: Values) -> list[str]:
        return [one for one in values if one in self._space and one != "schedule"]

    def _ordered(self, numbers: list[int], values: Values, names: list[str]) -> list[int]:
        far = [self.distance(values, self.schedules[one], names) for one in numbers]
        return [numbers[place] for place in np.argsort(far, kind="stable")]

    def _gap(self, name: str, a: Any, b: Any) -> float:
        hp = self._space[name]
        if type(hp).__name__ in ("Choice", "Boolean") and not getattr(hp, "ordered", False):
            return float(a != b)
        return abs(self._place(name, a) - self._place(name, b))

    def _place(self, name: str, value: Any) -> float:
        # The table's values are asked for in every search, so they are kept.
        known = self._places.setdefault(name, {})
        if value not in known:
            known[value] = float(self._space[name].value_to_prob(value))
        return float(known[value])


class Deck:
    """Deals the trainings of the table to the trials of one search, each once.

    Args:
        cube: of the schedules.
        seeds: with which a search may train a schedule.
        draw: decides which of a schedule's seeds comes first.
    """

    def __init__(self, cube: Cube, seeds: Sequence[int], draw: np.random.Generator) -> None:
        self._cube = cube
        self._left = {
            number: [seeds[one] for one in draw.permutation(len(seeds))]
            for number in cube.schedules
        }
        self._dealt: dict[str, Pair] = {}
        self.misfits = 0
        """How many proposals got a schedule of another family, since theirs was used up."""

    def deal(self, trial_id: str, values: Values) -> dict[str, Any]:
        """Gives a trial the nearest schedule that has a seed left.

        Args:
            trial_id: of the trial.
            values: that the search proposed; others than hyperparameters are ignored.

        Returns:
            The values of the schedule.

        Raises:
            LookupError: all trainings are used up.
        """
        for number in self._cube.nearest(values):
            if self._left[number]:
                self._dealt[trial_id] = Pair(number, self._left[number].pop(0))
                found = dict(self._cube.schedules[number])
                self.misfits += found["schedule"] != values["schedule"]
                return found
        raise LookupError("every training of the table is used up; search for fewer epochs")

    def promote(self, trial_id: str, parent: str) -> None:
        """Gives a trial the training of the one that it continues."""
        self._dealt[trial_id] = self._dealt[parent]

    def pair(self, trial_id: str) -> Pair:
        """The training of a trial."""
        return self._dealt[trial_id]

    def unused(self, schedule: int) -> list[int]:
        """The seeds of a schedule that no trial has got."""
        return sorted(self._left[schedule])
