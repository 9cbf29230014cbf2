from __future__ import annotations

import pytest

from lrtune.export.trials import lineages, recorded
from lrtune.records.reader import read_run
from tests.runs import build_run


def test_every_trial_of_a_run_has_its_own_kind_and_id(tmp_path):
    folder = build_run.hyperband(tmp_path / "run")
    build_run.write_manifest(folder / "baseline" / "search", space=build_run.SPACE)
    build_run.write_trial(
        folder / "baseline" / "search", "0", 0.66, values=build_run.CONSTANT, epochs=(1, 9, 9)
    )
    build_run.write_confirmation(folder)
    found = recorded(read_run(folder))

    kinds = [trial.kind for trial in found]
    assert [kinds.count(one) for one in dict.fromkeys(kinds)] == [6, 1, 6, 32]
    assert len({trial.trial_id for trial in found}) == len(found)
    within = next(trial for trial in found if trial.kind == "baseline-search")
    assert (within.trial_id, len(within.epochs())) == ("baseline/search/0", 9)
    assert found[-1].trial_id == "confirm/constant-0.1/seed-18"
    assert found[-1].arm == "constant-0.1"


def test_rungs_are_joined_and_what_has_not_ended_is_known_by_its_proposal(tmp_path):
    trials = recorded(read_run(build_run.hyperband(tmp_path / "run")))
    lines = lineages(trial for trial in trials if trial.kind == "trial")
    assert [[rung.trial_id for rung in line] for line in lines] == [
        ["0", "5"],
        ["1", "4"],
        ["2"],
        ["3"],
    ]
    assert lines[0][-1].status == "running"
    assert lines[0][-1].values == build_run.STEP


def test_trials_that_continue_each_other_in_a_circle_are_kept(tmp_path):
    folder = build_run.write_manifest(tmp_path / "run")
    for trial_id, parent in (("0", "1"), ("1", "0"), ("2", "2"), ("3", "9")):
        build_run.write_trial(folder, trial_id, 0.6, parent=parent)
    lines = lineages(recorded(read_run(folder)))
    assert sorted(rung.trial_id for line in lines for rung in line) == ["0", "1", "2", "3"]


def test_times_are_those_of_the_files(tmp_path):
    folder = build_run.hyperband(tmp_path / "run")
    build_run.ended(folder, {"0": 20.0, "4": 50.0})
    times = {trial.trial_id: trial.times for trial in recorded(read_run(folder))}
    assert times["0"] == (build_run.CREATED + 14, build_run.CREATED + 20)  # it took 6 s
    assert times["4"] == (build_run.CREATED + 37.5, build_run.CREATED + 50)
    assert times["5"] is None


@pytest.mark.parametrize("when", [-1e6, 1e6])
def test_in_a_copy_that_lost_its_times_trials_follow_each_other(tmp_path, when):
    folder = build_run.hyperband(
        tmp_path / "run", finished="2026-11-22T08:10:00+00:00", baseline_arms={}
    )
    build_run.ended(folder, {"0": when})
    times = {trial.trial_id: trial.times for trial in recorded(read_run(folder))}
    # Six seeds of the baseline, 12.5 s each, come first.
    assert times["0"] == (build_run.CREATED + 75, build_run.CREATED + 81)
    assert times["1"] == (build_run.CREATED + 81, build_run.CREATED + 87)


def test_a_run_that_does_not_say_when_it_began_still_has_durations(tmp_path):
    folder = build_run.hyperband(tmp_path / "run", created="once upon a time")
    trial = recorded(read_run(folder))[0]
    assert trial.times is not None
    assert trial.times.end - trial.times.start == pytest.approx(6)
