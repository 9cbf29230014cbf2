"""The batch size of a training where each trial has its own.

A hypermodel with `batch_size=[32, 64, 128]` searches the batch size of arrays. Data that come in
batches already have theirs, so that there is nothing to search.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lrtune.errors import ArgumentError
from lrtune.model.fit_data import has_own_fit, is_arrays
from lrtune.schedules.batch_sizes import BATCH_SIZE, searched_size
from lrtune.schedules.space import Space

if TYPE_CHECKING:
    from collections.abc import Mapping

BATCHED = "_batched_by_lrtune"
"""Mark of a dataset that lrtune made of arrays, in batches of the trial's size."""


def searched_sizes(hypermodel: Any) -> tuple[int, ...]:
    """The batch sizes that a hypermodel searches; none for one that leaves them alone."""
    space = getattr(hypermodel, "space", None)
    return space.batch_sizes if isinstance(space, Space) else ()


def check_batch_size(
    hypermodel: Any, fit_args: tuple[Any, ...], fit_kwargs: Mapping[str, Any]
) -> None:
    """Raises ArgumentError if a search or a confirmation cannot train in these batches.

    Args:
        hypermodel: of the search.
        fit_args: positional arguments of `keras.Model.fit`.
        fit_kwargs: its keyword arguments.
    """
    given = fit_args[2] if len(fit_args) > 2 else fit_kwargs.get("batch_size")
    sizes = searched_sizes(hypermodel)
    if isinstance(given, list | tuple):
        raise ArgumentError(
            "batch_size must be an int here; to search it, give the list to the hypermodel: "
            f"ScheduleHyperModel(..., batch_size={list(given)!r}). Received: batch_size={given!r}."
        )
    if not sizes:
        return
    if given is not None:
        raise ArgumentError(
            f"batch_size must be left out here, as the hypermodel searches it among {_list(sizes)}"
            f". Received: batch_size={given!r}."
        )
    x = fit_args[0] if fit_args else fit_kwargs.get("x")
    if not is_arrays(x) and not has_own_fit(hypermodel):
        raise ArgumentError(_in_batches(x, sizes))


def with_batch_size(
    hypermodel: Any,
    values: Mapping[str, Any],
    fit_args: tuple[Any, ...],
    fit_kwargs: Mapping[str, Any],
) -> dict[str, Any]:
    """The keyword arguments of one trial's `keras.Model.fit`, with its batch size.

    Args:
        hypermodel: of the search.
        values: the trial's hyperparameter values.
        fit_args: positional arguments of `keras.Model.fit`.
        fit_kwargs: its keyword arguments.

    Raises:
        ArgumentError: the data come in batches, or another batch size is given.
    """
    sizes, kwargs = searched_sizes(hypermodel), dict(fit_kwargs)
    x = fit_args[0] if fit_args else kwargs.get("x")
    if not sizes or getattr(x, BATCHED, False):
        return kwargs
    if not is_arrays(x):
        if has_own_fit(hypermodel):
            return kwargs
        raise ArgumentError(_in_batches(x, sizes))
    size = trial_size(values, sizes)
    given = fit_args[2] if len(fit_args) > 2 else kwargs.get("batch_size")
    if given not in (None, size):
        check_batch_size(hypermodel, fit_args, fit_kwargs)
    return kwargs if len(fit_args) > 2 else {**kwargs, "batch_size": size}


def trial_size(values: Mapping[str, Any], sizes: tuple[int, ...]) -> int:
    """A trial's own batch size.

    Args:
        values: its hyperparameter values.
        sizes: those that are searched.

    Raises:
        ArgumentError: it has none, or another one.
    """
    return searched_size(f"values[{BATCH_SIZE!r}]", values.get(BATCH_SIZE), sizes)


def _in_batches(x: Any, sizes: tuple[int, ...]) -> str:
    return (
        f"batch_size can be searched for arrays only (here among {_list(sizes)}): a "
        f"{type(x).__name__} comes in batches already. Give arrays, or leave out the hypermodel's "
        "batch_size."
    )


def _list(sizes: tuple[int, ...]) -> str:
    return ", ".join(map(str, sizes))
