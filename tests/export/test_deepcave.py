"""DeepCAVE's tables: as its documentation has them, and as DeepCAVE reads them where it is there.

DeepCAVE 1.4.1 installs on Python 3.9 and 3.10 only.
"""

from __future__ import annotations

import math

import pandas as pd
import pytest

from lrtune.export.deepcave import write_deepcave
from lrtune.records.reader import read_run
from tests.export import runs
from tests.records import build_run

METRIC = "metric:val_accuracy [0.0; 1.0] (maximize)"


@pytest.fixture
def folder(tmp_path):
    folder = runs.hyperband(tmp_path / "run")
    runs.ended(folder, {"0": 20.0, "1": 21.0, "2": 22.5, "3": 30.0, "4": 50.0})
    write_deepcave(read_run(folder), tmp_path)
    return tmp_path


def test_the_space_is_a_row_a_parameter(folder):
    frame = pd.read_csv(folder / "configspace.csv").set_index("name")
    assert list(frame.index) == [one["config"]["name"] for one in runs.SPACE]
    assert frame.loc["lr0", ["type", "log", "lower", "upper", "default"]].tolist() == [
        *("float", True, 0.001, 0.3, "0.1"),
    ]
    assert frame.loc["momentum", ["log", "lower", "upper"]].tolist() == [False, 0.01, 0.99]
    assert frame.loc["step.epochs_drop", "type"] == "integer"
    items = [f"item_{number}" for number in range(4)]
    assert frame.loc["schedule", ["type", *items]].tolist() == [
        *("categorical", "constant", "time", "step", "exponential"),
    ]


def test_a_rung_is_a_row_with_a_value_for_every_parameter(folder):
    frame = pd.read_csv(folder / "trials.csv")
    assert list(frame) == [
        "config_id",
        *(one["config"]["name"] for one in runs.SPACE),
        METRIC,
        *("status", "start_time", "end_time", "budget", "seed"),
        *("trial", "continues", "trial_seed", "message"),
    ]
    assert frame["trial"].tolist() == [f"trial {number}" for number in range(5)]
    assert frame["status"].tolist() == ["success", "success", "crashed", "failed", "success"]
    assert frame["budget"].tolist() == [3, 3, 3, 9, 9]
    assert frame["end_time"].tolist() == [20.0, 21.0, 22.5, 30.0, 50.0]
    assert frame["start_time"][0] == 14.0
    assert frame[METRIC].tolist()[:2] == [0.6, 0.65]
    assert frame[METRIC].isna().tolist() == [False, False, True, True, False]
    assert frame["exponential.k"].tolist() == [0.01, 0.08, 0.01, 0.01, 0.08]  # else the default
    assert frame["continues"].tolist()[4] == "trial 1"


def test_choices_that_pandas_would_take_for_numbers_are_quoted(tmp_path):
    space = [
        runs.parameter("Choice", "width", values=[16, 32]),
        runs.parameter("Choice", "text", values=["None", "a b", "plain"]),
        runs.parameter("Fixed", "momentum", value=0.9),
        runs.parameter("Int", "one", min_value=4, max_value=4, sampling="linear"),
        runs.parameter("Choice", "seed", values=["x", "y"]),
    ]
    folder = build_run.write_manifest(tmp_path / "run", space=space, objective="val_top-5")
    values = {"width": 32, "text": "None", "momentum": 0.9, "one": 4, "seed": "y"}
    build_run.write_trial(folder, "0", 3.25, values=values)
    write_deepcave(read_run(folder), tmp_path)

    row = pd.read_csv(tmp_path / "trials.csv").iloc[0]
    names = ["width", "text", "momentum", "one", "hp.seed", "seed"]
    assert row[names].tolist() == ["'32'", "'None'", "'0.9'", "'4'", "y", -1]
    assert row["metric:val_top_5 [0.0; 4.0] (maximize)"] == 3.25
    space = pd.read_csv(tmp_path / "configspace.csv").set_index("name")
    assert space["type"].unique().tolist() == ["categorical"]
    assert space.loc["width", ["default", "item_0", "item_1"]].tolist() == ["'16'", "'16'", "'32'"]


def test_bounds_hold_after_configspace_has_rounded_them(tmp_path):
    low = math.log(2) / 50
    space = [runs.parameter("Float", "k", min_value=low, max_value=1 / 3, sampling="linear")]
    folder = build_run.write_manifest(tmp_path / "run", space=space)
    build_run.write_trial(folder, "0", 0.6, values={"k": low})
    build_run.write_trial(folder, "1", 0.6, values={"k": 1 / 3})
    write_deepcave(read_run(folder), tmp_path)
    row = pd.read_csv(tmp_path / "configspace.csv").iloc[0]
    assert round(row["lower"], 13) <= low < 1 / 3 <= round(row["upper"], 13)
    assert row["upper"] - row["lower"] == pytest.approx(1 / 3 - low)


def test_an_empty_run_has_tables_with_headings(tmp_path):
    folder = build_run.write_manifest(tmp_path / "run")
    told = write_deepcave(read_run(folder), tmp_path)
    assert told == "configspace.csv (0 parameters) and trials.csv (0 rows)"
    assert len(pd.read_csv(tmp_path / "trials.csv")) == 0


def test_deepcave_reads_it(folder):
    pytest.importorskip("deepcave", reason="DeepCAVE is not installed (it needs Python < 3.11)")
    from deepcave.runs.converters.dataframe import DataFrameRun

    assert DataFrameRun.is_valid_run(str(folder))
    run = DataFrameRun.from_path(folder)

    assert [one.name for one in run.get_objectives()] == ["val_accuracy", "Time"]
    assert run.get_budgets(human=False)[:2] == [3.0, 9.0]
    assert run.get_seeds() == [-1]
    # Trials 1 and 4 are one configuration at two budgets.
    assert [(one.config_id, one.budget, one.costs[0]) for one in run.history] == [
        *((0, 3.0, 0.6), (1, 3.0, 0.65), (2, 3.0, None), (3, 9.0, None), (1, 9.0, 0.7)),
    ]
    assert [one.status.name for one in run.history] == [
        *("SUCCESS", "SUCCESS", "CRASHED", "FAILED", "SUCCESS"),
    ]
    assert run.history[4].additional["continues"] == "trial 1"
    assert dict(run.configs[1])["exponential.k"] == 0.08
    assert run.configspace["lr0"].log
    best, score = run.get_incumbent(run.get_objective(0))
    assert (best["schedule"], score) == ("exponential", 0.7)
    assert len(run.get_encoded_data(run.get_objective(0), 3.0)) == 3
