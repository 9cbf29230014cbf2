"""Whole files are replaced at once or not at all."""

from __future__ import annotations

import os

import pytest

from lrtune._util import atomic


def test_the_new_content_replaces_the_old(tmp_path):
    path = tmp_path / "file"
    path.write_text("old")

    atomic.replace_file(path, lambda file: file.write(b"new"))

    assert path.read_text() == "new"
    assert list(tmp_path.iterdir()) == [path]


def test_until_the_end_readers_see_the_old_content(tmp_path):
    path = tmp_path / "file"
    path.write_text("old")
    seen = []

    atomic.replace_file(
        path, lambda file: file.write(b"new"), flushed=lambda: seen.append(path.read_text())
    )

    assert seen == ["old"]


def test_the_content_is_on_disk_before_the_file_has_its_name(tmp_path, monkeypatch):
    path = tmp_path / "file"
    synced = []
    monkeypatch.setattr(os, "fsync", lambda number: synced.append(path.exists()))

    atomic.replace_file(path, lambda file: file.write(b"new"))

    assert synced == [False]


@pytest.mark.parametrize("error", [OSError("full"), KeyboardInterrupt()])
def test_a_failed_write_leaves_the_old_content_and_no_temporary_file(tmp_path, error):
    path = tmp_path / "file"
    path.write_text("old")

    def fail(file):
        file.write(b"half")
        raise error

    with pytest.raises(type(error)):
        atomic.replace_file(path, fail)

    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_link_stays_and_its_target_is_replaced(tmp_path):
    (tmp_path / "folder").mkdir()
    target, link = tmp_path / "folder" / "target", tmp_path / "link"
    target.write_text("old")
    link.symlink_to(target)

    atomic.write_any(link, b"new")

    assert link.is_symlink()
    assert target.read_text() == "new"
    assert sorted(tmp_path.rglob("*")) == sorted([tmp_path / "folder", target, link])


def test_a_pipe_and_a_folder_are_refused_and_stay(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()

    for path in (tmp_path / "pipe", tmp_path / "folder"):
        with pytest.raises(ValueError, match=r"^it exists and is not a file$"):
            atomic.write_any(path, b"new")

    assert (tmp_path / "pipe").is_fifo()
    assert (tmp_path / "folder").is_dir()


def test_a_file_that_can_be_made_again_does_not_wait_for_the_disk(tmp_path, monkeypatch):
    synced = []
    monkeypatch.setattr(os, "fsync", synced.append)

    atomic.replace_file(tmp_path / "file", lambda file: file.write(b"new"), sync=False)

    assert synced == []
    assert (tmp_path / "file").read_bytes() == b"new"
