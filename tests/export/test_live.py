"""Event files written while a search runs."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest

from lrtune.display.observer import Observer, PrefixedObserver
from lrtune.errors import ArgumentError
from lrtune.export.live import TensorBoardObserver
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


class Recorder(Observer):
    """Records every call; a notice is a failure unless it is expected."""

    def __init__(self, *, notices=False):
        self.seen = []
        self._notices = notices

    def noticed(self, text):
        assert self._notices, text
        self.seen.append(("noticed", text))

    def trial_found(self, outcome):
        self.seen.append(("found", outcome))

    def trial_began(self, task):
        self.seen.append(("began", task))

    def epoch_ended(self, trial_id, record):
        self.seen.append(("epoch", trial_id, record))

    def trial_lost(self, task, reason):
        self.seen.append(("lost", task, reason))

    def trial_ended(self, outcome):
        self.seen.append(("ended", outcome))


def observing(tmp_path, observer=None):
    return TensorBoardObserver(tmp_path / "tb", tmp_path / "run", observer or Recorder())


def test_a_running_trial_is_visible_at_once(tmp_path):
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


def test_a_trial_that_starts_again_has_each_epoch_once(tmp_path):
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


def test_old_events_stay_until_the_search_has_events_of_its_own(tmp_path):
    with observing(tmp_path) as observer:
        train(observer)
    with observing(tmp_path):
        pass
    assert list(scalars(tmp_path / "tb" / "run" / "trial_0007", "lr")) == [1, 2, 3]


def test_a_full_disk_stops_the_events_but_not_the_search(tmp_path, monkeypatch):
    display = Recorder(notices=True)
    with observing(tmp_path, display) as observer:
        train(observer, epochs=1)

        def full(*_, **__):
            raise OSError(28, "No space left on device")

        monkeypatch.setattr("lrtune.export.event_files.TrialEvents._write", full)
        train(observer)
        observer.trial_ended(OUTCOME)
    notices = [call for call in display.seen if call[0] == "noticed"]
    message = (
        f"cannot write events to {tmp_path}/tb/run: No space left on device. The search goes on "
        f"without them; `lrtune export {tmp_path}/run --to tensorboard` writes them later."
    )
    assert notices == [("noticed", message)]


def test_an_unusable_folder_is_refused(tmp_path):
    (tmp_path / "tb").write_text("")
    with pytest.raises(ArgumentError) as error:
        observing(tmp_path)
    assert str(error.value) == (
        f"--tensorboard must be a folder that can be written to. Received: '{tmp_path}/tb' "
        "(File exists)."
    )
    with pytest.raises(ArgumentError) as error:
        TensorBoardObserver(tmp_path / "run" / "tb", tmp_path / "run", Observer())
    assert str(error.value) == (
        f"--tensorboard must not be inside the run folder '{tmp_path}/run'. Received: "
        f"'{tmp_path}/run/tb'."
    )
    assert not (tmp_path / "run").exists()


def test_the_observer_behind_it_sees_everything_in_order(tmp_path):
    display = Recorder(notices=True)
    build_run.hyperband(tmp_path / "run")
    with observing(tmp_path, display) as observer:
        observer.noticed("n")
        observer.trial_found(replace(OUTCOME, trial_id="1"))
        observer.trial_began(TASK)
        observer.epoch_ended("0007", {"epoch": 1.0})
        observer.trial_lost(TASK, "r")
        observer.trial_ended(OUTCOME)
    assert display.seen == [
        *(("noticed", "n"), ("found", replace(OUTCOME, trial_id="1")), ("began", TASK)),
        *(("epoch", "0007", {"epoch": 1.0}), ("lost", TASK, "r"), ("ended", OUTCOME)),
    ]
