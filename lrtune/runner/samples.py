"""How a training did on each held-out sample: a callback that looks when Keras has measured.

Keras logs means only. So the samples are predicted once more, which leaves Keras' own numbers as
they are. With 2,000 test images it takes .1 s, .2 % of a training of the reading's CNN, and .03 s
with a model that does hardly anything (measured on one core).

A value for each sample is kept only if their mean is the number that Keras logged. It is not with
regularization, with a model that draws at random when it predicts, or if the data are different
when read again. Nothing is kept of samples with weights: means with and without them may be the
same by chance.
"""

from __future__ import annotations

import hashlib
import itertools
import math
from functools import partial
from typing import TYPE_CHECKING, Any

import keras
import numpy as np
import tensorflow as tf

from lrtune.model.fit_data import is_arrays
from lrtune.records.samples import Samples, compact
from lrtune.runner.feed import BATCH
from lrtune.schedules.keras_private import averaged_by, compiled_loss

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from numpy.typing import NDArray

_VALUES_HASHED = 64
"""Of each sample's inputs: enough to tell samples apart, and hashed at once even for large images.
Labels alone would not do where classes take turns and each is shuffled."""


class SampleKeeper(keras.callbacks.Callback):  # type: ignore[misc] # Keras has no types
    """Keeps how each sample did whenever Keras has measured a model on the held-out data.

    This is done at the end of `evaluate`, before any callback that follows may change the weights,
    as those do that train with averages of them.

    Args:
        objective: the metric that is a training's score, as Keras logs it ("val_accuracy").
        evaluation: keyword arguments of `keras.Model.evaluate` for the held-out data.
    """

    def __init__(self, objective: str, evaluation: Mapping[str, Any]) -> None:
        super().__init__()
        self._name = objective.removeprefix("val_")
        self._evaluation = evaluation
        self._score: float | None = None
        self._samples: Samples | None = None

    def on_test_end(self, logs: Any = None) -> None:
        """Predicts the samples again, if what was measured is the objective."""
        logs = logs or {}
        self._score = logs.get(self._name)
        self._samples = None
        try:
            self._samples = _measured(self.model, self._evaluation, self._name, logs)
        except Exception:  # noqa: BLE001 - of the user's model or data, and the score is there
            return

    def of(self, score: float | None) -> Samples | None:
        """How each sample did when this score was measured, if it was the last one and it is known.

        Args:
            score: the objective as it is recorded; None if it is not.
        """
        return self._samples if score is not None and score == self._score else None


def _measured(
    model: keras.Model, evaluation: Mapping[str, Any], name: str, logs: Mapping[str, float]
) -> Samples | None:
    """How each sample did; None if their mean is not what Keras logged."""
    name, measure = _measure_of(model, name)
    order, parts = _Order(), []
    for x, y, weights in _batches(evaluation):
        if weights is not None:
            return None
        parts.append(_by_sample(measure(y, model.predict_on_batch(x)), len(y)))
        order.add(x, y)
    values = np.concatenate(parts)
    samples = Samples(f"val_{name}", compact(values), order.hash())
    # Keras adds up in float32, where the number of right ones is exact.
    if not math.isclose(values.mean(), logs[name], rel_tol=1e-6 if samples.is_bits else 1e-5):
        return None
    return samples


def _measure_of(model: keras.Model, name: str) -> tuple[str, Callable[[Any, Any], Any]]:
    """What is known of each sample: the objective if it is a mean over samples, or else the loss.

    Returns:
        The name in Keras' logs, and a function of labels and predictions.
    """
    nested = (getattr(one, "metrics", None) or [one] for one in model.metrics)
    for metric in itertools.chain.from_iterable(nested):
        if metric.name == name and (averaged := averaged_by(metric)) is not None:
            return name, averaged
    return "loss", partial(_losses, compiled_loss(model))


def _losses(loss: keras.losses.Loss, y: Any, predicted: Any) -> Any:
    # As `Loss.__call__` does before it averages.
    y, predicted = (keras.ops.convert_to_tensor(one, dtype=loss.dtype) for one in (y, predicted))
    return loss.call(y, predicted)


def _by_sample(values: Any, count: int) -> NDArray[np.float64]:
    """The mean of each sample's values, where it has several: of a sequence, for example."""
    found = np.asarray(keras.ops.convert_to_numpy(values), np.float64)
    if found.shape[:1] != (count,):
        raise ValueError(f"{count} samples have values of the shape {found.shape}")
    means: NDArray[np.float64] = found.reshape(count, -1).mean(axis=1)
    return means


def _batches(evaluation: Mapping[str, Any]) -> Iterator[tuple[Any, Any, Any]]:
    """Inputs, labels and weights of data that can be read again; nothing of a generator."""
    x, y, weights = (evaluation.get(name) for name in ("x", "y", "sample_weight"))
    batches: Any = ()
    if isinstance(x, tf.data.Dataset):
        batches = x
    elif isinstance(x, keras.utils.PyDataset):
        batches = (x[index] for index in range(x.num_batches))
    elif is_arrays(x) and is_arrays(y):
        size = evaluation.get("batch_size") or BATCH
        starts = range(0, len(keras.tree.flatten(x)[0]), size)
        whole = (x, y) if weights is None else (x, y, weights)
        batches = (_cut(whole, start, start + size) for start in starts)
    for batch in itertools.islice(batches, evaluation.get("steps")):
        yield keras.utils.unpack_x_y_sample_weight(batch)


def _cut(arrays: Any, first: int, end: int) -> Any:
    return keras.tree.map_structure(lambda array: array[first:end], arrays)


class _Order:
    """A hash of samples in their order, whatever the batches are that they come in."""

    def __init__(self) -> None:
        self._parts: list[Any] = []

    def add(self, x: Any, y: Any) -> None:
        """Adds a batch."""
        leaves = [(y, None), *((one, _VALUES_HASHED) for one in keras.tree.flatten(x))]
        self._parts = self._parts or [hashlib.blake2b() for _ in leaves]
        for part, (leaf, most) in zip(self._parts, leaves, strict=True):
            values = np.asarray(leaf)
            values = values.reshape(len(values), -1)
            if most is not None:
                values = values[:, :: max(1, values.shape[1] // most)]
            if values.dtype.hasobject:  # texts
                part.update(b"".join(repr(row).encode() for row in values.tolist()))
            else:
                part.update(np.ascontiguousarray(values).tobytes())

    def hash(self) -> str:
        """16 hexadecimal digits."""
        parts = b"".join(part.digest() for part in self._parts)
        return hashlib.blake2b(parts, digest_size=8).hexdigest()
