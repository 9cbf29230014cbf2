"""A whole search of the real tuner, with a runner that ends tasks at once and trains nothing."""

from __future__ import annotations

import json
from collections import Counter
from unittest import mock

import keras_tuner
import numpy as np

import lrtune
from lrtune.records.task import TrialOutcome
from lrtune.runner.base import Runner
from lrtune.search import tuner as tuner_module
from tests.tasks import task_of

EPOCHS, SEED = 4, 5
ARMS = {"constant-0.1": {"schedule": "constant", "lr0": 0.1, "momentum": 0.0}}

UNTRAINED = {"val_accuracy": 0.5, "val_loss": 0.7}


class FakeRunner(Runner):
    """Ends tasks at once, in the order `pick` says, as `train` says; trains nothing."""

    def __init__(self, train, slots=1, pick=0):
        self.slots = slots
        self.tasks = []
        self.most = 0
        self._train = train
        self._pick = pick
        self._waiting = []

    @property
    def running(self):
        return len(self._waiting)

    def submit(self, task):
        assert self.running < self.slots
        self.tasks.append(task)
        self._waiting.append(task)
        self.most = max(self.most, self.running)

    def wait(self, on_epoch):
        outcome = self._train(self._waiting.pop(self._pick))
        for record in outcome.epochs:
            on_epoch(outcome.task.trial_id, record)
        return [outcome]

    def close(self):
        pass


def told(task):
    return task_of(task.trial_id, task.values, task.seed, task.first_epoch, task.last_epoch)


def completed(task, accuracies=None):
    """A training whose accuracy is its `x`, or as given for each epoch."""
    epochs = range(task.first_epoch + 1, task.last_epoch + 1)
    accuracies = accuracies or [task.values.get("x", 0.1)] * len(epochs)
    records = tuple(
        {"epoch": epoch, "lr": 0.1, "val_accuracy": accuracy, "val_loss": 1 - accuracy}
        for epoch, accuracy in zip(epochs, accuracies, strict=True)
    )
    state = {"trained by": np.array(task.trial_id), "epochs": np.array(task.last_epoch)}
    return TrialOutcome(told(task), "completed", records, UNTRAINED, state, 0.5)


def diverged(task, epochs=()):
    return TrialOutcome(told(task), "diverged", epochs, UNTRAINED, message="epoch 1: loss is nan")


def failed(task):
    message = "Traceback (most recent call last):\n  File ...\nValueError: boom\n"
    return TrialOutcome(told(task), "failed", message=message)


class Model(keras_tuner.HyperModel):
    """A space of one number; nothing is ever built."""

    def build(self, hp):
        hp.Float("x", 0.0, 1.0)


class Schedules(lrtune.ScheduleHyperModel):
    """The same number beside a constant rate or an exponential decay; nothing is built either."""

    def __init__(self, epochs):
        super().__init__(lambda hp: None, epochs=epochs, families=["exponential", "constant"])

    def build(self, hp):
        hp.Float("x", 0.0, 1.0)
        self.space.declare(hp)


class Search:
    """A tuner on a run folder, and the runner that it will get.

    Args:
        folder: the run folder.
        train: task -> outcome.
        slots, pick: see `FakeRunner`.
        max_epochs: of a Hyperband search; None for a random or Bayesian one. It searches schedules
            if `horizon` is among the settings, else one number, which is never rescaled.
        trials: of a random or Bayesian search.
        bayesian: whether it is a Bayesian one.
        shape: whether it is a shape search.
        baseline: seeds that the constant rate .1 is trained with.
        **settings: further arguments of the tuner.
    """

    def __init__(
        self, folder, train, *, slots=1, pick=0, max_epochs=None, trials=8, bayesian=False,
        shape=False, baseline=0, objective="val_accuracy", **settings,
    ):  # fmt: skip
        common = {
            "objective": objective, "seed": SEED, "baseline_seeds": baseline, "baseline_budget": 0,
            "directory": str(folder.parent), "project_name": folder.name, **settings,
        }  # fmt: skip
        arms = ARMS if baseline else {}
        with mock.patch.object(tuner_module.LoopTuner, "_arms", return_value=arms):
            if max_epochs:
                model = Schedules(max_epochs) if "horizon" in settings else Model()
                self.tuner = lrtune.Hyperband(model, max_epochs=max_epochs, **common)
            elif bayesian:
                self.tuner = lrtune.BayesianOptimization(
                    Model(), max_trials=trials, num_initial_points=2, **common
                )
            elif shape:
                self.tuner = lrtune.ShapeSearch(
                    Model(), max_trials=trials, num_initial_points=2, **common
                )
            else:
                self.tuner = lrtune.RandomSearch(Model(), max_trials=trials, **common)
        self.tuner._arms = lambda: arms  # a model without schedules has no baseline of its own
        self.oracle = self.tuner.oracle
        self.folder = folder
        self.runner = FakeRunner(train, slots, pick)
        self.metrics = []
        self._spy(self.oracle.update_trial)

    def run(self, observer=None):
        """Begins the search, or continues the one that is in the folder."""
        with mock.patch.object(tuner_module, "make_runner", return_value=self.runner):
            epochs = None if hasattr(self.oracle, "max_epochs") else EPOCHS
            self.tuner.search(epochs=epochs, verbose=0, observer=observer)
        return self

    @property
    def spans(self):
        return Counter((task.first_epoch, task.last_epoch) for task in self.runner.tasks)

    @property
    def states(self):
        """Trials whose state is on disk."""
        return {path.parent.name.removeprefix("trial_") for path in self.folder.rglob("state.npz")}

    def outcome(self, trial_id):
        name = trial_id if "/" in trial_id else f"trial_{trial_id}"
        return json.loads((self.folder / name / "outcome.json").read_text())

    @property
    def outcomes(self):
        return [self.outcome(trial_id) for trial_id in self.oracle.start_order]

    def _spy(self, update):
        def note(trial_id, metrics, step=0):
            self.metrics.append((trial_id, dict(metrics), step))
            return update(trial_id, metrics, step=step)

        self.oracle.update_trial = note
