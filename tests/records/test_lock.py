"""One process writes a run folder, whatever happens to the folder meanwhile, and on any host."""

from __future__ import annotations

import json
import os
import socket
import time

import pytest

from lrtune.errors import RunFolderError
from lrtune.records import lock
from lrtune.records.lock import HOLDER, LOCK
from lrtune.records.writer import RunWriter
from tests.records.test_writer import MANIFEST, outcome


def test_a_writer_whose_folder_was_moved_stops_and_writes_nothing_into_the_next_one(tmp_path):
    first = RunWriter(tmp_path / "run")
    first.manifest(MANIFEST)
    (tmp_path / "run").rename(tmp_path / "aside")
    with RunWriter(tmp_path / "run") as second:
        second.manifest(MANIFEST)
        for write in (lambda: first.manifest(MANIFEST), lambda: first.begin_trial("0")):
            with pytest.raises(RunFolderError) as error:
                write()
        assert str(error.value) == (
            f"run folder {tmp_path / 'run'} was moved, removed or replaced while this process was "
            "writing it, so it stops here. What it wrote before is where the folder went"
        )
        first.close()  # and takes nothing of the other's away
        assert (tmp_path / "run" / HOLDER).exists()
        second.begin_trial("0")
        second.outcome(outcome())
    assert (tmp_path / "aside" / "run.json").exists()


def test_a_writer_whose_lock_file_was_removed_stops(tmp_path):
    first = RunWriter(tmp_path)
    (tmp_path / LOCK).unlink()
    with RunWriter(tmp_path) as second:
        with pytest.raises(RunFolderError, match="was moved, removed or replaced"):
            first.manifest(MANIFEST)
        second.manifest(MANIFEST)
    first.close()


def owner_elsewhere(folder, *, silent_for):
    """A host that holds the folder, where its lock is not seen by this one."""
    owner = {
        "process": 7,
        "user": "ann",
        "host": "far",
        "command": "lrtune search",
        "since": "noon",
    }
    (folder / HOLDER).write_text(json.dumps(owner))
    then = time.time() - silent_for
    os.utime(folder / HOLDER, (then, then))


def test_a_live_owner_on_another_host_refuses(tmp_path):
    owner_elsewhere(tmp_path, silent_for=20)
    with pytest.raises(RunFolderError) as error:
        RunWriter(tmp_path)
    assert str(error.value) == (
        f"run folder {tmp_path} is being written by process 7 of ann on far (lrtune search, since "
        "noon); wait until that process has ended, or choose another run folder"
    )
    assert json.loads((tmp_path / HOLDER).read_text())["host"] == "far"
    owner_elsewhere(tmp_path, silent_for=300)
    with RunWriter(tmp_path):
        assert json.loads((tmp_path / HOLDER).read_text())["host"] == socket.gethostname()


def test_an_owner_renews_the_time_of_its_file(tmp_path, monkeypatch):
    monkeypatch.setattr(lock, "_BEAT_SECONDS", 0.01)
    with RunWriter(tmp_path):
        os.utime(tmp_path / HOLDER, (0, 0))
        end = time.monotonic() + 10
        while (tmp_path / HOLDER).stat().st_mtime < 1000 and time.monotonic() < end:
            pass
        assert (tmp_path / HOLDER).stat().st_mtime > time.time() - 60
