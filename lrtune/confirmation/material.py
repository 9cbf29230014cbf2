"""What a confirmation trains and tests on: data from a script, or the search's loaded again."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from lrtune._util import checks
from lrtune._util.references import is_reference
from lrtune.errors import ArgumentError, RunFolderError
from lrtune.records.data_record import arrays_of, describe_given, largest_class

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lrtune.data import Dataset
    from lrtune.records.schema import DataRecord, Manifest

WHOLE, TRAIN = "train+validation", "train"
"""What may be trained on if the search's data are loaded again."""

HOW = "lrtune.confirm(run, x, y, test_data=(x_test, y_test), hypermodel=hypermodel)"


@dataclass(frozen=True)
class Choice:
    """What candidates are chosen with.

    Attributes:
        fit_args, fit_kwargs: as of `Material`, with the validation data among them.
    """

    fit_args: tuple[Any, ...]
    fit_kwargs: Mapping[str, Any]


@dataclass(frozen=True)
class Material:
    """What a confirmation trains and tests on.

    Attributes:
        fit_args: positional arguments of `keras.Model.fit`: all that is trained on.
        fit_kwargs: its keyword arguments.
        test_data: as `validation_data` of `keras.Model.fit`; measured once per training.
        record: what to record about the data; its sizes are those of "train" and "test".
        train_on: "train+validation" or "train": what it is, of data that are loaded again. Data
            that come in batches are not joined: what comes last in an epoch would count most.
        choice: what candidates are trained and validated on, to choose the best of them before the
            test; None without validation data.
    """

    fit_args: tuple[Any, ...]
    fit_kwargs: Mapping[str, Any]
    test_data: Any
    record: DataRecord
    train_on: str = WHOLE
    choice: Choice | None = None


def given_material(
    manifest: Manifest,
    fit_args: tuple[Any, ...],
    test_data: Any,
    fit_kwargs: Mapping[str, Any],
    validation_data: Any = None,
    train_on: str = WHOLE,
) -> Material:
    """Data from a script: anything that `fit` takes.

    Args:
        manifest: of the search.
        fit_args: positional arguments of `keras.Model.fit`: arrays, a dataset, a PyDataset ...
        test_data: what its `validation_data` takes.
        fit_kwargs: keyword arguments, such as `class_weight` or `sample_weight`; without
            `batch_size`, and unless the data come in batches, the batch size is the search's.
        validation_data: as `fit` takes them, to choose among candidates; None for no choice.
            Arrays are trained on as well, once the choice is made.
        train_on: "train+validation", or "train" to leave the validation data out of the test.

    Raises:
        ArgumentError: there are no test data, or an argument is one that a confirmation sets.
    """
    if test_data is None:
        raise ArgumentError(f"test_data must be given with the training data: {HOW}.")
    for name in ("epochs", "initial_epoch", "validation_split"):
        if name in fit_kwargs:
            raise ArgumentError(
                f"{name} cannot be given to a confirmation, which trains for the search's epochs "
                f"and measures on test_data. Received: {name}={fit_kwargs[name]!r}."
            )
    fit_args, fit_kwargs, test_data = map(arrays_of, (fit_args, dict(fit_kwargs), test_data))
    held = arrays_of(validation_data)
    checks.one_of("train_on", train_on, (WHOLE, TRAIN))
    choice = None
    if held is not None:
        choice = Choice(fit_args, {**fit_kwargs, "validation_data": held})
        fit_args, fit_kwargs, joins = _with_validation(fit_args, fit_kwargs, held, train_on)
        train_on = WHOLE if joins else TRAIN
    described = describe_given(fit_args, {**fit_kwargs, "validation_data": test_data})
    sizes = dict(described.sizes)
    if "validation" in sizes:
        sizes["test"] = sizes.pop("validation")
        if not sizes["test"]:
            raise ArgumentError("test_data must hold at least one sample. Received: none.")
    kwargs = dict(fit_kwargs)
    if described.fingerprint and manifest.batch_size is not None:
        size = {"batch_size": manifest.batch_size}
        kwargs = {**size, **kwargs}
        if choice is not None:
            choice = Choice(choice.fit_args, {**size, **choice.fit_kwargs})
    record = dataclasses.replace(described, sizes=sizes)
    return Material(fit_args, kwargs, test_data, record, train_on, choice)


def check_searched(manifest: Manifest, hypermodel: Any, material: Material) -> None:
    """Raises ArgumentError if the arms cannot be trained in batches as in the search.

    Args:
        manifest: of the search.
        hypermodel: to train with.
        material: to train on.
    """
    from lrtune.model.batch_size import check_batch_size, searched_sizes

    if (sizes := searched_sizes(hypermodel)) != manifest.batch_sizes:
        asked = list(manifest.batch_sizes) or None
        raise ArgumentError(
            f"hypermodel must be the search's, with batch_size={asked!r}. Received: a hypermodel "
            f"with batch_size={list(sizes) or None!r}."
        )
    check_batch_size(hypermodel, material.fit_args, material.fit_kwargs)


