"""Schedules for Keras: learning-rate schedules of optimizers, and how a model gets one.

Keras saves the three classes below with a model. To load it, `import lrtune.schedules.keras` first
(what `import lrtune` alone does not do, as it takes seconds), and the modules that register
families of your own; `custom_objects` are not needed.
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

    The formula is computed in float64 and rounded to float32 at the end, as in `Schedule.table`.
    NumPy's and the backend's exp and power may differ in the last bit of float64, which the
    rounding hides almost always (none of 9.4 million rates of 1,200 sampled schedules differed, on
    TensorFlow 2.21) but not by necessity: `TableSchedule` is exact.

    Args:
        schedule: Schedule, or its config.
        steps_per_epoch: int >= 1, weight updates an epoch.
    """

    def __init__(self, schedule: Schedule | dict[str, Any], steps_per_epoch: int) -> None:
        self.schedule = _schedule(schedule)
        self.steps_per_epoch = checks.integer("steps_per_epoch", steps_per_epoch, at_least=1)

    def __call__(self, step: Any) -> Any:
        """The rate of that step (int >= 0, or a tensor of it): a float32 tensor."""
        t = ops.cast(step, "float64") / self.steps_per_epoch
        return ops.cast(self.schedule.evaluate(t, ops), "float32")

    def get_config(self) -> dict[str, Any]:
        """What the constructor takes, as values JSON can hold."""
        return {"schedule": self.schedule.get_config(), "steps_per_epoch": self.steps_per_epoch}


@keras.saving.register_keras_serializable(package="lrtune")
class TableSchedule(keras.optimizers.schedules.LearningRateSchedule):  # type: ignore[misc]
    """Learning rates read from a table, one a step, bit for bit.

    Steps beyond the table have its last rate, steps before `first_step` its first.

    Args:
        table: float32 array [steps] of finite rates >= 0, as from `Schedule.table`; at least one.
        first_step: int >= 0, the step that the table's first entry belongs to.
    """

    def __init__(self, table: ArrayLike, first_step: int = 0) -> None:
        self._table: NDArray[np.float32] = _rates(table)
        self.first_step = checks.integer("first_step", first_step, at_least=0)
        self._last = len(self._table) - 1
        # NOTE: a variable, not a constant: a train function that was traced once then serves other
        # schedules of the same length too (`assign`); tracing takes seconds.
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
        """Replace the rates, also for train functions that are traced already.

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

    def __call__(self, step: Any) -> Any:
        """The rate of that step (int >= 0, or a tensor of it): a float32 tensor."""
        entry = ops.cast(step, "int64") - self.first_step
        return ops.take(self._rates, ops.clip(entry, 0, self._last))

    def get_config(self) -> dict[str, Any]:
        """What the constructor takes, as values JSON can hold."""
        return {"table": self._table.tolist(), "first_step": self.first_step}


@keras.saving.register_keras_serializable(package="lrtune")
class UnplacedSchedule(keras.optimizers.schedules.LearningRateSchedule):  # type: ignore[misc]
    """Stands in an optimizer until somebody knows how many steps an epoch has.

    Building, compiling, saving and loading a model never evaluate it. Training does, and it raises
    then: `place` the real one before.

    Args:
        schedule: Schedule, or its config.
    """

    def __init__(self, schedule: Schedule | dict[str, Any]) -> None:
        self.schedule = _schedule(schedule)

    def __call__(self, step: Any) -> Any:  # noqa: ARG002 - Keras' signature
        """Raises an error that says what to do."""
        raise LrtuneError(
            "this model's learning-rate schedule does not know the steps per epoch yet: train with "
            "hypermodel.fit(hp, model, ...) or give steps_per_epoch= to the hypermodel"
        )

    def get_config(self) -> dict[str, Any]:
        """What the constructor takes, as values JSON can hold."""
        return {"schedule": self.schedule.get_config()}


def place(model: Any, schedule: Any, initial_step: int = 0) -> None:
    """Give a compiled model a learning-rate schedule, at a step of it.

    Call it after weights and optimizer state are restored and before training. A train function
    that was traced before is dropped, since it has the old schedule in it.

    Args:
        model: compiled keras.Model; its optimizer may be unbuilt.
        schedule: keras LearningRateSchedule, a TableSchedule for example.
        initial_step: int >= 0, weight updates done so far: the step the training goes on with.
    """
    initial_step = checks.integer("initial_step", initial_step, at_least=0)
    if not isinstance(schedule, keras.optimizers.schedules.LearningRateSchedule):
        raise ArgumentError(
            f"schedule must be a Keras LearningRateSchedule. Received: schedule={schedule!r}."
        )
    optimizer = getattr(model, "optimizer", None)
    if optimizer is None:
        raise ArgumentError("model must be compiled, with an optimizer. Received: none in it.")
    inner = _inner(optimizer)
    # NOTE: what `inner.learning_rate = schedule` does, without Keras' __setattr__ (TensorFlow
    # backend, 3.15), which reads the old rate first: an UnplacedSchedule raises then.
    type(inner).learning_rate.fset(inner, schedule)
    update_count(inner).assign(initial_step)
    model.train_function = None


def rate_at(optimizer: Any, step: int) -> float:
    """The learning rate with which an optimizer makes that weight update.

    Args:
        optimizer: keras.optimizers.Optimizer with a schedule, a callable or a plain rate.
        step: int >= 0, counted from the start of training.

    Returns:
        float >= 0, exactly the float32 value.
    """
    step = checks.integer("step", step, at_least=0)
    count = update_count(_inner(optimizer))
    now = int(count)
    # NOTE: the optimizer is asked itself, at a moved step count: whatever it was given, this is
    # what its update uses.
    count.assign(step)
    try:
        return float(optimizer.learning_rate)
    finally:
        count.assign(now)


def _inner(optimizer: Any) -> Any:
    """The optimizer that counts the steps and has the rate: a LossScaleOptimizer wraps it."""
    return getattr(optimizer, "inner_optimizer", optimizer)


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
