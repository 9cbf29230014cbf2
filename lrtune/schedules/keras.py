"""Schedules as Keras' optimizers take them, and how to give one to a model.

Keras saves the three classes below with a model. To load the model, first import
`lrtune.schedules.keras` (`import lrtune` alone does not, because that takes seconds) and the
modules that register your own families. You need no `custom_objects`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import keras
import numpy as np
from keras import ops

from lrtune._util import checks
from lrtune.errors import ArgumentError, LrtuneError
from lrtune.schedules import Schedule
from lrtune.schedules.keras_private import update_count

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray


@keras.saving.register_keras_serializable(package="lrtune")
class KerasSchedule(keras.optimizers.schedules.LearningRateSchedule):  # type: ignore[misc]
    """A schedule's formula, evaluated by the backend at every step.

    The formula is computed in float64 and then rounded to float32, as in `Schedule.table`. NumPy's
    and the backend's exp and power may differ in the last bit of float64. Rounding almost always
    hides this (none of 9.4 million rates of 1,200 sampled schedules of four families differed, and
    none of 2.7 million of 525 of all families, on TensorFlow 2.21), but only `TableSchedule` is
    exact.

    Args:
        schedule: Schedule, or its config.
        steps_per_epoch: int >= 1, weight updates an epoch.
    """

    def __init__(self, schedule: Schedule | dict[str, Any], steps_per_epoch: int) -> None:
        self.schedule = _schedule(schedule)
        self.steps_per_epoch = checks.integer("steps_per_epoch", steps_per_epoch, at_least=1)
        # NOTE: only where it is used; Keras saves no variables of a schedule with a model.
        self._factor = _factor() if self.schedule.closed_loop else None

    def scale(self, factor: float) -> None:
        """Multiplies all rates, in traced train functions too, by a factor in (0, 1].

        Only for a schedule that depends on losses (`closed_loop`).
        """
        if self._factor is None:
            raise ArgumentError(f"schedule must be a closed loop. Received: {self.schedule}.")
        self._factor.assign(factor)

    def __call__(self, step: Any) -> Any:
        """The rate of that step (int >= 0, or a tensor of it): a float32 tensor."""
        t = ops.cast(step, "float64") / self.steps_per_epoch
        rate = ops.cast(self.schedule.evaluate(t, ops), "float32")
        return rate if self._factor is None else rate * self._factor

    def get_config(self) -> dict[str, Any]:
        """What the constructor takes, as values JSON can hold."""
        return {"schedule": self.schedule.get_config(), "steps_per_epoch": self.steps_per_epoch}


@keras.saving.register_keras_serializable(package="lrtune")
class TableSchedule(keras.optimizers.schedules.LearningRateSchedule):  # type: ignore[misc]
    """Learning rates read from a table, one for each step, bit for bit.

    Steps after the table have its last rate, steps before `first_step` its first.

    Args:
        table: float32 array [steps] of finite rates >= 0, as from `Schedule.table`; at least one.
        first_step: int >= 0, the step that the table's first entry belongs to.
    """

    def __init__(self, table: ArrayLike, first_step: int = 0) -> None:
        self._table: NDArray[np.float32] = _rates(table)
        self.first_step = checks.integer("first_step", first_step, at_least=0)
        self._last = len(self._table) - 1
        # NOTE: a variable, so that a traced train function also works with other schedules of the
        # same length (`assign`). Tracing takes seconds.
        self._rates = keras.Variable(
            self._table,
            dtype="float32",
            trainable=False,
            aggregation="only_first_replica",
            name="learning_rates",
        )

    @property
    def table(self) -> NDArray[np.float32]:
        """The rates: float32 array [steps]."""
        return np.array(self._table)

    def assign(self, table: ArrayLike) -> None:
        """Replaces the rates, in traced train functions too.

        Args:
            table: float32 array of finite rates >= 0, as long as the first one.
        """
        rates = _rates(table)
        if len(rates) != self._last + 1:
            raise ArgumentError(
                f"table must have as many rates as before, {self._last + 1}. "
                f"Received: {len(rates)} rates."
            )
        self._table = rates
        self._rates.assign(rates)

    def scale(self, factor: float) -> None:
        """Uses the table times a factor in (0, 1], in traced train functions too."""
        self._rates.assign(self._table * np.float32(factor))

    def __call__(self, step: Any) -> Any:
        """The rate of that step (int >= 0, or a tensor of it): a float32 tensor."""
        entry = ops.cast(step, "int64") - self.first_step
        return ops.take(self._rates, ops.clip(entry, 0, self._last))

    def get_config(self) -> dict[str, Any]:
        """What the constructor takes, as values JSON can hold."""
        return {"table": self._table.tolist(), "first_step": self.first_step}


@keras.saving.register_keras_serializable(package="lrtune")
class UnplacedSchedule(keras.optimizers.schedules.LearningRateSchedule):  # type: ignore[misc]
    """A placeholder in an optimizer until the number of steps per epoch is known.

    Building, compiling, saving and loading a model do not evaluate it. Training does, and raises an
    error: `place` the real schedule first.

    Args:
        schedule: Schedule, or its config.
    """

    def __init__(self, schedule: Schedule | dict[str, Any]) -> None:
        self.schedule = _schedule(schedule)

    def __call__(self, step: Any) -> Any:  # noqa: ARG002 - Keras' signature
        """Raises an error that explains what to do."""
        raise LrtuneError(
            "this model's learning-rate schedule does not know the steps per epoch yet: train with "
            "hypermodel.fit(hp, model, ...) or give steps_per_epoch= to the hypermodel"
        )

    def get_config(self) -> dict[str, Any]:
        """What the constructor takes, as values JSON can hold."""
        return {"schedule": self.schedule.get_config()}


def place(model: Any, schedule: Any, initial_step: int = 0) -> None:
    """Gives a compiled model a learning-rate schedule and the step to continue with.

    Call it after restoring weights and optimizer state and before training. A traced train function
    is dropped, because it contains the old schedule.

    Args:
        model: compiled keras.Model; its optimizer may be unbuilt.
        schedule: keras LearningRateSchedule, a TableSchedule for example.
        initial_step: int >= 0, weight updates so far: the step with which training continues.
    """
    initial_step = checks.integer("initial_step", initial_step, at_least=0)
    if not isinstance(schedule, keras.optimizers.schedules.LearningRateSchedule):
        raise ArgumentError(
            f"schedule must be a Keras LearningRateSchedule. Received: schedule={schedule!r}."
        )
    optimizer = getattr(model, "optimizer", None)
    if optimizer is None:
        raise ArgumentError("model must be compiled, with an optimizer. Received: none in it.")
    inner = inner_optimizer(optimizer)
    # NOTE: like `inner.learning_rate = schedule`, but without Keras' __setattr__ (TensorFlow
    # backend, 3.15), which reads the old rate first and so makes an UnplacedSchedule raise.
    type(inner).learning_rate.fset(inner, schedule)
    update_count(inner).assign(initial_step)
    model.train_function = None


def rate_at(optimizer: Any, step: int) -> float:
    """The learning rate that an optimizer uses for a weight update.

    Args:
        optimizer: keras.optimizers.Optimizer with a schedule, a callable or a plain rate.
        step: int >= 0, counted from the start of training.

    Returns:
        float >= 0, exactly the float32 value.
    """
    step = checks.integer("step", step, at_least=0)
    count = update_count(inner_optimizer(optimizer))
    now = int(count)
    # NOTE: the optimizer itself computes it, with a changed step count: this is the rate that its
    # update uses, whatever it was given.
    count.assign(step)
    try:
        return float(optimizer.learning_rate)
    finally:
        count.assign(now)


def inner_optimizer(optimizer: Any) -> Any:
    """The optimizer that counts the steps and has the rate, inside a LossScaleOptimizer too."""
    return getattr(optimizer, "inner_optimizer", optimizer)


def _factor() -> keras.Variable:
    return keras.Variable(
        1.0, dtype="float32", trainable=False, aggregation="only_first_replica", name="factor"
    )


def _schedule(schedule: Schedule | dict[str, Any]) -> Schedule:
    if isinstance(schedule, Schedule):
        return schedule
    if isinstance(schedule, dict):
        return Schedule.from_config(schedule)
    raise ArgumentError(
        f"schedule must be an lrtune Schedule or its config. Received: schedule={schedule!r}."
    )


def _rates(table: ArrayLike) -> NDArray[np.float32]:
    rates = np.asarray(table)
    if rates.ndim != 1 or rates.size == 0 or rates.dtype.kind not in "iuf":
        raise ArgumentError(
            "table must be an array [steps] of learning rates, at least one. "
            f"Received: shape {rates.shape}, dtype {rates.dtype}."
        )
    with np.errstate(over="ignore"):
        narrow = rates.astype(np.float32)
    wrong = ~(np.isfinite(narrow) & (narrow >= 0))
    if wrong.any():
        raise ArgumentError(
            f"table must hold finite learning rates >= 0. Received: {rates[wrong][0]}."
        )
    return narrow
