"""The file that keeps CIFAR-10's cats and dogs for the next run."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import platformdirs
import pytest

from lrtune.data import cifar10
from lrtune.data.dataset import RawImages
from lrtune.errors import DataError


@pytest.fixture
def pets(cache, monkeypatch) -> RawImages:
    """A set of CIFAR-10's kind: 20 training and 4 test images."""
    monkeypatch.setattr(cifar10, "TRAIN_PER_CLASS", 10)
    monkeypatch.setattr(cifar10, "TEST_PER_CLASS", 2)
    rng = np.random.default_rng(3)
    train, test = (rng.integers(0, 256, (n, 32, 32, 3), dtype=np.uint8) for n in (20, 4))
    for name, x in (("TRAIN_SUMS", train), ("TEST_SUMS", test)):  # cats are even, dogs odd
        sums = [[int(c) for c in x[label::2].reshape(-1, 3).sum(axis=0)] for label in (0, 1)]
        monkeypatch.setattr(cifar10, name, tuple(map(tuple, sums)))
    return RawImages(
        train, np.tile([0, 1], 10), test, np.tile([0, 1], 2), ("cat", "dog"), "cifar10 (npm)"
    )


def read_message() -> str:
    with pytest.raises(DataError) as error:
        cifar10.read_cache()
    return str(error.value)


def test_the_folder_is_the_users_unless_the_environment_names_another(monkeypatch, tmp_path):
    monkeypatch.delenv("LRTUNE_CACHE", raising=False)
    usual = Path(platformdirs.user_cache_dir("lrtune", appauthor=False))
    assert cifar10.cache_file() == usual / "cifar10_cats_dogs.npz"
    monkeypatch.setenv("LRTUNE_CACHE", str(tmp_path))
    assert cifar10.cache_file() == tmp_path / "cifar10_cats_dogs.npz"


def test_the_images_come_back_as_written_and_no_temporary_file_stays(cache, pets):
    cifar10.write_cache(pets, pytest.fail)
    read = cifar10.read_cache()
    for key in ("x_train", "y_train", "x_test", "y_test"):
        np.testing.assert_array_equal(getattr(read, key), getattr(pets, key))
    assert (read.class_names, read.source) == (("cat", "dog"), "cifar10 (cache)")
    assert [file.name for file in cache.iterdir()] == ["cifar10_cats_dogs.npz"]


def test_a_changed_byte_anywhere_in_the_arrays_is_damage(cache, pets):
    cifar10.write_cache(pets, pytest.fail)
    path = cifar10.cache_file()
    whole = bytearray(path.read_bytes())
    last = whole.index(pets.x_train.tobytes()) + pets.x_train.size - 1
    whole[last] ^= 1
    path.write_bytes(whole)
    assert read_message() == (
        "cifar10_cats_dogs.npz: x_train is damaged (Bad CRC-32 for file 'x_train.npy')"
    )


@pytest.mark.parametrize("length", [0, 50, 1000])
def test_a_torn_file_is_damage(cache, pets, length):
    cifar10.write_cache(pets, pytest.fail)
    path = cifar10.cache_file()
    path.write_bytes(path.read_bytes()[:length])
    assert "it cannot be read (File is not a zip file)" in read_message()


def test_pickled_arrays_are_never_loaded(cache, pets):
    cache.mkdir()
    arrays = {key: getattr(pets, key) for key in ("x_train", "y_train", "x_test")}
    np.savez(cifar10.cache_file(), **arrays, y_test=np.array([[], None], dtype=object))
    assert "y_test must be an array of numbers. Received: pickled Python objects" in read_message()


def test_a_full_disk_leaves_the_older_file_and_nothing_else(cache, pets, notices, monkeypatch):
    cifar10.write_cache(pets, pytest.fail)
    before = cifar10.cache_file().read_bytes()

    def full(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    cifar10.write_cache(pets, notices.append)
    assert notices == [
        (
            "CIFAR-10 is used but not kept for the next run: "
            f"the cache folder {cache} cannot be written (No space left on device)"
        )
    ]
    assert cifar10.cache_file().read_bytes() == before
    assert [file.name for file in cache.iterdir()] == ["cifar10_cats_dogs.npz"]


def test_an_interrupt_leaves_nothing_behind(cache, pets, monkeypatch):
    def interrupt(descriptor):
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupt)
    with pytest.raises(KeyboardInterrupt):
        cifar10.write_cache(pets, pytest.fail)
    assert list(cache.iterdir()) == []
