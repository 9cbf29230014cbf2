"""The hypermodel that the command line names: a function of the user's, or the reading's CNN."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from lrtune._util.references import errors_of, load_function
from lrtune.errors import ArgumentError
from lrtune.model.hypermodel import CatsVsDogsHyperModel, ScheduleHyperModel

if TYPE_CHECKING:
    from collections.abc import Mapping

    import keras

    from lrtune.records.schema import Manifest


def named_hypermodel(
    argument: str | None, train: tuple[Any, ...], **asked: Any
) -> ScheduleHyperModel:
    """The hypermodel of `lrtune search`.

    Args:
        argument: the value of `--model`; None for the cats-vs-dogs CNN.
        train: what it is trained on, as positional arguments of `fit`.
        **asked: as `ScheduleHyperModel` takes them.

    Raises:
        ArgumentError: there is no such function, or the CNN cannot be trained on these data.
    """
    if argument is not None:
        return ScheduleHyperModel(load_function("--model", argument), **asked)
    x, y = (*train, None)[:2]
    if not (isinstance(x, np.ndarray) and x.ndim == 4 and isinstance(y, np.ndarray)):
        raise ArgumentError(
            "--model must be given with these data: without it the reading's CNN is trained, which "
            "takes arrays of images [n, height, width, channels] and class indices [n]."
        )
    return CatsVsDogsHyperModel(input_shape=x.shape[1:], num_classes=int(y.max()) + 1, **asked)


def searched_hypermodel(
    manifest: Manifest, input_shape: tuple[int, ...] | None, num_classes: int | None
) -> ScheduleHyperModel:
    """The hypermodel of a search that `lrtune search` ran.

    Args:
        manifest: of the search.
        input_shape: height, width, channels of its images, for the CNN.
        num_classes: int >= 2, of its labels, for the CNN.

    Raises:
        ArgumentError: there is no such function any more.
        ValueError: the CNN cannot be built for these images.
    """
    record = manifest.model
    asked: dict[str, Any] = {
        "epochs": manifest.max_epochs,
        "families": manifest.families,
        "ranges": manifest.ranges,
        "fixed": manifest.fixed,
        "batch_size": manifest.batch_sizes or None,
    }
    if not record.compiled_by_user:  # else the optimizer, the loss and the metrics are its own
        names = ("loss", "metrics")
        asked |= {name: record.compiled.get(name) for name in names}
        asked |= {
            "optimizer": manifest.optimizer,
            "optimizer_options": manifest.optimizer_options,
        }
    if record.argument is not None:
        return ScheduleHyperModel(load_function("--model", record.argument), **asked)
    height, width, channels = input_shape or ()
    shape = (height, width, channels)
    return CatsVsDogsHyperModel(input_shape=shape, num_classes=num_classes or 0, **asked)


def first_model(hypermodel: ScheduleHyperModel, argument: str | None) -> keras.Model:
    """A model with the default hyperparameters.

    Raises:
        ArgumentError: the user's function failed; the message says how and where.
    """
    import keras_tuner

    with errors_of("--model", f"{argument}(hp)"):
        return hypermodel.build(keras_tuner.HyperParameters())


def usual_objective(model: keras.Model, fit_kwargs: Mapping[str, Any]) -> str:
    """The objective where none was asked for: the accuracy if the model measures it, or the loss.

    Args:
        model: compiled.
        fit_kwargs: keyword arguments of `fit`, which say whether anything is validated.
    """
    try:
        metrics = (model.get_compile_config() or {}).get("metrics")
    except Exception:  # noqa: BLE001 - a loss of the user's that cannot be saved
        metrics = None
    measured = isinstance(metrics, list) and bool({"accuracy", "acc"} & {*map(str, metrics)})
    validates = fit_kwargs.get("validation_data") is not None or fit_kwargs.get("validation_split")
    return f"{'val_' if validates else ''}{'accuracy' if measured else 'loss'}"
