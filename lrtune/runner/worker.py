"""Trains one task: build, restore, fit. A pure function of the task; it writes no file."""

from __future__ import annotations

import copy
import math
import os
import random
import time
from contextlib import contextmanager, suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import keras
import keras_tuner
import numpy as np

from lrtune._util.failures import whole
from lrtune._util.interrupts import raised_by_signal
from lrtune.errors import ArgumentError
from lrtune.model.feedback import Feedback
from lrtune.model.hypermodel import ScheduleHyperModel, steps_per_epoch
from lrtune.model.state import LOSSES, UNTRAINED, restore, snapshot
from lrtune.records.task import EpochRecord, TrainingJob, TrialOutcome, TrialTask
from lrtune.runner.callbacks import acting_on_batches, give_own_folder
from lrtune.runner.compiled import CompiledModels, architecture
from lrtune.runner.feeds import Feeds
from lrtune.runner.samples import SampleKeeper
from lrtune.runner.streams import make_feed
from lrtune.schedules.keras import rate_at

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from lrtune.records.samples import Samples
    from lrtune.runner.base import OnEpoch
    from lrtune.runner.feed import Feed

FAR_ABOVE = 10.0
"""A training loss this many times the untrained model's counts as divergence, even if finite."""


class Trainer:
    """Trains tasks of one job, one after another, in this process.

    Args:
        job: hypermodel and data.
    """

    def __init__(self, job: TrainingJob) -> None:
        self._job = job
        self._home = _working_folder()
        self._feed: Feed = make_feed(job)
        self._feeds = Feeds(job, self._feed)
        kind = type(job.hypermodel)
        ours = issubclass(kind, ScheduleHyperModel) and (
            (kind.build, kind.fit) == (ScheduleHyperModel.build, ScheduleHyperModel.fit)
        )
        self._compiled = CompiledModels(job.hypermodel) if ours else None
        self._free_of_tensorflow_seed: set[str] = set()

    def run(self, task: TrialTask, on_epoch: OnEpoch) -> TrialOutcome:
        """Trains one task; an exception of the user's code becomes a failed outcome.

        `sys.exit` and KeyboardInterrupt do, too, unless they come from a signal. Each task starts
        in the working folder that the first one found.

        Args:
            task: what to train.
            on_epoch: called for each epoch as it ends; what it raises is raised here.
        """
        started = time.perf_counter()
        light = replace(task, parent_state=None)
        told = _Told(on_epoch, self._home)
        try:
            with _in_folder(self._home):
                outcome = self._train(task, light, told)
        except BaseException as error:
            # TensorFlow may turn a signal's exception into one of its own, which is an Exception:
            # `Interrupts` remembers the signal.
            known = isinstance(error, Exception)
            if told.error is None and not known and raised_by_signal(error):
                raise
            outcome = TrialOutcome(light, "failed", message=whole(error))
        if told.error is not None:
            raise told.error
        return replace(outcome, seconds=time.perf_counter() - started)

    def _train(self, task: TrialTask, light: TrialTask, on_epoch: OnEpoch) -> TrialOutcome:
        hp, fresh, name = self._build(task)
        self._feed = self._feeds.of(task)
        arguments = self._feed.arguments(task)
        model, fit = self._prepare(hp, fresh, name, task, arguments)
        callbacks = copy.deepcopy(list(arguments.pop("callbacks", None) or []))
        give_own_folder(callbacks, task.trial_id)
        pieces = self._feed.steps_per_execution if not acting_on_batches(callbacks) else 1
        model.steps_per_execution = pieces
        untrained = self._untrained(model, task)
        restore(model, task.parent_state)
        recorder = _EpochRecorder(task, on_epoch)
        guard = _DivergenceGuard(untrained)
        feedback = self._feedback(task)
        keepers = self._keepers()
        fit(
            **arguments,
            initial_epoch=task.begins_after,
            epochs=task.last_epoch,
            verbose=0,
            callbacks=[*feedback, recorder, guard, *keepers, *callbacks],
        )
        if guard.reason is not None:
            measured = self._measure(model, keepers) if self._job.held_out else untrained
            return TrialOutcome(
                light,
                "diverged",
                tuple(recorder.records),
                measured,
                message=guard.reason,
                samples=self._samples(keepers, measured),
            )
        state = snapshot(model, untrained)
        if feedback:
            state[LOSSES] = np.array(feedback[0].losses)
        records = tuple(recorder.records)
        samples = self._samples(keepers, records[-1] if records else {})
        return TrialOutcome(light, "completed", records, untrained, state, samples=samples)

    def _keepers(self) -> list[SampleKeeper]:
        """What records how each held-out sample did; empty unless the validation data are such."""
        job = self._job
        if not job.held_out or job.objective is None or self._feed.validation is None:
            return []
        return [SampleKeeper(job.objective, self._feed.evaluation())]

    def _samples(
        self, keepers: Sequence[SampleKeeper], scored: Mapping[str, float]
    ) -> Samples | None:
        """How each sample did when the metrics were measured whose objective is the score."""
        found = (one.of(scored.get(self._job.objective or "")) for one in keepers)
        return next(found, None)

    def _feedback(self, task: TrialTask) -> list[Feedback]:
        """What a schedule needs that depends on the losses so far; empty for all others."""
        schedules = isinstance(self._job.hypermodel, ScheduleHyperModel)
        if not schedules or not task.recipe.schedule.closed_loop:
            return []
        before = (task.parent_state or {}).get(LOSSES, ())
        return [Feedback(task.recipe.schedule, before, validates=not self._job.held_out)]

    def _build(self, task: TrialTask) -> tuple[Any, keras.Model, str | None]:
        """The trial's hyperparameters, its untrained model, and that one's architecture.

        TensorFlow's own seed is set only if a model's variables depend on it: setting it discards
        all functions that TensorFlow has prepared, and preparing them again takes .3 s. Keras draws
        its seeds from Python's `random`.
        """
        if self._compiled is None:
            return *self._build_from_all_seeds(task), None
        random.seed(task.seed)
        np.random.seed(task.seed)  # noqa: NPY002 - what a user's build_model may draw from
        hp, model = self._build_once(task)
        name = architecture(model, compiled_by_user=self._job.hypermodel.compiled_by_user)
        if name not in self._free_of_tensorflow_seed:
            hp, again = self._build_from_all_seeds(task)
            if name is not None and _same_variables(model, again):
                self._free_of_tensorflow_seed.add(name)
            model = again
        return hp, model, name

    def _build_from_all_seeds(self, task: TrialTask) -> tuple[Any, keras.Model]:
        policy = keras.config.dtype_policy()
        keras.utils.clear_session(free_memory=False)  # Keras' global random state, among others
        keras.config.set_dtype_policy(policy)  # which is one of the others
        keras.utils.set_random_seed(task.seed)
        return self._build_once(task)

    def _build_once(self, task: TrialTask) -> tuple[Any, keras.Model]:
        hp = keras_tuner.HyperParameters()
        hp.values = task.values
        model = self._job.hypermodel.build(hp)
        if not isinstance(model, keras.Model):
            raise ArgumentError(
                "the hypermodel's build must return a keras.Model. "
                f"Received: {model!r} of type {type(model).__name__}."
            )
        return hp, model

    def _prepare(
        self,
        hp: Any,
        fresh: keras.Model,
        name: str | None,
        task: TrialTask,
        arguments: Mapping[str, Any],
    ) -> tuple[keras.Model, Callable[..., Any]]:
        """The model to train and its fit function; an already compiled model if that is exact."""
        hypermodel = self._job.hypermodel
        if self._compiled is not None and name is not None:
            steps = hypermodel.steps_per_epoch or steps_per_epoch(**arguments)
            epochs = max(hypermodel.epochs, task.last_epoch)
            model = self._compiled.load(fresh, name, task.recipe, epochs, steps)
            return model, model.fit
        return fresh, partial(hypermodel.fit, hp, fresh)

    def _untrained(self, model: keras.Model, task: TrialTask) -> dict[str, float]:
        """Metrics before the first step: they bound divergence and are a diverged trial's score."""
        if task.parent_state is not None:
            return {
                name.removeprefix(UNTRAINED): float(value)
                for name, value in task.parent_state.items()
                if name.startswith(UNTRAINED)
            }
        return self._measure(model, training=self._job.held_out)

    def _measure(
        self, model: keras.Model, keepers: Sequence[SampleKeeper] = (), *, training: bool = False
    ) -> dict[str, float]:
        evaluation = self._feed.evaluation(training=training)
        logs = model.evaluate(**evaluation, callbacks=[*keepers], verbose=0, return_dict=True)
        prefix = "" if training or self._feed.validation is None else "val_"
        return {prefix + name: float(value) for name, value in logs.items()}


