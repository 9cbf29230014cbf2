"""What to record about data that the user passes to `search` as arguments of `fit`."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from lrtune.records.schema import DataRecord

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

SOURCE = "given to search()"
Kind = Literal["images", "samples"]


def describe_given(fit_args: tuple[Any, ...], fit_kwargs: Mapping[str, Any]) -> DataRecord:
    """The record of the samples, labels and validation data among the arguments of `fit`.

    Args:
        fit_args: positional arguments of `keras.Model.fit`.
        fit_kwargs: its keyword arguments.

    Returns:
        A record whose fingerprint depends on every value of every array. It is empty unless all
        data are NumPy arrays (a generator or a tf.data.Dataset can be read only once).
    """
    names = ("x", "y", "sample_weight")
    training = [*fit_args[:2], *(fit_kwargs[name] for name in names if name in fit_kwargs)]
    validation = fit_kwargs.get("validation_data")
    leaves = [*_leaves(training), *_leaves(validation)]
    arrays = [leaf for leaf in leaves if isinstance(leaf, np.ndarray) and not leaf.dtype.hasobject]
    if not arrays or len(arrays) < len(leaves):
        return DataRecord(SOURCE, "", {}, kind="samples")
    digest = hashlib.sha256()
    for array in arrays:
        digest.update(f"{array.dtype.str}{array.shape}".encode())
        digest.update(np.ascontiguousarray(array).data)
    sizes = {"train": _length(training), "validation": _length(validation)}
    split = fit_kwargs.get("validation_split") or 0.0
    if validation is None and isinstance(split, int | float) and 0 < split < 1:
        kept = int(sizes["train"] * (1.0 - split))  # as Keras, the first part
        sizes = {"train": kept, "validation": sizes["train"] - kept}
    labels = _labels(fit_args, fit_kwargs)
    if validation is None and isinstance(labels, np.ndarray):
        labels = labels[sizes["train"] :]
    share = largest_class(labels)
    x = fit_args[0] if fit_args else fit_kwargs.get("x")
    kind: Kind = "images" if _are_images(x) else "samples"
    return DataRecord(SOURCE, digest.hexdigest()[:16], sizes, largest_class=share, kind=kind)


def largest_class(labels: Any) -> float | None:
    """The share of the largest class among labels: what always predicting that class scores.

    Args:
        labels: class indices or flags, [n] or [n, 1], or one-hot [n, k]; anything else is allowed.

    Returns:
        float > 0 and <= 1; None for anything else, such as the labels of several outputs, numbers
        that are no classes, or no labels at all.
    """
    if not isinstance(labels, np.ndarray) or labels.ndim not in (1, 2) or not labels.size:
        return None
    if labels.ndim == 2 and labels.shape[1] == 1:
        labels = labels[:, 0]
    if labels.dtype.kind not in "biuf":
        return None
    if labels.ndim == 2:
        one_hot = np.isin(labels, (0, 1)).all() and (labels.sum(axis=1) == 1).all()
        return float(labels.mean(axis=0).max()) if one_hot else None
    if labels.dtype.kind == "f" and not np.isin(labels, (0, 1)).all():
        return None
    counts = np.unique(labels, return_counts=True)[1]
    return float(counts.max() / len(labels))


def _are_images(x: Any) -> bool:
    """Whether this is one array [n, height, width, channels] with 1, 3 or 4 channels."""
    return isinstance(x, np.ndarray) and x.ndim == 4 and x.shape[-1] in (1, 3, 4)


def _labels(fit_args: tuple[Any, ...], fit_kwargs: Mapping[str, Any]) -> Any:
    """The labels of the validation data; without these, all labels."""
    validation = fit_kwargs.get("validation_data")
    if isinstance(validation, list | tuple):
        return validation[1] if len(validation) > 1 else None
    return fit_args[1] if len(fit_args) > 1 else fit_kwargs.get("y")


def arrays_of(value: Any) -> Any:
    """The same nest of lists, tuples and dictionaries with pandas frames as arrays, as in Keras.

    A frame becomes an array [rows, columns], a series [rows, 1].
    """
    import pandas as pd

    if isinstance(value, dict):
        return {key: arrays_of(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(map(arrays_of, value))
    if isinstance(value, pd.Series):
        return _numbers(value)[:, np.newaxis]
    return _numbers(value) if isinstance(value, pd.DataFrame) else value


def _numbers(frame: Any) -> Any:
    """The array of a frame or a series; numbers of different kinds become float32, as in Keras.

    pandas itself makes objects of flags beside numbers, and of integers some of which are missing.
    """
    import pandas as pd

    array = frame.to_numpy()
    kinds = frame.dtypes if isinstance(frame, pd.DataFrame) else [frame.dtype]
    if array.dtype.hasobject and all(map(pd.api.types.is_numeric_dtype, kinds)):
        return frame.to_numpy(dtype="float32", na_value=np.nan)
    return array


def _leaves(value: Any) -> Iterator[Any]:
    """The contents of nested lists, tuples and dictionaries, without None."""
    if isinstance(value, dict):
        value = [value[key] for key in sorted(value)]
    if isinstance(value, list | tuple):
        for one in value:
            yield from _leaves(one)
    elif value is not None:
        yield value


def _length(value: Any) -> int:
    first = next(_leaves(value), ())
    return len(first) if np.ndim(first) else 0
