from __future__ import annotations

import numpy as np
import pytest

from lrtune.data.split import stratified_split
from lrtune.errors import DataError

PETS = {"class_names": ("cat", "dog"), "where": "pets.npz"}


def test_ten_thousand_images_are_split_80_to_20_with_the_same_mix():
    y = np.tile([0, 1], 5_000)
    stay, off = stratified_split(y, **PETS)
    assert (len(stay), len(off)) == (8_000, 2_000)
    assert np.bincount(y[stay]).tolist() == [4_000, 4_000]
    assert np.bincount(y[off]).tolist() == [1_000, 1_000]


def test_every_image_is_in_one_part_and_the_order_is_kept():
    y = np.random.default_rng(0).integers(0, 2, 101)
    stay, off = stratified_split(y, **PETS)
    assert sorted([*stay, *off]) == list(range(101))
    assert np.all(np.diff(stay) > 0)
    assert np.all(np.diff(off) > 0)


def test_uneven_classes_keep_their_proportions():
    y = np.repeat([0, 1, 2], [100, 50, 10])
    _, off = stratified_split(y, fraction=0.3, class_names=("a", "b", "c"), where="pets.npz")
    assert np.bincount(y[off]).tolist() == [30, 15, 3]


def test_the_same_seed_gives_the_same_split_and_another_seed_another():
    y = np.tile([0, 1], 50)
    first, again, other = (stratified_split(y, seed=seed, **PETS)[1].tolist() for seed in (0, 0, 1))
    assert first == again
    assert first != other


def test_the_default_split_never_changes():
    _, off = stratified_split(np.tile([0, 1], 10), **PETS)
    # By hand: the positions of the two smallest of the first ten, and of the next ten, of
    # default_rng(0).random().
    draws = np.random.default_rng(0).random(20)
    cats, dogs = np.argsort(draws[:10])[:2] * 2, np.argsort(draws[10:])[:2] * 2 + 1
    assert off.tolist() == sorted([*cats, *dogs])
    assert off.tolist() == [3, 4, 6, 7]


@pytest.mark.parametrize("fraction", [0.001, 0.2, 0.999])
def test_the_smallest_class_has_an_image_in_both_parts(fraction):
    y = np.repeat([0, 1], [50, 2])
    stay, off = stratified_split(y, fraction=fraction, **PETS)
    assert set(y[stay]) == set(y[off]) == {0, 1}


def test_a_class_of_one_image_is_named_with_its_count():
    with pytest.raises(DataError) as error:
        stratified_split(np.array([0, 0, 0, 1]), **PETS)
    assert str(error.value) == (
        "pets.npz: class 'dog' must have at least 2 images, so that one can be split off for the "
        "validation part. Received: 1"
    )
