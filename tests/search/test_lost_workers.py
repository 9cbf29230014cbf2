"""Workers that are lost: which trials start again, and when a search gives up."""

from __future__ import annotations

import dataclasses
import json
from collections import Counter

import numpy as np
import pytest

from lrtune.errors import SearchError
from lrtune.records.reader import read_run
from lrtune.records.task import TrialOutcome
from lrtune.run import load_run
from tests.search.fake_search import Search, completed, told
from tests.search.killed import content


def lost(task, epochs=()):
    return TrialOutcome(told(task), "lost", epochs, message="its worker process ended")


def test_a_trial_starts_again_when_its_worker_is_lost(tmp_path):
    tries = Counter()

    def train(task):
        tries[task.trial_id] += 1
        return (
            lost(task) if tries[task.trial_id] <= 2 and task.trial_id in "13" else completed(task)
        )

    search = Search(tmp_path / "a", train, slots=2, trials=6).run()
    Search(tmp_path / "b", completed, slots=2, trials=6).run()
    assert tries == {"0": 1, "1": 3, "2": 1, "3": 3, "4": 1, "5": 1}
    assert content(tmp_path / "a") == content(tmp_path / "b")
    assert {one["status"] for one in search.outcomes} == {"completed"}


@pytest.mark.parametrize(
    ("max_retries", "message"),
    [(0, "its worker process ended"), (2, "its worker process ended, 3 times")],
)
def test_a_trial_that_loses_all_its_workers_is_lost_until_the_search_runs_again(
    tmp_path, max_retries, message
):
    tries = Counter()

    def train(task):
        tries[task.trial_id] += 1
        return lost(task) if task.trial_id == "1" else completed(task)

    search = Search(tmp_path / "run", train, trials=4, max_retries=max_retries).run()
    assert tries == {"0": 1, "1": max_retries + 1, "2": 1, "3": 1}
    assert [one["status"] for one in search.outcomes] == [
        *("completed", "lost", "completed", "completed")
    ]
    assert search.outcome("1")["message"] == message
    records = read_run(tmp_path / "run")
    assert records.manifest.finished is None
    assert records.lost_notice == (
        "1 training was lost because the worker processes died or hung (trial_1): the same command "
        "trains it again."
    )
    ranking = load_run(tmp_path / "run").ranking()
    assert ranking["status"].tolist() == [*["completed"] * 3, "lost"]
    assert ranking["message"].tolist()[-1] == message

    Search(tmp_path / "run", completed, trials=4).run()
    Search(tmp_path / "undisturbed", completed, trials=4).run()
    assert content(tmp_path / "run") == content(tmp_path / "undisturbed")
    again = read_run(tmp_path / "run")
    assert (again.notices, again.lost_notice) == ((), None)
    assert again.manifest.finished is not None


def test_workers_that_die_one_after_another_end_the_search(tmp_path):
    search = Search(tmp_path / "run", lost, slots=4, trials=50)
    with pytest.raises(SearchError) as error:
        search.run()
    assert str(error.value) == (
        "12 workers in a row were lost, the last one like this: its worker process ended. "
        "Everything saved so far is intact; try fewer workers"
    )
    assert read_run(tmp_path / "run").outcomes == ()


def test_when_workers_of_several_trials_die_fewer_run_and_no_try_is_used_up(tmp_path, monkeypatch):
    pauses, busy, deaths = [], [], []
    monkeypatch.setattr("lrtune.search.loop.time.sleep", pauses.append)

    def train(task):
        busy.append(search.runner.running + 1)
        if len(deaths) < 7:
            deaths.append(task.trial_id)
            return dataclasses.replace(lost(task), killed=True)
        return completed(task)

    search = Search(tmp_path / "run", train, slots=4, trials=8, max_retries=1)
    search.run()
    Search(tmp_path / "whole", completed, slots=4, trials=8).run()
    assert content(tmp_path / "run") == content(tmp_path / "whole")
    # The first may be its trial's fault. Then fewer and fewer, and one at a time after a pause.
    assert busy[:9] == [4, 4, 3, 2, 1, 1, 1, 1, 2]
    assert pauses == [2.0, 4.0, 8.0]


def test_losing_its_machine_counts_neither_against_a_trial_nor_against_the_workers(tmp_path):
    # A node with eight workers leaves, three times: as many losses in a row as end a search.
    losses = Counter()

    def train(task):
        losses[task.trial_id] += 1
        if losses[task.trial_id] <= 3:
            return dataclasses.replace(lost(task), blameless=True)
        return completed(task)

    search = Search(tmp_path / "run", train, slots=8, trials=8, max_retries=0)
    search.run()
    assert losses == dict.fromkeys(map(str, range(8)), 4)
    assert [one["status"] for one in search.outcomes] == ["completed"] * 8
    assert search.runner.most == 8


def test_the_epochs_of_a_lost_try_are_forgotten(tmp_path):
    tries = Counter()

    def train(task):
        tries[task.trial_id] += 1
        whole = completed(task)
        return lost(task, whole.epochs[:2]) if tries[task.trial_id] == 1 else whole

    Search(tmp_path / "run", train, trials=1).run()
    lines = (tmp_path / "run" / "trial_0" / "epochs.jsonl").read_text().splitlines()
    assert [json.loads(line)["epoch"] for line in lines] == [1, 2, 3, 4]
    assert np.load(tmp_path / "run" / "trial_0" / "state.npz")["epochs"] == 4
