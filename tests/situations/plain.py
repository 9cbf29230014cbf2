"""What a situation's search is compared with: the same training, written with Keras alone."""

from __future__ import annotations

import keras
import keras_tuner
import numpy as np

import lrtune

QUICK = {
    "objective": "val_loss",
    "max_trials": 2,
    "baseline_seeds": 0,
    "seed": 1,
    "project_name": "run",
    "workers": 1,
}
"""Two trials in this process, without a baseline: what a script leaves out that only tries a
situation."""


def finished(folder, trials=2):
    """The run of a search that completed all of its trials."""
    run = lrtune.load_run(folder / "run")
    ranking = run.ranking()
    assert ranking["status"].tolist() == ["completed"] * trials, ranking["message"].tolist()
    return run


def seeded(run, build, trial=None):
    """The untrained model of a trial (None for the best), as its seed makes it."""
    outcome = run.records.by_id[trial or run.best_trial_id]
    begun = run.records.by_id[outcome.parent] if outcome.parent else outcome
    keras.utils.set_random_seed(begun.seed)
    hp = keras_tuner.HyperParameters()
    hp.values = run.hyperparameters(outcome.trial_id)
    return build(hp)


def optimizer(run, steps, trial=None):
    """The optimizer of the code that a person would paste for a trial.

    Args:
        run: of the search.
        steps: weight updates an epoch, by hand; for data that do not say it, the code leaves the
            number to the person.
        trial: its id; None for the best.
    """
    code = run.code(trial or run.best_trial_id)
    assert "steps_per_epoch = ..." in code or f"steps_per_epoch = {steps} " in code, code
    found = {}
    exec(code.replace("steps_per_epoch = ...", f"steps_per_epoch = {steps}"), found)  # noqa: S102
    return found["optimizer"]


def assert_same(run, history, trial=None):
    """A trial has every number of a `keras.callbacks.History`, after every epoch."""
    trial = trial or run.best_trial_id
    epochs = run.epochs(trial, lineage=True)
    assert "val_loss" in history.history
    for name, expected in history.history.items():
        np.testing.assert_allclose(epochs[name], expected, rtol=1e-4, err_msg=name)
    score = run.ranking().set_index("trial_id")["score"][trial]
    assert score == epochs[run.manifest.objective].iloc[-1]
