"""What the training data of a search are: arrays, or something that comes in batches."""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf


def is_arrays(x: Any) -> bool:
    """Whether data are an array (or a frame) or a nest of them, of which batches can be taken."""
    leaves = keras.tree.flatten(x)
    return bool(leaves) and all(map(_is_array, leaves))


def _is_array(leaf: Any) -> bool:
    if isinstance(leaf, tf.SparseTensor | tf.RaggedTensor) or hasattr(leaf, "tocsr"):
        return False  # Keras knows how to take batches of these
    return hasattr(leaf, "shape") and len(leaf.shape) > 0


def has_own_fit(hypermodel: Any) -> bool:
    """Whether a hypermodel's `fit` is the user's, which may do anything with its arguments."""
    import keras_tuner

    from lrtune.model.hypermodel import ScheduleHyperModel

    return type(hypermodel).fit not in (ScheduleHyperModel.fit, keras_tuner.HyperModel.fit)
