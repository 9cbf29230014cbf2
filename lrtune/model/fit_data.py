"""What the training data of a search are: arrays, or something that comes in batches."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import keras
import tensorflow as tf

if TYPE_CHECKING:
    from collections.abc import Mapping


def is_arrays(x: Any) -> bool:
    """Whether data are an array (or a frame) or a nest of them, of which batches can be taken."""
    leaves = keras.tree.flatten(x)
    return bool(leaves) and all(map(_is_array, leaves))


def _is_array(leaf: Any) -> bool:
    if isinstance(leaf, tf.SparseTensor | tf.RaggedTensor) or hasattr(leaf, "tocsr"):
        return False  # Keras knows how to take batches of these
    return hasattr(leaf, "shape") and len(leaf.shape) > 0


def first_batch(given: Mapping[str, Any], size: int) -> tuple[Any, ...] | None:
    """The first samples of the training data, as positional arguments of `evaluate`.

    Args:
        given: arguments of `keras.Model.fit` by name.
        size: how many samples of arrays; other data have batches of their own.

    Returns:
        (x, y) or (dataset,); None if reading them would take them from the training.
    """
    x = given.get("x")
    if is_arrays(x):
        return tuple(keras.tree.map_structure(lambda one: one[:size], [x, given.get("y")]))
    if isinstance(x, tf.data.Dataset):
        return (x.take(1),)
    if isinstance(x, keras.utils.PyDataset) and x.num_batches:
        batch = x[0]
        return batch[:2] if isinstance(batch, tuple) else (batch,)
    return None


def makes(x: Any) -> bool:
    """Whether this is a function that makes data."""
    return callable(x) and not hasattr(x, "shape")


def made(x: Any) -> Any:
    """The data, or what a function makes of nothing."""
    return x() if makes(x) else x


def has_own_fit(hypermodel: Any) -> bool:
    """Whether a hypermodel's `fit` is the user's, which may do anything with its arguments."""
    import keras_tuner

    from lrtune.model.hypermodel import ScheduleHyperModel

    return type(hypermodel).fit not in (ScheduleHyperModel.fit, keras_tuner.HyperModel.fit)
