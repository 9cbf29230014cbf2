"""The user's callbacks: which act on batches, and a folder of its own for what a trial writes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import keras

from lrtune.records.ids import folder_of

if TYPE_CHECKING:
    from collections.abc import Iterable

_BATCH_METHODS = (
    "on_batch_begin",
    "on_batch_end",
    "on_train_batch_begin",
    "on_train_batch_end",
)


_PATHS = {
    keras.callbacks.CSVLogger: "filename",
    keras.callbacks.ModelCheckpoint: "filepath",
    keras.callbacks.TensorBoard: "log_dir",
}
"""Callbacks that write to a path, which all trials would share."""


def give_own_folder(callbacks: Iterable[keras.callbacks.Callback], trial_id: str) -> None:
    """Makes callbacks write to a folder of the trial: logs/a.csv becomes logs/trial_1/a.csv.

    Args:
        callbacks: copies for this trial; changed.
        trial_id: see `lrtune.records.ids`; the folder has the name of that in the run folder.
    """
    for one in callbacks:
        for kind, name in _PATHS.items():
            if isinstance(one, kind):
                path, folder = Path(getattr(one, name)), folder_of(trial_id)
                is_folder = kind is keras.callbacks.TensorBoard
                own = path / folder if is_folder else path.parent / folder / path.name
                (own if is_folder else own.parent).mkdir(parents=True, exist_ok=True)
                setattr(one, name, str(own))


def acting_on_batches(callbacks: Iterable[keras.callbacks.Callback] | None) -> list[str]:
    """Names of the callbacks that are called for every batch.

    Keras calls them once for each piece of steps that runs in the graph, so a piece must then be a
    single step.

    Args:
        callbacks: as `keras.Model.fit` takes them.
    """
    return [type(one).__name__ for one in callbacks or () if _acts_on_batches(one)]


def _acts_on_batches(callback: keras.callbacks.Callback) -> bool:
    if type(callback) is keras.callbacks.ModelCheckpoint and callback.save_freq == "epoch":
        return False  # it looks at every batch, only to see that it has nothing to do
    base = keras.callbacks.Callback
    return any(
        # Of the instance: LambdaCallback sets its methods there.
        getattr(getattr(callback, name), "__func__", None) is not getattr(base, name)
        for name in _BATCH_METHODS
    )
