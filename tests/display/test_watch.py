"""A run is followed from outside, by what it writes."""

from __future__ import annotations

import io
import json
import os
import re
import socket
import sys
from datetime import datetime, timedelta

import pytest
from rich.console import Console

from lrtune.display.watch import read_writer, watch
from lrtune.errors import RunFolderError
from lrtune.records import schema
from lrtune.records.ids import folder_of
from lrtune.records.lock import HOLDER, LOCK
from lrtune.records.schema import Outcome, Span
from lrtune.records.writer import RunWriter
from tests.runs import build_run

VALUES = {"schedule": "constant", "lr0": 0.02, "momentum": 0.5}
DATA = schema.DataRecord("synthetic", "abc", {"train": 10})
MANIFEST = {
    "max_epochs": 4,
    "max_trials": 3,
    "seed": 5,
    "baseline_arms": {"constant-0.1": VALUES},
    "baseline_seeds": (5,),
    "data": DATA,
    "created": "2026-01-01T00:00:00+00:00",
    # A random search of 3 trials of 4 epochs, and one arm with one seed.
    "plan": (schema.Rung("baseline", 1, 0, 4), schema.Rung("search", 3, 0, 4)),
}
CONFIRM = {
    "arms": {"0001": VALUES, "constant-0.1": VALUES},
    "trials": {"0001": "0001"},
    "search_scores": {},
    "baseline": "constant-0.1",
    "seeds": (6,),
    "train_on": "train",
    "epochs": 4,
    "data": DATA,
    "created": "2026-01-02T00:00:00+00:00",
    "finished": None,
}
WHEN = "2026-01-03T00:00:00+00:00"


