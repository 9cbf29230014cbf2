"""Closes the loop of a schedule that depends on the losses so far, such as reduce on plateau."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import keras
from typing_extensions import override

from lrtune.schedules.keras import inner_optimizer
from lrtune.schedules.keras_private import rate_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lrtune.schedules import Schedule


class Feedback(keras.callbacks.Callback):  # type: ignore[misc] # Keras has no types
    """Sets the rate of each epoch by the losses of the epochs before.

    Args:
        schedule: whose `feedback` says how.
        losses: of epochs that were trained before, in their order.
        validates: whether the validation data may steer the training; False for test images.

    Attributes:
        losses: validation losses so far, training losses without validation data.
    """

    def __init__(
        self, schedule: Schedule, losses: Iterable[float] = (), *, validates: bool = True
    ) -> None:
        super().__init__()
        self.losses = [float(loss) for loss in losses]
        self._schedule = schedule
        self._validates = validates

    @override
    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        factor = self._schedule.feedback(self.losses)
        rate_of(inner_optimizer(self.model.optimizer)).scale(factor)

    @override
    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        logs = logs or {}
        name = "val_loss" if self._validates and "val_loss" in logs else "loss"
        self.losses.append(float(logs[name]))
