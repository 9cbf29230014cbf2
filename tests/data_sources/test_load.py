from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from lrtune.data import Dataset, cifar10, load, synthetic
from lrtune.errors import ArgumentError, DataError


@pytest.fixture
def npz(tmp_path, arrays):
    np.savez(tmp_path / "pets.npz", **arrays)
    return tmp_path / "pets.npz"


@pytest.fixture
def few_synthetic(monkeypatch):
    """Draw 60 pets instead of 12,000."""
    few = synthetic.load_synthetic(train=50, test=10)
    monkeypatch.setattr(synthetic, "load_synthetic", lambda: few)


@pytest.fixture
def no_cifar10(monkeypatch):
    def fail(notify):
        raise DataError("CIFAR-10 could not be loaded. Tried keras: no network")

    monkeypatch.setattr(cifar10, "load_cifar10", fail)


def message(source, **options) -> str:
    with pytest.raises(DataError) as error:
        load(source, notify=pytest.fail, **options)
    return str(error.value)


def test_pixels_become_floats_from_0_to_1_and_no_image_is_lost(npz, arrays):
    data = load(npz)
    assert data.sizes == {"train": 16, "validation": 4, "test": 6}
    both = np.concatenate([data.train.x, data.validation.x])
    assert both.dtype == data.test.x.dtype == np.float32
    assert data.train.y.dtype == np.int64
    expected = sorted((image / np.float32(255)).tobytes() for image in arrays["x_train"])
    assert sorted(image.tobytes() for image in both) == expected
    np.testing.assert_array_equal(data.test.x, arrays["x_test"].astype("f4") / np.float32(255))
    assert data.source == "pets.npz"


