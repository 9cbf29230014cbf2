"""`lrtune.range_test`: which learning rates are worth searching?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import keras_tuner
import numpy as np

from lrtune._util import checks
from lrtune.errors import ArgumentError
from lrtune.finder.kept import KeptModels
from lrtune.finder.result import RangeTest
from lrtune.finder.sweep import Sweeps
from lrtune.model.batch_size import check_batch_size
from lrtune.model.fit_data import has_own_fit
from lrtune.model.hypermodel import ScheduleHyperModel
from lrtune.runner.fit_arguments import fit_arguments
from lrtune.search.preflight import check_search
from lrtune.search.seeds import LARGEST
from lrtune.stats.range_test import read

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

BEYOND = 30.0
"""The rates of a test begin and end this factor outside those that a search usually tries."""

LEAST_STEPS = 200
"""A test of one epoch takes more of them if they have fewer steps in all."""

_NOT_USED = ("callbacks", "validation_data", "validation_steps", "validation_batch_size",
             "validation_freq")  # fmt: skip


def range_test(
    hypermodel: ScheduleHyperModel,
    *fit_args: Any,
    low: float | None = None,
    high: float | None = None,
    epochs: int | None = None,
    seeds: int | Sequence[int] = 3,
    smoothing: float = 0.1,
    **fit_kwargs: Any,
) -> RangeTest:
    """Find out which learning rates are worth searching: the range for `lr0`.

    It trains the hypermodel's model while the rate rises exponentially, once for each seed, and
    looks where the loss falls and where it rises (Smith, 2017, arXiv 1506.01186). All other
    hyperparameters have their defaults; of a choice, the first. A training ends early once its loss
    is four times what it was at the beginning.

        test = lrtune.range_test(hypermodel, x, y, batch_size=64)
        print(test)
        hypermodel = lrtune.ScheduleHyperModel(..., ranges={"lr0": test.suggested})

    The models are thrown away. One that `build_model` returns again and again, or puts into new
    ones, has its weights, its optimizer and its rate back afterwards. Like a search in this
    process, it sets the global seeds of Python, NumPy and TensorFlow.

    Args:
        hypermodel: `ScheduleHyperModel`; what it compiles its models with, or you do, is used.
        *fit_args: what to train on, as `keras.Model.fit` takes it: arrays, frames, a
            `tf.data.Dataset`, a PyDataset, or a function that makes one of these.
        low: float > 0, the first learning rate; None for 1/30 of the lowest that a search usually
            tries with this optimizer.
        high: float > low, the last learning rate; None for 30 times the highest.
        epochs: int >= 1, how long the rate rises; None for one epoch, or as many as have 200 steps.
        seeds: int >= 1, how many trainings; or the seeds themselves, each an int >= 0.
        smoothing: float > 0 and <= 1, the window over which the loss is smoothed, as a share of the
            steps.
        **fit_kwargs: as `keras.Model.fit` takes them: `batch_size`, `class_weight`, ... Validation
            data and callbacks are not used.

    Returns:
        The range (`suggested`), the losses (`curves()`) and a picture (`plot()`).

    Raises:
        ArgumentError, DataError: an argument outside its domain, or data that cannot be trained on.
        SearchError: the model reports no loss, or not a finite one even before it is trained.
    """
    low, high = _check_rates(low, high)
    if epochs is not None:
        epochs = checks.integer("epochs", epochs, at_least=1)
    chosen = _check_seeds(seeds)
    smoothing = checks.fraction("smoothing", smoothing)
    given = _check_job(hypermodel, fit_args, fit_kwargs)
    tested = hypermodel.with_families(("constant",))
    kept = KeptModels(hypermodel.build_model)
    tested.build_model = kept
    values = _defaults(tested, given, kept)
    sweeps = Sweeps(tested, given, kept)
    steps = sweeps.steps_per_epoch(values)
    epochs = epochs or max(1, -(-LEAST_STEPS // steps))
    usual = tested.space.optimizer.lr0
    rates = _rates(low or usual[0] / BEYOND, high or usual[1] * BEYOND, epochs * steps)
    losses = np.array([sweeps.losses(values, seed, rates, epochs) for seed in chosen])
    used = rates.astype(np.float64)
    return RangeTest(chosen, used, losses, read(used, losses, smoothing))


def _check_rates(low: Any, high: Any) -> tuple[float | None, float | None]:
    low = None if low is None else checks.learning_rate("low", low)
    high = None if high is None else checks.learning_rate("high", high)
    return low, high


def _check_seeds(seeds: Any) -> tuple[int, ...]:
    if isinstance(seeds, list | tuple):
        if not seeds:
            raise ArgumentError(f"seeds must be at least one. Received: seeds={seeds!r}.")
        return tuple(checks.integer("seeds", one, at_least=0, at_most=LARGEST) for one in seeds)
    return tuple(range(1, checks.integer("seeds", seeds, at_least=1) + 1))


def _check_job(
    hypermodel: Any, fit_args: tuple[Any, ...], fit_kwargs: Mapping[str, Any]
) -> dict[str, Any]:
    """The arguments of `fit` that a range test uses, by name."""
    if not isinstance(hypermodel, ScheduleHyperModel):
        raise ArgumentError(
            f"hypermodel must be a lrtune.ScheduleHyperModel. Received: hypermodel={hypermodel!r}."
        )
    if has_own_fit(hypermodel):
        raise ArgumentError(
            "hypermodel must train with keras.Model.fit, as a range test sets the rate of every "
            f"step. Received: {type(hypermodel).__name__}, which has a fit of its own."
        )
    check_batch_size(hypermodel, fit_args, fit_kwargs)
    given = fit_arguments(hypermodel, fit_args, fit_kwargs)
    return {name: one for name, one in given.items() if name not in _NOT_USED}


def _defaults(
    hypermodel: ScheduleHyperModel, given: Mapping[str, Any], kept: KeptModels
) -> dict[str, Any]:
    """The defaults of all hyperparameters; the data are checked against the model on the way."""
    hp = keras_tuner.HyperParameters()
    try:
        model = hypermodel.build(hp)
        check_search(hypermodel, given, "loss", model)
    finally:
        kept.restore()
    return dict(hp.values)


def _rates(low: float, high: float, steps: int) -> np.ndarray[Any, np.dtype[np.float32]]:
    """Rates that rise by the same factor at every step: float32 [steps]."""
    if not low < high:
        raise ArgumentError(f"high must be greater than low, {low:g}. Received: high={high:g}.")
    if steps < 2:
        raise ArgumentError(
            "epochs must have at least two steps in all, so that the rate can rise. Received: one."
        )
    return np.geomspace(low, high, steps).astype(np.float32)
