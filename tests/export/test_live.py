"""Event files written while a search runs."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest

from lrtune.display.observer import Observer, PrefixedObserver
from lrtune.errors import ArgumentError
from lrtune.export.live import Observers, TensorBoardObserver
from lrtune.records.schema import Outcome, Span
from tests.export.test_event_files import hparams, metrics, scalars, values
from tests.runs import build_run
from tests.tasks import task_of

TASK = task_of("0007", {**build_run.STEP, "tuner/epochs": 3}, 1, 0, 3)
OUTCOME = Outcome("0007", "completed", build_run.STEP, Span(1, 3, 3), 1, 1.0, 0.7)


def train(observer, task=TASK, epochs=3):
    observer.trial_began(task)
    for epoch in range(task.first_epoch + 1, task.first_epoch + epochs + 1):
        record = {"epoch": epoch, "lr": 0.1 / epoch, "val_accuracy": 0.5, "seconds": 0.1}
        observer.epoch_ended(task.trial_id, record)


def observing(tmp_path, notify=pytest.fail):
    return TensorBoardObserver(tmp_path / "tb", tmp_path / "run", notify)


def test_a_running_trial_can_be_seen_at_once(tmp_path):
    with observing(tmp_path) as observer:
        train(observer, epochs=2)
        assert list(scalars(tmp_path / "tb" / "run" / "trial_0007", "lr")) == [1, 2]
        train(observer, replace(TASK, trial_id="baseline/constant-0.1/seed-1"))
        groups, _ = hparams(tmp_path / "tb")
        assert set(groups) == {"0007", "baseline/constant-0.1"}
        assert values(groups["0007"]) == {
            **build_run.STEP,
            "lrtune/kind": "trial",
            "lrtune/epochs": 3,
        }


def test_a_trial_ends_with_its_score(tmp_path):
    with observing(tmp_path) as observer:
        train(observer)
        observer.trial_ended(OUTCOME)
    groups, _ = hparams(tmp_path / "tb")
    assert metrics(groups["0007"])["score"] == pytest.approx(0.7)
    assert groups["0007"].sessions[0].end_time_secs == pytest.approx(time.time(), abs=60)


def test_a_trial_that_begins_again_has_no_epoch_twice(tmp_path):
    with observing(tmp_path) as observer:
        train(observer, epochs=2)
        observer.trial_lost(TASK, "the worker died")
        train(observer, epochs=3)
    with observing(tmp_path) as observer:  # the search was killed and is continued
        train(observer, epochs=3)
        observer.trial_ended(OUTCOME)
    folder = tmp_path / "tb" / "run" / "trial_0007"
    assert len(list(folder.iterdir())) == 1
    assert list(scalars(folder, "lr")) == [1, 2, 3]


def test_what_was_found_is_written_from_the_run_folder_and_the_rest_forgotten(tmp_path):
    folder = build_run.hyperband(tmp_path / "run")
    build_run.write_manifest(folder / "baseline" / "search")
    build_run.write_trial(folder / "baseline" / "search", "0", 0.66, epochs=(1, 2, 2))
    foreign = tmp_path / "tb" / "run" / "events.out.tfevents.1.host"
    with observing(tmp_path) as observer:
        train(observer, replace(TASK, trial_id="99"))  # of a search that was overwritten
        foreign.write_bytes(b"")
    with observing(tmp_path) as observer:
        found = replace(OUTCOME, trial_id="1")
        observer.trial_found(found)
        observer.trial_found(replace(found, trial_id="77"))  # not in the folder: damaged
        PrefixedObserver(observer, "baseline/search/").trial_found(replace(found, trial_id="0"))
        train(observer, replace(TASK, trial_id="4", first_epoch=3, last_epoch=9), epochs=6)

    below = tmp_path / "tb" / "run"
    assert list(scalars(below / "trial_1", "lr")) == [1, 2, 3]
    assert list(scalars(below / "trial_4", "lr")) == [4, 5, 6, 7, 8, 9]
    assert list(scalars(below / "baseline" / "search" / "trial_0", "lr")) == [1, 2]
    assert not list((below / "trial_99").iterdir())
    assert foreign.exists()


def test_nothing_is_forgotten_before_the_search_does_something(tmp_path):
    with observing(tmp_path) as observer:
        train(observer)
    with observing(tmp_path):
        pass
    assert list(scalars(tmp_path / "tb" / "run" / "trial_0007", "lr")) == [1, 2, 3]


def test_a_full_disk_ends_the_events_and_not_the_search(tmp_path, monkeypatch):
    said = []
    with observing(tmp_path, said.append) as observer:
        train(observer, epochs=1)

        def full(*_, **__):
            raise OSError(28, "No space left on device")

        monkeypatch.setattr("lrtune.export.event_files.TrialEvents._write", full)
        train(observer)
        observer.trial_ended(OUTCOME)
    assert said == [
        (
            f"cannot write events to {tmp_path}/tb/run: No space left on device. The search goes "
            f"on without them; `lrtune export {tmp_path}/run --to tensorboard` writes them later."
        )
    ]


def test_a_folder_that_cannot_be_is_refused(tmp_path):
    (tmp_path / "tb").write_text("")
    with pytest.raises(ArgumentError) as error:
        observing(tmp_path)
    assert str(error.value) == (
        f"--tensorboard must be a folder that can be written to. Received: '{tmp_path}/tb' "
        "(File exists)."
    )
    with pytest.raises(ArgumentError) as error:
        TensorBoardObserver(tmp_path / "run" / "tb", tmp_path / "run", pytest.fail)
    assert str(error.value) == (
        f"--tensorboard must not be inside the run folder '{tmp_path}/run'. Received: "
        f"'{tmp_path}/run/tb'."
    )
    assert not (tmp_path / "run").exists()


def test_several_observers_see_everything_in_their_order():
    seen = []

    class Seeing(Observer):
        def __init__(self, name):
            self.name = name

        def noticed(self, text):
            seen.append((self.name, "noticed", text))

        def trial_found(self, outcome):
            seen.append((self.name, "found", outcome))

        def trial_began(self, task):
            seen.append((self.name, "began", task))

        def epoch_ended(self, trial_id, record):
            seen.append((self.name, "epoch", trial_id, record))

        def trial_lost(self, task, reason):
            seen.append((self.name, "lost", task, reason))

        def trial_ended(self, outcome):
            seen.append((self.name, "ended", outcome))

    both = Observers(Seeing("a"), Seeing("b"))
    both.noticed("n")
    both.trial_found(OUTCOME)
    both.trial_began(TASK)
    both.epoch_ended("0007", {"epoch": 1.0})
    both.trial_lost(TASK, "r")
    both.trial_ended(OUTCOME)
    one = [("noticed", "n"), ("found", OUTCOME), ("began", TASK)]
    one += [("epoch", "0007", {"epoch": 1.0}), ("lost", TASK, "r"), ("ended", OUTCOME)]
    assert seen == [(name, *what) for what in one for name in "ab"]
