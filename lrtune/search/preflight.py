"""What is checked before anything is trained: each fault is one sentence with its remedy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import keras
import numpy as np

from lrtune.errors import ArgumentError, DataError
from lrtune.model.cnn import CrossEntropy
from lrtune.model.compiling import Compilation
from lrtune.model.fit_data import first_batch, has_own_fit, is_arrays
from lrtune.model.hypermodel import CatsVsDogsHyperModel, ScheduleHyperModel

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_RATES: dict[type, str] = {
    keras.callbacks.LearningRateScheduler: "lrtune sets the rate: search a schedule family instead",
    keras.callbacks.ReduceLROnPlateau: "lrtune sets the rate: search the family plateau instead",
}
_RESUMES: dict[type, str] = {
    keras.callbacks.BackupAndRestore: "lrtune resumes a search by itself",
}
"""Callbacks that a search refuses, and what to do without them."""

_FEW = 32
"""How many samples a model is tried with."""

_ROWS = 65_536
"""How many rows are looked at at once, so that checks need no copy of the data."""


def check_search(
    hypermodel: Any, given: Mapping[str, Any], objective: str, model: keras.Model | None
) -> None:
    """Checks what would otherwise fail in every trial, or train nonsense.

    Args:
        hypermodel: of the search. If it has a `fit` of its own, nothing is known of its arguments.
        given: arguments of `keras.Model.fit` by name.
        objective: name of the metric.
        model: made with the space's defaults, for this alone; None if that failed.

    Raises:
        ArgumentError, DataError: the first fault that was found.
    """
    if has_own_fit(hypermodel):
        return
    _check_callbacks(hypermodel, given.get("callbacks"))
    if given.get("x") is None:
        return
    validates = given.get("validation_data") is not None or given.get("validation_split")
    if objective.startswith("val_") and not validates:
        raise ArgumentError(
            f"objective {objective} is measured on validation data, and there are none: give "
            "validation_data= or validation_split=, or choose the objective "
            f"{objective.removeprefix('val_')}."
        )
    if not _measures_as_known(hypermodel, objective):
        _check_metrics(given, objective, model)
    if not is_arrays(given.get("x")):
        return
    _check_arrays({name: given.get(name) for name in ("x", "y", "sample_weight")}, "")
    held = given.get("validation_data")
    if isinstance(held, tuple | list) and is_arrays(held):
        names = ("x", "y", "sample_weight")
        _check_arrays(dict(zip(names, held, strict=False)), "validation_data: ")
    if isinstance(hypermodel, ScheduleHyperModel) and model is not None:
        _check_labels(hypermodel, model, given.get("y"))


def _measures_as_known(hypermodel: Any, objective: str) -> bool:
    """Whether it is the CNN with its own metrics, which need not be tried: that takes .3 s."""
    usual = type(hypermodel) is CatsVsDogsHyperModel and hypermodel.compilation == Compilation()
    return usual and objective.removeprefix("val_") in ("loss", "accuracy")


def _check_metrics(given: Mapping[str, Any], objective: str, model: keras.Model | None) -> None:
    """Whether the objective is among the metrics, and each metric is one number.

    A callback may add what the model does not measure, so with callbacks everything is accepted.
    """
    batch = first_batch(given, _FEW)
    if batch is None or given.get("callbacks") or not isinstance(model, keras.Model):
        return
    eagerly = model.run_eagerly
    model.run_eagerly = True  # for one batch, a function is not worth tracing
    try:
        logs = model.evaluate(*batch, batch_size=_FEW, verbose=0, return_dict=True)
    except Exception:  # noqa: BLE001 - each trial will tell: it may be the data's or this machine's
        return
    finally:  # the user's function may return this model again
        model.run_eagerly, model.test_function = eagerly, None
    for name, value in logs.items():
        if np.size(value) != 1:
            raise ArgumentError(
                f"metrics must be single numbers. Received: {name} with {np.size(value)} values; "
                "let the metric average them (average='macro' in keras.metrics.F1Score)."
            )
    measured = objective.removeprefix("val_")
    # A train_step of the user's own may measure what nobody else does.
    if measured == objective and type(model).train_step is not keras.Model.train_step:
        return
    if measured not in logs:
        names = [*(f"val_{name}" for name in logs), *logs]
        raise ArgumentError(
            f"objective must be what the model measures: {', '.join(names)}. Received: {objective}."
        )


def _check_callbacks(hypermodel: Any, callbacks: Any) -> None:
    scheduled = isinstance(hypermodel, ScheduleHyperModel)  # the rate of others is their own
    refused = _RATES | _RESUMES if scheduled else _RESUMES
    for one in callbacks or ():
        for kind, remedy in refused.items():
            if isinstance(one, kind):
                raise ArgumentError(
                    f"callbacks must not hold {kind.__name__}: {remedy}. Received: {one!r}."
                )


def _check_arrays(data: Mapping[str, Any], where: str) -> None:
    """Lengths, and values that are not finite: of which array, and the first position."""
    lengths = {}
    for name, value in data.items():
        for label, array in _named(name, value):
            lengths[label] = len(array)
            kind = np.asarray(array[:1]).dtype.kind
            if name == "y" and kind in "OSU":
                raise DataError(
                    f"{where}{label} must hold numbers. Received: {str(array[0])!r}. "
                    "Encode classes as 0, 1, 2, ..., with keras.layers.StringLookup for example."
                )
            if kind in "OMm" and (alien := _first_alien(array)) is not None:
                position, what = alien
                raise DataError(
                    f"{where}{label} must hold numbers, or text alone. Received: {what!r} at "
                    f"position {list(position)}. Encode it as numbers, or give it as an input of "
                    "its own."
                )
            if kind == "f" and (found := _first_not_finite(array)) is not None:
                position, number = found
                raise DataError(
                    f"{where}{label} must hold finite numbers. Received: {number} at position "
                    f"{list(position)}."
                )
    if len(set(lengths.values())) > 1:
        told = ", ".join(f"{label} has {length:,}" for label, length in lengths.items())
        raise DataError(f"{where}all arrays must have the same length. Received: {told}.")


def _named(name: str, value: Any) -> Iterator[tuple[str, Any]]:
    """The arrays in a nest, each with a name such as x['age'] or x[0]."""
    if isinstance(value, dict):
        for key, one in value.items():
            yield from _named(f"{name}[{key!r}]", one)
    elif isinstance(value, list | tuple):
        for index, one in enumerate(value):
            yield from _named(f"{name}[{index}]", one)
    elif value is not None:
        yield name, value


def _first_alien(array: Any) -> tuple[tuple[int, ...], str] | None:
    """The first entry that is no number, as text; None if all are numbers or all are text."""
    alien, numbers = None, False
    for position, one in np.ndenumerate(np.asarray(array)):
        if isinstance(one, int | float | np.number | np.bool_):
            numbers = True
        elif not isinstance(one, str | bytes):
            return position, str(one)
        elif alien is None:
            alien = position, str(one)
        if numbers and alien is not None:
            return alien
    return None


def _first_not_finite(array: Any) -> tuple[tuple[int, ...], float] | None:
    for first in range(0, len(array), _ROWS):
        rows = np.asarray(array[first : first + _ROWS])
        wrong = ~np.isfinite(rows)
        if wrong.any():
            position = tuple(int(one) for one in np.argwhere(wrong)[0])
            return (first + position[0], *position[1:]), float(rows[position])
    return None


def _check_labels(hypermodel: ScheduleHyperModel, model: keras.Model, y: Any) -> None:
    """Whether labels and outputs go with cross-entropy, where nobody asked for another loss."""
    if hypermodel.compiled_by_user or not isinstance(
        hypermodel.compilation.loss_of(model), CrossEntropy
    ):
        return
    if not model.built or not getattr(model, "outputs", None):
        return
    if len(model.outputs) > 1:
        raise ArgumentError(
            f"loss must be given: the model has {len(model.outputs)} outputs, "
            f"{', '.join(model.output_names)}, and the default is for one."
        )
    units = model.outputs[0].shape[-1]
    if units == 1:
        raise ArgumentError(
            "loss must be given: the model's output has one unit, and the default, cross-entropy, "
            "needs one for each class. Give loss='binary_crossentropy' for a sigmoid, or 'mse' for "
            "a regression."
        )
    if _has_no_activation(model):
        raise ArgumentError(
            "loss must be given: the model's output has no activation, and the default, "
            "cross-entropy, needs probabilities. Give the last layer activation='softmax', or a "
            "loss that takes logits: keras.losses.SparseCategoricalCrossentropy(from_logits=True)."
        )
    if units is None or y is None or not is_arrays(y) or isinstance(y, dict | list | tuple):
        return
    labels = np.asarray(y)
    if labels.ndim == len(model.outputs[0].shape) and labels.shape[-1] == units:
        return
    wrong = (labels < 0) | (labels >= units) | (labels != np.floor(labels))
    if wrong.any():
        position = [int(one) for one in np.argwhere(wrong)[0]]
        raise DataError(
            f"y must hold classes from 0 to {units - 1}, as the model's output has {units} units. "
            f"Received: {labels[tuple(position)]} at position {position}."
        )


def _has_no_activation(model: keras.Model) -> bool:
    """Whether the last layer of a model says that its output is any number."""
    last = getattr(getattr(model.outputs[0], "_keras_history", None), "operation", None)
    return getattr(last, "activation", None) is keras.activations.linear
