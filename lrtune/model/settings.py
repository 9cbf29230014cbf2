"""An optimizer's settings in variables, so that a traced train function serves any values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import keras
import numpy as np
from typing_extensions import override

from lrtune.errors import ArgumentError
from lrtune.schedules.keras import inner_optimizer
from lrtune.schedules.keras_private import momentum_slots
from lrtune.schedules.optimizers import MOMENTUM

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from lrtune.schedules import Schedule
    from lrtune.schedules.recipe import Recipe


class Setting(keras.Variable):  # type: ignore[misc] # Keras has no types
    """A setting of an optimizer, such as its momentum: a number in [0, 1) that a table gives.

    It behaves like the float in its place, bit for bit. Keras computes `1 - beta_1` in float64 and
    then rounds to float32; so what is 1 - value here is a table of its own.

    Args:
        values: float64 array [steps], the value at every step.
    """

    def __init__(self, values: NDArray[np.float64], name: str) -> None:
        super().__init__(0.0, trainable=False, name=name)
        self.rest = keras.Variable(0.0, trainable=False, name=f"one_minus_{name}")
        self._tables = [
            keras.Variable(np.zeros(len(values), np.float32), trainable=False, name=f"{name}_table")
            for _ in range(2)
        ]
        self.load(values)

    def load(self, values: NDArray[np.float64]) -> None:
        """Gives it other values, as many as before."""
        self.is_zero = not values.any()
        self.number = float(values[0])
        for table, numbers in zip(self._tables, (values, 1.0 - values), strict=True):
            table.assign(numbers.astype(np.float32))
        self.follow(0)

    def follow(self, step: Any) -> None:
        """Takes the value of a step; the last one after the table's end."""
        last = self._tables[0].shape[0] - 1
        at = keras.ops.clip(keras.ops.cast(step, "int64"), 0, last)
        for variable, table in zip((self, self.rest), self._tables, strict=True):
            variable.assign(keras.ops.take(table, at))

    @override
    def __rsub__(self, other: Any) -> Any:
        return self.rest.value if other == 1 else super().__rsub__(other)

    @override
    def __sub__(self, other: Any) -> Any:
        return -self.rest.value if other == 1 else super().__sub__(other)

    # Optimizers ask whether their momentum is 0 to know whether they need slots for it.
    @override
    def __ne__(self, other: object) -> Any:
        return True if other == 0 else super().__ne__(other)

    @override
    def __gt__(self, other: Any) -> Any:
        return True if other == 0 else super().__gt__(other)

    __hash__ = keras.Variable.__hash__


class Settings:
    """The settings of one optimizer in variables, which follow tables.

    Args:
        optimizer: keras.optimizers.Optimizer; changed so that it reads its settings from variables.
        values: setting -> float64 array [steps].
    """

    def __init__(self, optimizer: Any, values: Mapping[str, NDArray[np.float64]]) -> None:
        self._by_name = {name: Setting(one, name) for name, one in values.items()}
        for name, setting in self._by_name.items():
            # NOTE: around Keras' own __setattr__, so that it is no variable of the optimizer, which
            # Keras would save and load.
            object.__setattr__(optimizer, name, setting)
        apply, get_config = optimizer.apply, optimizer.get_config

        def config_of_numbers() -> dict[str, Any]:
            # A model that is saved with a variable in place of the number cannot be loaded.
            numbers = {name: setting.number for name, setting in self._by_name.items()}
            return {**get_config(), **numbers}

        def apply_at_step(grads: Any, trainable_variables: Any = None) -> Any:
            for setting in self._by_name.values():
                setting.follow(optimizer.iterations)
            return apply(grads, trainable_variables)

        optimizer.apply, optimizer.get_config = apply_at_step, config_of_numbers

    def load(self, values: Mapping[str, NDArray[np.float64]]) -> None:
        """Gives all settings other values, for as many steps."""
        for name, setting in self._by_name.items():
            setting.load(values[name])


def move_momentum(
    optimizer: Any, schedule: Schedule, momentum: float, *, epochs: int, steps_per_epoch: int
) -> None:
    """Makes an optimizer's momentum follow a schedule, as that of one-cycle training does.

    Args:
        optimizer: keras.optimizers.Optimizer with a momentum (or beta_1) above 0; changed.
        schedule: whose `momentum_table` says how.
        momentum: float in (0, 1), the momentum where the schedule leaves it alone.
        epochs: int >= 1, how many the training has.
        steps_per_epoch: int >= 1, weight updates an epoch.

    Raises:
        ArgumentError: the optimizer has no momentum.
    """
    inner = inner_optimizer(optimizer)
    name = next((one for one in MOMENTUM if isinstance(getattr(inner, one, None), float)), None)
    if name is None or not getattr(inner, name):
        raise ArgumentError(
            f"optimizer must have a momentum or beta_1 above 0. Received: {optimizer!r}."
        )
    Settings(inner, {name: schedule.momentum_table(momentum, epochs, steps_per_epoch)})


def tables(recipe: Recipe, epochs: int, steps_per_epoch: int) -> dict[str, NDArray[np.float64]]:
    """The values of an optimizer's settings at every step: setting -> float64 array [steps]."""
    schedule, steps = recipe.schedule, epochs * steps_per_epoch
    return {
        name: schedule.momentum_table(value, epochs, steps_per_epoch)
        if name in MOMENTUM
        else np.full(steps, value)
        for name, value in recipe.settings.items()
    }


def unused_slots(optimizer: Any) -> list[keras.Variable]:
    """Slots for a momentum that is 0: Keras' own optimizer would not have them."""
    momentum = getattr(optimizer, "momentum", None)
    unused = isinstance(momentum, Setting) and momentum.is_zero
    return momentum_slots(optimizer) if unused else []
