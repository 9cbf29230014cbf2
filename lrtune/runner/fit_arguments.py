"""What a search gets for `keras.Model.fit`: its arguments by name, frames as arrays."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

import keras

from lrtune.errors import ArgumentError
from lrtune.model.fit_data import has_own_fit
from lrtune.records.data_record import arrays_of

if TYPE_CHECKING:
    from collections.abc import Mapping

_RUNNERS = ("epochs", "initial_epoch", "verbose")


def fit_arguments(
    hypermodel: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any]
) -> dict[str, Any]:
    """The arguments of `keras.Model.fit` by name, without those that the runner gives.

    Args:
        hypermodel: with a `fit` of its own it may have arguments that Keras does not.
        args: positional arguments of `keras.Model.fit`.
        kwargs: its keyword arguments. pandas frames become arrays [rows, columns], as in Keras.

    Raises:
        ArgumentError: one that `fit` does not have, or that is given twice.
    """
    names = [name for name in inspect.signature(keras.Model.fit).parameters if name != "self"]
    given = dict(zip(names, args, strict=False))
    for name, value in kwargs.items():
        if name in given:
            raise ArgumentError(f"{name} must be given once. Received: by position and by name.")
        if name not in names and not has_own_fit(hypermodel):
            raise ArgumentError(
                f"search takes the arguments of keras.Model.fit, and {name} is none of them. "
                f"Received: {name}={value!r}."
            )
        given[name] = value
    for name in _RUNNERS:
        given.pop(name, None)
    if has_own_fit(hypermodel):
        return given
    data = ("x", "y", "sample_weight", "validation_data")
    return {name: arrays_of(one) if name in data else one for name, one in given.items()}
