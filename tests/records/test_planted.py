"""What somebody else put into a run folder leads nowhere: nothing outside it is read or written."""

from __future__ import annotations

import contextlib
import os
import stat
from typing import TYPE_CHECKING

import numpy as np
import pytest

from lrtune.errors import RunFolderError
from lrtune.records.lock import HOLDER, LOCK
from lrtune.records.parse import UNREADABLE, read_samples
from lrtune.records.reader import read_run, read_state
from lrtune.records.samples import Samples
from lrtune.records.tuner_files import read_proposal
from lrtune.records.writer import RunWriter, erase_run
from tests.records.test_writer import MANIFEST, outcome

if TYPE_CHECKING:
    from pathlib import Path

ARM = "baseline/constant-0.1/seed-1"
CONFIRMED = "confirm/trial-0/seed-11"
FILES = ("outcome.json", "epochs.jsonl", "state.npz", "trial.json", "samples.json")
NAMES = [
    LOCK, HOLDER, "run.json", "oracle.json", "tuner0.json", "report.html", "confirm/confirm.json",
    *(f"trial_0/{name}" for name in FILES), f"{ARM}/outcome.json", f"{CONFIRMED}/epochs.jsonl",
    f"{CONFIRMED}/samples.json",
]  # fmt: skip
NAMES += [
    f"{name}.tmp" for name in (HOLDER, "run.json", "trial_0/outcome.json", "trial_0/state.npz")
]
FOLDERS = ["trial_0", "baseline", "baseline/constant-0.1", ARM, "baseline/search", "confirm"]
SECRET = b"somebody's own file"
SAMPLES = Samples("val_accuracy", np.ones(3, bool), "0123456789abcdef")


def link_to_file(path: Path, outside: Path) -> None:
    path.symlink_to(outside / "secret.txt")


def link_to_nothing(path: Path, outside: Path) -> None:
    path.symlink_to(outside / "new.txt")


def link_to_folder(path: Path, outside: Path) -> None:
    path.symlink_to(outside)


def pipe(path: Path, outside: Path) -> None:
    os.mkfifo(path)


def folder(path: Path, outside: Path) -> None:
    path.mkdir()
    (path / "precious.txt").write_bytes(SECRET)


def device(path: Path, outside: Path) -> None:
    try:
        os.mknod(path, 0o600 | stat.S_IFCHR, os.makedev(1, 5))  # /dev/zero: it never ends
    except OSError:
        pytest.skip("only root may make a device")


def write_everything(run: Path) -> None:
    """Every write there is; each is refused by itself, or goes well."""
    with contextlib.suppress(RunFolderError), RunWriter(run) as writer:
        writes = [
            lambda: writer.manifest(MANIFEST),
            lambda: writer.oracle({}),
            lambda: writer.page("<p>"),
            lambda: writer.confirmation(MANIFEST),
            writer.erase_confirmation,
        ]
        for one in ("0", ARM, CONFIRMED):
            writes += [
                lambda one=one: writer.begin_trial(one),
                lambda one=one: writer.trial(one, {}),
                lambda one=one: writer.epoch(one, {"epoch": 1}),
                lambda one=one: writer.state(one, {"a": np.zeros(2)}),
                lambda one=one: writer.outcome(outcome(one), SAMPLES),
                lambda one=one: writer.drop_state(one),
            ]
        for write in writes:
            with contextlib.suppress(RunFolderError):
                write()


def read_everything(run: Path) -> None:
    with contextlib.suppress(RunFolderError):
        records = read_run(run)
        assert SECRET.decode() not in str(records.notices)
        for one in ("0", ARM, CONFIRMED):
            read_state(run, one)
            with contextlib.suppress(*UNREADABLE):
                read_samples(run, one)
        read_proposal(run, "0")


@pytest.fixture(autouse=True)
def _nothing_waits_for_the_disk(monkeypatch):
    monkeypatch.setattr(os, "fsync", lambda _: None)


def whole_run(run: Path) -> None:
    with RunWriter(run) as writer:
        writer.manifest(MANIFEST)
    write_everything(run)


@pytest.fixture
def outside(tmp_path):
    place = tmp_path / "outside"
    (place / "deeper").mkdir(parents=True)
    for path in (place / "secret.txt", place / "outcome.json", place / "deeper" / "state.npz"):
        path.write_bytes(SECRET)
    return place


def listing(place: Path):
    return {path: path.read_bytes() if path.is_file() else None for path in place.rglob("*")}


@pytest.mark.parametrize("plant", [link_to_file, link_to_nothing, link_to_folder, pipe, folder,
                                   device], ids=lambda one: one.__name__)  # fmt: skip
@pytest.mark.parametrize("name", [*NAMES, *FOLDERS])
def test_nothing_leads_out_of_a_run_folder(plant, name, tmp_path, outside):
    run = tmp_path / "run"
    whole_run(run)
    path = run / name
    if path.is_dir():
        path.rename(tmp_path / "aside")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    plant(path, outside)
    before = listing(outside)
    read_everything(run)
    write_everything(run)
    with contextlib.suppress(RunFolderError):
        erase_run(run)
    assert listing(outside) == before
    if plant is folder:
        assert (path / "precious.txt").read_bytes() == SECRET


def test_a_link_in_the_place_of_a_trials_folder_is_named(tmp_path, outside):
    run = tmp_path / "run"
    with RunWriter(run) as writer:
        writer.manifest(MANIFEST)
        (run / "trial_0").symlink_to(outside)
        with pytest.raises(RunFolderError) as error:
            writer.begin_trial("0")
    assert str(error.value) == (
        f"cannot write {run}/trial_0: it is a link, which is not followed. Everything saved so "
        "far is intact. Remove it, then run the same command again."
    )
    assert read_run(run).notices[0] == (
        "trial_0/outcome.json cannot be read (trial_0 is a link, which is not followed): its "
        "outcome is left out."
    )


def test_a_run_folder_may_be_a_link_itself(tmp_path):
    (tmp_path / "disk").mkdir()
    (tmp_path / "run").symlink_to(tmp_path / "disk")
    whole_run(tmp_path / "run")
    assert read_run(tmp_path / "run").outcomes == read_run(tmp_path / "disk").outcomes != ()
