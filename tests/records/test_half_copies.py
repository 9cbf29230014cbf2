"""Half a copy of a finished run is noticed, and so is what does not belong to it."""

from __future__ import annotations

import json
import shutil

import pytest

from lrtune.records.reader import read_run
from lrtune.run import Run
from tests.runs import build_run

FINISHED = "2026-11-22T10:00:00+00:00"


def lacks(what, names):
    file = {"search": "run.json", "confirmation": "confirm/confirm.json"}[what]
    return (
        f"{file} says that the {what} is finished, but results are missing: {names}. The command "
        f"that started the {what} trains them again."
    )


@pytest.fixture
def run(tmp_path):
    """A finished search of eight trials with its baseline and a finished confirmation."""
    build_run.write_manifest(tmp_path, finished=FINISHED, max_trials=8)
    build_run.write_baseline(tmp_path)
    for number in range(8):
        build_run.write_trial(tmp_path, str(number), 0.7)
    begun = [str(number) for number in range(8)]
    (tmp_path / "oracle.json").write_text(json.dumps({"start_order": begun}))
    build_run.write_confirmation(tmp_path)
    assert read_run(tmp_path).notices == ()
    return tmp_path


def test_a_trials_folder_that_is_missing_is_noticed(run):
    for number in (3, 7):
        shutil.rmtree(run / f"trial_{number}")
    assert read_run(run).notices == (lacks("search", "trial_3, trial_7"),)


def test_an_outcome_that_is_missing_is_not_a_trial_that_runs(run):
    (run / "trial_5" / "outcome.json").unlink()
    records = read_run(run)
    assert records.notices == (lacks("search", "trial_5"),)
    assert "7 completed, 1 missing" in repr(Run(records))


def test_an_outcome_that_is_damaged_has_one_notice(run):
    (run / "trial_5" / "outcome.json").write_text("{")
    (notice,) = read_run(run).notices
    assert notice.startswith("trial_5/outcome.json cannot be read")


def test_a_seed_of_the_baseline_or_of_the_confirmation_that_is_missing_is_noticed(run):
    shutil.rmtree(run / "baseline" / "constant-0.1" / "seed-2")
    for seed in range(11, 18):
        shutil.rmtree(run / "confirm" / "trial-0" / f"seed-{seed}")
    five = ", ".join(f"confirm/trial-0/seed-{seed}" for seed in range(11, 16))
    assert read_run(run).notices == (
        lacks("search", "baseline/constant-0.1/seed-2"),
        lacks("confirmation", f"{five} and 2 more"),
    )


def test_a_search_that_goes_on_lacks_nothing(run):
    build_run.write_manifest(run, finished=None, max_trials=8)
    shutil.rmtree(run / "trial_7")
    (run / "trial_6" / "outcome.json").unlink()
    assert read_run(run).notices == ()


def test_epochs_of_two_searches_in_one_folder_are_noticed(run):
    path = run / "trial_2" / "epochs.jsonl"
    path.write_text(2 * path.read_text())
    (notice,) = read_run(run).notices
    assert notice == (
        "trial_2/epochs.jsonl has 50 epochs more than the trial trained: did two searches write "
        "this folder?"
    )


@pytest.mark.parametrize(
    ("trial", "of", "why"),
    [
        ("9", {"epochs": (1, 90, 90)}, "a trial of 90 epochs in a search of 50"),
        (
            "9",
            {"values": {"schedule": "cosine", "lr0": 0.1, "momentum": 0.5}},
            "a trial of the family cosine, which was not searched",
        ),
        ("baseline/constant-0.1/seed-99", {}, "seed 99 is not one of the baseline's"),
    ],
)
def test_a_trial_of_another_search_is_named(run, trial, of, why):
    build_run.write_trial(run, trial, 0.7, **of)
    folder = trial if "/" in trial else f"trial_{trial}"
    assert read_run(run).notices == (
        f"{folder}/outcome.json does not fit run.json ({why}): did two searches write this folder?",
    )


def test_a_lost_training_is_counted_nowhere_and_named(run):
    message = "its worker process ended with SIGKILL(-9)"
    build_run.write_trial(run, "3", None, status="lost", epochs=(1, 4, 50), message=message)
    lost = "confirm/constant-0.1/seed-12"
    build_run.write_trial(run, lost, None, status="lost", epochs=(1, 4, 50), message=message)
    build_run.write_manifest(run, finished=None, max_trials=8)
    records = read_run(run)
    assert [one.trial_id for one in records.outcomes] == [*"0124567"]
    assert records.unfinished == ("3",)
    assert len(records.confirmation.outcomes["constant-0.1"]) == 7
    assert records.lost_notice == (
        "2 trainings were lost because the worker processes died or hung (trial_3, "
        f"{lost}): the same command trains them again."
    )
    assert "7 completed, 1 lost" in repr(Run(records))
    (last,) = Run(records).ranking().tail(1).to_dict("records")
    assert (last["trial_id"], last["status"], last["message"]) == ("3", "lost", message)
    arms = Run(records).comparison().set_index("arm")
    assert arms.loc["constant-0.1", ["n", "missing"]].tolist() == [7, 1]
    assert set(arms["missing"].drop("constant-0.1")) == {0}


@pytest.mark.parametrize("begun", [None, 3, [1, None, "../x", {}], {"0": 1}])
def test_whatever_keras_tuners_file_says_a_run_is_read(run, begun):
    (run / "oracle.json").write_text(json.dumps({"start_order": begun}))
    assert read_run(run).notices == ()


@pytest.mark.parametrize("versions", [None, 3, [1, 2], "1.0", {}, {"keras": 3}])
def test_versions_that_cannot_be_read_are_named_and_the_run_is_read(run, versions):
    path = run / "run.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "versions": versions}))
    records = read_run(run)
    assert records.notices == ("run.json names no versions of packages that can be read.",)
    assert len(records.outcomes) == 8
