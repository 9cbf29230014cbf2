"""Temporary folders that are removed while somebody still writes to them."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING

from lrtune.runner import scratch

if TYPE_CHECKING:
    from pathlib import Path


def test_nothing_written_while_a_folder_is_removed_brings_it_back(tmp_path: Path, monkeypatch):
    folder, owner = scratch.make_folder(tmp_path)
    (folder / "job").write_bytes(b"0" * 10)
    unlink = os.unlink

    def write_meanwhile(name, *args, **kwargs):
        with suppress(FileNotFoundError):  # as a worker that trains on for a moment
            (folder / "state").write_bytes(b"1")
        unlink(name, *args, **kwargs)

    monkeypatch.setattr(os, "unlink", write_meanwhile)
    scratch.remove(folder)
    os.close(owner)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_another_worker_removes_is_no_error(tmp_path: Path):
    folder, owner = scratch.make_folder(tmp_path)
    os.close(owner)
    scratch.remove(folder)
    scratch.remove(folder)
    assert list(tmp_path.iterdir()) == []
