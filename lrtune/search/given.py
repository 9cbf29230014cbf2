"""The data that the command line names: images, or what a function of the user's returns.

A data function takes nothing and returns a dictionary of parts, `train`, `validation` and `test`,
or a tuple of them in this order. A part is what `fit` takes: (x, y), (x, y, sample_weight), a
`tf.data.Dataset`, a PyDataset, a generator, or a function that makes one of the last three. The
dictionary may also hold arguments of `fit`, `class_weight` for example.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from lrtune._util.references import errors_of, load_function
from lrtune.errors import ArgumentError
from lrtune.records.data_record import arrays_of, describe_given, largest_class
from lrtune.records.schema import DataRecord

if TYPE_CHECKING:
    from collections.abc import Callable

    from lrtune.data import Dataset

PARTS = ("train", "validation", "test")
FIT = ("class_weight", "steps_per_epoch", "validation_split", "validation_steps", "shuffle")
"""Arguments of `fit` that a data function may give."""


@dataclass(frozen=True)
class Given:
    """Data as `fit` takes them.

    Attributes:
        train: positional arguments of `keras.Model.fit`: (x, y), or (x,) for data in batches.
        validation: as its `validation_data`; None if there are none.
        test: likewise, of a confirmation; None if there are none.
        record: what to record about them.
        fit_kwargs: more arguments of `fit`.
    """

    train: tuple[Any, ...]
    validation: Any
    test: Any
    record: DataRecord
    fit_kwargs: Mapping[str, Any] = field(default_factory=dict)

    @property
    def search_kwargs(self) -> dict[str, Any]:
        """The keyword arguments of a search's `fit`."""
        if self.validation is None:
            return dict(self.fit_kwargs)
        return {**self.fit_kwargs, "validation_data": self.validation}

    def batches_of(self, size: int | None) -> dict[str, int]:
        """The batch size as an argument of `fit`, for arrays; nothing for data in batches."""
        from lrtune.model.fit_data import is_arrays

        return {"batch_size": size} if size is not None and is_arrays(self.train[0]) else {}


def of_images(dataset: Dataset, argument: str) -> Given:
    """The parts of a dataset of images.

    Args:
        dataset: the images.
        argument: how the command line named them.
    """
    record = DataRecord(
        dataset.source,
        dataset.fingerprint,
        dataset.sizes,
        synthetic=dataset.synthetic,
        argument=argument,
        largest_class=largest_class(dataset.validation.y),
    )
    train, validation, test = dataset.train, dataset.validation, dataset.test
    return Given((train.x, train.y), (validation.x, validation.y), (test.x, test.y), record)


def of_function(option: str, text: str) -> Given:
    """What a function of the user's returns.

    Args:
        option: which option named it, for messages.
        text: FILE.py:FUNCTION or package.module:function.

    Raises:
        ArgumentError: there is no such function, or it fails, or returns something else.
    """
    function = load_function(option, text)
    parts = _called(option, text, function)
    fit_kwargs = {name: parts[name] for name in FIT if name in parts}
    held = {name: _held(text, function, name, parts) for name in ("validation", "test")}
    train = parts["train"]
    if isinstance(train, tuple | list) and len(train) == 1:
        (train,) = train
    if isinstance(train, tuple | list):
        train, weights = tuple(map(arrays_of, train[:2])), train[2:]
        if weights:
            fit_kwargs["sample_weight"] = arrays_of(weights[0])
    else:
        train = (_repeatable(train, _Part(text, function, "train")),)
    described = describe_given(train, {**fit_kwargs, "validation_data": held["validation"]})
    sizes = {**described.sizes, "test": describe_given((held["test"],), {}).sizes.get("train", 0)}
    known = sizes if described.sizes else {}
    record = replace(described, source=text, argument=text, sizes=known)
    return Given(train, held["validation"], held["test"], record, fit_kwargs)


@dataclass(frozen=True)
class _Part:
    """Makes one part of the data anew.

    A `tf.data.Dataset` that shuffles goes on drawing new orders for as long as it lives, so each
    training needs one of its own.
    """

    text: str
    function: Callable[[], Any]
    name: str

    def __call__(self) -> Any:
        return _called("--data", self.text, self.function)[self.name]


def _called(option: str, text: str, function: Callable[[], Any]) -> Mapping[str, Any]:
    """The parts by name, and arguments of `fit`."""
    with errors_of(option, f"{text}()"):
        returned = function()
    if isinstance(returned, tuple | list) and 2 <= len(returned) <= 3:
        returned = dict(zip(PARTS, returned, strict=False))
    if not isinstance(returned, Mapping) or "train" not in returned:
        raise ArgumentError(_wrong(option, text, type(returned).__name__))
    if unknown := [str(name) for name in returned if name not in (*PARTS, *FIT)]:
        raise ArgumentError(
            f"{option}: {text} may return {', '.join((*PARTS, *FIT))}. Received: {unknown[0]}."
        )
    for name in PARTS:
        part = returned.get(name)
        if hasattr(part, "shape") or (isinstance(part, tuple | list) and not 1 <= len(part) <= 3):
            raise ArgumentError(_wrong(option, text, f"{name} that is no pair (x, y)"))
    return returned


def _wrong(option: str, text: str, received: str) -> str:
    return (
        f"{option}: {text} must return a dictionary such as {{'train': (x, y), 'validation': "
        "(x_val, y_val), 'test': (x_test, y_test)}, or a tuple of these parts; a part may also be "
        f"a tf.data.Dataset. Received: {received}."
    )


def _held(text: str, function: Callable[[], Any], name: str, parts: Mapping[str, Any]) -> Any:
    part = parts.get(name)
    if isinstance(part, tuple | list):
        return tuple(map(arrays_of, part))
    return None if part is None else _repeatable(part, _Part(text, function, name))


def _repeatable(part: Any, maker: _Part) -> Any:
    """The part itself, or what makes it if it can be neither repeated nor sent to a worker."""
    import tensorflow as tf

    return maker if isinstance(part, tf.data.Dataset | Iterator) else part
