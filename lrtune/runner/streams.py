"""Training data that come in batches: tf.data, PyDataset, generators, and functions that make them.

A continued training must see the batches that an uninterrupted one would see. All of these begin
again whenever they are read anew, so the batches (or the epochs' events) before are skipped. What
is drawn at random on the way is repeated too, as far as it comes from Python's, NumPy's or Keras'
global generators or from seeds in the pipeline; a function that makes the data is called anew for
each training, after all seeds are set. A `tf.data.Dataset` that shuffles goes on drawing new orders
for as long as the object lives, so only a function that makes it repeats them.
"""

from __future__ import annotations

import copy
import itertools
import random
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import keras
import numpy as np
import tensorflow as tf
from typing_extensions import override

from lrtune.errors import ArgumentError
from lrtune.model.fit_data import has_own_fit, is_arrays, made, makes
from lrtune.model.hypermodel import steps_per_epoch
from lrtune.runner.feed import BATCH, ArrayFeed, Feed
from lrtune.runner.fit_arguments import fit_arguments

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lrtune.records.task import TrainingJob, TrialTask


_UNSHUFFLED = {"shuffle": False}
"""For `fit`, which warns that it cannot shuffle these."""


def make_feed(job: TrainingJob) -> Feed:
    """The feed for a job; a hypermodel with a `fit` of its own gets its arguments unchanged."""
    given = fit_arguments(job.hypermodel, job.fit_args, job.fit_kwargs)
    if has_own_fit(job.hypermodel):
        return Feed(given)
    x = made(given.get("x"))
    given |= _repeatable(given, in_batches=not is_arrays(x))
    if is_arrays(x):
        return ArrayFeed({**given, "x": x})
    kinds = {tf.data.Dataset: DatasetFeed, keras.utils.PyDataset: PyDatasetFeed}
    for kind, feed in {**kinds, Iterator: GeneratorFeed}.items():
        if isinstance(x, kind):
            return feed(given)
    return Feed(given)


class _Stream(Feed):
    """Data that are read from their beginning, or made, for each training."""

    @override
    def _x(self) -> Any:
        return made(self._given["x"])


class DatasetFeed(_Stream):
    """A `tf.data.Dataset`, finite or endless, or a function that makes one.

    One that does not say how many batches an epoch has is passed on as it is, to a model without a
    schedule: Keras reads it from its beginning in each epoch.
    """

    def __init__(self, given: dict[str, Any]) -> None:
        super().__init__(given)
        try:
            self._steps: int | None = steps_per_epoch(**{**given, "x": self._x()})
        except ArgumentError:
            self._steps = None

    @override
    def arguments(self, task: TrialTask) -> dict[str, Any]:
        _set_seeds(task.seed)
        x = self._x()
        if self._steps is None:
            return {**self._given, "x": x, **_UNSHUFFLED}
        batches = x.repeat().skip(task.begins_after * self._steps)
        return {**self._given, "x": batches, "steps_per_epoch": self._steps, **_UNSHUFFLED}

    @property
    @override
    def steps_per_execution(self) -> int:
        return self._steps or 1


class PyDatasetFeed(_Stream):
    """A `keras.utils.PyDataset`, or a function that makes one."""

    @override
    def arguments(self, task: TrialTask) -> dict[str, Any]:
        _set_seeds(task.seed)
        x = self._given["x"]
        x = x() if makes(x) else copy.deepcopy(x)
        shuffle = self._given.get("shuffle", True)
        ordered = _Ordered(x, task.seed, task.begins_after, shuffle=shuffle)
        return {**self._given, "x": ordered, **_UNSHUFFLED}


