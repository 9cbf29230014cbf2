"""Whole searches, tiny ones: the run folder, stock Keras Tuner on it, repeatability."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import keras_tuner
import numpy as np
import pytest

import lrtune
from lrtune.errors import RunFolderError, SearchError
from tests.runner import tiny
from tests.tasks import task_of

EPOCHS = 3


def hypermodel(epochs=EPOCHS, **arguments):
    return lrtune.ScheduleHyperModel(tiny.build, epochs=epochs, **arguments)


def train(tuner, **more):
    tuner.search(*tiny.points(), **{**tiny.fit_kwargs(), "verbose": 0, **more})
    return tuner


def hyperband(folder, seed, **arguments):
    """3 trials of 1 epoch, 1 of them promoted to 3, and 2 trials of 3 epochs."""
    return lrtune.Hyperband(
        hypermodel(),
        objective="val_loss",
        max_epochs=EPOCHS,
        directory=folder,
        project_name="run",
        seed=seed,
        workers=1,
        baseline_seeds=1,
        **{"horizon": "truncated", **arguments},
    )


def bayesian(folder, **arguments):
    arguments = {"max_trials": 3, "workers": 1, "baseline_seeds": 0, "seed": 1, **arguments}
    return lrtune.BayesianOptimization(
        hypermodel(families=["exponential"], fixed={"momentum": 0.5}),
        objective="val_accuracy",
        directory=folder,
        project_name="run",
        **arguments,
    )


def random_search(folder, model, **arguments):
    arguments = {"max_trials": 3, "workers": 1, "baseline_seeds": 0, "seed": 1, **arguments}
    return lrtune.RandomSearch(
        model, objective="val_loss", directory=folder, project_name="run", **arguments
    )


def scores(tuner):
    return {trial.trial_id: trial.score for trial in tuner.oracle.trials.values()}


def values(tuner):
    return {one.trial_id: one.hyperparameters.values for one in tuner.oracle.trials.values()}


def json_of(path):
    return json.loads(path.read_text())


def records(folder):
    """All that lrtune wrote, but times."""
    found = {}
    for path in sorted(folder.rglob("*.json*")):
        name = str(path.relative_to(folder))
        if path.name == "epochs.jsonl":
            rows = [json.loads(line) for line in path.read_text().splitlines()]
            found[name] = tiny.without_seconds(rows)
        elif path.name in ("outcome.json", "run.json"):
            found[name] = {**json_of(path), "seconds": None, "created": None, "finished": None}
    return found


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("hyperband")


@pytest.fixture(scope="module")
def seed_0(folder):
    return train(hyperband(folder, 0))


def test_the_run_folder_holds_what_the_contract_says(seed_0, folder):
    run = folder / "run"
    trials = [f"trial_000{i}" for i in range(6)]
    assert sorted(path.name for path in run.iterdir() if path.name != ".lock") == [
        *("baseline", "oracle.json", "run.json"),
        *trials,
        "tuner0.json",
    ]
    for name in trials:
        files = {path.name for path in (run / name).iterdir()} - {"state.npz"}
        assert files == {"trial.json", "epochs.jsonl", "outcome.json"}
    for arm in ("constant-0.1", "constant-0.01", "constant-tuned", "constant-tuned-2"):
        (seed,) = (run / "baseline" / arm).iterdir()
        assert seed.name == "seed-0"
        assert {path.name for path in seed.iterdir()} == {"epochs.jsonl", "outcome.json"}
    assert len(list(run.glob("trial_*/state.npz"))) == 1

    manifest = json_of(run / "run.json")
    assert {key: manifest[key] for key in list(manifest)[:10]} == {
        "algo": "hyperband",
        "objective": "val_loss",
        "direction": "min",
        "score": "last",
        "max_epochs": 3,
        "factor": 3,
        "max_trials": None,
        "seed": 0,
        "batch_size": 16,
        "families": ["time", "step", "exponential"],
    }
    assert manifest["baseline_seeds"] == [0]
    for arm in ("constant-tuned", "constant-tuned-2"):
        tuned = manifest["baseline_arms"].pop(arm)
        assert tuned.keys() == {"schedule", "lr0", "momentum"}
    assert manifest["baseline_arms"] == {
        "constant-0.1": {"schedule": "constant", "lr0": 0.1, "momentum": 0.0},
        "constant-0.01": {"schedule": "constant", "lr0": 0.01, "momentum": 0.0},
    }
    assert json_of(run / "oracle.json")["ongoing_trials"] == {}


def test_every_trial_trains_the_epochs_of_its_rung_at_its_schedules_rates(seed_0, folder):
    spans = []
    for trial_id, tried in values(seed_0).items():
        trial = folder / "run" / f"trial_{trial_id}"
        rows = [json.loads(line) for line in (trial / "epochs.jsonl").read_text().splitlines()]
        first, last = tried["tuner/initial_epoch"], tried["tuner/epochs"]
        assert [row["epoch"] for row in rows] == list(range(first + 1, last + 1))
        assert [row["lr"] for row in rows] == pytest.approx(
            [tiny.rate(tried, epoch, 0) for epoch in range(first, last)], rel=1e-6
        )
        assert seed_0.oracle.get_trial(trial_id).score == rows[-1]["val_loss"]
        spans.append((first, last))
    assert sorted(spans) == [(0, 1), (0, 1), (0, 1), (0, 3), (0, 3), (1, 3)]


def test_the_plan_is_what_was_run(seed_0, folder):
    rows = [path.read_text().splitlines() for path in (folder / "run").rglob("epochs.jsonl")]
    assert (
        seed_0.plan()
        == (len(rows), sum(map(len, rows)))
        == (
            # The search, half of it for the constant rate (rungs of 2, 1, 1 trials), four arms.
            *(6 + 4 + 4, (3 * 1 + 2 + 2 * 3) + (2 * 1 + 2 + 3) + 4 * 3),
        )
    )


def test_a_promotion_continues_its_parent_exactly(seed_0, folder):
    # The promoted trial scores what the same training scores that was never cut in parts.
    from lrtune.records.task import TrainingJob
    from lrtune.runner.inprocess import InProcessRunner

    (promoted,) = [t for t, tried in values(seed_0).items() if tried["tuner/initial_epoch"]]
    outcome = json_of(folder / "run" / f"trial_{promoted}" / "outcome.json")
    job = TrainingJob(hypermodel(), tiny.points(), tiny.fit_kwargs())
    runner = InProcessRunner(job)
    runner.submit(task_of("whole", outcome["values"], outcome["seed"], 0, EPOCHS))
    (whole,) = runner.wait(lambda *_: None)
    assert whole.epochs[-1]["val_loss"] == outcome["score"]


def test_stock_keras_tuner_reads_the_same_trials_and_scores(seed_0, folder):
    stock = keras_tuner.Hyperband(
        hypermodel(),
        objective="val_loss",
        max_epochs=EPOCHS,
        directory=folder,
        project_name="run",
        overwrite=False,
    )
    assert scores(stock) == scores(seed_0)
    assert values(stock) == values(seed_0)
    assert {trial.status for trial in stock.oracle.trials.values()} == {"COMPLETED"}
    (best,) = stock.get_best_hyperparameters()
    assert stock.oracle.get_trial(
        min(scores(seed_0), key=scores(seed_0).get)
    ).hyperparameters.values == (best.values)


def test_the_best_model_has_the_weights_its_score_was_measured_with(seed_0):
    (model,) = seed_0.get_best_models()
    (hp,) = seed_0.get_best_hyperparameters()
    x, y = tiny.fit_kwargs()["validation_data"]
    found = model.evaluate(x, y, batch_size=tiny.BATCH, verbose=0, return_dict=True)
    full = [t for t, tried in values(seed_0).items() if tried["tuner/epochs"] == EPOCHS]
    best = min(full, key=scores(seed_0).get)
    assert hp.values == values(seed_0)[best]
    assert found["loss"] == scores(seed_0)[best]


def test_models_beyond_the_best_were_not_kept(seed_0):
    with pytest.raises(RunFolderError) as error:
        seed_0.get_best_models(2)
    assert str(error.value).startswith("the model of trial ")
    assert "as many as keep_models says (1 by default)" in str(error.value)


def test_load_run_reads_what_the_search_wrote(seed_0, folder):
    run = lrtune.load_run(folder / "run")
    ranking = run.ranking()
    assert dict(zip(ranking["trial_id"], ranking["score"], strict=True)) == scores(seed_0)
    assert run.records.notices == ()
    (hp,) = seed_0.get_best_hyperparameters()
    assert run.best_schedule().lr0 == hp.values["lr0"]
    assert run.baseline()["n"].tolist() == [1, 1, 1, 1]


def test_the_run_can_be_opened_again_with_the_same_tuner(seed_0, folder):
    again = hyperband(folder, 0)
    assert scores(again) == scores(seed_0)
    (one,), (other,) = again.get_best_models(), seed_0.get_best_models()
    assert all(
        np.array_equal(a, b) for a, b in zip(one.get_weights(), other.get_weights(), strict=True)
    )


def test_the_same_seed_gives_the_same_trials_scores_and_files(seed_0, folder, tmp_path):
    again = train(hyperband(tmp_path, 0))
    assert values(again) == values(seed_0)
    assert scores(again) == scores(seed_0)
    assert records(tmp_path / "run") == records(folder / "run")


def test_seed_0_is_another_seed_than_1_and_than_none(seed_0, tmp_path):
    drawn = {}
    for seed in (1, None, 2**31 - 1):
        tuner = hyperband(tmp_path / str(seed), seed)
        tuner.oracle.create_trial("a")
        drawn[seed] = tuner.oracle.get_trial("0000").hyperparameters.values["lr0"]
    assert len({*drawn.values(), values(seed_0)["0000"]["lr0"]}) == 4


def test_bayesian_search_models_after_a_third_of_its_trials(tmp_path, monkeypatch):
    tuner = bayesian(tmp_path, max_trials=3)
    done, fit = [], tuner.oracle.gpr.fit

    def spy(x, y):
        done.append(len(y))
        return fit(x, y)

    monkeypatch.setattr(tuner.oracle.gpr, "fit", spy)
    train(tuner)
    assert done == [1, 2]

    stock = keras_tuner.BayesianOptimization(
        hypermodel(families=["exponential"], fixed={"momentum": 0.5}),
        objective="val_accuracy",
        max_trials=3,
        directory=tmp_path,
        project_name="run",
        overwrite=False,
    )
    assert scores(stock) == scores(tuner)
    assert values(stock) == values(tuner)
    assert stock.oracle.num_initial_points == 1
    (model,), (hp,) = tuner.get_best_models(), stock.get_best_hyperparameters()
    x, y = tiny.fit_kwargs()["validation_data"]
    assert model.evaluate(x, y, verbose=0, return_dict=True)["accuracy"] == pytest.approx(
        max(scores(tuner).values())
    )
    assert hp.values == tuner.get_best_hyperparameters()[0].values
    assert json_of(tmp_path / "run" / "run.json")["max_trials"] == 3


@pytest.mark.parametrize(("max_trials", "points"), [(1, 1), (5, 1), (20, 6), (50, 16), (200, 24)])
def test_bayesian_search_draws_at_most_a_third_of_its_trials_and_three_a_dimension(
    tmp_path, max_trials, points
):
    tuner = lrtune.BayesianOptimization(
        hypermodel(),  # 7 hyperparameters: schedule, lr0, momentum and 4 of families
        objective="val_loss",
        max_trials=max_trials,
        directory=tmp_path,
    )
    assert tuner.oracle.num_initial_points == min(points, 3 * 7)


def test_the_number_of_initial_points_can_be_given(tmp_path):
    assert bayesian(tmp_path, num_initial_points=7).oracle.num_initial_points == 7


SCRIPT = """
import json, sys
import lrtune
from tests.runner import tiny

