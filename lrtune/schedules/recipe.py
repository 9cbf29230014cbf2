"""How one model is trained: its schedule, its optimizer's settings and the user's own values.

A trial's hyperparameter values are one flat dictionary in Keras Tuner and in the records. They are
parsed here, once, on the way in; all other code passes a `Recipe`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lrtune._util import checks
from lrtune._util.printable import printable
from lrtune.errors import ArgumentError
from lrtune.schedules.base import parameters_text
from lrtune.schedules.registry import get

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lrtune.schedules.base import Schedule

STEERING = "tuner/"
"""Prefix of Keras Tuner's own entries, which say on which rung of Hyperband a trial is."""

SETTINGS = ("momentum",)
"""Hyperparameters of the optimizer, SGD."""


@dataclass(frozen=True)
class Recipe:
    """A trial's hyperparameter values, grouped by purpose.

    A recipe from a run folder may lack values or name an unknown family: call `check` before you
    train with it.

    Attributes:
        family: name of the schedule's family; None if the values name none.
        parameters: of the schedule, by their own names ("drop", not "step.drop"), `lr0` first.
        settings: of the optimizer: `momentum`.
        own: all others, sampled by the user's `build_model`.
    """

    family: str | None
    parameters: Mapping[str, Any]
    settings: Mapping[str, Any]
    own: Mapping[str, Any]

    @classmethod
    def from_values(cls, values: Mapping[str, Any]) -> Recipe:
        """Parses hyperparameter values.

        Args:
            values: by name, as in `hp.values` of a trial; Keras Tuner's own are left out.
        """
        family = values.get("schedule")
        prefix = f"{family}."
        parameters = {"lr0": values["lr0"]} if "lr0" in values else {}
        settings, own = {}, {}
        for name, value in values.items():
            if name in SETTINGS:
                settings[name] = value
            elif name.startswith(prefix):
                parameters[name.removeprefix(prefix)] = value
            elif name not in ("schedule", "lr0") and not name.startswith(STEERING):
                own[name] = value
        return cls(family if isinstance(family, str) else None, parameters, settings, own)

    @property
    def values(self) -> dict[str, Any]:
        """The hyperparameter values by name, as `from_values` takes them."""
        values: dict[str, Any] = {} if self.family is None else {"schedule": self.family}
        for name, value in self.parameters.items():
            values[name if name == "lr0" else f"{self.family}.{name}"] = value
        return {**values, **self.settings, **self.own}

    @property
    def schedule(self) -> Schedule:
        """The schedule.

        Raises:
            ArgumentError: the family is unknown, or a parameter is missing or outside its domain.
        """
        if self.family is None:
            raise ArgumentError(self._missing("schedule"))
        family = get(self.family)
        wanted = ["lr0", *(own.parameter for own in family.ranges)]
        if missing := [name for name in wanted if name not in self.parameters]:
            named = (name if name == "lr0" else f"{self.family}.{name}" for name in missing)
            raise ArgumentError(self._missing(*named))
        return family.from_config({name: self.parameters[name] for name in wanted})

    @property
    def lr0(self) -> float:
        """The initial learning rate; NaN if unknown."""
        return _number(self.parameters.get("lr0"))

    @property
    def momentum(self) -> float:
        """The momentum; NaN if unknown."""
        return _number(self.settings.get("momentum"))

    def check(self) -> None:
        """Raises ArgumentError if no model can be trained with this recipe."""
        _ = self.schedule
        self.check_momentum()

    def check_momentum(self) -> None:
        """Raises ArgumentError if the momentum is missing, or not a number >= 0 and < 1."""
        if "momentum" not in self.settings:
            raise ArgumentError(self._missing("momentum"))
        checks.below_one("values['momentum']", self.settings["momentum"])

    @property
    def parameters_text(self) -> str:
        """The family's own parameters: "drop=0.5, epochs_drop=10"; empty if there are none."""
        return parameters_text({k: v for k, v in self.parameters.items() if k != "lr0"})

    @property
    def schedule_text(self) -> str:
        """The schedule in one line: "step(lr0=0.1, drop=0.5, epochs_drop=10)"."""
        shown = {k: v for k, v in self.parameters.items() if k != "lr0" or not math.isnan(self.lr0)}
        return f"{printable(self.family or 'unknown schedule')}({parameters_text(shown)})"

    def __str__(self) -> str:
        """The schedule and the momentum: "constant(lr0=0.1), momentum 0.5"."""
        momentum = "" if math.isnan(self.momentum) else f", momentum {self.momentum:.3g}"
        return f"{self.schedule_text}{momentum}"

    def _missing(self, *names: str) -> str:
        return (
            f"values must hold the hyperparameters of a schedule. Missing: {', '.join(names)}. "
            f"Received: {', '.join(self.values) or 'none at all'}."
        )


def _number(value: Any) -> float:
    return float(value) if isinstance(value, int | float) else math.nan
