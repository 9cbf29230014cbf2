"""Training data whose order in epoch e depends on (seed, e) alone.

`keras.Model.fit` shuffles arrays from a global random state, so that epoch 4 of a continued
training sees another order than epoch 4 of an uninterrupted one. Here the order is a stateless
permutation, drawn in the graph.
"""

from __future__ import annotations

import copy
import functools
from typing import TYPE_CHECKING, Any

import keras
import tensorflow as tf
from typing_extensions import Self, override

from lrtune.errors import ArgumentError
from lrtune.model.batch_size import BATCHED
from lrtune.model.fit_data import is_arrays
from lrtune.model.hypermodel import steps_per_epoch
from lrtune.runner.shared import shared_tensor

if TYPE_CHECKING:
    from lrtune.records.task import TrialTask

_as_written = tf.autograph.experimental.do_not_convert
"""These functions have no Python control flow that depends on tensors; to convert them took a third
of the time before a trial."""

BATCH = 32
"""The default batch size of `keras.Model.fit` for arrays."""


class Feed:
    """Passes on the arguments of `fit` unchanged.

    Args:
        given: arguments of `keras.Model.fit` by name, without epochs, initial_epoch, verbose.
    """

    def __init__(self, given: dict[str, Any]) -> None:
        self._given = given
        self.validation = given.get("validation_data")

    def _x(self) -> Any:
        """The training data as they are read from their beginning."""
        return self._given.get("x")

    def arguments(self, task: TrialTask) -> dict[str, Any]:  # noqa: ARG002 - the interface
        """Keyword arguments for the `fit` of one task, without callbacks."""
        return dict(self._given)

    def with_batch_size(self, size: int) -> Feed:
        """The same data in batches of `size` (int >= 1), if they are arrays."""
        if not is_arrays(self._given.get("x")):
            return self
        return Feed({**self._given, "batch_size": size})

    @property
    def steps_per_execution(self) -> int:
        """Training steps that run in the graph at once: a whole epoch if TensorFlow feeds it.

        This is about twice as fast as stepping from Python (measured).
        """
        return 1

    def evaluation(self, *, training: bool = False) -> dict[str, Any]:
        """Keyword arguments for `keras.Model.evaluate` on the data behind the objective.

        Args:
            training: whether to use the training data even if there are validation data.
        """
        given = self._given
        if self.validation is None or training:
            keys = ("y", "sample_weight", "batch_size")
            found = {key: given[key] for key in keys if given.get(key) is not None}
            return {"x": self._x(), **found, "steps": given.get("steps_per_epoch")}
        if not isinstance(self.validation, tuple | list):
            return {"x": self.validation, "steps": given.get("validation_steps")}
        names = ("x", "y", "sample_weight")
        return {
            **dict(zip(names, self.validation, strict=False)),
            "batch_size": given.get("validation_batch_size") or given.get("batch_size"),
            "steps": given.get("validation_steps"),
        }


