"""How far `oracle.json` may be behind, and that nothing is lost where it is."""

from __future__ import annotations

import json
import math
from types import SimpleNamespace

import keras_tuner
import pytest

from lrtune.errors import SearchError
from lrtune.search import oracle_file
from lrtune.search.deadline import Deadline
from lrtune.search.oracle_file import LAG, OracleFile
from tests.search.fake_search import SEED, Model, Search, completed, failed
from tests.search.test_resume import Killed, content, oracle_state

KINDS = {"random": {"trials": 24}, "hyperband": {"max_epochs": 9}}
TRIALS = {"random": 24, "hyperband": 9 + 3 + 3 + 5 + 3}
KIND = pytest.mark.parametrize("kind", KINDS)


class Counting:
    """A writer that counts, and an oracle whose trials begin and end one after another."""

    def __init__(self):
        self.start_order, self.end_order, self.trials = [], [], {}
        self.writes, self.written = 0, (0, 0)
        self.file = OracleFile(SimpleNamespace(oracle=self.write), self)

    def get_state(self):
        return len(self.start_order), len(self.end_order)

    def write(self, state):
        self.writes, self.written = self.writes + 1, state

    def trial(self):
        """Yields after each change of the oracle."""
        trial_id = str(len(self.trials))
        self.trials[trial_id] = None
        for order in (self.start_order, self.end_order):
            order.append(trial_id)
            self.file.changed()
            yield


def test_a_search_of_up_to_100_trials_writes_every_change():
    counting = Counting()
    for _ in range(100):
        for _ in counting.trial():
            assert counting.written == counting.get_state()
    assert counting.writes == 200


def test_the_file_misses_less_than_a_hundredth_of_the_trials():
    counting = Counting()
    for _ in range(3000):
        for _ in counting.trial():
            assert sum(counting.get_state()) - sum(counting.written) < LAG * len(counting.trials)


def test_ten_times_the_trials_take_only_so_many_writes_more():
    # Each trial makes 2 changes, and after n trials one write covers n / 100 of them, rounded up:
    # about the integral of 2 / (n / 100) from 1,000 to 10,000, which is 200 ln 10 = 460.5.
    counting, writes = Counting(), []
    for number in range(1, 10_001):
        list(counting.trial())
        if number in (1000, 10_000):
            writes.append(counting.writes)
    assert writes[1] - writes[0] == pytest.approx(200 * math.log(10), rel=0.03)


def test_a_file_that_is_up_to_date_is_not_written_again():
    counting = Counting()
    list(counting.trial())
    counting.file.save()
    assert counting.writes == 2


@pytest.mark.parametrize("error", [None, KeyboardInterrupt, SearchError, Killed, OSError])
def test_the_last_changes_are_written_unless_the_search_breaks_off(error, monkeypatch):
    monkeypatch.setattr(oracle_file, "LAG", 9.0)
    counting = Counting()
    list(counting.trial())
    assert counting.writes == 0
    counting.file.__exit__(error)
    assert counting.writes == (error not in (Killed, OSError))


def test_no_trial_is_named_before_its_own_file_is_there(monkeypatch):
    monkeypatch.setattr(oracle_file, "LAG", 9.0)
    counting = Counting()
    list(counting.trial())
    counting.start_order.append("1")  # a second Ctrl-C came before its trial.json was written
    counting.file.__exit__(KeyboardInterrupt)
    assert counting.writes == 0


# Whole searches, in which a write covers as many changes as half of the trials


@pytest.fixture
def lazy(monkeypatch):
    monkeypatch.setattr(oracle_file, "LAG", 0.5)


def killed_after(ended, error=Killed):
    """Trains as `completed` does, and raises at the training after so many."""
    left = iter([completed] * ended)

    def train(task):
        one = next(left, None)
        if one is None:
            raise error
        return one(task)

    return train


