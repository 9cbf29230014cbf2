"""What the search loop and a runner exchange: a task, and how it ended.

Nothing here imports TensorFlow. The numbers of a training depend on its task alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

    from lrtune.records.samples import Samples
    from lrtune.records.schema import Status
    from lrtune.schedules.recipe import Recipe

State = Mapping[str, "np.ndarray[Any, Any]"]
"""Everything besides the task that training depends on: arrays by name (see `worker.Trainer`)."""

EpochRecord = Mapping[str, float]
"""One line of `epochs.jsonl`: epoch (from 1), lr, the metrics Keras logged, seconds."""


def metrics_of(record: EpochRecord) -> dict[str, float]:
    """The metrics in an epoch's record."""
    return {k: v for k, v in record.items() if k not in ("epoch", "lr", "lr_last", "seconds")}


@dataclass(frozen=True)
class TrialTask:
    """A trial, or one rung of it, to train.

    Attributes:
        trial_id: see `lrtune.records.ids`.
        recipe: schedule, optimizer and the user's own hyperparameters.
        seed: int >= 0; initial weights, image order and dropout follow from it alone.
        first_epoch: epochs already trained (0 for a new trial); training continues there.
        last_epoch: epochs trained in total when this task is done.
        parent_state: the state after `first_epoch` epochs. None with `first_epoch` > 0 means that
            the state was lost: the earlier epochs are trained again and not recorded.
        steering: Keras Tuner's own entries among the trial's hyperparameter values, for Hyperband's
            rungs; recorded with the others.
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
        """Epochs that need no training, because their state is known."""
        return 0 if self.parent_state is None else self.first_epoch


@dataclass(frozen=True)
class TrialOutcome:
    """How a task ended.

    Attributes:
        task: the task, without its parent state.
        status: completed, diverged, failed or lost.
        epochs: one record for each epoch of this task, in order.
        untrained: metrics of the model before its first step, on the validation images. If these
            are held out and the training diverged, those of the final model instead.
        state: the state after the last epoch; None unless completed.
        seconds: wall time, building included.
        message: why it diverged, or the traceback of the failure.
        killed: whether it was lost because something killed its process, as a system does that
            runs out of memory.
        blameless: whether it was lost for a reason that has to do neither with the trial nor with
            how many run at a time: with its machine, or the connection to it.
        samples: how it did on each sample of held-out data; None if that cannot be known, and of
            data that are not held out.
    """

    task: TrialTask
    status: Status
    epochs: tuple[EpochRecord, ...] = ()
    untrained: Mapping[str, float] = field(default_factory=dict)
    state: State | None = None
    seconds: float = 0.0
    message: str | None = None
    killed: bool = False
    blameless: bool = False
    samples: Samples | None = None


@dataclass(frozen=True)
class TrainingJob:
    """What all tasks of a search have in common.

    Attributes:
        hypermodel: `keras_tuner.HyperModel`: builds and fits.
        fit_args: positional arguments of `keras.Model.fit` (images, labels, ...).
        fit_kwargs: its keyword arguments; epochs, initial_epoch and verbose are the runner's.
        held_out: whether the validation data are test images, which a training must not see before
            its end. The untrained model is then measured on the training images, and a diverged
            model once, at its end, on the test images.
        objective: the metric that is a training's score, as Keras logs it ("val_accuracy"): it says
            what is recorded of each sample of held-out data. None to record nothing.
    """

    hypermodel: Any
    fit_args: tuple[Any, ...]
    fit_kwargs: Mapping[str, Any]
    held_out: bool = False
    objective: str | None = None
