"""A search that was cut off anywhere goes on as if nothing had been."""

from __future__ import annotations

import json
import shutil
from collections import Counter

import pytest

from lrtune.display.observer import Observer
from lrtune.errors import RunFolderError
from lrtune.records.reader import read_run
from lrtune.search import tuner as tuner_module
from lrtune.search.oracle import hyperband_rungs
from lrtune.search.resume import refuse_foreign_trials
from tests.search.fake_search import Search, completed
from tests.search.killed import KIND, KINDS, Killed, content, kill_at, mixed


class Noticed(Observer):
    """Keeps what a search says of damaged files."""

    def __init__(self):
        self.lines = []

    def noticed(self, text):
        self.lines.append(text)


def states(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("state.npz"))


def oracle_state(folder):
    """What stock Keras Tuner would read; when it forgets completed brackets is its own affair."""
    state = json.loads((folder / "oracle.json").read_text())
    state = {**state, "tried_so_far": sorted(state["tried_so_far"])}
    return {name: value for name, value in state.items() if name not in ("brackets", "seed_state")}


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    folder = tmp_path_factory.mktemp("undisturbed")
    for kind, arguments in KINDS.items():
        Search(folder / kind, mixed, **arguments).run()
    return folder


def killed(folder, kind):
    try:
        Search(folder, mixed, **KINDS[kind]).run()
    except Killed:
        return
    pytest.fail("there were fewer steps than in the undisturbed search")


@KIND
def test_a_search_killed_at_any_write_ends_as_if_undisturbed(
    kind, undisturbed, tmp_path, monkeypatch
):
    with monkeypatch.context() as patch:
        steps = kill_at(patch, None)
        Search(tmp_path / "count", mixed, **KINDS[kind]).run()
    assert steps["steps"] > 100

    # A fraction of them here; tests/faults tries every one with real training.
    strides = {"random": 17, "hyperband": 59, "rescaled": 97, "bayesian": 61, "shape": 61}
    stride = strides[kind]
    for number in range(1, steps["steps"] + 1, stride):
        folder = tmp_path / "run"
        shutil.rmtree(folder, ignore_errors=True)
        with monkeypatch.context() as patch:
            kill_at(patch, number)
            killed(folder, kind)
        before = {name: data for name, data in content(folder).items() if "outcome" in name}
        again = Search(folder, mixed, **KINDS[kind]).run()

        assert content(folder) == content(undisturbed / kind), number
        assert states(folder) == states(undisturbed / kind), number
        assert oracle_state(folder) == oracle_state(undisturbed / kind), number
        trained = {task.trial_id for task in again.runner.tasks}
        finished = {json.loads(data)["trial_id"] for data in before.values()}
        assert not trained & finished, "a finished trial was trained again"


@KIND
@pytest.mark.parametrize("name", ["oracle.json", "trial.json"])
def test_lost_or_torn_files_of_keras_tuner_are_repaired(kind, name, undisturbed, tmp_path):
    folder = tmp_path / "run"
    shutil.copytree(undisturbed / kind, folder)
    for number, path in enumerate(sorted(folder.rglob(name))):
        if number % 2:
            path.write_bytes(path.read_bytes()[:20])
        else:
            path.unlink()

    search = Search(folder, mixed, **KINDS[kind])
    whole = json.loads((undisturbed / kind / "oracle.json").read_text())
    assert search.oracle.start_order == whole["start_order"]
    noticed = Noticed()
    search.run(noticed)
    assert bool(noticed.lines) == (name == "trial.json"), "oracle.json is not read at all"
    assert search.runner.tasks == []


