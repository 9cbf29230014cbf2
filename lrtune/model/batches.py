"""Whether data that come in batches are the same as yesterday's."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import keras
import numpy as np
import tensorflow as tf

from lrtune.model.fit_data import made, makes

if TYPE_CHECKING:
    from collections.abc import Mapping


def fingerprint_of_batches(given: Mapping[str, Any]) -> str:
    """Digest of training data that come in batches: their form, and their first batch.

    What is drawn anew whenever it is read is covered by its form alone; a generator, which can be
    read only once, not at all.

    Args:
        given: arguments of `keras.Model.fit` by name.

    Returns:
        16 hexadecimal digits, or "".
    """
    x = given.get("x")
    one, again = made(x), made(x) if makes(x) else x
    if not isinstance(one, tf.data.Dataset | keras.utils.PyDataset):
        return ""
    form = f"{getattr(one, 'element_spec', type(one).__name__)} {_length(one)}"
    first, second = _first_batch(one), _first_batch(again)
    known = first if first == second else ""
    return hashlib.sha256(f"{form} {known}".encode()).hexdigest()[:16]


def _length(data: Any) -> int:
    return int(data.cardinality()) if isinstance(data, tf.data.Dataset) else data.num_batches or 0


def _first_batch(data: Any) -> str:
    """Digest of the first batch."""
    if isinstance(data, tf.data.Dataset):
        batch = next(iter(data.take(1).as_numpy_iterator()), ())
    else:
        batch = data[0]
    digest = hashlib.sha256()
    for one in keras.tree.flatten(batch):
        array = np.asarray(one)
        digest.update(f"{array.dtype.str}{array.shape}".encode())
        digest.update(repr(array.tolist()).encode() if array.dtype.hasobject else array.tobytes())
    return digest.hexdigest()
