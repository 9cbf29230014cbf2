"""A job as bytes for other processes, here or on another machine; its arrays are kept apart."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import cloudpickle
import numpy as np

from lrtune.errors import SearchError, UnsendableJobError
from lrtune.records.task import TrainingJob


def pickle_job(job: TrainingJob, keep: Callable[[np.ndarray[Any, Any]], Any]) -> bytes:
    """A job as bytes: cloudpickle, so that functions of a script or a notebook travel too.

    Args:
        job: to be pickled.
        keep: stores an array of the data and returns what stands for it in the bytes.

    Raises:
        UnsendableJobError: it cannot be pickled.
        SearchError: whatever `keep` raises.
    """
    import keras

    def kept(value: Any) -> Any:
        apart = isinstance(value, np.ndarray) and not value.dtype.hasobject
        return keep(value) if apart else value

    try:
        data = keras.tree.map_structure(kept, (job.fit_args, dict(job.fit_kwargs)))
        measured = {"held_out": job.held_out, "objective": job.objective}
        return cloudpickle.dumps((job.hypermodel, *data, measured, _settings()))  # type: ignore[no-any-return]
    except SearchError:
        raise
    except Exception as error:
        raise UnsendableJobError(_unsendable(job, error)) from error


def unpickle_job(pickled: bytes, load: Callable[[Any], Any]) -> TrainingJob:
    """The job that `pickle_job` pickled; sets Keras' global settings as they were there.

    Args:
        pickled: its bytes.
        load: the array of what `keep` returned; returns everything else as it is.

    Raises:
        Exception: whatever the job's own classes raise.
    """
    import keras

    found = cloudpickle.loads(pickled)
    hypermodel, args, kwargs, measured, settings = keras.tree.map_structure(load, found)
    for name, value in settings.items():
        getattr(keras.config, f"set_{name}")(value)
    return TrainingJob(hypermodel, args, kwargs, **measured)


def _unsendable(job: TrainingJob, error: Exception) -> str:
    """What cannot be sent, and why; of a dataset what to do about it."""
    import keras
    import tensorflow as tf

    kinds = {tf.data.Dataset: "tf.data.Dataset", Iterator: "generator"}
    given = keras.tree.flatten((job.fit_args, dict(job.fit_kwargs)))
    for kind, name in kinds.items():
        if any(isinstance(one, kind) for one in given):
            return (
                f"a {name} cannot be sent to worker processes (a function that returns one can: "
                "search(make_data, ...))"
            )
    return (
        "the hypermodel or the data cannot be sent to worker processes "
        f"({type(error).__name__}: {error})"
    )


def _settings() -> dict[str, Any]:
    """Keras' global settings that a script may have changed, by name."""
    import keras

    names = ("floatx", "epsilon", "image_data_format")
    policy = {"dtype_policy": keras.config.dtype_policy().name}
    return {**{name: getattr(keras.config, name)() for name in names}, **policy}