def test_the_oracle_knows_after_a_restart_what_it_knew_before(undisturbed):
    # Hyperband's brackets are rebuilt from the trials alone: the same rungs, the same promotions.
    records = read_run(undisturbed / "hyperband")
    search = Search(undisturbed / "hyperband", mixed, **KINDS["hyperband"])
    rungs = Counter(
        (values["tuner/initial_epoch"], values["tuner/epochs"])
        for values in (trial.hyperparameters.values for trial in search.oracle.trials.values())
    )
    planned = Counter()
    for size, first, last in hyperband_rungs(search.oracle):
        planned[first, last] += size
    assert rungs.keys() == planned.keys()
    sizes = [[len(rung) for rung in bracket["rounds"]] for bracket in search.oracle._brackets]
    parents = {
        one["id"]: one["past_id"]
        for bracket in search.oracle._brackets
        for rung in bracket["rounds"]
        for one in rung
    }
    assert [size[0] for size in sizes] == [9, 5, 3]
    assert parents == {one.trial_id: one.parent for one in records.outcomes}


@KIND
@pytest.mark.parametrize("slots", [2, 3])
def test_with_several_workers_every_trial_ends_exactly_once(kind, slots, tmp_path):
    class Stops(Search):
        ended = 0

        def stop(self, task):
            Stops.ended += 1
            if Stops.ended % 4 == 0:
                raise Killed
            return completed(task)

    folder, trained = tmp_path / "run", Counter()
    for _ in range(40):
        search = Stops(folder, None, slots=slots, pick=-1, **KINDS[kind])
        search.runner._train = search.stop
        try:
            search.run()
            break
        except Killed:
            continue
        finally:
            trained.update(path.parent.name for path in folder.rglob("outcome.json"))
    outcomes = read_run(folder).outcomes
    ids = [int(outcome.trial_id) for outcome in outcomes]
    assert ids == list(range(len(ids)))
    assert read_run(folder).unfinished == ()
    spans = Counter((one.epochs.first - 1, one.epochs.last) for one in outcomes)
    if kind == "hyperband":
        assert spans == {(0, 1): 9, (1, 3): 3, (3, 9): 3, (0, 3): 5, (0, 9): 3}
    elif kind == "rescaled":
        assert spans == {(0, 1): 9, (0, 3): 3 + 5, (0, 9): 3 + 3}
    else:
        assert len(ids) == 7


def test_a_trial_whose_proposal_is_lost_keeps_its_number(tmp_path):
    folder = tmp_path / "run"
    Search(folder, completed, trials=5).run()
    whole = content(folder)
    (folder / "trial_2" / "outcome.json").unlink()
    (folder / "trial_2" / "trial.json").write_text("{")
    noticed = Noticed()
    search = Search(folder, completed, trials=5).run(noticed)
    damaged, missing = noticed.lines
    assert damaged.startswith("trial_2/trial.json cannot be read")
    assert "results are missing: trial_2. " in missing
    assert [task.trial_id for task in search.runner.tasks] == ["2"]
    assert content(folder) == whole


def test_a_promoted_trial_whose_parents_state_is_lost_trains_from_the_start(tmp_path):
    folder, seen = tmp_path / "run", []

    def train(task):
        if task.first_epoch:
            raise Killed
        return completed(task)

    search = Search(folder, train, max_epochs=9)
    with pytest.raises(Killed):
        search.run()
    for number, path in enumerate(folder.rglob("state.npz")):
        path.unlink() if number % 2 else path.write_bytes(path.read_bytes()[:50])

    def note(task):
        seen.append((task.first_epoch, task.begins_after, task.parent_state))
        return completed(task)

    Search(folder, note, max_epochs=9).run()
    assert seen[0] == (1, 0, None)


def test_more_trials_can_be_asked_of_a_finished_search(tmp_path):
    few = Search(tmp_path / "a", completed, trials=4).run()
    more = Search(tmp_path / "a", completed, trials=7).run()
    whole = Search(tmp_path / "b", completed, trials=7).run()
    assert [task.trial_id for task in few.runner.tasks] == ["0", "1", "2", "3"]
    assert [task.trial_id for task in more.runner.tasks] == ["4", "5", "6"]
    assert content(tmp_path / "a") == content(tmp_path / "b")
    assert whole.states == more.states


