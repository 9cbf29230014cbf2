"""What the search loop and a runner say to each other: a task, and how it ended.

Nothing here knows TensorFlow. The numbers of a training depend on its task alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

    from lrtune.records.schema import Status
    from lrtune.schedules.recipe import Recipe

State = Mapping[str, "np.ndarray[Any, Any]"]
"""All that training depends on besides the task: arrays by name (see `worker.Trainer`)."""

EpochRecord = Mapping[str, float]
"""One line of `epochs.jsonl`: epoch (from 1), lr, the metrics Keras logged, seconds."""


def metrics_of(record: EpochRecord) -> dict[str, float]:
    """An epoch's metrics, without what the record says of the epoch itself."""
    return {k: v for k, v in record.items() if k not in ("epoch", "lr", "lr_last", "seconds")}


@dataclass(frozen=True)
class TrialTask:
    """One trial, or one rung of one, to train.

    Attributes:
        trial_id: under which its records are kept.
        recipe: schedule, optimizer and the user's own hyperparameters.
        seed: int >= 0; initial weights, image order and dropout follow from it alone.
        first_epoch: epochs already trained (0 for a new trial); training continues there.
        last_epoch: epochs trained in total when this task is done.
        parent_state: the state after `first_epoch` epochs. Where it is None though that is not 0,
            the state was lost: the epochs before are trained again and not recorded.
        steering: Keras Tuner's own entries among the trial's hyperparameter values, by which it
            knows Hyperband's rungs; recorded with the others.
    """

    trial_id: str
    recipe: Recipe
    seed: int
    first_epoch: int
    last_epoch: int
    parent_state: State | None = None
    steering: Mapping[str, Any] = field(default_factory=dict)

    @property
    def values(self) -> dict[str, Any]:
        """All hyperparameter values by name, as they are recorded and as `hp` has them."""
        return {**self.recipe.values, **self.steering}

    @property
    def begins_after(self) -> int:
        """Epochs that need not be trained, since their state is here."""
        return 0 if self.parent_state is None else self.first_epoch


@dataclass(frozen=True)
class TrialOutcome:
    """How a task ended.

    Attributes:
        task: the task, without its parent state.
        status: completed, diverged or failed.
        epochs: one record an epoch trained here, in order.
        untrained: metrics of the model before its first step, on the validation images; of the
            model as it ended where it diverged and these are held out.
        state: the state after the last epoch; None unless completed.
        seconds: wall time, building included.
        message: why it diverged, or the traceback of the failure.
        worker_lost: whether it failed because the process that trained it died or hung, which
            another try may survive.
    """

    task: TrialTask
    status: Status
    epochs: tuple[EpochRecord, ...] = ()
    untrained: Mapping[str, float] = field(default_factory=dict)
    state: State | None = None
    seconds: float = 0.0
    message: str | None = None
    worker_lost: bool = False


@dataclass(frozen=True)
class TrainingJob:
    """What all tasks of a search have in common.

    Attributes:
        hypermodel: `keras_tuner.HyperModel`: builds and fits.
        fit_args: positional arguments of `keras.Model.fit` (images, labels, ...).
        fit_kwargs: its keyword arguments; epochs, initial_epoch and verbose are the runner's.
        held_out: whether the validation data are test images, which a training must not see before
            its end: the untrained model is measured on the training images, and a model that
            diverged once, as it ended, on these.
    """

    hypermodel: Any
    fit_args: tuple[Any, ...]
    fit_kwargs: Mapping[str, Any]
    held_out: bool = False