def loaded_material(manifest: Manifest, source: str | None, train_on: str) -> Material:
    """The search's own data, loaded again.

    Args:
        manifest: of the search.
        source: a data source (the name or path that `--data` takes); None for the search's.
        train_on: "train+validation" or "train".

    Raises:
        ArgumentError: an argument outside its domain, or no source although the search got its
            data from a script.
        RunFolderError: the images are not the search's.
        DataError: the images cannot be loaded.
    """
    checks.one_of("train_on", train_on, (WHOLE, TRAIN))
    source = source if source is not None else manifest.data.argument
    if source is None:
        raise ArgumentError(
            f"the data must be given again, as the search got them from a script: {HOW}."
        )
    if is_reference(source):
        return _of_function(manifest, source, train_on)
    from lrtune.data import load

    dataset = load(source)
    asked = manifest.data
    if dataset.fingerprint != asked.fingerprint and {"train", "validation"} <= asked.sizes.keys():
        dataset = _cut(dataset, asked.sizes["train"], asked.sizes["validation"])
    if dataset.fingerprint != asked.fingerprint:
        raise RunFolderError(
            f"the images of {dataset.source} are not those of the search: their fingerprint is "
            f"{dataset.fingerprint}, the search's {asked.fingerprint}. Name the search's images "
            "with --data"
        )
    if not len(dataset.test):
        raise ArgumentError(f"{dataset.source} has no test images to compare the arms on")
    x, y, held = dataset.train.x, dataset.train.y, dataset.validation
    kwargs = {} if manifest.batch_size is None else {"batch_size": manifest.batch_size}
    choice = Choice((x, y), {**kwargs, "validation_data": (held.x, held.y)}) if len(held) else None
    if train_on == WHOLE:
        x, y = np.concatenate([x, held.x]), np.concatenate([y, held.y])
    sizes = {"train": len(x), "test": len(dataset.test)}
    share = largest_class(dataset.test.y)
    record = dataclasses.replace(asked, source=dataset.source, sizes=sizes, largest_class=share)
    test = (dataset.test.x, dataset.test.y)
    return Material((x, y), kwargs, test, record, train_on, choice)


def _of_function(manifest: Manifest, source: str, train_on: str) -> Material:
    """What the user's data function returns, if it is what the search got."""
    from lrtune.model.start import start_tensorflow
    from lrtune.search.given import of_function

    start_tensorflow(threads=1)  # before the user's file does, with all cores
    given = of_function("--data", source)
    there, here = manifest.data.fingerprint, given.record.fingerprint
    if there and here and there != here:
        raise RunFolderError(
            f"what {source} returns is not what the search got: its fingerprint is {here}, the "
            f"search's {there}"
        )
    if given.test is None:
        raise ArgumentError(
            f"{source} must return test data to compare the arms on: a part named 'test'."
        )
    batches = given.batches_of(manifest.batch_size)
    kwargs = {**given.fit_kwargs, **batches}
    choice = None
    if given.validation is not None or "validation_split" in kwargs:
        choice = Choice(given.train, {**given.search_kwargs, **batches})
    train, sizes, joins = given.train, dict(given.record.sizes), False
    if given.validation is not None:
        train, kwargs, joins = _with_validation(train, kwargs, given.validation, train_on)
    if joins:
        sizes["train"] += sizes["validation"]
    sizes.pop("validation", None)
    share = largest_class(given.test[1]) if isinstance(given.test, tuple) else None
    record = dataclasses.replace(given.record, sizes=sizes, largest_class=share)
    return Material(train, kwargs, given.test, record, WHOLE if joins else TRAIN, choice)


def _with_validation(
    train: tuple[Any, ...], kwargs: Mapping[str, Any], held: Any, train_on: str
) -> tuple[tuple[Any, ...], dict[str, Any], bool]:
    """The training data with the validation data after them, and whether they are.

    Only arrays are joined: of data in batches, what comes last in an epoch would count most.
    """
    from lrtune.model.fit_data import is_arrays

    pair = isinstance(held, tuple | list) and len(train) == 2
    if not (train_on == WHOLE and pair and is_arrays(train[0]) and is_arrays(held[0])):
        return train, dict(kwargs), False
    kwargs = dict(kwargs)
    if "sample_weight" in kwargs:
        weights = held[2] if len(held) > 2 else np.ones(_count(held))
        kwargs["sample_weight"] = _joined(kwargs["sample_weight"], weights)
    return _joined(train, tuple(held[:2])), kwargs, True


def _count(data: Any) -> int:
    import keras

    return len(keras.tree.flatten(data)[0])


def _joined(train: Any, validation: Any) -> Any:
    """Two nests of arrays as one, sample after sample."""
    import keras

    return keras.tree.map_structure(
        lambda one, other: np.concatenate([one, other]), train, validation
    )


def _cut(dataset: Dataset, train: int, validation: int) -> Dataset:
    """The dataset as `--quick` cut it."""
    if train > len(dataset.train) or validation > len(dataset.validation):
        return dataset
    return dataset.subset(train=train, validation=validation)
