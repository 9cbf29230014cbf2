"""What is in a run folder is whole, whatever happens, and only runs are ever erased."""

from __future__ import annotations

import errno
import json
import math
import os
import shutil

import numpy as np
import pytest

from lrtune.errors import RunFolderError
from lrtune.records import schema
from lrtune.records.files import append_line, replace_json
from lrtune.records.own import foreign_names
from lrtune.records.reader import read_run, read_state
from lrtune.records.writer import RunWriter, erase_run, refuse_foreign_folder
from tests.runs import build_run

MANIFEST = build_run.manifest(
    max_epochs=4,
    max_trials=2,
    families=("constant", "step"),
    space=({"class_name": "Float", "config": {"name": "lr0"}},),
    baseline_arms={"constant-0.1": {"lr0": 0.1}},
    baseline_seeds=(1, 2),
    data=schema.DataRecord("synthetic", "abc", {"train": 10}, synthetic=True),
)


def outcome(trial_id="0", **changes):
    fields = {
        "trial_id": trial_id,
        "status": "completed",
        "values": {"lr0": 0.1},
        "epochs": schema.Span(1, 4, 4),
        "seed": 7,
        "seconds": 1.5,
        "score": 0.75,
        **changes,
    }
    return schema.Outcome(**fields)


@pytest.fixture
def writer(tmp_path):
    with RunWriter(tmp_path / "runs" / "run") as writer:
        writer.manifest(MANIFEST)
        writer.begin_trial("0")
        yield writer


def files(folder):
    """All but the lock."""
    found = [path for path in folder.rglob("*") if path.is_file() and path.name[0] != "."]
    return sorted(str(path.relative_to(folder)) for path in found)


def test_written_records_can_be_read_back(writer):
    for trial_id in ("0", "baseline/constant-0.1/seed-2"):
        writer.begin_trial(trial_id)
        for epoch in (1, 2, 3, 4):
            writer.epoch(trial_id, {"epoch": epoch})
        writer.outcome(outcome(trial_id))
    records = read_run(writer.folder)
    assert records.manifest == MANIFEST
    assert records.outcomes == (outcome(),)
    assert records.baseline == {"constant-0.1": (outcome("baseline/constant-0.1/seed-2"),)}
    assert records.notices == ()


def test_no_temporary_file_is_left(writer):
    writer.outcome(outcome())
    writer.state("0", {"a": np.zeros(2)})
    assert files(writer.folder) == [
        "run.json",
        "trial_0/outcome.json",
        "trial_0/state.npz",
    ]


def test_a_file_that_cannot_be_written_leaves_the_old_one(writer):
    writer.outcome(outcome())
    before = (writer.folder / "trial_0" / "outcome.json").read_bytes()
    with pytest.raises(TypeError):
        writer.outcome(outcome(values={"lr0": object()}))
    assert (writer.folder / "trial_0" / "outcome.json").read_bytes() == before
    assert files(writer.folder) == ["run.json", "trial_0/outcome.json"]


def test_a_state_that_cannot_be_written_leaves_the_old_one(writer):
    writer.state("0", {"a": np.arange(3)})
    with pytest.raises(ValueError, match="Object arrays cannot be saved"):
        writer.state("0", {"a": np.array([object()])})
    assert read_state(writer.folder, "0")["a"].tolist() == [0, 1, 2]
    assert files(writer.folder) == ["run.json", "trial_0/state.npz"]


def test_a_kill_before_the_rename_leaves_the_old_file(writer, monkeypatch):
    writer.outcome(outcome())

    def killed(fd):
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", killed)
    with pytest.raises(KeyboardInterrupt):
        writer.outcome(outcome(score=0.9))
    assert read_run(writer.folder).outcomes == (outcome(),)


