"""What a search records about its hypermodel, its model and the arguments of `fit`."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from lrtune.model.batches import fingerprint_of_batches
from lrtune.model.describe import describe_fit, describe_model
from lrtune.model.fit_data import has_own_fit
from lrtune.model.hypermodel import ScheduleHyperModel
from lrtune.records.data_record import describe_given
from lrtune.schedules.optimizers import OWN

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import keras

    from lrtune.records.schema import DataRecord


def searched_by(hypermodel: Any) -> dict[str, Any]:
    """The parts of a manifest that follow from the hypermodel alone."""
    if not isinstance(hypermodel, ScheduleHyperModel):
        return {"families": (), "optimizer": OWN.name}
    optimizer, options = hypermodel.optimizer
    space = hypermodel.space
    return {
        "families": hypermodel.families,
        "optimizer": optimizer,
        "optimizer_options": options,
        "ranges": space.ranges,
        "fixed": space.fixed,
        "batch_sizes": space.batch_sizes,
    }


def trained_on(hypermodel: Any, given: Mapping[str, Any], data: DataRecord | None) -> DataRecord:
    """The record of the data.

    Args:
        hypermodel: of the search; one with a `fit` of its own may do anything with the arguments.
        given: arguments of `fit` by name.
        data: what is known of them already.
    """
    data = data or describe_given((), given)
    if data.fingerprint or has_own_fit(hypermodel):
        return data
    return replace(data, fingerprint=fingerprint_of_batches(given))


def trained_with(
    hypermodel: Any,
    model: keras.Model | None,
    build: Callable[[], keras.Model | None],
    given: Mapping[str, Any],
    argument: str | None,
) -> dict[str, Any]:
    """The parts of a manifest that say what is trained, and how.

    Args:
        hypermodel: of the search.
        model: made with the default hyperparameters; None if that failed.
        build: makes another one like it.
        given: arguments of `fit` by name.
        argument: how the command line named the model, else None.
    """
    record = describe_model(hypermodel, model, build, argument)
    return {"model": record, "fit": describe_fit(given)}