def _same_variables(one: keras.Model, other: keras.Model) -> bool:
    return all(
        np.array_equal(keras.ops.convert_to_numpy(mine), keras.ops.convert_to_numpy(its))
        for mine, its in zip(one.variables, other.variables, strict=True)
    )


class _Told:
    """Calls `on_epoch` in the folder where the search began, and keeps what that raises.

    Otherwise a full disk would look like an error of the model.
    """

    def __init__(self, on_epoch: OnEpoch, home: Path | None) -> None:
        self.error: BaseException | None = None
        self._on_epoch = on_epoch
        self._home = home

    def __call__(self, trial_id: str, record: EpochRecord) -> None:
        try:
            with _in_folder(self._home):
                self._on_epoch(trial_id, record)
        except BaseException as error:
            self.error = error
            raise


def _working_folder() -> Path | None:
    try:
        return Path.cwd()
    except OSError:  # it was removed
        return None


@contextmanager
def _in_folder(path: Path | None) -> Iterator[None]:
    """Works in a folder and then returns to the one before; both may have gone."""
    before = _working_folder()
    try:
        with suppress(OSError):
            os.chdir(path or ".")
        yield
    finally:
        with suppress(OSError):
            os.chdir(before or ".")


class _EpochRecorder(keras.callbacks.Callback):  # type: ignore[misc] # Keras has no types
    """Collects a record for each epoch, with the learning rates that the optimizer really used."""

    def __init__(self, task: TrialTask, on_epoch: OnEpoch) -> None:
        super().__init__()
        self.records: list[EpochRecord] = []
        self._task = task
        self._on_epoch = on_epoch
        self._rate = math.nan
        self._started = 0.0

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:  # noqa: ARG002 - Keras' own
        self._started = time.perf_counter()
        self._rate = math.nan

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:  # noqa: ARG002 - Keras' own
        # Not in on_epoch_begin, where callbacks of the user may still set a rate.
        if math.isnan(self._rate):
            self._rate = rate_at(self.model.optimizer, self._step())

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        if epoch < self._task.first_epoch:  # trained again because its state was lost
            return
        logs = {name: float(value) for name, value in (logs or {}).items()}
        first = [name for name in ("loss", "accuracy", "val_loss", "val_accuracy") if name in logs]
        record = {
            "epoch": epoch + 1,
            "lr": self._rate,
            **{name: logs.pop(name) for name in first},
            **logs,
            "lr_last": rate_at(self.model.optimizer, max(0, self._step() - 1)),
            "seconds": time.perf_counter() - self._started,
        }
        self.records.append(record)
        self._on_epoch(self._task.trial_id, record)

    def _step(self) -> int:
        return int(keras.ops.convert_to_numpy(self.model.optimizer.iterations.value))


class _DivergenceGuard(keras.callbacks.Callback):  # type: ignore[misc] # Keras has no types
    """Stops a trial at the end of the epoch in which its training diverged."""

    def __init__(self, untrained: Mapping[str, float]) -> None:
        super().__init__()
        self.reason: str | None = None
        loss = untrained.get("val_loss", untrained.get("loss", math.nan))
        self._bound = FAR_ABOVE * loss if loss > 0 else math.inf

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        self.reason = self._judge(logs or {})
        if self.reason is not None:
            self.reason = f"epoch {epoch + 1}: {self.reason}"
            self.model.stop_training = True

    def _judge(self, logs: Mapping[str, Any]) -> str | None:
        for name in ("loss", "val_loss"):
            if name in logs and not math.isfinite(logs[name]):
                return f"{name} is {float(logs[name])}"
        loss = float(logs.get("loss", math.nan))
        if loss > self._bound:
            return (
                f"loss {loss:.4g} is more than {FAR_ABOVE:g} times the untrained model's "
                f"({self._bound / FAR_ABOVE:.4g})"
            )
        for variable in self.model.trainable_variables:
            if not bool(keras.ops.all(keras.ops.isfinite(variable))):
                return f"weight {variable.path} is not finite"
        return None
