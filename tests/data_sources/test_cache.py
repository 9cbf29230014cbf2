from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import platformdirs
import pytest

from lrtune.data.cache import folder, read_npz, write_npz
from lrtune.errors import DataError

ARRAYS = {"x": np.arange(1000, dtype=np.uint8), "y": np.ones(3, np.uint8)}


def test_the_folder_is_the_users_unless_the_environment_names_another(monkeypatch, tmp_path):
    monkeypatch.delenv("LRTUNE_CACHE", raising=False)
    assert folder() == Path(platformdirs.user_cache_dir("lrtune", appauthor=False))
    monkeypatch.setenv("LRTUNE_CACHE", str(tmp_path))
    assert folder() == tmp_path


def test_what_is_written_is_read_and_no_temporary_file_stays(cache):
    assert write_npz("a.npz", ARRAYS) is None
    read = read_npz("a.npz")
    assert read is not None
    assert list(read) == ["x", "y"]
    for key, array in ARRAYS.items():
        np.testing.assert_array_equal(read[key], array)
    assert [file.name for file in cache.iterdir()] == ["a.npz"]


def test_a_file_that_is_not_there_is_no_error(cache):
    assert read_npz("a.npz") is None


def test_a_flipped_byte_anywhere_in_the_arrays_is_damage(cache):
    write_npz("a.npz", ARRAYS)
    path = cache / "a.npz"
    whole = path.read_bytes()
    last = whole.index(ARRAYS["x"].tobytes()) + 999
    path.write_bytes(whole[:last] + b"\0" + whole[last + 1 :])
    with pytest.raises(DataError) as error:
        read_npz("a.npz")
    assert str(error.value) == "a.npz cannot be read (Bad CRC-32 for file 'x.npy')"


@pytest.mark.parametrize("length", [0, 50, 1000])
def test_a_torn_file_is_damage(cache, length):
    write_npz("a.npz", ARRAYS)
    path = cache / "a.npz"
    path.write_bytes(path.read_bytes()[:length])
    with pytest.raises(DataError) as error:
        read_npz("a.npz")
    assert str(error.value) == "a.npz cannot be read (File is not a zip file)"


def test_pickled_arrays_are_never_loaded(cache):
    cache.mkdir()
    np.savez(cache / "a.npz", x=np.array([[], None], dtype=object))
    with pytest.raises(DataError) as error:
        read_npz("a.npz")
    assert str(error.value) == (
        "a.npz cannot be read (Object arrays cannot be loaded when allow_pickle=False)"
    )


def test_a_folder_that_cannot_be_made_is_a_message_and_no_error(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("LRTUNE_CACHE", str(tmp_path / "file" / "cache"))
    assert write_npz("a.npz", ARRAYS) == (
        f"the cache folder {tmp_path / 'file' / 'cache'} cannot be written (Not a directory)"
    )
    assert read_npz("a.npz") is None


def test_a_full_disk_leaves_the_older_file_and_nothing_else(cache, monkeypatch):
    write_npz("a.npz", ARRAYS)
    before = (cache / "a.npz").read_bytes()

    def full(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    assert write_npz("a.npz", {"x": np.zeros(5, np.uint8)}) == (
        f"the cache folder {cache} cannot be written (No space left on device)"
    )
    assert (cache / "a.npz").read_bytes() == before
    assert [file.name for file in cache.iterdir()] == ["a.npz"]


def test_an_interrupt_leaves_nothing_behind(cache, monkeypatch):
    def interrupt(descriptor):
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupt)
    with pytest.raises(KeyboardInterrupt):
        write_npz("a.npz", ARRAYS)
    assert list(cache.iterdir()) == []