class _Ordered(keras.utils.PyDataset):  # type: ignore[misc] # Keras has no types
    """A PyDataset whose batches in epoch e depend on (seed, e) alone.

    Keras shuffles the batches from Python's global random state.
    """

    def __init__(self, dataset: Any, seed: int, first_epoch: int, *, shuffle: bool) -> None:
        super().__init__(dataset.workers, dataset.use_multiprocessing, dataset.max_queue_size)
        self._dataset, self._seed, self._shuffle = dataset, seed, shuffle
        self._epoch = 0
        self._order = np.arange(self.num_batches or 0)
        for _ in range(first_epoch):
            self.on_epoch_begin()
            self.on_epoch_end()

    @property
    def num_batches(self) -> int | None:
        return self._dataset.num_batches  # type: ignore[no-any-return]

    def __getitem__(self, index: int) -> Any:
        return self._dataset[int(self._order[index]) if len(self._order) else index]

    def on_epoch_begin(self) -> None:
        self._begin(0)
        if self._shuffle and len(self._order):
            drawn = np.random.default_rng([self._seed, self._epoch])
            self._order = drawn.permutation(len(self._order))
        self._dataset.on_epoch_begin()

    def on_epoch_end(self) -> None:
        self._begin(1)
        self._dataset.on_epoch_end()
        self._epoch += 1

    def _begin(self, part: int) -> None:
        drawn = np.random.SeedSequence([self._seed, self._epoch, part])
        _set_seeds(int(drawn.generate_state(1)[0]))


class GeneratorFeed(_Stream):
    """A function that makes a Python generator; or a generator, which can be read only once."""

    @override
    def arguments(self, task: TrialTask) -> dict[str, Any]:
        steps = self._given.get("steps_per_epoch")
        if steps is None:
            raise ArgumentError(
                "steps_per_epoch must be given with a generator: it does not say how many batches "
                "an epoch has."
            )
        _set_seeds(task.seed)
        x = self._given["x"]
        if makes(x):
            # Keras takes generators only, not any iterator.
            x = (one for one in itertools.islice(x(), task.begins_after * steps, None))
        return {**self._given, "x": x, **_UNSHUFFLED}


def _repeatable(given: Mapping[str, Any], *, in_batches: bool) -> dict[str, Any]:
    """Validation data that are the same after every epoch, without the number of their batches.

    With `validation_steps`, Keras 3.15 goes on where it stopped after the epoch before, and takes
    as many batches at once as the training does steps.

    Args:
        given: arguments of `keras.Model.fit`.
        in_batches: whether the training data are; otherwise `ArrayFeed` cuts arrays by itself.
    """
    validation, steps = made(given.get("validation_data")), given.get("validation_steps")
    if isinstance(validation, Iterator):
        if steps is None:
            raise ArgumentError(
                "validation_steps must be given with a generator as validation_data: it does not "
                "say how many batches it has."
            )
        batches = list(itertools.islice(validation, steps))
        validation = keras.tree.map_structure(lambda *parts: np.concatenate(parts), *batches)
    elif steps is None:
        return {"validation_data": validation}
    elif isinstance(validation, tf.data.Dataset):
        validation = validation.take(steps)
    elif isinstance(validation, keras.utils.PyDataset):
        validation = _First(validation, steps)
    elif not in_batches:
        return {"validation_data": validation}
    elif validation is not None:
        rows = steps * (given.get("validation_batch_size") or given.get("batch_size") or BATCH)
        validation = keras.tree.map_structure(lambda array: array[:rows], validation)
    return {"validation_data": validation, "validation_steps": None}


class _First(keras.utils.PyDataset):  # type: ignore[misc] # Keras has no types
    """The first batches of a PyDataset."""

    def __init__(self, dataset: Any, count: int) -> None:
        super().__init__(dataset.workers, dataset.use_multiprocessing, dataset.max_queue_size)
        self._dataset, self._count = dataset, count

    @property
    def num_batches(self) -> int:
        known = self._dataset.num_batches
        return self._count if known is None else min(self._count, known)

    def __getitem__(self, index: int) -> Any:
        return self._dataset[index]

    def on_epoch_begin(self) -> None:
        self._dataset.on_epoch_begin()

    def on_epoch_end(self) -> None:
        self._dataset.on_epoch_end()


def _set_seeds(seed: int) -> None:
    random.seed(seed)
    np.random.seed(seed)  # noqa: NPY002 - what a user's data may draw from
