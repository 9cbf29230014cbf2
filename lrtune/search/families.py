"""Which families a search looks at itself; needs no TensorFlow."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from lrtune.schedules.constant import CONSTANT

Tries = Sequence[str | Mapping[str, Any]]


def searched_families(families: Sequence[str], tries: Tries) -> tuple[str, ...]:
    """The families of a search whose constant rate has a search of its own.

    Its epochs are not spent twice: the family `constant` is left out, unless the user asks to begin
    with a constant rate, or nothing else is searched.

    Args:
        families: that the user asks for.
        tries: schedules to begin with, as text or as hyperparameter values.
    """
    others = tuple(family for family in families if family != CONSTANT)
    return tuple(families) if CONSTANT in map(_family, tries) or not others else others


def _family(one: str | Mapping[str, Any]) -> Any:
    if isinstance(one, str):
        return next(iter(one.split()), "")
    return one.get("schedule") if isinstance(one, Mapping) else None
