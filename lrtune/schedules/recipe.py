"""How one model is trained: its schedule, its optimizer's settings and the user's own values.

A trial's hyperparameter values are one flat dictionary in Keras Tuner and in the records. They are
parsed here, once, on the way in; all other code passes a `Recipe`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lrtune._util.printable import printable
from lrtune.errors import ArgumentError
from lrtune.schedules.base import parameters_text
from lrtune.schedules.compressed import Compressed
from lrtune.schedules.optimizers import DOMAINS
from lrtune.schedules.registry import names
from lrtune.schedules.space import exists, get_family, own_ranges
from lrtune.schedules.warmup import PREFIX, Warmup

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lrtune.schedules.base import Schedule

STEERING = "tuner/"
"""Prefix of Keras Tuner's own entries, which say on which rung of Hyperband a trial is."""

COMPRESSION = f"{STEERING}compression"
"""How many times as fast as over the horizon a trial goes through its schedule; 1 if left out.
Keras Tuner ignores it, as lrtune's other tuners do."""

_WARMUP = f"{Warmup.name}."


@dataclass(frozen=True)
class Recipe:
    """A trial's hyperparameter values, grouped by purpose.

    A recipe from a run folder may lack values or name an unknown family: call `check` before you
    train with it.

    Attributes:
        family: name of the schedule's family, "warmup+cosine" for one after a warmup; None if the
            values name none.
        parameters: of the schedule, by their own names ("drop", not "step.drop"), `lr0` first;
            those of the warmup as "warmup.epochs".
        settings: of the optimizer: `momentum` or `beta_1`, `weight_decay`.
        own: all others, sampled by the user's `build_model`, and the batch size where it is
            searched.
        compression: float >= 1, how many times as fast the training goes through the schedule: the
            horizon over its own budget in a rescaled search.
    """

    family: str | None
    parameters: Mapping[str, Any]
    settings: Mapping[str, Any]
    own: Mapping[str, Any]
    compression: float = 1.0

    @classmethod
    def from_values(cls, values: Mapping[str, Any]) -> Recipe:
        """Parses hyperparameter values.

        Args:
            values: by name, as in `hp.values` of a trial; Keras Tuner's own are left out.
        """
        family = values.get("schedule")
        warmed = isinstance(family, str) and family.startswith(PREFIX)
        prefix = f"{str(family).removeprefix(PREFIX)}."
        parameters = {"lr0": values["lr0"]} if "lr0" in values else {}
        settings, own = {}, {}
        for name, value in values.items():
            if name in DOMAINS:
                settings[name] = value
            elif name.startswith(prefix):
                parameters[name.removeprefix(prefix)] = value
            elif warmed and name.startswith(_WARMUP):
                parameters[name] = value
            elif name not in ("schedule", "lr0") and not name.startswith(STEERING):
                own[name] = value
        named = family if isinstance(family, str) else None
        return cls(named, parameters, settings, own, values.get(COMPRESSION, 1.0))

    @property
    def values(self) -> dict[str, Any]:
        """The hyperparameter values by name, as `from_values` takes them, but no compression."""
        values: dict[str, Any] = {} if self.family is None else {"schedule": self.family}
        named = {self._hyperparameter(name): value for name, value in self.parameters.items()}
        return {**values, **named, **self.settings, **self.own}

    @property
    def schedule(self) -> Schedule:
        """The schedule that the training follows.

        Raises:
            ArgumentError: the family is unknown, or a parameter is missing or outside its domain.
        """
        whole = self._whole
        return whole if self.compression == 1 else Compressed(whole, self.compression)

    @property
    def _whole(self) -> Schedule:
        """The schedule over the horizon."""
        if self.family is None:
            raise ArgumentError(self._missing("schedule"))
        family, values = get_family(self.family), self.values
        wanted = [
            name for name, own in own_ranges(self.family).items() if exists(name, own, values)
        ]
        if missing := [name for name in ("lr0", *wanted) if name not in values]:
            raise ArgumentError(self._missing(*missing))
        own = [name for name in wanted if not name.startswith(_WARMUP)]
        schedule = family.from_search(
            {"lr0": values["lr0"], **{name.partition(".")[2]: values[name] for name in own}}
        )
        if not self.family.startswith(PREFIX):
            return schedule
        return Warmup.before(schedule, values["warmup.epochs"], values["warmup.start"])

    @property
    def lr0(self) -> float:
        """The initial learning rate; NaN if unknown."""
        return _number(self.parameters.get("lr0"))

    @property
    def momentum(self) -> float:
        """The momentum, Adam's and Lion's beta_1; NaN if unknown."""
        return _number(self.settings.get("momentum", self.settings.get("beta_1")))

    def check(self, *settings: str) -> None:
        """Raises ArgumentError if no model can be trained with this recipe.

        Args:
            *settings: of the optimizer that the recipe must have.
        """
        _ = self.schedule
        if missing := [name for name in settings if name not in self.settings]:
            raise ArgumentError(self._missing(*missing))
        for name, value in self.settings.items():
            DOMAINS[name](f"values[{name!r}]", value)

    @property
    def parameter_names(self) -> tuple[str, ...]:
        """The hyperparameters of the family alone: "step.drop", "step.epochs_drop"."""
        return tuple(self._hyperparameter(name) for name in self.parameters if name != "lr0")

    @property
    def parameters_text(self) -> str:
        """The family's own parameters: "drop=0.5, epochs_drop=10"; empty if there are none."""
        return parameters_text({k: v for k, v in self.parameters.items() if k != "lr0"})

    @property
    def own_values(self) -> dict[str, Any]:
        """The user's own values, without parameters of other families, which have no effect."""
        dotted = any("." in name for name in self.own)
        others = {one for family in names() for one in own_ranges(family)} if dotted else ()
        return {name: one for name, one in self.own.items() if name not in others}

    @property
    def own_text(self) -> str:
        """The user's own values: "width=48, batch_size=32"; empty if there are none."""
        return parameters_text(self.own_values)

    @property
    def schedule_text(self) -> str:
        """The schedule in one line: "step(lr0=0.1, drop=0.5, epochs_drop=10)"."""
        shown = {k: v for k, v in self.parameters.items() if k != "lr0" or not math.isnan(self.lr0)}
        return f"{printable(self.family or 'unknown schedule')}({parameters_text(shown)})"

    def __str__(self) -> str:
        """All of it: "constant(lr0=0.1), momentum 0.5, width=48"."""
        known = {name: _number(value) for name, value in self.settings.items()}
        settings = (f", {name} {value:.3g}" for name, value in known.items() if value == value)
        own = f", {self.own_text}" if self.own_values else ""
        return f"{self.schedule_text}{''.join(settings)}{own}"

    def _hyperparameter(self, parameter: str) -> str:
        """The hyperparameter's name of a parameter: "drop" is "step.drop"."""
        if parameter == "lr0" or parameter.startswith(_WARMUP) or self.family is None:
            return parameter
        return f"{self.family.removeprefix(PREFIX)}.{parameter}"

    def _missing(self, *names: str) -> str:
        return (
            f"values must hold the hyperparameters of a schedule. Missing: {', '.join(names)}. "
            f"Received: {', '.join(self.values) or 'none at all'}."
        )


def _number(value: Any) -> float:
    return float(value) if isinstance(value, int | float) else math.nan