@pytest.fixture(autouse=True)
def at_a_terminal(monkeypatch):
    for name in ("CI", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delitem(sys.modules, "ipykernel", raising=False)


class Run:
    """Writes a run folder as the writer does, a piece between two looks at it."""

    def __init__(self, folder):
        self.folder = folder
        self.steps = []
        self.now = 0.0

    def manifest(self, **changes):
        build_run.write_manifest(self.folder, **{**MANIFEST, **changes})

    def confirm(self, **changes):
        build_run.write_confirmation(self.folder, {}, **{**CONFIRM, **changes})

    def hold(self, process=None, host=None, since=None):
        since = since or datetime.now().astimezone().isoformat(timespec="seconds")
        holder = {"process": process or os.getpid(), "host": host or socket.gethostname()}
        owner = {**holder, "user": "me", "command": "x", "since": since}
        (self.folder / HOLDER).write_text(json.dumps(owner) + "\n")

    def release(self):
        (self.folder / HOLDER).unlink()

    def epochs(self, trial_id, *epochs, seconds=3.0):
        writer = build_run.Writer(self.folder)
        (self.folder / folder_of(trial_id)).mkdir(parents=True, exist_ok=True)
        for epoch in epochs:
            row = {"epoch": epoch, "lr": 0.02, "val_accuracy": 0.5, "seconds": seconds}
            writer.epoch(trial_id, row)

    def end(self, trial_id, score=0.6, status="completed", last=4):
        made = Outcome(trial_id, status, VALUES, Span(1, last, 4), 1, 9.0, score, None, "no\x1bo")
        writer = build_run.Writer(self.folder)
        (self.folder / folder_of(trial_id)).mkdir(parents=True, exist_ok=True)
        writer.outcome(made)

    def sleep(self, seconds):
        """Lets the search go on; a Ctrl-C when there is nothing more to come."""
        self.now += seconds
        if not self.steps:
            raise KeyboardInterrupt
        self.steps.pop(0)()

    def watched(self, console=None):
        console = console or Console(file=io.StringIO(), width=80)
        watch(self.folder, console, sleep=self.sleep, clock=lambda: self.now)
        return console.file.getvalue()


@pytest.fixture
def run(tmp_path):
    made = Run(tmp_path)
    made.manifest()
    made.hold()
    return made


def test_a_process_that_holds_the_folder_is_seen(tmp_path):
    with RunWriter(tmp_path):
        writer = read_writer(tmp_path)
        assert writer.alive
        assert writer.words.startswith(f"written by process {os.getpid()} since ")
    assert read_writer(tmp_path).alive is False


def lines_of(text):
    return [line for line in text.splitlines() if "written by process" not in line]


def test_without_a_terminal_it_prints_a_line_a_trial_as_it_ends(run):
    run.end("baseline/constant-0.1/seed-5", 0.5)
    run.epochs("0001", 1, 2)

    def second():
        run.epochs("0001", 3, 4)
        run.end("0001", 0.7)
        run.epochs("0002", 1)

    def third():
        run.end("0002", 0.4, status="failed", last=1)
        run.manifest(finished=WHEN)
        run.release()

    run.steps = [second, third]
    assert lines_of(run.watched()) == [
        "at most 4 trainings, 16 epochs in all",
        "1 trial found, 4 epochs in the run folder: not trained again",
        (
            "[2/4] trial 0001 constant(lr0=0.02), momentum 0.5: 0.7000 after 4 epochs, "
            "about 24 s left"
        ),
        ("[3/4] trial 0002 constant(lr0=0.02), momentum 0.5: failed (no\\x1bo), about 12 s left"),
        "no process is writing this run now",
        (
            "best val_accuracy 0.7000 after 4 epochs: trial 0001 constant(lr0=0.02), momentum 0.5; "
            "constant-0.1 0.5000 with 1 seed"
        ),
    ]
    assert run.steps == []


def test_on_a_terminal_it_is_the_display_of_the_search(run):
    run.epochs("0001", 1, 2)
    build_run.propose(run.folder, "0001", VALUES)
    console = Console(file=io.StringIO(), force_terminal=True, width=80, height=24)
    text = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", run.watched(console))
    assert "0001  constant(lr0=0.02), momentum 0.5" in text
    assert "epoch 2 of 4" in text
    assert f"written by process {os.getpid()} since" in text


def test_ctrl_c_ends_it_and_is_no_error(run):
    assert run.steps == []
    assert "no trial has finished yet" in run.watched()


def test_watching_a_finished_run_returns_at_once(run):
    run.manifest(finished=WHEN)
    run.release()
    run.steps = [pytest.fail]
    assert run.watched() == ""


def test_it_writes_nothing(run):
    def content():
        return {path: path.read_bytes() for path in run.folder.rglob("*") if path.is_file()}

    run.epochs("0001", 1)
    run.end("0002")
    before = content()
    run.watched()
    assert content() == before


def test_a_trial_that_begins_again_is_counted_once(run):
    run.epochs("0001", 1, 2, 3)

    def again():
        (run.folder / "trial_0001" / "epochs.jsonl").write_text("")
        run.epochs("0001", 1)

    def end():
        run.epochs("0001", 2, 3, 4)
        run.end("0001")

    run.steps = [again, end]
    console = Console(file=io.StringIO(), force_terminal=True, width=80, height=24)
    assert "4 of 16 epochs" in run.watched(console)


def test_it_follows_a_confirmation(run):
    run.manifest(finished=WHEN)
    run.confirm()

    def first():
        run.epochs("confirm/0001/seed-6", 1, 2, 3, 4)
        run.end("confirm/0001/seed-6", 0.7)

    def second():
        run.end("confirm/constant-0.1/seed-6", 0.6)
        run.confirm(finished=WHEN)

    run.steps = [first, second]
    lines = lines_of(run.watched())
    assert [line.split(":")[0] for line in lines] == [
        "at most 2 trainings, 8 epochs in all",
        "[1/2] confirm/0001/seed-6",
        "[2/2] confirm/constant-0.1/seed-6",
        "constant-0.1 0.6000 with 1 seed",
    ]


def test_a_confirmation_that_begins_while_the_search_is_held_is_followed(run):
    run.manifest(finished=WHEN)
    run.steps = [run.confirm, lambda: run.end("confirm/0001/seed-6", 0.7)]
    assert "[1/2] confirm/0001/seed-6: 0.7000 after 4 epochs" in run.watched()


def test_it_waits_for_a_search_that_is_about_to_begin(tmp_path):
    run = Run(tmp_path)
    (tmp_path / LOCK).touch()

    def begin():
        run.manifest(finished=WHEN)

    run.steps = [begin]
    assert run.watched() == "Waiting for the search to begin ...\n"


def test_a_folder_without_a_run_is_an_error(tmp_path):
    with pytest.raises(RunFolderError, match=r"^There is no folder"):
        Run(tmp_path / "none").watched()
    (tmp_path / "notes.txt").touch()
    with pytest.raises(RunFolderError, match=r"is not a run folder: it has no run\.json"):
        Run(tmp_path).watched()


def test_a_run_that_is_removed_while_watched_is_an_error(run):
    def remove():
        run.release()
        (run.folder / "run.json").unlink()

    run.steps = [remove]
    with pytest.raises(RunFolderError, match=r"is not a run folder: it has no run\.json"):
        run.watched()


def test_it_shows_who_is_writing(run):
    now = datetime.now().astimezone()
    since = now.isoformat(timespec="seconds")
    assert read_writer(run.folder).alive is True
    assert read_writer(run.folder).words == f"written by process {os.getpid()} since {since[11:16]}"
    run.hold(process=2**22 + 7)  # more than Linux ever gives
    assert (
        read_writer(run.folder).words == f"no process is writing this run now: {2**22 + 7} is gone"
    )
    assert read_writer(run.folder).alive is False
    run.hold(since=(now - timedelta(days=3650)).isoformat())  # this process is younger than that
    assert read_writer(run.folder).alive is False
    run.hold(host="else\x1bwhere")
    assert "on else\\x1bwhere since" in read_writer(run.folder).words
    assert read_writer(run.folder).alive is None
    run.release()
    assert read_writer(run.folder).words == "no process is writing this run now"
    (run.folder / HOLDER).write_text("[torn")
    assert read_writer(run.folder).alive is False


def test_a_stopped_search_shows_nothing_running_and_an_unknown_time(run):
    run.release()
    run.epochs("0001", 1, 2, 3)
    console = Console(file=io.StringIO(), force_terminal=True, width=80, height=24)
    text = run.watched(console)
    assert "nothing is running" in text
    assert "3 of 16 epochs, time left unknown" in text


@pytest.mark.parametrize("damage", ["", "{", "[]", '{"epoch": "x"}\n', "\x00" * 10])
def test_a_damaged_file_of_a_trial_ends_nothing(run, damage):
    run.epochs("0001", 1)

    def tear():
        (run.folder / "trial_0001" / "epochs.jsonl").write_text(damage)
        (run.folder / "trial_0001" / "outcome.json").write_text(damage)
        (run.folder / "trial_0001" / "trial.json").write_text(damage)

    run.steps = [tear, lambda: run.end("0001", 0.7)]
    assert "trial 0001 constant(lr0=0.02), momentum 0.5: 0.7000 after 4 epochs" in run.watched()


def test_more_trials_than_planned_make_the_plan_unknown(run):
    for number in range(5):
        run.end(f"{number:04d}")
    run.steps = [lambda: run.end("0005")]
    assert "[6] trial 0005 constant(lr0=0.02), momentum 0.5" in run.watched()
