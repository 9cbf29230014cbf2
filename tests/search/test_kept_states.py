"""Which states are kept, across kills and restarts."""

from __future__ import annotations

import shutil

import pytest

from lrtune.records.reader import read_state
from lrtune.records.writer import RunWriter
from tests.search.fake_search import Search, completed
from tests.search.killed import KINDS, Killed, kill_at, mixed


def test_the_winners_state_is_known_after_a_restart(tmp_path):
    folder = tmp_path / "run"
    Search(folder, completed, trials=4).run()
    more = Search(folder, completed, trials=9).run()
    best = max(more.outcomes, key=lambda one: one["score"])
    assert more.states == {best["trial_id"]}
    assert str(read_state(folder, best["trial_id"])["trained by"]) == best["trial_id"]


@pytest.mark.parametrize("now", [0, 1, 2, 5])
def test_a_resumed_search_keeps_as_many_states_as_it_is_told_then_of_those_there(tmp_path, now):
    folder = tmp_path / "run"
    before = Search(folder, completed, trials=6, keep_models=3).run()
    best = sorted(before.outcomes, key=lambda one: -one["score"])
    assert before.states == {one["trial_id"] for one in best[:3]}
    assert Search(folder, completed, trials=6, keep_models=now).run().states == {
        one["trial_id"] for one in best[: min(now, 3)]
    }


@pytest.mark.parametrize("kind", ["random", "hyperband"])
def test_a_search_killed_at_any_write_keeps_the_same_states(kind, tmp_path, monkeypatch):
    arguments = {**KINDS[kind], "baseline": 0, "keep_models": 2}
    with monkeypatch.context() as patch:
        steps = kill_at(patch, None)
        whole = Search(tmp_path / "whole", mixed, **arguments).run()
    assert len(whole.states) == 2
    for number in range(1, steps["steps"] + 1, {"random": 7, "hyperband": 29}[kind]):
        folder = tmp_path / "run"
        shutil.rmtree(folder, ignore_errors=True)
        with monkeypatch.context() as patch:
            kill_at(patch, number)
            with pytest.raises(Killed):
                Search(folder, mixed, **arguments).run()
        assert Search(folder, mixed, **arguments).run().states == whole.states, number


@pytest.mark.parametrize("keep_models", [0, 1, 2])
def test_a_state_that_nothing_needs_is_not_written(keep_models, tmp_path, monkeypatch):
    written, write = [], RunWriter.state
    monkeypatch.setattr(
        RunWriter, "state", lambda *args: (written.append(args[1]), write(*args))[-1]
    )
    scores = dict(zip("012345", [0.5, 0.7, 0.6, 0.4, 0.65, 0.8], strict=True))
    train = lambda task: completed(task, [scores[task.trial_id]] * 4)  # noqa: E731
    search = Search(tmp_path / "run", train, trials=6, keep_models=keep_models).run()
    # Each that is among the best so many when it ends: 4 (.65) beats 2 (.6), but not 1 (.7).
    assert written == [[], ["0", "1", "5"], ["0", "1", "2", "4", "5"]][keep_models]
    assert search.states == [set(), {"5"}, {"1", "5"}][keep_models]