def test_numbers_that_are_not_finite_are_null(writer):
    writer.epoch("0", {"epoch": 1, "loss": math.nan, "val_loss": np.float32("inf"), "lr": 0.1})
    writer.outcome(outcome(values={"a": -math.inf, "b": [math.nan, {"c": np.float64("nan")}]}))
    line = (writer.folder / "trial_0" / "epochs.jsonl").read_text()
    assert line == '{"epoch": 1, "loss": null, "val_loss": null, "lr": 0.1}\n'
    raw = json.loads((writer.folder / "trial_0" / "outcome.json").read_text())
    assert raw["values"] == {"a": None, "b": [None, {"c": None}]}


def test_numpy_numbers_are_written_as_plain_numbers(writer):
    record = {"epoch": np.int64(1), "loss": np.float32(0.5), "ok": np.bool_(True)}
    writer.epoch("0", record)
    line = (writer.folder / "trial_0" / "epochs.jsonl").read_text()
    assert line == '{"epoch": 1, "loss": 0.5, "ok": true}\n'


def test_an_epoch_can_be_read_as_soon_as_it_is_written(writer):
    for epoch in (1, 2, 3):
        writer.epoch("0", {"epoch": epoch, "loss": 0.5})
        rows = read_run(writer.folder).epochs("0")
        assert [row["epoch"] for row in rows] == list(range(1, epoch + 1))


def test_a_restarted_trial_drops_the_files_of_its_earlier_try(writer):
    writer.epoch("0", {"epoch": 1})
    writer.outcome(outcome())
    writer.state("0", {"a": np.zeros(1)})
    (writer.folder / "trial_0" / "trial.json").write_text("{}")
    writer.begin_trial("0")
    assert files(writer.folder) == ["run.json", "trial_0/trial.json"]


def test_states_round_trip_bit_for_bit(writer):
    state = {
        "model/0": np.array([[0.1, -0.0], [np.nan, np.inf]], "float32"),
        "optimizer/0": np.array(7, "int64"),
        "seed": np.array([1, 2], "uint32"),
        "untrained/val_loss": np.float64(0.7),
        "build": np.array('{"input_shape": [null, 4]}'),
    }
    writer.state("0", state)
    found = read_state(writer.folder, "0")
    assert list(found) == list(state)
    for name, array in state.items():
        assert (found[name].dtype, found[name].shape) == (array.dtype, array.shape)
        assert found[name].tobytes() == array.tobytes()


def test_a_state_is_never_unpickled(writer):
    class Trap:
        def __reduce__(self):
            return pytest.fail, ("unpickled",)

    np.savez(writer.folder / "trial_0" / "state.npz", a=np.array([Trap()], dtype=object))
    assert read_state(writer.folder, "0") is None


def test_a_dropped_or_missing_state_is_none(writer):
    assert read_state(writer.folder, "0") is None
    writer.drop_state("0")
    writer.state("0", {"a": np.zeros(1)})
    writer.drop_state("0")
    assert read_state(writer.folder, "0") is None


def test_a_folder_that_cannot_be_created_is_named(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(RunFolderError) as error:
        RunWriter(tmp_path / "file" / "run")
    assert str(error.value) == (
        f"cannot write to run folder {tmp_path / 'file' / 'run'}: Not a directory; choose another "
        "run folder"
    )


def test_a_folder_with_foreign_files_is_refused(tmp_path):
    (tmp_path / "mine.txt").touch()
    for refuse in (refuse_foreign_folder, erase_run):
        with pytest.raises(RunFolderError) as error:
            refuse(tmp_path)
        assert str(error.value) == (
            f"run folder {tmp_path} is not empty and holds no run. Choose another run folder"
        )


def test_a_file_is_refused(tmp_path):
    (tmp_path / "file").touch()
    for refuse in (refuse_foreign_folder, erase_run):
        with pytest.raises(RunFolderError) as error:
            refuse(tmp_path / "file")
        assert str(error.value) == (
            f"run folder {tmp_path / 'file'} is a file. Give a folder that does not exist yet"
        )
    assert (tmp_path / "file").exists()


def test_a_missing_an_empty_and_a_run_folder_are_accepted(tmp_path):
    for folder in (tmp_path, tmp_path / "missing"):
        refuse_foreign_folder(folder)
        erase_run(folder)
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "oracle.json").touch()
    assert started(tmp_path) == ["oracle.json", "run.json"]