def test_a_trial_that_hyperband_cannot_have_proposed_is_named(tmp_path):
    folder = tmp_path / "run"
    Search(folder, completed, max_epochs=9).run()
    path = folder / "trial_0001" / "outcome.json"
    values = {"tuner/trial_id": "0000", "x": 0.5}
    path.write_text(json.dumps({**json.loads(path.read_text()), "values": values}))
    with pytest.raises(RunFolderError, match="trial 0001 does not belong to this search"):
        Search(folder, completed, max_epochs=9)


def test_a_trial_with_an_absurd_number_is_refused_before_anything_is_trained(tmp_path):
    folder = tmp_path / "run"
    Search(folder, completed, trials=3).run()
    shutil.copytree(folder / "trial_2", folder / "trial_300000000")
    path = folder / "trial_300000000" / "outcome.json"
    path.write_text(path.read_text().replace('"trial_id": "2"', '"trial_id": "300000000"'))
    with pytest.raises(RunFolderError) as error:
        Search(folder, completed, trials=3).run()
    assert str(error.value) == (
        f"run folder {folder}: trial 300000000 does not belong to this search, which has 4 "
        "trials. Remove its folder, then run the same command again"
    )


def test_without_a_manifest_trials_of_another_seed_are_refused(tmp_path):
    folder = tmp_path / "run"
    Search(folder, completed, trials=2).run()
    records = read_run(folder)
    refuse_foreign_trials(records, 5, "truncated")
    with pytest.raises(RunFolderError, match="holds trials of another seed than 6"):
        refuse_foreign_trials(records, 6, "truncated")


@pytest.mark.parametrize(("begun", "now"), [("truncated", None), ("rescaled", "truncated")])
def test_without_a_manifest_trials_of_another_horizon_are_refused(begun, now, tmp_path):
    folder = tmp_path / "run"
    Search(folder, completed, max_epochs=9, horizon=begun).run()
    whole = content(folder)
    (folder / "run.json").unlink()
    with pytest.raises(RunFolderError, match=f"holds a search with the horizon {begun}, and no"):
        Search(folder, completed, max_epochs=9, horizon=now)
    noticed = Noticed()
    Search(folder, completed, max_epochs=9, horizon=begun).run(noticed)
    assert noticed.lines == ["run.json is missing: it is written again, the trials are kept."]
    assert content(folder) == whole


@pytest.fixture
def restored(monkeypatch):
    """Which trials an oracle learned, restore by restore."""
    found, restore = [], tuner_module.restore

    def noted(algorithm, records, seed):
        found.append([one.trial_id for one in records.outcomes])
        return restore(algorithm, records, seed)

    monkeypatch.setattr(tuner_module, "restore", noted)
    return found


def test_an_oracle_learns_the_trials_of_a_run_once(tmp_path, restored):
    Search(tmp_path / "run", completed, trials=3).run()
    search = Search(tmp_path / "run", completed, trials=5).run()
    assert restored == [["0", "1", "2"]]
    assert [task.trial_id for task in search.runner.tasks] == ["3", "4"]


def test_what_another_session_has_added_meanwhile_is_learned_too(tmp_path, restored):
    Search(tmp_path / "run", completed, trials=3).run()
    search = Search(tmp_path / "run", completed, trials=9)
    Search(tmp_path / "run", completed, trials=5).run()
    restored.clear()
    search.run()
    assert restored == [["0", "1", "2", "3", "4"]]
    assert [task.trial_id for task in search.runner.tasks] == ["5", "6", "7", "8"]


def test_a_second_search_of_the_same_tuner_learns_what_the_first_has_recorded(tmp_path, restored):
    search = Search(tmp_path / "run", completed, trials=3).run()
    search.run()
    assert restored == [["0", "1", "2"]]
    assert len(search.runner.tasks) == 3
