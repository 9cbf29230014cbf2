from __future__ import annotations

import math

import pandas as pd
import pytest

from lrtune.records.reader import read_run
from lrtune.stats.ranking import COLUMNS, rank
from tests.runs import build_run


def ranking_of(folder):
    return rank(read_run(folder))


def column(frame, name):
    return [None if value is pd.NA else value for value in frame[name]]


@pytest.fixture
def frame(tmp_path):
    return ranking_of(build_run.small_run(tmp_path))


def test_the_full_budget_comes_first_and_no_trial_is_dropped(frame):
    assert column(frame, "trial_id") == ["1", "0", "2", "3", "5", "4", "6", "7", "8"]
    assert column(frame, "status") == ["completed"] * 6 + ["diverged", "failed", "running"]


def test_ties_share_the_better_rank_and_others_have_none(frame):
    assert column(frame, "rank") == [1, 2, 3, 3, None, None, None, None, None]
    assert column(frame, "rank_in_budget") == [1, 2, 3, 3, 1, 2, None, None, None]


def test_columns_and_their_types_do_not_depend_on_the_run(frame, tmp_path):
    empty = ranking_of(build_run.write_manifest(tmp_path / "empty"))

    assert empty.empty
    assert dict(frame.dtypes.astype(str)) == COLUMNS
    assert dict(empty.dtypes.astype(str)) == COLUMNS


def test_delta_is_above_the_better_constant_rate_for_full_budgets_only(frame):
    assert frame["delta"].tolist() == pytest.approx(
        [0.031, 0.024, 0.009, 0.009] + [math.nan] * 5, nan_ok=True
    )
    # The spread is .0131 (test_baseline.py).
    assert column(frame, "within_noise") == [False, False, True, True] + [None] * 5


def test_if_less_is_better_the_order_and_the_sign_of_delta_are_reversed(tmp_path):
    build_run.write_manifest(tmp_path, direction="min", objective="val_loss")
    build_run.write_baseline(tmp_path, {"constant-0.1": (0.6, 0.62), "constant-0.01": (0.9, 0.92)})
    build_run.write_trial(tmp_path, "0", 0.7, rows=0)
    build_run.write_trial(tmp_path, "1", 0.51, rows=0)

    frame = ranking_of(tmp_path)

    assert column(frame, "trial_id") == ["1", "0"]
    assert frame["delta"].tolist() == pytest.approx([0.1, -0.09])


def test_without_a_baseline_delta_is_unknown(tmp_path):
    build_run.write_manifest(tmp_path, baseline_arms={}, baseline_seeds=[])
    build_run.write_trial(tmp_path, "0", 0.7, rows=0)

    frame = ranking_of(tmp_path)

    assert column(frame, "rank") == [1]
    assert frame["delta"].isna().all()
    assert frame["within_noise"].isna().all()


def test_parameters_are_the_familys_own_in_words(frame):
    told = dict(zip(frame["trial_id"], frame["parameters"], strict=True))

    assert told["0"] == "drop=0.5, epochs_drop=10"
    assert told["1"] == "k=0.08"
    assert told["3"] == ""


def test_a_family_unknown_to_this_process_is_still_listed(tmp_path):
    values = {"schedule": "mine", "lr0": 0.2, "mine.sharpness": 3.14159, "other.k": 1}
    build_run.write_manifest(tmp_path)
    build_run.write_trial(tmp_path, "0", 0.7, values=values, rows=0)

    (row,) = ranking_of(tmp_path).to_dict("records")

    assert (row["schedule"], row["parameters"], row["lr0"]) == ("mine", "sharpness=3.14", 0.2)
    assert math.isnan(row["momentum"])


def test_a_promoted_trial_has_its_own_seconds_and_the_total_of_its_lineage(frame):
    promoted = frame.iloc[0]

    assert promoted["parent"] == "5"
    assert promoted["epochs"] == 50
    assert promoted["seconds"] == 12.5
    assert promoted["total_seconds"] == 17.0


def test_shorter_budgets_follow_the_longest_first_each_with_its_own_ranking(tmp_path):
    build_run.write_manifest(tmp_path)
    for trial_id, budget, score in (("0", 6, 0.9), ("1", 17, 0.4), ("2", 6, 0.3), ("3", 50, 0.1)):
        build_run.write_trial(tmp_path, trial_id, score, epochs=(1, budget, budget), rows=0)
    build_run.write_trial(tmp_path, "4", 0.5, epochs=(1, 17, 17), rows=0)

    frame = ranking_of(tmp_path)

    assert column(frame, "trial_id") == ["3", "4", "1", "0", "2"]
    assert column(frame, "budget") == [50, 17, 17, 6, 6]
    assert column(frame, "rank_in_budget") == [1, 1, 2, 1, 2]


def test_a_trial_that_stopped_early_stays_in_its_planned_budget(tmp_path):
    build_run.write_manifest(tmp_path)
    build_run.write_trial(tmp_path, "0", 0.7, epochs=(1, 31, 50), rows=0)

    frame = ranking_of(tmp_path)

    assert (column(frame, "rank"), column(frame, "epochs")) == ([1], [31])


def test_a_completed_trial_without_a_score_is_listed_last_of_its_budget(tmp_path):
    build_run.write_manifest(tmp_path)
    build_run.write_trial(tmp_path, "0", None, seconds=None, rows=0)
    build_run.write_trial(tmp_path, "1", 0.1, rows=0)

    frame = ranking_of(tmp_path)

    assert column(frame, "trial_id") == ["1", "0"]
    assert column(frame, "rank") == [1, None]
    assert math.isnan(frame["seconds"][1])


def test_a_diverged_trial_never_outranks_one_that_completed(tmp_path):
    build_run.write_manifest(tmp_path)
    build_run.write_trial(tmp_path, "0", 0.9, status="diverged", rows=0)
    build_run.write_trial(tmp_path, "1", 0.1, rows=0)

    frame = ranking_of(tmp_path)

    assert column(frame, "trial_id") == ["1", "0"]
    assert column(frame, "rank") == [1, None]
    assert column(frame, "rank_in_budget") == [1, None]