@KIND
@pytest.mark.parametrize("ended", [8, 14, 19])
@pytest.mark.usefixtures("lazy")
def test_a_killed_search_resumes_exactly_whatever_the_file_misses(kind, ended, tmp_path):
    with pytest.raises(Killed):
        Search(tmp_path / "run", killed_after(ended), **KINDS[kind]).run()
    state = oracle_state(tmp_path / "run")
    assert len(state["start_order"]) + len(state["end_order"]) < 2 * ended + 1
    again = Search(tmp_path / "run", completed, **KINDS[kind]).run()
    Search(tmp_path / "whole", completed, **KINDS[kind]).run()

    assert content(tmp_path / "run") == content(tmp_path / "whole")
    assert oracle_state(tmp_path / "run") == oracle_state(tmp_path / "whole")
    assert len(again.runner.tasks) == TRIALS[kind] - ended


@KIND
@pytest.mark.usefixtures("lazy")
def test_an_interrupted_search_leaves_nothing_out(kind, tmp_path):
    with pytest.raises(KeyboardInterrupt):
        Search(tmp_path / "run", killed_after(14, KeyboardInterrupt), **KINDS[kind]).run()
    state = oracle_state(tmp_path / "run")
    assert len(state["start_order"]) == 15
    assert len(state["end_order"]) == 14
    assert len(state["ongoing_trials"]) == 1


@pytest.mark.usefixtures("lazy")
def test_a_search_whose_trials_all_fail_leaves_nothing_out(tmp_path):
    with pytest.raises(SearchError, match="every trial failed"):
        Search(tmp_path / "run", failed, trials=13).run()
    assert len(oracle_state(tmp_path / "run")["end_order"]) == 13


@pytest.mark.usefixtures("lazy")
def test_a_search_that_its_deadline_ends_names_only_trials_that_are_there(tmp_path):
    search = Search(tmp_path / "run", completed, trials=20)
    search.tuner.deadline = Deadline(13, lambda: len(search.runner.tasks))
    search.run()
    assert search.tuner.stopped
    there = sorted(path.name for path in (tmp_path / "run").glob("trial_*"))
    assert [f"trial_{one}" for one in oracle_state(tmp_path / "run")["start_order"]] == there
    assert len(there) == 13


class Stock:
    """Stock Keras Tuner on a run folder; its trials have the score 2."""

    def __init__(self, kind, folder):
        own = {"random": keras_tuner.RandomSearch, "hyperband": keras_tuner.Hyperband}[kind]
        arguments = {{"trials": "max_trials"}.get(key, key): n for key, n in KINDS[kind].items()}
        where = {"directory": str(folder.parent), "project_name": folder.name}
        goal = keras_tuner.Objective("val_accuracy", "max")
        self.tuner = own(Model(), objective=goal, seed=SEED, **where, **arguments)
        self.ran = []
        self.tuner.run_trial = self.run_trial

    def run_trial(self, trial, *_, **__):
        self.ran.append(trial.trial_id)
        return {"val_accuracy": 2.0}


@KIND
@pytest.mark.parametrize("slots", [1, 3])
@pytest.mark.usefixtures("lazy")
# Said of a trial that ended after the file was written: Keras Tuner trains it again for nothing.
@pytest.mark.filterwarnings("ignore:The use case of calling:DeprecationWarning")
def test_stock_keras_tuner_knows_every_result_of_a_killed_search_and_goes_on(kind, slots, tmp_path):
    folder = tmp_path / "run"
    with pytest.raises(Killed):
        Search(folder, killed_after(14), slots=slots, **KINDS[kind]).run()
    ended = {
        path.parent.name: json.loads(path.read_text())["score"]
        for path in folder.glob("trial_*/outcome.json")
    }
    begun = len(list(folder.glob("trial_*")))
    named = oracle_state(folder)
    stock = Stock(kind, folder)

    trials = stock.tuner.oracle.trials
    assert len(ended) == 14
    assert {f"trial_{one.trial_id}": one.score for one in trials.values() if one.score} == ended
    assert stock.tuner.oracle.get_best_trials()[0].score == max(ended.values())
    stock.tuner.search(verbose=0)
    again = [one for one in stock.ran if int(one) < begun]
    assert sorted(again) == sorted(named["ongoing_trials"].values())
    new = [one for one in stock.ran if int(one) >= begun]
    assert new == [f"{number:0{len(new[0])}d}" for number in range(begun, begun + len(new))]
    if kind == "random":
        assert len(stock.tuner.oracle.trials) == 24
    after = {f"trial_{one.trial_id}": one.score for one in trials.values()}
    assert ended.items() <= after.items()
