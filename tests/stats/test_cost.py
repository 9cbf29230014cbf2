from __future__ import annotations

import json

import pandas as pd
import pytest

from lrtune.errors import ArgumentError
from lrtune.records.reader import read_run
from lrtune.stats.cost import Spent, measure_cost, times_to_target
from lrtune.stats.frames import cost_frame
from tests.runs import build_run


@pytest.fixture
def records(tmp_path):
    build_run.small_run(tmp_path)
    # An unfinished trial with two epochs.
    build_run.write_epochs(tmp_path, "8", range(1, 3))
    return read_run(tmp_path)


def test_what_a_run_cost_by_hand(records):
    cost = measure_cost(records)

    # Epochs: 50, 33 after a parent's 17, 50, 50, 17, 17, 3, 0. Each took 12.5 s, but trial 5 4.5 s.
    assert cost.families == {
        "constant": Spent(1, 50, 12.5),
        "time": Spent(1, 50, 12.5),
        "step": Spent(2, 67, 25.0),
        "exponential": Spent(4, 53, 42.0),
    }
    assert cost.diverged == Spent(1, 3, 12.5)
    assert cost.failed == Spent(1, 0, 12.5)
    assert cost.unfinished == Spent(1, 2, 0.5)
    assert cost.search == Spent(9, 222, 92.5)
    assert cost.baseline == Spent(6, 300, 75.0)
    assert cost.baseline_search == cost.confirm == Spent()
    assert cost.total == Spent(15, 522, 167.5)


def test_the_total_includes_the_search_for_the_baseline_and_the_confirmation(tmp_path):
    cost = measure_cost(read_run(build_run.confirmed_run(tmp_path)))

    # Two trials of 50 and 17 epochs, 12.5 s each; an unfinished one with 2 epochs of .25 s each.
    assert cost.baseline_search == Spent(3, 69, 25.5)
    assert cost.baseline == Spent(9, 450, 112.5)
    assert cost.confirm == Spent(32, 1600, 400.0)
    assert cost.total.epochs == cost.search.epochs + 69 + 450 + 1600


def test_the_winner_has_its_own_cost_and_that_of_all_trials_up_to_it(records):
    cost = measure_cost(records)

    assert cost.winner == "1"
    assert cost.lineage == Spent(2, 50, 17.0)
    assert cost.until_winner == Spent(2, 83, 25.0)


def test_a_run_without_trials_costs_nothing(tmp_path):
    cost = measure_cost(read_run(build_run.write_manifest(tmp_path)))

    assert cost.total == Spent()
    assert (cost.winner, cost.lineage, cost.until_winner) == (None, Spent(), Spent())
    assert cost_frame(cost)["share"].isna().all()


def test_a_family_that_the_manifest_does_not_name_counts(tmp_path):
    build_run.write_manifest(tmp_path)
    build_run.write_trial(tmp_path, "0", 0.7, values={"schedule": "mine"}, rows=0)

    assert measure_cost(read_run(tmp_path)).families["mine"] == Spent(1, 50, 12.5)


def test_a_trial_without_a_time_counts_its_epochs(tmp_path):
    build_run.write_manifest(tmp_path)
    build_run.write_trial(tmp_path, "0", 0.7, seconds=None, rows=0)

    assert measure_cost(read_run(tmp_path)).search == Spent(1, 50, 0.0)


def test_the_frame_adds_up(records):
    frame = cost_frame(measure_cost(records))

    assert list(frame.columns) == ["of", "name", "trials", "epochs", "seconds", "share"]
    by = frame.groupby("of")["epochs"].sum()
    assert by["family"] + by["unfinished"] == by["search"]
    assert by["search"] + by["baseline"] == by["total"]
    assert frame.loc[frame["of"] == "total", "share"].tolist() == [1]
    assert frame["of"].tolist()[-2:] == ["winner", "until winner"]


def test_time_to_target_is_the_first_epoch_of_the_lineage_that_reached_the_baseline(tmp_path):
    # val_accuracy is 1 - .6/epoch: .68 of a baseline of .681 at epoch 1.88, so the second.
    records = read_run(build_run.small_run(tmp_path))
    times = times_to_target(records, top=3)

    assert list(times.columns) == ["trial_id", "schedule", "score", "target", "epoch"]
    assert times["trial_id"].tolist() == ["1", "0", "2"]
    assert times["schedule"].tolist() == ["exponential", "step", "time"]
    assert times["score"].tolist() == [0.712, 0.705, 0.69]
    assert times["target"].tolist() == pytest.approx([0.681] * 3)
    # The winner reached it in its parent's epochs.
    assert times["epoch"].tolist() == [2, 2, 2]


def test_a_trial_that_never_reached_the_baseline_has_no_epoch(tmp_path):
    build_run.small_run(tmp_path)
    rows = [{"epoch": epoch, "val_accuracy": 0.6} for epoch in range(1, 51)]
    rows[6]["val_accuracy"] = None
    path = tmp_path / "trial_0" / "epochs.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))

    assert times_to_target(read_run(tmp_path), top=2)["epoch"].tolist() == [2, pd.NA]


def test_less_is_better_for_a_loss(tmp_path):
    build_run.write_manifest(tmp_path, direction="min", objective="val_loss")
    build_run.write_baseline(tmp_path, {"constant-0.1": (0.21, 0.19)})
    build_run.write_trial(tmp_path, "0", 0.1)
    build_run.write_trial(tmp_path, "1", 0.05)

    # val_loss is .8/epoch: .2 at epoch 4.
    times = times_to_target(read_run(tmp_path))
    assert times["trial_id"].tolist() == ["1", "0"]
    assert times["epoch"].tolist() == [4, 4]


def test_without_a_baseline_there_is_no_target(tmp_path):
    build_run.write_manifest(tmp_path, baseline_arms={}, baseline_seeds=[])
    build_run.write_trial(tmp_path, "0", 0.7)

    assert times_to_target(read_run(tmp_path)).empty


def test_a_number_of_trials_below_1_is_an_error(records):
    with pytest.raises(ArgumentError, match=r"^top must be >= 1\. Received: top=0\.$"):
        times_to_target(records, top=0)
