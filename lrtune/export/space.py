"""The search space of a run, out of the configurations that Keras Tuner wrote into its manifest.

They were read from a file: what cannot be understood is left out, and its values are exported as
remarks on a trial instead of as parameters.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

from lrtune._util.printable import printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

TUNERS_OWN = "tuner/"
"""How the names of values begin that are Keras Tuner's, not the user's."""

Value = str | bool | int | float | None
Condition = tuple[str, tuple[Value, ...]]
"""A parameter's name, and those of its values for which another exists."""


@dataclass(frozen=True)
class Parameter:
    """A hyperparameter.

    Attributes:
        name: printable.
        kind: "float" and "int" lie between `low` and `high`; "choice" is one of `choices`, of which
            there is just one where the value is fixed.
        default: the value that Keras Tuner begins with.
        low, high: the bounds, both included.
        step: distance of whole numbers; 1 where any will do.
        log: whether it is searched on log scale.
        reverse_log: whether it is dense at its upper end, as log scale is at the lower.
        choices: in the order of the space.
        scopes: it exists in the trials that satisfy all conditions of any of these.
    """

    name: str
    kind: Literal["float", "int", "choice"]
    default: Value
    low: float = 0.0
    high: float = 0.0
    step: int = 1
    log: bool = False
    reverse_log: bool = False
    choices: tuple[Value, ...] = ()
    scopes: tuple[tuple[Condition, ...], ...] = ((),)

    def holds(self, value: Any) -> bool:
        """Whether the value is of the parameter's type."""
        if self.kind == "choice":
            return value is None or isinstance(value, str | bool | int | float)
        if isinstance(value, bool) or not isinstance(value, int | float):
            return False
        return self.kind == "float" or isinstance(value, int)


def parameters(space: Iterable[Mapping[str, Any]]) -> dict[str, Parameter]:
    """The parameters of a space, by name, in its order.

    Args:
        space: `Manifest.space`.
    """
    found: dict[str, Parameter | None] = {}
    for one in space:
        try:
            parameter = _parameter(str(one["class_name"]), one["config"])
        except (LookupError, TypeError, ValueError, AttributeError, OverflowError):
            continue
        known = found.get(parameter.name, parameter)
        # Keras Tuner allows a name once a scope, with other bounds in each.
        found[parameter.name] = parameter if known is parameter else _merged(known, parameter)
    return {name: parameter for name, parameter in found.items() if parameter is not None}


def searched(
    values: Mapping[str, Any], known: Mapping[str, Parameter] | None = None
) -> dict[str, Value]:
    """The hyperparameter values of a trial, printable, without Keras Tuner's own.

    Args:
        values: of the trial, by name.
        known: the space, to leave out what does not exist in this trial's scope.
    """
    clean = {
        printable(str(name)): plain_value(value)
        for name, value in values.items()
        if not str(name).startswith(TUNERS_OWN)
    }
    known = known or {}
    return {name: value for name, value in clean.items() if _exists(known.get(name), clean)}


def fitted(
    known: Mapping[str, Parameter], trials: Iterable[Mapping[str, Value]]
) -> dict[str, Parameter]:
    """The space, where need be so much wider that it holds these values.

    A run folder can be edited, and drawing on log scale may round a bound's last digit up.
    """
    wider = dict(known)
    for values in trials:
        for name, value in values.items():
            if name in wider and wider[name].holds(value):
                wider[name] = _holding(wider[name], value)
    return wider


def plain_value(value: Any) -> Value:
    """A value as all the formats know it.

    Text is made printable. Numbers that JSON or 64 bits cannot hold, and whatever is no plain value
    at all, become text.
    """
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int) and -(2**63) <= value < 2**63:
        return value
    if isinstance(value, float) and math.isfinite(value):
        return value
    return printable(str(value))


def _parameter(class_name: str, config: Mapping[str, Any]) -> Parameter:
    name = printable(config["name"])
    scopes = (tuple(_condition(one) for one in config.get("conditions") or ()),)
    if class_name in ("Fixed", "Boolean", "Choice"):
        choices: Iterable[Any] = (True, False)
        if class_name != "Boolean":
            choices = config["values"] if class_name == "Choice" else [config["value"]]
        plain = tuple(dict.fromkeys(plain_value(value) for value in choices))
        default = plain_value(config.get("default"))
        if default not in plain:
            default = plain[0]
        return Parameter(name, "choice", default, choices=plain, scopes=scopes)
    if class_name not in ("Float", "Int"):
        raise ValueError(class_name)
    kind: Literal["float", "int"] = "int" if class_name == "Int" else "float"
    number = int if kind == "int" else float
    low, high = number(config["min_value"]), number(config["max_value"])
    if not (math.isfinite(low) and math.isfinite(high) and low <= high):
        raise ValueError(name)
    default = config.get("default")
    # A step on log scale multiplies: no other tool knows such a thing.
    additive = kind == "int" and config.get("sampling") == "linear"
    return Parameter(
        name,
        kind,
        min(max(number(low if default is None else default), low), high),
        low=low,
        high=high,
        step=int(config.get("step") or 1) if additive else 1,
        log=config.get("sampling") == "log" and low > 0,
        reverse_log=config.get("sampling") == "reverse_log",
        scopes=scopes,
    )


def _condition(raw: Mapping[str, Any]) -> Condition:
    if raw["class_name"] != "Parent":
        raise ValueError(raw["class_name"])
    config = raw["config"]
    return printable(config["name"]), tuple(plain_value(value) for value in config["values"])


def _merged(one: Parameter | None, other: Parameter) -> Parameter | None:
    """Both in one, with the bounds of the wider; None where they have nothing in common."""
    if one is None or one.kind != other.kind:
        return None
    return replace(
        one,
        low=min(one.low, other.low),
        high=max(one.high, other.high),
        step=one.step if (one.step, one.low) == (other.step, other.low) else 1,
        log=one.log and other.log,
        reverse_log=one.reverse_log and other.reverse_log,
        choices=tuple(dict.fromkeys((*one.choices, *other.choices))),
        scopes=(*one.scopes, *other.scopes),
    )


def _holding(parameter: Parameter, value: Any) -> Parameter:
    if parameter.kind == "choice":
        if value in parameter.choices:
            return parameter
        return replace(parameter, choices=(*parameter.choices, value))
    low, high = min(parameter.low, value), max(parameter.high, value)
    return replace(
        parameter,
        low=low,
        high=high,
        step=parameter.step if (value - parameter.low) % parameter.step == 0 else 1,
        log=parameter.log and low > 0,
    )


def _exists(parameter: Parameter | None, values: Mapping[str, Value]) -> bool:
    if parameter is None:
        return True
    return any(
        all(values.get(parent) in allowed for parent, allowed in scope)
        for scope in parameter.scopes
    )
