"""A/A: twenty real confirmations of a constant rate against itself."""

from __future__ import annotations

import logging
import random
from collections import Counter

import keras
import numpy as np
import pytest

import lrtune
from lrtune.records.reader import read_run
from lrtune.stats.confirmation import measure_confirmation

CONFIRMATIONS = 20


def points(count, seed):
    """Two overlapping classes of points, so that accuracies vary between seeds."""
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 2, count)
    x = rng.normal(size=(count, 8)) + 0.5 * y[:, None] * (np.arange(8) < 3)
    return x.astype("float32"), y


def build(hp):
    """A small network; `salt` changes nothing but its random numbers."""
    for _ in range(hp.Int("salt", 0, 9)):
        random.random()  # noqa: S311 - Keras draws the seeds of initial weights and dropout from here
    return keras.Sequential(
        [
            keras.Input((8,)),
            keras.layers.Dense(16, activation="relu"),
            keras.layers.Dropout(0.3),
            keras.layers.Dense(2, activation="softmax"),
        ]
    )


@pytest.mark.long
def test_a_rate_is_hardly_ever_confirmed_to_beat_itself(tmp_path):
    hypermodel = lrtune.ScheduleHyperModel(build, epochs=3, families=["constant"])
    tuner = lrtune.RandomSearch(
        hypermodel, objective="val_accuracy", max_trials=1, directory=tmp_path, project_name="run",
        seed=1, workers=1, baseline_seeds=3, tries=["constant lr0=0.1 momentum=0 salt=7"],
    )  # fmt: skip
    x, y = points(400, 1)
    validation, test = points(200, 2), points(500, 3)
    tuner.search(x, y, validation_data=validation, batch_size=16, verbose=0)
    records = read_run(tmp_path / "run")
    (trial,) = records.outcomes
    verdicts, pairs, differences = Counter(), [], []
    for _ in range(CONFIRMATIONS):  # each after the first has seeds of its own
        lrtune.confirm(
            tmp_path / "run", x, y, test_data=test, hypermodel=hypermodel, arms=[trial.trial_id],
            workers=1, verbose=0, overwrite=True,
        )  # fmt: skip
        found = measure_confirmation(read_run(tmp_path / "run"))
        assert found.manifest.baseline == "constant-0.1"
        verdicts[found.evidence.verdict] += 1
        pairs.append(found.evidence.n)
        differences += found.evidence.differences
    logging.getLogger(__name__).info(
        "%s, %.1f pairs on average, differences %.4f +- %.4f",
        dict(verdicts), np.mean(pairs), np.mean(differences), np.std(differences),
    )  # fmt: skip
    assert np.std(differences) > 0.003  # the two are no copies of one another
    assert verdicts["undecided"] == 0
    assert verdicts["better"] <= 3  # at most 1 in 20 is expected; more than 3 has a chance of 1.6 %
