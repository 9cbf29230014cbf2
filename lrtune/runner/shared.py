"""Arrays in memory that several processes share: TensorFlow uses them without a copy."""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf

_ALIGNMENT = 64
"""Alignment in bytes that memory needs for TensorFlow to use it without a copy."""


class SharedArray(np.ndarray[Any, Any]):
    """An array in memory that is shared and must not be written to."""


def shared_tensor(array: np.ndarray[Any, Any]) -> tf.Tensor:
    """The array as a tensor: if it is shared, the very memory, else a copy."""
    shared = isinstance(array, (np.memmap, SharedArray)) and array.size
    if not shared or array.ctypes.data % _ALIGNMENT or not array.flags.c_contiguous:
        return tf.convert_to_tensor(array)
    return tf.experimental.dlpack.from_dlpack(np.asarray(_Writable(array)).__dlpack__())


class _Writable:
    """The memory of an array, as if it could be written to: what NumPy hands over must be.

    Tensors are immutable, so nothing writes.
    """

    def __init__(self, array: np.ndarray[Any, Any]) -> None:
        self._array = array  # keeps the memory
        address, _ = array.__array_interface__["data"]
        self.__array_interface__ = {**array.__array_interface__, "data": (address, False)}
