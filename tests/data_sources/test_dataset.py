from __future__ import annotations

import dataclasses
import hashlib

import numpy as np
import pytest

from lrtune.data.dataset import Dataset, Split, fingerprint
from lrtune.errors import ArgumentError


def split(labels) -> Split:
    y = np.array(labels, dtype=np.int64)
    x = np.arange(len(y), dtype=np.float32).reshape(-1, 1, 1, 1) * np.ones((1, 4, 5, 3), "f4")
    return Split(x, y)


@pytest.fixture
def dataset() -> Dataset:
    return Dataset(
        train=split([0, 0, 0, 0, 0, 0, 1, 1, 1, 2, 2, 2]),
        validation=split([2, 1, 0, 2, 1, 0]),
        test=split([0, 1, 2]),
        class_names=("cat", "dog", "emu"),
        source="pets.npz",
        fingerprint="0123456789abcdef",
    )


def test_the_shape_of_an_image_the_classes_and_the_sizes_are_reported(dataset):
    assert dataset.input_shape == (4, 5, 3)
    assert dataset.num_classes == 3
    assert dataset.sizes == {"train": 12, "validation": 6, "test": 3}
    assert len(dataset.validation) == 6


def test_only_the_source_named_synthetic_is_synthetic(dataset):
    assert not dataset.synthetic
    assert not dataclasses.replace(dataset, source="synthetic.npz").synthetic
    assert dataclasses.replace(dataset, source="synthetic").synthetic


def test_a_subset_holds_the_first_images_of_each_class_in_the_same_mix(dataset):
    # Half of 6 + 3 + 3; of the odd classes, three halves is one and two.
    train = dataset.subset(train=6).train
    assert train.x[:, 0, 0, 0].tolist() == [0, 1, 2, 6, 7, 9]
    assert train.y.tolist() == [0, 0, 0, 1, 1, 2]


def test_a_larger_subset_contains_a_smaller_one(dataset):
    held: set[float] = set()
    for n in range(3, 13):
        images = set(dataset.subset(train=n).train.x[:, 0, 0, 0].tolist())
        assert len(images) == n
        assert images >= held
        held = images


def test_the_smallest_subset_has_one_image_of_each_class(dataset):
    small = dataset.subset(train=3, validation=3)
    assert sorted(small.train.y) == sorted(small.validation.y) == [0, 1, 2]
    assert small.test is dataset.test


def test_each_subset_has_its_own_fingerprint(dataset):
    prints = {
        dataset.subset(**sizes).fingerprint
        for sizes in ({}, {"train": 6}, {"train": 5}, {"validation": 5}, {"validation": 4})
    }
    assert len(prints) == 5
    assert dataset.subset(train=6).fingerprint == dataset.subset(train=6).fingerprint


def test_a_subset_of_everything_is_the_dataset_itself(dataset):
    assert dataset.subset() is dataset
    assert dataset.subset(train=12, validation=6) is dataset


@pytest.mark.parametrize("wanted", [-1, 0, 2, 13])
def test_a_subset_outside_its_domain_is_refused(dataset, wanted):
    with pytest.raises(ArgumentError) as error:
        dataset.subset(train=wanted)
    assert str(error.value) == (f"train must be an integer from 3 to 12. Received: train={wanted}.")


def test_the_fingerprint_is_the_hash_of_little_endian_bytes_on_any_machine(raw):
    validation = np.array([1, 4], dtype=np.int64)
    expected = hashlib.sha256()
    for kind, array in (
        ("u1", raw.x_train),
        ("<i8", raw.y_train),
        ("u1", raw.x_test),
        ("<i8", raw.y_test),
        ("<i8", validation),
    ):
        expected.update(f"{kind}{array.shape}".encode() + array.astype(kind).tobytes())
    assert fingerprint(raw, validation) == expected.hexdigest()[:16]
    foreign = dataclasses.replace(raw, y_train=raw.y_train.astype(">i8"))
    assert fingerprint(foreign, validation) == fingerprint(raw, validation)


def test_one_grey_level_one_label_or_one_moved_image_changes_the_fingerprint(raw):
    def changed(key, at):
        array = getattr(raw, key).copy()
        array[at] ^= 1
        return dataclasses.replace(raw, **{key: array})

    validation = np.array([1, 4], dtype=np.int64)
    variants = [
        raw,
        changed("x_train", (3, 2, 1, 0)),
        changed("y_train", 3),
        changed("x_test", (0, 0, 0, 0)),
        changed("y_test", 0),
    ]
    prints = {fingerprint(variant, validation) for variant in variants}
    assert len(prints | {fingerprint(raw, np.array([1, 5]))}) == 6


def test_the_fingerprint_does_not_depend_on_the_names_and_the_source(raw):
    validation = np.array([1, 4], dtype=np.int64)
    renamed = dataclasses.replace(raw, class_names=("a", "b"), source="cifar10 (npm)")
    assert fingerprint(renamed, validation) == fingerprint(raw, validation)
