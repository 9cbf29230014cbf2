"""Schedule families by name, those that users register included."""

from __future__ import annotations

import difflib
import re
from typing import TypeVar

from lrtune.errors import ArgumentError
from lrtune.schedules.base import Schedule

Family = TypeVar("Family", bound=type[Schedule])

_families: dict[str, type[Schedule]] = {}


def register(family: Family) -> Family:
    """Registers a schedule family: `get`, searches and saved models then find it by its name.

    Use it as a class decorator, above `@dataclass(frozen=True)`.

    Args:
        family: subclass of Schedule whose `name` is of lower-case letters, digits and underscores,
            and not the name of another family.

    Returns:
        `family` itself.
    """
    if not (isinstance(family, type) and issubclass(family, Schedule)):
        raise ArgumentError(f"family must be a subclass of Schedule. Received: family={family!r}.")
    # NOTE: in the class itself, because every family inherits Schedule's.
    parameters = vars(family).get("__dataclass_params__")
    if parameters is None or not parameters.frozen:
        raise ArgumentError(
            "family must be a frozen dataclass: put @register above @dataclass(frozen=True). "
            f"Received: family={family!r}."
        )
    name = getattr(family, "name", None)
    # NOTE: a dot would make the hyperparameter names "family.parameter" ambiguous.
    if not (isinstance(name, str) and re.fullmatch(r"[a-z][a-z0-9_]*", name)):
        raise ArgumentError(
            f"{family.__name__}.name must be lower-case letters, digits and underscores, a letter "
            f"first. Received: name={name!r}."
        )
    taken = _families.get(name)
    if taken is not None and _path(taken) != _path(family):
        raise ArgumentError(
            f"{family.__name__}.name must not be the name of another family. "
            f"Received: name={name!r}, the name of {_path(taken)}."
        )
    _families[name] = family
    return family


def get(name: str) -> type[Schedule]:
    """The family of that name: `get("step")(lr0=0.1, drop=0.5, epochs_drop=10)`.

    Args:
        name: str, one of `names()`.
    """
    if isinstance(name, str) and name in _families:
        return _families[name]
    given = name.lower() if isinstance(name, str) else ""
    close = difflib.get_close_matches(given, names(), n=1)
    hint = f" Did you mean {close[0]!r}?" if close else ""
    raise ArgumentError(
        f"Unknown schedule family {name!r}: it must be one of {', '.join(names())}.{hint}"
    )


def names() -> tuple[str, ...]:
    """The names of all families, sorted; `warmup` and `compressed`, of others, are none."""
    return tuple(sorted(name for name, family in _families.items() if family.stands_alone))


def _path(family: type[Schedule]) -> str:
    return f"{family.__module__}.{family.__qualname__}"
