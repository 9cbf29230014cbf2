"""A search with a real oracle, a real run folder and no training."""

from __future__ import annotations

import json
from collections import Counter

import keras_tuner
import numpy as np

from lrtune.records import schema
from lrtune.records.reader import read_run
from lrtune.records.task import TrialOutcome
from lrtune.records.writer import RunWriter
from lrtune.runner.base import Runner
from lrtune.search.algorithm import Algorithm
from lrtune.search.hyperband import HyperbandAlgorithm
from lrtune.search.kept_states import KeptStates
from lrtune.search.loop import LoopSettings, SearchLoop
from lrtune.search.resume import repair, restore
from tests.tasks import task_of

MANIFEST = schema.Manifest(
    algo="random",
    objective="val_accuracy",
    direction="max",
    score="last",
    max_epochs=4,
    factor=None,
    max_trials=None,
    seed=5,
    batch_size=64,
    families=(),
    space=(),
    baseline_budget=0.0,
    baseline_arms={},
    baseline_seeds=(),
    data=schema.DataRecord("synthetic", "abc", {"train": 10}),
    versions={},
    created="2026-01-01T00:00:00+00:00",
)

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


def space():
    hp = keras_tuner.HyperParameters()
    hp.Float("x", 0.0, 1.0)
    return hp


class Search:
    """A loop and all that it talks to."""

    def __init__(
        self,
        folder,
        train,
        *,
        slots=1,
        pick=0,
        max_epochs=None,
        trials=8,
        bayesian=False,
        max_retries=2,
        **settings,
    ):
        common = {
            "objective": keras_tuner.Objective("val_accuracy", "max"),
            "hyperparameters": space(),
            "seed": 3,
            "max_consecutive_failed_trials": 10**9,
        }
        if max_epochs:
            self.oracle = keras_tuner.oracles.HyperbandOracle(max_epochs=max_epochs, **common)
        elif bayesian:
            self.oracle = keras_tuner.oracles.BayesianOptimizationOracle(
                max_trials=trials, num_initial_points=2, **common
            )
        else:
            self.oracle = keras_tuner.oracles.RandomSearchOracle(max_trials=trials, **common)
        kind = HyperbandAlgorithm if max_epochs else Algorithm
        self.algorithm = kind(self.oracle)
        self.folder = folder
        self.writer = RunWriter(folder)
        self.writer.manifest(MANIFEST)
        self.runner = FakeRunner(train, slots, pick)
        self.metrics = []
        self._spy(self.oracle.update_trial)
        self.found = read_run(folder)
        self.unfinished = restore(self.algorithm, self.found, 5)
        horizon = max_epochs or 4
        settings = {"objective": "val_accuracy", "direction": "max", "score": "last", **settings}
        self.loop = SearchLoop(
            self.algorithm,
            self.runner,
            self.writer,
            KeptStates(self.writer, settings["direction"], horizon, self.found.outcomes),
            LoopSettings(horizon=horizon, seed=5, max_retries=max_retries, **settings),
        )

    def run(self, baseline=()):
        """Begins the search, or continues the one that is in the folder."""
        done = self.found.by_id
        with self.writer:
            repair(self.oracle, self.writer)
            self.loop.run([one for one in baseline if one.trial_id not in done], self.unfinished)
        return self

    @property
    def spans(self):
        return Counter((task.first_epoch, task.last_epoch) for task in self.runner.tasks)

    @property
    def states(self):
        """Trials whose state is on disk."""
        return {path.parent.name.removeprefix("trial_") for path in self.folder.rglob("state.npz")}

    def outcome(self, trial_id):
        path = self.writer.trial_folder(trial_id) / "outcome.json"
        return json.loads(path.read_text())

    @property
    def outcomes(self):
        return [self.outcome(trial_id) for trial_id in self.oracle.start_order]

    def _spy(self, update):
        def note(trial_id, metrics, step=0):
            self.metrics.append((trial_id, dict(metrics), step))
            return update(trial_id, metrics, step=step)

        self.oracle.update_trial = note