def build(hp):
    return tiny.adam(hp)

tuner = lrtune.RandomSearch(
    build, objective="val_loss", max_trials=3, directory=sys.argv[1], project_name="run",
    workers=2, baseline_seeds=0, seed=1, overwrite=True,
)
tuner.search(*tiny.points(), epochs=2, verbose=0, **tiny.fit_kwargs())
"""


@pytest.mark.long  # three processes that start TensorFlow
def test_functions_of_a_script_train_in_two_workers_to_the_same_numbers(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    environment = {**os.environ, "PYTHONPATH": str(Path(lrtune.__file__).parents[1])}
    child = subprocess.run(
        [sys.executable, script, tmp_path],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env=environment,
    )
    assert child.returncode == 0, child.stderr

    here = train(random_search(tmp_path / "here", tiny.adam), epochs=2)
    stock = keras_tuner.RandomSearch(
        tiny.adam,
        objective="val_loss",
        max_trials=3,
        directory=tmp_path,
        project_name="run",
        overwrite=False,
    )
    assert len(scores(here)) == 3
    assert scores(stock) == scores(here)
    assert values(stock) == values(here)
    ours, theirs = records(tmp_path / "here" / "run"), records(tmp_path / "run")
    assert ours == theirs
    assert ours["run.json"]["max_epochs"] == 2
    assert ours["run.json"]["families"] == []
    assert ours["run.json"]["baseline_arms"] == {}


def test_trials_that_fail_do_not_end_the_search_and_all_that_fail_do(tmp_path):
    def build(hp):
        hp.Int("units", 1, 100)
        raise ValueError("too large")

    def space_only(hp):
        hp.Int("units", 1, 100)
        return tiny.adam(hp)

    tuner = random_search(tmp_path, space_only, max_trials=5)
    tuner.hypermodel.build = build
    with pytest.raises(SearchError) as error:
        train(tuner, epochs=1)
    said = "every trial failed, the last one with: ValueError: too large (test_tuners.py, line "
    assert str(error.value).startswith(said)
    assert [trial.status for trial in tuner.oracle.trials.values()] == ["FAILED"] * 5


def test_another_horizon_than_hyperbands_is_warned_of(tmp_path):
    tuner = lrtune.Hyperband(
        hypermodel(epochs=50), objective="val_loss", max_epochs=3, directory=tmp_path,
        horizon="truncated",
    )  # fmt: skip
    with pytest.warns(UserWarning, match="lays its schedules out") as found:
        tuner.plan()
    assert [str(one.message) for one in found] == [
        (
            "the hypermodel lays its schedules out over epochs=50, but the search trains "
            "3: every schedule is cut off or overrun. Give both the same number."
        )
    ]
