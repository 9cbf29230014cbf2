"""Arguments of Keras Tuner's tuners that lrtune takes in another way, or not at all."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lrtune.errors import ArgumentError
from lrtune.model.hypermodel import ScheduleHyperModel
from lrtune.search.baseline import without_constant
from lrtune.search.objective import parse_objective

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

NOT_OURS = (
    "distribution_strategy",
    "executions_per_trial",
    "loss",
    "max_model_size",
    "metrics",
    "optimizer",
)
"""Arguments of Keras Tuner's tuners that lrtune's `search` cannot support."""


def as_searched(
    args: tuple[Any, ...], kwargs: dict[str, Any], tries: Sequence[Any], *, tunes: bool
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Keras Tuner's arguments: the objective as it takes it, the hypermodel as it is searched.

    Args:
        args: by position, as the user gave them.
        kwargs: by name, likewise.
        tries: schedules to begin with.
        tunes: whether constant rates have a search of their own.
    """
    named = {**dict(zip(("hypermodel", "objective"), args, strict=False)), **kwargs}
    if "objective" in named:
        named["objective"] = parse_objective(named["objective"])
    if tunes and "hypermodel" in named:
        named["hypermodel"] = without_constant(named["hypermodel"], tries)
    first = tuple(named.pop(name) for name in ("hypermodel", "objective")[: len(args)])
    return (*first, *args[2:]), named


def refuse_unsupported(arguments: Mapping[str, Any]) -> None:
    """Raises ArgumentError for what lrtune's tuners cannot be given."""
    for name in arguments.keys() & set(NOT_OURS):
        raise ArgumentError(
            f"{name} cannot be given to lrtune's tuners, which train each trial once, compiled "
            "by its hypermodel: give loss= and metrics= to the hypermodel. Received: "
            f"{name}={arguments[name]!r}."
        )


def refuse_no_schedules(hypermodel: Any) -> None:
    """Raises ArgumentError if there are no schedules that could be rescaled."""
    if not isinstance(hypermodel, ScheduleHyperModel):
        raise ArgumentError(
            "horizon can be 'rescaled' for a ScheduleHyperModel only, as it is schedules that "
            f"are compressed. Received: hypermodel={hypermodel!r}."
        )
