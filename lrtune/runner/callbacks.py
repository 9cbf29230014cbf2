"""Finds the user's callbacks that act on batches, so that an epoch cannot run as one piece."""

from __future__ import annotations

from typing import TYPE_CHECKING

import keras

if TYPE_CHECKING:
    from collections.abc import Iterable

_BATCH_METHODS = (
    "on_batch_begin",
    "on_batch_end",
    "on_train_batch_begin",
    "on_train_batch_end",
)


def acting_on_batches(callbacks: Iterable[keras.callbacks.Callback] | None) -> list[str]:
    """Names of the callbacks that are called for every batch.

    Keras calls them once for each piece of steps that runs in the graph, so a piece must then be a
    single step.

    Args:
        callbacks: as `keras.Model.fit` takes them.
    """
    return [type(one).__name__ for one in callbacks or () if _acts_on_batches(one)]


def _acts_on_batches(callback: keras.callbacks.Callback) -> bool:
    base = keras.callbacks.Callback
    return any(
        # Of the instance: LambdaCallback sets its methods there.
        getattr(getattr(callback, name), "__func__", None) is not getattr(base, name)
        for name in _BATCH_METHODS
    )
