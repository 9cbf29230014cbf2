from __future__ import annotations

from datetime import datetime

import pytest

from lrtune.export.optuna_study import write_study
from lrtune.records.reader import read_run
from tests.runs import build_run

optuna = pytest.importorskip("optuna")


def exported(folder, file):
    """The study as Optuna itself reads it."""
    write_study(read_run(folder), file)
    storage = f"sqlite:///{file}"
    (name,) = optuna.get_all_study_names(storage)
    return optuna.load_study(study_name=name, storage=storage)


@pytest.fixture
def study(tmp_path):
    folder = build_run.hyperband(tmp_path / "run")
    build_run.ended(folder, {"1": 20.0, "4": 50.0})
    return exported(folder, tmp_path / "study.db")


def test_the_rungs_of_a_configuration_are_one_trial(study):
    assert study.study_name == "run"
    assert study.direction == optuna.study.StudyDirection.MAXIMIZE
    assert study.metric_names == ["val_accuracy"]
    assert [trial.user_attrs["trials"] for trial in study.trials] == ["0, 5", "1, 4", "2", "3"]
    states = [trial.state.name for trial in study.trials]
    assert states == ["RUNNING", "COMPLETE", "PRUNED", "FAIL"]
    assert [trial.value for trial in study.trials] == [None, 0.7, 0.5, None]
    assert study.best_trial.number == 1


def test_intermediate_values_are_the_objective_of_all_its_epochs(study):
    promoted = study.trials[1]
    expected = {epoch: 1 - 0.6 / epoch for epoch in range(1, 10)}
    assert promoted.intermediate_values == expected
    assert list(study.trials[0].intermediate_values) == [1, 2, 3, 4, 5]
    assert list(study.trials[2].intermediate_values) == [1, 2]


def test_parameters_exist_in_the_trials_of_their_family_with_the_ranges_of_the_space(study):
    step, exponential, time, constant = study.trials
    assert step.params == build_run.STEP
    assert exponential.params == build_run.EXPONENTIAL
    assert time.params == build_run.TIME
    assert constant.params == build_run.CONSTANT
    floats, ints = optuna.distributions.FloatDistribution, optuna.distributions.IntDistribution
    assert step.distributions == {
        "schedule": optuna.distributions.CategoricalDistribution(
            ("constant", "time", "step", "exponential")
        ),
        "lr0": floats(0.001, 0.3, log=True),
        "momentum": floats(0.01, 0.99),
        "step.drop": floats(0.1, 0.8, log=True),
        "step.epochs_drop": ints(5, 25),
    }
    assert exponential.distributions["exponential.k"] == floats(0.01, 0.2)
    assert study.user_attrs["reverse_log"] == ["momentum"]


def test_attributes_hold_what_optuna_has_no_field_for(study):
    promoted, diverged, failed = study.trials[1:]
    assert promoted.user_attrs == {
        "trials": "1, 4",
        "status": "completed",
        "diverged": False,
        "seconds": 18.5,
        "epochs": 9,
        "budget": 9,
        "seed": 7,
        "bracket": 1,
    }
    assert diverged.user_attrs["diverged"] is True
    assert diverged.user_attrs["message"] == "the loss is NaN"
    assert failed.user_attrs["message"] == "a b"
    assert study.user_attrs["baseline"] == {
        arm: list(scores) for arm, scores in build_run.SCORES.items()
    }


def test_a_trial_starts_with_its_first_rung_and_ends_with_its_last(study):
    promoted = study.trials[1]
    assert promoted.datetime_start == datetime.fromtimestamp(build_run.CREATED + 14)
    assert promoted.datetime_complete == datetime.fromtimestamp(build_run.CREATED + 50)


def test_less_is_better_for_a_loss(tmp_path):
    folder = build_run.hyperband(tmp_path / "run", objective="val_loss", direction="min")
    study = exported(folder, tmp_path / "study.db")
    assert study.direction == optuna.study.StudyDirection.MINIMIZE
    assert study.trials[1].intermediate_values[1] == 0.8


def test_optunas_own_tools_take_the_study(tmp_path):
    folder = build_run.write_manifest(tmp_path / "run", space=build_run.SPACE)
    families = (build_run.STEP, build_run.CONSTANT, build_run.TIME, build_run.EXPONENTIAL)
    for number in range(12):
        values = {**families[number % 4], "lr0": 0.01 * (number + 1)}
        build_run.write_trial(folder, str(number), 0.6 + 0.01 * number, values=values)
    study = exported(folder, tmp_path / "study.db")

    assert optuna.importance.get_param_importances(
        study, params=["lr0", "momentum"], evaluator=optuna.importance.FanovaImportanceEvaluator()
    ).keys() == {"lr0", "momentum"}
    study.optimize(lambda trial: trial.suggest_float("lr0", 0.001, 0.3, log=True), n_trials=1)
    assert len(study.trials) == 13


def test_values_that_do_not_fit_the_space_are_kept(tmp_path):
    space = [
        *build_run.SPACE[:2],
        build_run.parameter("Fixed", "width", value=16),
        build_run.parameter("Boolean", "flag"),
        build_run.parameter("Int", "n", min_value=2, max_value=32, sampling="log", step=2),
    ]
    folder = build_run.write_manifest(tmp_path / "run", space=space)
    first = {"schedule": "mine", "lr0": 0.5, "width": 16, "flag": True, "n": 8, "other": 3}
    build_run.write_trial(folder, "0", 0.6, values=first)
    build_run.write_trial(folder, "1", 0.6, values={"lr0": "high", "schedule": "a\x1b\udc80"})
    one, two = exported(folder, tmp_path / "study.db").trials

    assert one.params == {key: value for key, value in first.items() if key != "other"}
    assert one.user_attrs["other"] == 3
    assert one.distributions["lr0"] == optuna.distributions.FloatDistribution(0.001, 0.5, log=True)
    assert one.distributions["n"] == optuna.distributions.IntDistribution(2, 32, log=True)
    assert two.params == {"schedule": "a\\x1b\\udc80"}
    assert two.user_attrs["lr0"] == "high"


def test_optuna_prints_nothing_and_keeps_its_verbosity(tmp_path, capfd):
    before = optuna.logging.get_verbosity()
    write_study(read_run(build_run.hyperband(tmp_path / "run")), tmp_path / "study?a=b#c%20.db")
    assert optuna.logging.get_verbosity() == before
    assert capfd.readouterr() == ("", "")
    assert (tmp_path / "study?a=b#c%20.db").stat().st_size > 0