def started(folder):
    """The files of a search that starts in the folder."""
    refuse_foreign_folder(folder)
    with RunWriter(folder) as writer:
        writer.manifest(MANIFEST)
    return files(folder)


def test_a_folder_with_only_a_lock_counts_as_empty(tmp_path):
    RunWriter(tmp_path).close()
    assert started(tmp_path) == ["run.json"]


@pytest.mark.parametrize("name", ["run.json.tmp", ".lock.json.tmp"])
def test_a_folder_whose_first_file_is_not_whole_yet_is_empty(tmp_path, name):
    (tmp_path / name).write_text("{")
    assert started(tmp_path) == ["run.json"]


def test_erasing_a_run_removes_everything_in_it(writer):
    writer.outcome(outcome())
    writer.close()
    erase_run(writer.folder)
    assert files(writer.folder) == []
    assert not any(path.is_dir() for path in writer.folder.iterdir())


def test_a_folder_without_a_run_is_never_erased(tmp_path):
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "cat.png").touch()
    with pytest.raises(RunFolderError, match="is not empty and holds no run"):
        erase_run(tmp_path)
    assert files(tmp_path) == ["photos/cat.png"]


def test_erasing_a_run_leaves_what_lrtune_did_not_write(writer):
    writer.outcome(outcome())
    writer.close()
    for name in (".git/config", "notes.txt", "trial_0/mine.txt", "data.tmp", "trial_0/x.json.tmp"):
        (writer.folder / name).parent.mkdir(exist_ok=True)
        (writer.folder / name).write_text("mine")
    mine = [".git", "data.tmp", "notes.txt", "trial_0/mine.txt", "trial_0/x.json.tmp"]
    assert foreign_names(writer.folder) == mine
    erase_run(writer.folder)
    assert foreign_names(writer.folder) == mine
    assert files(writer.folder) == [".git/config", *mine[1:]]
    with RunWriter(writer.folder) as again:  # and sweeping temporary files leaves those of others
        again.manifest(MANIFEST)
    assert files(writer.folder) == [".git/config", "data.tmp", "notes.txt", "run.json", *mine[3:]]


@pytest.mark.parametrize("name", ["run.json", "oracle.json"])
def test_a_folder_with_somebody_elses_file_of_our_name_is_not_erased(name, tmp_path):
    (tmp_path / name).write_text('{"scripts": {"run": "node"}}')
    (tmp_path / "src").mkdir()
    with pytest.raises(RunFolderError) as error:
        erase_run(tmp_path)
    assert str(error.value).startswith(
        f"cannot erase run folder {tmp_path}: its run.json is not one that lrtune wrote ("
    )
    assert str(error.value).endswith("). Delete the folder yourself, or choose another run folder")
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([name, "src"])


def test_a_confirmation_is_erased_without_what_lrtune_did_not_write(writer):
    (writer.folder / "confirm" / "a" / "seed-1").mkdir(parents=True)
    (writer.folder / "confirm" / "a" / "seed-1" / "outcome.json").write_text("{}")
    (writer.folder / "confirm" / "confirm.json").write_text("{}")
    (writer.folder / "confirm" / "notes.txt").write_text("mine")
    writer.erase_confirmation()
    assert files(writer.folder) == ["confirm/notes.txt", "run.json"]
    assert not (writer.folder / "confirm" / "a").exists()


def test_a_link_to_a_run_is_not_followed(writer, tmp_path):
    link = tmp_path / "link"
    link.symlink_to(writer.folder)
    with pytest.raises(RunFolderError) as error:
        erase_run(link)
    assert str(error.value) == f"cannot erase run folder {link}: it is a link"
    assert files(writer.folder) == ["run.json"]


def test_a_second_writer_is_refused_with_the_name_of_the_first(writer):
    with pytest.raises(RunFolderError) as error:
        RunWriter(writer.folder)
    assert f"run folder {writer.folder} is being written by process {os.getpid()} of " in str(
        error.value
    )
    assert str(error.value).endswith(
        "; wait until that process has ended, or choose another run folder"
    )
    with pytest.raises(RunFolderError, match="is being written by process"):
        erase_run(writer.folder)
    assert files(writer.folder) == ["run.json"]


