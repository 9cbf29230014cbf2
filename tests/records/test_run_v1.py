"""A run folder of schema 1, written by lrtune 0.1 (a random search, then its confirmation), stays
loadable: by us, and by stock Keras Tuner.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import keras_tuner
import pytest

import lrtune

RUN = Path(__file__).parents[1] / "data" / "run-v1"


@pytest.fixture(scope="module")
def run():
    return lrtune.load_run(RUN)


def test_the_trials_of_a_version_1_run_are_all_there(run):
    table = run.ranking().set_index("trial_id")
    on_disk = {
        path.parent.name.removeprefix("trial_"): json.loads(path.read_text())["score"]
        for path in RUN.glob("trial_*/outcome.json")
    }
    assert len(on_disk) == 4
    assert table["score"].to_dict() == on_disk
    assert run.records.notices == ()
    assert run.manifest.score == "last"
    assert len(run.epochs("0")) == 2


def test_the_baseline_and_its_search_are_all_there(run):
    table = run.baseline().set_index("arm")
    assert list(table.index) == ["constant-tuned", "constant-0.1", "constant-0.01"]
    assert table["n"].tolist() == [3, 3, 3]
    assert len(run.records.baseline_search.outcomes) == 2
    assert run.manifest.baseline_budget == 0.5


def test_the_confirmation_is_all_there(run):
    outcomes = run.records.confirmation.outcomes
    assert {arm: len(seeds) for arm, seeds in outcomes.items()} == {
        "trial-0": 6,
        "trial-1": 6,
        "constant-tuned": 6,
        "constant-0.1": 6,
        "constant-0.01": 6,
    }
    assert len(run.comparison()) == 5


def test_stock_keras_tuner_loads_it(tmp_path):
    shutil.copytree(RUN, tmp_path / "run")
    tuner = keras_tuner.RandomSearch(
        lrtune.CatsVsDogsHyperModel(epochs=2, input_shape=(8, 8, 3)),
        objective="val_accuracy",
        max_trials=4,
        directory=tmp_path,
        project_name="run",
    )
    scores = {trial.trial_id: trial.score for trial in tuner.oracle.trials.values()}
    assert scores == lrtune.load_run(RUN).ranking().set_index("trial_id")["score"].to_dict()
