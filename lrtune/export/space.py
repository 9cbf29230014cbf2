"""Which hyperparameters a trial has, with values that every format can hold."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from lrtune._util.printable import printable
from lrtune.schedules.recipe import STEERING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

Value = str | bool | int | float | None
Scope = list[tuple[str, list[Value]]]
"""Names of other hyperparameters, each with the values for which this scope applies."""


def configs(space: Iterable[Mapping[str, Any]]) -> Iterator[tuple[str, Any, dict[str, Any]]]:
    """Name, class name and configuration of each hyperparameter, as Keras Tuner wrote them.

    Args:
        space: `Manifest.space`, read from a file: entries without a name are left out.
    """
    for one in space:
        config = one.get("config")
        if isinstance(config, dict) and isinstance(config.get("name"), str):
            yield printable(config["name"]), one.get("class_name"), config


def scopes(space: Iterable[Mapping[str, Any]]) -> dict[str, list[Scope]]:
    """The scopes of each hyperparameter: it exists in a trial that meets all conditions of one.

    Keras Tuner allows a name once in every scope. A hyperparameter whose conditions cannot be read
    counts as part of all trials.
    """
    found: dict[str, list[Scope]] = {}
    for name, _, config in configs(space):
        try:
            parents = [condition["config"] for condition in config["conditions"]]
            scope = [
                (printable(parent["name"]), [plain_value(value) for value in parent["values"]])
                for parent in parents
            ]
        except (LookupError, TypeError, AttributeError):
            scope = []
        found.setdefault(name, []).append(scope)
    return found


def searched(
    values: Mapping[str, Any], known: Mapping[str, list[Scope]] | None = None
) -> dict[str, Value]:
    """The hyperparameter values of a trial, printable, without Keras Tuner's own.

    Args:
        values: the trial's values by name.
        known: see `scopes`; hyperparameters that do not exist in this trial are left out.
    """
    clean = {
        printable(name): plain_value(value)
        for name, value in values.items()
        if not name.startswith(STEERING)
    }

    def exists(name: str) -> bool:
        return any(
            all(clean.get(parent) in allowed for parent, allowed in scope)
            for scope in (known or {}).get(name, [[]])
        )

    return {name: value for name, value in clean.items() if exists(name)}


def plain_value(value: Any) -> Value:
    """A value that every format can hold.

    Text is made printable. Numbers that JSON or 64 bits cannot hold, lists and the like become
    text.
    """
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int) and -(2**63) <= value < 2**63:
        return value
    if isinstance(value, float) and math.isfinite(value):
        return value
    return printable(str(value))
