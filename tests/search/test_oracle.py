"""What lrtune sets up differently in Keras Tuner's oracles."""

from __future__ import annotations

import keras_tuner
import pytest

from lrtune.errors import ArgumentError
from lrtune.search.oracle import hyperband_plan, initial_points, oracle_seed, resolve_seed, rung


def hyperband(**arguments):
    return keras_tuner.oracles.HyperbandOracle(
        objective=keras_tuner.Objective("val_loss", "min"), **arguments
    )


def total(plan):
    return sum(size for size, _, _ in plan), sum(
        size * (last - first) for size, first, last in plan
    )


def test_the_plan_of_9_epochs_is_the_one_worked_out_by_hand():
    assert hyperband_plan(hyperband(max_epochs=9)) == [
        *[(3, 0, 9)],
        *[(5, 0, 3), (2, 3, 9)],
        *[(9, 0, 1), (3, 1, 3), (1, 3, 9)],
    ]


@pytest.mark.parametrize(
    ("max_epochs", "factor", "expected"),
    [
        (1, 3, (1, 1)),  # bracket 0: ceil(1 + 0) = 1
        (3, 3, (3 + 1 + 2, 3 * 1 + 1 * 2 + 2 * 3)),
        (4, 2, (4 + 2 + 1 + 3 + 2 + 3, 4 * 1 + 2 * 1 + 1 * 2 + 3 * 2 + 2 * 2 + 3 * 4)),
        (9, 3, (23, 75)),
        (27, 3, (70, 375)),
    ],
)
def test_the_plan_counts_trials_and_epochs(max_epochs, factor, expected):
    plan = hyperband_plan(hyperband(max_epochs=max_epochs, factor=factor))
    assert total(plan) == expected


def test_iterations_repeat_the_plan():
    once = hyperband_plan(hyperband(max_epochs=9))
    assert hyperband_plan(hyperband(max_epochs=9, hyperband_iterations=2)) == once * 2


@pytest.mark.parametrize(
    ("max_trials", "dimensions", "points"),
    [
        (1, 7, 1),
        (2, 7, 1),
        (3, 7, 1),
        (6, 7, 2),
        (20, 7, 6),
        (63, 7, 21),
        (1000, 7, 21),
        (20, 1, 3),
    ],
)
def test_initial_points_are_a_third_of_the_trials_and_at_most_three_a_dimension(
    max_trials, dimensions, points
):
    assert initial_points(max_trials, dimensions) == points


def test_every_seed_is_one_to_keras_tuner():
    assert [oracle_seed(seed) for seed in (1, 2, 2**31 - 1)] == [1, 2, 2**31 - 1]
    assert oracle_seed(0) == 2**32 - 1  # the largest that scikit-learn takes, and no seed of ours


def test_a_seed_is_kept_and_none_draws_one():
    assert [resolve_seed(seed) for seed in (0, 7, 2**31 - 1)] == [0, 7, 2**31 - 1]
    drawn = {resolve_seed(None) for _ in range(20)}
    assert len(drawn) > 1
    assert all(1 <= seed <= 10_000 for seed in drawn)


@pytest.mark.parametrize("seed", [-1, 2**31, 1.0, "1", False])
def test_what_is_no_seed_is_refused(seed):
    with pytest.raises(ArgumentError) as error:
        resolve_seed(seed)
    assert str(error.value) == f"seed must be an int from 0 to 2147483647. Received: seed={seed!r}."


def test_hyperbands_values_tell_the_epochs_and_the_parent():
    values = {"lr0": 0.1, "tuner/initial_epoch": 3, "tuner/epochs": 9, "tuner/trial_id": "0004"}
    assert rung(values, 50) == (3, 9, "0004")
    del values["tuner/trial_id"]
    assert rung(values, 50) == (3, 9, None)
    assert rung({"lr0": 0.1}, 50) == (0, 50, None)
