"""One training of a range test: the rate rises at every step, until the loss diverges."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import keras
import keras_tuner
import numpy as np
from typing_extensions import override

from lrtune.errors import ArgumentError, SearchError
from lrtune.model.hypermodel import steps_per_epoch
from lrtune.records.task import TrainingJob, TrialTask
from lrtune.runner.feeds import Feeds
from lrtune.runner.streams import make_feed
from lrtune.schedules.keras import TableSchedule, place
from lrtune.schedules.recipe import Recipe
from lrtune.stats.range_test import bound_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from lrtune.finder.kept import KeptModels
    from lrtune.model.hypermodel import ScheduleHyperModel

_NAME = "0000"
_MEMORY = 0.8
"""How much of the running mean of the losses is left after a step."""


class Sweeps:
    """Trains a hypermodel's model with rising rates, anew for each seed.

    Args:
        hypermodel: whose `build_model` is `kept`.
        given: arguments of `keras.Model.fit` by name, without validation data and callbacks.
        kept: restores the models that were trained.
    """

    def __init__(
        self, hypermodel: ScheduleHyperModel, given: Mapping[str, Any], kept: KeptModels
    ) -> None:
        self._hypermodel, self._kept = hypermodel, kept
        job = TrainingJob(hypermodel, (), given)
        self._feeds = Feeds(job, make_feed(job))

    def steps_per_epoch(self, values: Mapping[str, Any]) -> int:
        """Weight updates an epoch.

        Args:
            values: the hyperparameters' defaults.

        Raises:
            ArgumentError: the data do not say.
        """
        given = self._arguments(values, seed=0, epochs=1)
        return self._hypermodel.steps_per_epoch or steps_per_epoch(**given)

    def losses(
        self, values: Mapping[str, Any], seed: int, rates: NDArray[np.float32], epochs: int
    ) -> NDArray[np.float64]:
        """The loss of each batch: float64 [steps], NaN once the training has diverged.

        Args:
            values: the hyperparameters' defaults.
            seed: int >= 0; initial weights, image order and dropout follow from it.
            rates: [steps], of each weight update.
            epochs: int >= 1, in which the data are read so many steps.
        """
        keras.utils.clear_session(free_memory=False)  # Keras' global random state, among others
        keras.utils.set_random_seed(seed)
        try:
            model = self._hypermodel.build(_defaults(values))
            arguments = self._arguments(values, seed, epochs)
            model.steps_per_execution = 1
            place(model, TableSchedule(rates))
            recorder = _LossRecorder(len(rates), self._kept)
            model.fit(**arguments, epochs=epochs, verbose=0, callbacks=[recorder])
        finally:
            self._kept.restore()
        return recorder.complete()

    def _arguments(self, values: Mapping[str, Any], seed: int, epochs: int) -> dict[str, Any]:
        task = TrialTask(_NAME, Recipe.from_values(values), seed, 0, epochs)
        given = self._feeds.of(task).arguments(task)
        return {name: one for name, one in given.items() if name != "validation_data"}


def _defaults(values: Mapping[str, Any]) -> keras_tuner.HyperParameters:
    hp = keras_tuner.HyperParameters()
    hp.values = dict(values)
    return hp


class _LossRecorder(keras.callbacks.Callback):  # type: ignore[misc] # Keras has no types
    """Records the loss of each batch, and stops once it has diverged."""

    def __init__(self, steps: int, kept: KeptModels) -> None:
        super().__init__()
        self._steps, self._kept = steps, kept
        self._losses: list[float] = []
        self._mean = math.nan
        self._diverged = False

    def complete(self) -> NDArray[np.float64]:
        """All losses, NaN for the steps after it diverged.

        Raises:
            ArgumentError: the data ended before.
        """
        count = len(self._losses)
        if count < self._steps and not self._diverged:
            raise ArgumentError(
                f"the training data must last for {self._steps:,} steps. They ended after "
                f"{count:,}."
            )
        return np.array([*self._losses, *[math.nan] * (self._steps - count)])

    @override
    def on_train_begin(self, logs: Any = None) -> None:
        self._kept.note_variables(self.model)

    @override
    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
        # The loss that Keras logs is a mean since the last reset.
        self.model.reset_metrics()

    @override
    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        if "loss" not in (logs or {}):
            raise SearchError("the model must report its loss: its train_step returns no 'loss'")
        loss = float(logs["loss"])
        if not self._losses and not math.isfinite(loss):
            raise SearchError(
                "the loss must be a finite number before the rate matters. The untrained model's "
                f"is {loss}: look at the data and the model."
            )
        self._losses.append(loss)
        self._mean = loss if len(self._losses) == 1 else _MEMORY * self._mean + (1 - _MEMORY) * loss
        bound = bound_of(np.array(self._losses[:10]))
        self._diverged = not self._mean <= bound
        self.model.stop_training = self._diverged or len(self._losses) >= self._steps