def test_images_keep_their_labels(npz, arrays):
    data = load(npz)
    label_of = {
        (x / np.float32(255)).tobytes(): y
        for x, y in zip(arrays["x_train"], arrays["y_train"], strict=True)
    }
    for part in (data.train, data.validation):
        assert [label_of[x.tobytes()] for x in part.x] == part.y.tolist()
        assert np.bincount(part.y).tolist() == [len(part) // 2] * 2


def test_the_fingerprint_depends_on_the_split_and_not_on_the_path(npz, tmp_path):
    (tmp_path / "sub").mkdir()
    moved = tmp_path / "sub" / "other.npz"
    moved.write_bytes(npz.read_bytes())
    prints = [
        load(npz).fingerprint,
        load(str(moved)).fingerprint,
        load(npz, seed=1).fingerprint,
        load(npz, validation_fraction=0.4).fingerprint,
    ]
    assert prints[0] == prints[1]
    assert len(set(prints)) == 3
    assert all(len(print_) == 16 and int(print_, 16) >= 0 for print_ in prints)


def test_floats_and_bytes_of_the_same_images_train_alike(tmp_path, npz, arrays):
    floats = {key: arrays[key].astype(np.float32) for key in ("x_train", "x_test")}
    np.savez(tmp_path / "floats.npz", **(arrays | floats))
    np.testing.assert_array_equal(load(tmp_path / "floats.npz").train.x, load(npz).train.x)


def test_auto_falls_back_to_synthetic_images_with_a_warning(no_cifar10, few_synthetic, notices):
    data = load("auto", notify=notices.append)
    assert data.synthetic
    assert data.source == "synthetic"
    (warning,) = notices
    assert warning == (
        "WARNING: SYNTHETIC IMAGES. The search runs on cats and dogs drawn by lrtune. Its results "
        "say nothing about photographs. CIFAR-10 could not be loaded. Tried keras: no network"
    )


def test_by_default_the_warning_goes_to_stderr(no_cifar10, few_synthetic, capsys):
    load()
    captured = capsys.readouterr()
    assert captured.err.startswith("lrtune: WARNING: SYNTHETIC IMAGES. ")
    assert captured.out == ""


def test_cifar10_never_falls_back(no_cifar10):
    assert message("cifar10") == "CIFAR-10 could not be loaded. Tried keras: no network"


def test_auto_and_cifar10_are_the_same_images(monkeypatch, raw):
    monkeypatch.setattr(cifar10, "load_cifar10", lambda notify: raw)
    assert load("auto").fingerprint == load("cifar10").fingerprint


def test_synthetic_images_that_were_asked_for_need_no_warning(few_synthetic):
    data = load("synthetic", notify=pytest.fail)
    assert data.synthetic
    assert data.sizes == {"train": 40, "validation": 10, "test": 10}
    assert data.class_names == ("cat", "dog")


def test_a_folder_is_loaded_at_the_requested_size(tmp_path):
    for name in ("cat", "dog"):
        (tmp_path / "pets" / name).mkdir(parents=True)
        for i in range(5):
            Image.new("RGB", (9, 9)).save(tmp_path / "pets" / name / f"{i}.png")
    data = load(tmp_path / "pets", image_size=(16, 24), notify=pytest.fail)
    assert data.input_shape == (16, 24, 3)
    assert data.source == "pets/"
    assert data.sizes == {"train": 6, "validation": 2, "test": 2}


def test_a_path_in_the_home_folder_is_found(npz, monkeypatch):
    monkeypatch.setenv("HOME", str(npz.parent))
    assert load("~/pets.npz").source == "pets.npz"


@pytest.mark.parametrize("word", ["cifar100", "Auto", ""])
def test_an_unknown_source_gets_the_choices(word):
    assert message(word) == (
        "source must be 'auto', 'cifar10', 'synthetic', the path of an .npz file or the path of a "
        f"folder of images. Received: {word!r}"
    )


@pytest.mark.parametrize(
    "source", ["pets/none", "./none", "~nobody-of-this-name/none", Path("none"), "none.zip"]
)
def test_a_path_that_does_not_exist_is_named(source, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert message(source) == f"{source}: no such file or folder of images"


@pytest.mark.parametrize("source", ["a" * 5000, "a/\0"])
def test_an_impossible_file_name_is_an_error_on_one_line(source):
    assert "\n" not in message(source)


def test_a_missing_npz_is_named(tmp_path):
    assert message(tmp_path / "none.npz") == f"{tmp_path / 'none.npz'}: no such file"


def test_a_class_too_small_for_validation_is_named(tmp_path, arrays):
    labels = np.zeros(20, dtype=np.int64)
    labels[4] = 1
    np.savez(tmp_path / "pets.npz", **(arrays | {"y_train": labels}))
    assert message(tmp_path / "pets.npz") == (
        "pets.npz: class '1' must have at least 2 images, so that one can be split off for the "
        "validation part. Received: 1"
    )


@pytest.mark.parametrize("fraction", [0, 1, -0.1, 20, float("nan")])
def test_a_fraction_outside_its_domain_is_refused_before_anything_is_fetched(fraction, monkeypatch):
    monkeypatch.setattr(cifar10, "load_cifar10", pytest.fail)
    with pytest.raises(ArgumentError) as error:
        load("auto", validation_fraction=fraction)
    assert str(error.value) == (
        "validation_fraction must be a number > 0 and < 1. "
        f"Received: validation_fraction={fraction}."
    )


def test_a_negative_seed_is_refused_before_anything_is_fetched(monkeypatch):
    monkeypatch.setattr(cifar10, "load_cifar10", pytest.fail)
    with pytest.raises(ArgumentError) as error:
        load("auto", seed=-1)
    assert str(error.value) == "seed must be an integer >= 0. Received: seed=-1."


def test_loading_imports_neither_tensorflow_nor_keras(npz):
    code = (
        "import sys; from lrtune.data import load; load(sys.argv[1]); "
        "print(sorted({'tensorflow', 'keras', 'keras_tuner', 'sklearn'} & set(sys.modules)))"
    )
    root = str(Path(__file__).parents[2])
    done = subprocess.run(
        [sys.executable, "-c", code, str(npz)],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": root},
    )
    assert (done.stdout, done.stderr) == ("[]\n", "")


def test_the_public_names():
    import lrtune.data

    assert lrtune.data.__all__ == ["Dataset", "Split", "load"]
    assert lrtune.data.Dataset is Dataset
