"""Schedules that the user wants to be tried first."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from lrtune.errors import ArgumentError
from lrtune.schedules.recipe import Recipe

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lrtune.schedules.space import Space


def parse_tries(
    tries: Sequence[str | Mapping[str, Any]],
    space: Space,
    own: Mapping[str, Any] | None = None,
) -> tuple[dict[str, Any], ...]:
    """The complete hyperparameter values of each schedule to try.

    Args:
        tries: texts ("cosine lr0=0.1") or hyperparameter values with "schedule" among them.
        space: of the search.
        own: the user's own hyperparameters, with the values that they have where nothing is said.

    Raises:
        ArgumentError: one that cannot be trained, or two that are equal.
    """
    own, found = own or {}, []
    for one in [tries] if isinstance(tries, str) else tries:
        values = {**own, **_values(one, space)}
        for name, value in values.items():
            if name in own:
                values[name] = _as(type(own[name]), name, value, one)
            elif name != "schedule":
                values[name] = space.check_value("tries", name, value)
        Recipe.from_values(values).check(*space.settings)
        if values in found:
            raise ArgumentError(f"tries must differ from each other. Received twice: {one!r}.")
        found.append(values)
    return tuple(found)


def _values(one: str | Mapping[str, Any], space: Space) -> dict[str, Any]:
    if isinstance(one, str):
        return space.parse(one)
    family = one.get("schedule") if isinstance(one, Mapping) else None
    if family not in space.families:
        raise ArgumentError(
            "tries must be texts, or hyperparameter values with a 'schedule' of the search "
            f"({', '.join(space.families)}). Received: {one!r}."
        )
    return {**space.default(str(family)), **one}


def _as(kind: type, name: str, value: Any, one: Any) -> Any:
    """The value in the type of the user's hyperparameter."""
    if kind is float and type(value) is int:
        return float(value)
    if isinstance(value, kind):
        return value
    raise ArgumentError(
        f"tries must give {name} a value of type {kind.__name__}. Received: {one!r}."
    )