def test_a_lock_left_by_a_dead_process_is_taken_over(writer):
    holder = (writer.folder / ".lock.json").read_text()
    writer.close()
    assert not (writer.folder / ".lock.json").exists()
    (writer.folder / ".lock.json").write_text(holder)  # as a process that was killed leaves it
    RunWriter(writer.folder).close()


def test_an_unreadable_holder_is_called_another_process(writer):
    (writer.folder / ".lock.json").write_text("{")
    with pytest.raises(RunFolderError, match="is being written by another process;"):
        RunWriter(writer.folder)


def test_temporary_files_of_a_killed_search_are_removed(writer):
    writer.close()
    (writer.folder / "trial_0" / "state.npz.tmp").write_text("half")
    with RunWriter(writer.folder):
        assert files(writer.folder) == ["run.json"]


def test_a_full_disk_is_a_one_sentence_error_and_keeps_the_old_file(writer, monkeypatch):
    writer.outcome(outcome())

    def full(fd):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    path = writer.folder / "trial_0" / "outcome.json"
    with pytest.raises(RunFolderError) as error:
        writer.outcome(outcome(score=0.9))
    assert str(error.value) == (
        f"cannot write {path}: No space left on device. Everything saved so far is intact. Fix "
        "this, then run the same command again."
    )
    assert read_run(writer.folder).outcomes == (outcome(),)


def test_a_removed_run_folder_is_not_created_again_in_part(writer):
    shutil.rmtree(writer.folder)
    for write in (
        lambda: writer.begin_trial("1"),
        lambda: writer.trial("1", {}),
        lambda: writer.epoch("0", {"epoch": 1}),
        lambda: writer.outcome(outcome()),
        lambda: writer.oracle({}),
    ):
        with pytest.raises(RunFolderError, match=r"was moved, removed or replaced while"):
            write()
    assert not writer.folder.exists()


@pytest.mark.parametrize(
    "trial_id",
    ["..", "0/..", "/etc", "baseline/../seed-1", "baseline/a/b/seed-1", "0\n", "", "\u0663"],
)
def test_an_id_that_points_outside_the_run_folder_is_refused(writer, trial_id):
    with pytest.raises(RunFolderError, match=r"^a trial's id must be a number, or baseline/ARM"):
        writer.begin_trial(trial_id)


def test_keras_tuners_files_are_written_where_it_looks_for_them(writer):
    writer.trial("0", {"trial_id": "0"})
    writer.oracle({"seed": 1})
    assert files(writer.folder) == ["oracle.json", "run.json", "trial_0/trial.json", "tuner0.json"]
    assert json.loads((writer.folder / "tuner0.json").read_text()) == {}


def test_a_folder_that_goes_while_a_file_is_written_is_named_as_gone(tmp_path):
    path = tmp_path / "run" / "trial_0" / "epochs.jsonl"  # as if checked a moment before
    for write in (lambda: append_line(path, "{}"), lambda: replace_json(path, {})):
        with pytest.raises(RunFolderError) as error:
            write()
        assert str(error.value) == (
            f"cannot write {path}: its folder was moved, removed or replaced while this process "
            "was writing it, so it stops here. What it wrote before is where the folder went"
        )


def test_only_what_nothing_else_says_waits_for_the_disk(writer, monkeypatch):
    writer.oracle({})  # its first write makes tuner0.json, too
    synced = []
    monkeypatch.setattr(os, "fsync", synced.append)
    for write, waits in (
        (lambda: writer.trial("0", {}), False),
        (lambda: writer.oracle({}), False),
        (lambda: writer.epoch("0", {"epoch": 1}), False),
        (lambda: writer.state("0", {"a": np.zeros(2)}), True),
        (lambda: writer.outcome(outcome()), True),
    ):
        synced.clear()
        write()
        assert len(synced) == waits
