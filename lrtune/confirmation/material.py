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
class Material:
    """What a confirmation trains and tests on.

    Attributes:
        fit_args: positional arguments of `keras.Model.fit`: all that is trained on.
        fit_kwargs: its keyword arguments.
        test_data: as `validation_data` of `keras.Model.fit`; measured once per training.
        record: what to record about the data; its sizes are those of "train" and "test".
        train_on: "train+validation" or "train": what it is, of data that are loaded again. Data
            that come in batches are not joined: what comes last in an epoch would count most.
    """

    fit_args: tuple[Any, ...]
    fit_kwargs: Mapping[str, Any]
    test_data: Any
    record: DataRecord
    train_on: str = WHOLE


def given_material(
    manifest: Manifest,
    fit_args: tuple[Any, ...],
    test_data: Any,
    fit_kwargs: Mapping[str, Any],
    train_on: str = WHOLE,
) -> Material:
    """Data from a script: anything that `fit` takes.

    Args:
        manifest: of the search.
        fit_args: positional arguments of `keras.Model.fit`: arrays, a dataset, a PyDataset ...
        test_data: what its `validation_data` takes.
        fit_kwargs: keyword arguments, such as `class_weight` or `sample_weight`; without
            `batch_size`, and unless the data come in batches, the batch size is the search's.
        train_on: what to call them.

    Raises:
        ArgumentError: there are no test data, or an argument is one that a confirmation sets.
    """
    if test_data is None:
        raise ArgumentError(f"test_data must be given with the training data: {HOW}.")
    for name in ("epochs", "initial_epoch", "validation_data", "validation_split"):
        if name in fit_kwargs:
            raise ArgumentError(
                f"{name} cannot be given to a confirmation, which trains for the search's epochs "
                f"on all of the data and measures on test_data. Received: {name}="
                f"{fit_kwargs[name]!r}."
            )
    fit_args, fit_kwargs, test_data = map(arrays_of, (fit_args, dict(fit_kwargs), test_data))
    described = describe_given(fit_args, {**fit_kwargs, "validation_data": test_data})
    sizes = dict(described.sizes)
    if "validation" in sizes:
        sizes["test"] = sizes.pop("validation")
        if not sizes["test"]:
            raise ArgumentError("test_data must hold at least one sample. Received: none.")
    kwargs = dict(fit_kwargs)
    if described.fingerprint and manifest.batch_size is not None:
        kwargs.setdefault("batch_size", manifest.batch_size)
    record = dataclasses.replace(described, sizes=sizes)
    return Material(fit_args, kwargs, test_data, record, train_on)


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
    x, y = dataset.train.x, dataset.train.y
    if train_on == WHOLE:
        x = np.concatenate([x, dataset.validation.x])
        y = np.concatenate([y, dataset.validation.y])
    sizes = {"train": len(x), "test": len(dataset.test)}
    share = largest_class(dataset.test.y)
    record = dataclasses.replace(asked, source=dataset.source, sizes=sizes, largest_class=share)
    kwargs = {} if manifest.batch_size is None else {"batch_size": manifest.batch_size}
    return Material((x, y), kwargs, (dataset.test.x, dataset.test.y), record, train_on)


def _of_function(manifest: Manifest, source: str, train_on: str) -> Material:
    """What the user's data function returns, if it is what the search got."""
    from lrtune.model.fit_data import is_arrays
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
    kwargs = {**given.fit_kwargs, **given.batches_of(manifest.batch_size)}
    train, sizes = given.train, dict(given.record.sizes)
    joins = train_on == WHOLE and is_arrays(train[0]) and given.validation is not None
    if joins:
        held = given.validation
        if "sample_weight" in kwargs:
            weights = held[2] if len(held) > 2 else np.ones(sizes["validation"])
            kwargs["sample_weight"] = _joined(kwargs["sample_weight"], weights)
        train = _joined(train, held[:2])
        sizes = {**sizes, "train": sizes["train"] + sizes["validation"]}
    sizes.pop("validation", None)
    share = largest_class(given.test[1]) if isinstance(given.test, tuple) else None
    record = dataclasses.replace(given.record, sizes=sizes, largest_class=share)
    return Material(train, kwargs, given.test, record, WHOLE if joins else TRAIN)


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