class ArrayFeed(Feed):
    """Arrays in memory, batched and shuffled in the graph.

    Args:
        given: as `Feed` takes them; x an array or a nest of arrays of equal length.
    """

    def __init__(self, given: dict[str, Any]) -> None:
        given = dict(given)
        self._batch = given.pop("batch_size", None) or BATCH
        self._shuffle = bool(given.pop("shuffle", True))
        self._steps_asked = given.pop("steps_per_epoch", None)
        train = tuple(
            value
            for name in ("x", "y", "sample_weight")
            if (value := given.pop(name, None)) is not None
        )
        split = given.pop("validation_split", 0.0)
        validation = given.get("validation_data")
        if split and validation is None:
            train, validation = _split(train, split)
        self._count = len(keras.tree.flatten(train)[0])
        self._train = _tensors(train)
        self._held_out = _tensors(validation) if isinstance(validation, tuple | list) else None
        if self._held_out is not None:
            self._validation_batch = given.pop("validation_batch_size", None)
            self._validation_steps = given.pop("validation_steps", None)
            validation = self._validation(self._validation_batch or self._batch)
        given["validation_data"] = validation
        super().__init__(given)

    @override
    def with_batch_size(self, size: int) -> Self:
        other = copy.copy(self)  # the arrays are shared
        other._batch = size
        if self._held_out is not None:
            other.validation = self._validation(self._validation_batch or size)
            other._given = {**self._given, "validation_data": other.validation}
        return other

    @property
    def steps(self) -> int:
        """Weight updates an epoch; the last batch may be short, as in Keras."""
        return self._steps_asked or steps_per_epoch(self._train[0], batch_size=self._batch)

    @property
    @override
    def steps_per_execution(self) -> int:
        return self.steps

    @override
    def arguments(self, task: TrialTask) -> dict[str, Any]:
        """Keyword arguments for `fit`: exactly the batches of the task's epochs."""
        epochs = tf.data.Dataset.range(task.begins_after, task.last_epoch)
        batches = epochs.flat_map(_as_written(lambda epoch: self._epoch(task.seed, epoch)))
        batches = batches.with_options(_options())
        setattr(batches, BATCHED, True)
        return {
            **self._given,
            "x": batches,
            "steps_per_epoch": self.steps,
            "shuffle": False,  # done above; Keras warns that it cannot
        }

    @override
    def evaluation(self, *, training: bool = False) -> dict[str, Any]:
        if self.validation is not None and not training:
            return {"x": self.validation, "steps": self._given.get("validation_steps")}
        return {"x": self._batches(self._train, self._batch)}

    def _epoch(self, seed: int, epoch: Any) -> Any:
        order = tf.range(self._count)
        if self._shuffle:
            order = tf.random.experimental.stateless_shuffle(order, tf.stack([seed, epoch]))
        batches = tf.data.Dataset.from_tensor_slices(order).batch(self._batch)
        if self._steps_asked:
            batches = batches.repeat().take(self._steps_asked)
        return batches.map(_as_written(functools.partial(_gather, self._train)))

    def _validation(self, batch: int) -> Any:
        return self._batches(self._held_out, batch).take(self._validation_steps or -1)

    @staticmethod
    def _batches(arrays: Any, batch: int) -> Any:
        # Slices of a range, not of the arrays: slicing those would copy them.
        count = len(keras.tree.flatten(arrays)[0])
        chosen = tf.data.Dataset.range(count).batch(batch)
        return chosen.map(_as_written(functools.partial(_gather, arrays))).with_options(_options())


def _gather(arrays: Any, chosen: Any) -> Any:
    return keras.tree.map_structure(lambda array: tf.gather(array, chosen), arrays)


def _tensors(arrays: Any) -> Any:
    # tf.data would stack a list into one tensor; several inputs of a model must be a tuple.
    with tf.device("CPU"):  # where the pipeline runs: a GPU's memory would be taken for nothing
        return keras.tree.map_structure(shared_tensor, keras.tree.lists_to_tuples(arrays))


def _options() -> Any:
    options = tf.data.Options()
    # A worker has one core, so threads of a pool of their own would only take turns.
    options.threading.private_threadpool_size = 1
    options.autotune.enabled = False
    # Optimizing the pipeline's graph copies the arrays into it: 98 MB for the real images.
    options.experimental_optimization.apply_default_optimizations = False
    return options


def _split(train: tuple[Any, ...], fraction: float) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
    """The last `fraction` of the images for validation, as `keras.Model.fit` takes them."""
    if not 0 < fraction < 1:
        raise ArgumentError(
            "validation_split must be greater than 0 and less than 1. "
            f"Received: validation_split={fraction!r}."
        )
    kept = int(len(keras.tree.flatten(train)[0]) * (1.0 - fraction))
    return (
        keras.tree.map_structure(lambda array: array[:kept], train),
        keras.tree.map_structure(lambda array: array[kept:], train),
    )
