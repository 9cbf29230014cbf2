"""A training's score: its last epoch, the mean of its tail, or its best epoch; by hand."""

from __future__ import annotations

import math

import pytest

from lrtune.stats.score import score_of_epochs, score_words, tail_length

CURVE = list(enumerate([0.5, 0.9, 0.6, 0.7, 0.65, 0.6, 0.7, 0.68, 0.7, 0.72, 0.74, 0.7], start=1))
"""Twelve epochs: a tail of two, .74 and .7."""


@pytest.mark.parametrize(
    ("epochs", "length"), [(1, 1), (3, 1), (10, 1), (11, 2), (20, 2), (21, 3), (27, 3), (50, 5)]
)
def test_the_tail_is_a_tenth_of_the_epochs_rounded_up(epochs, length):
    assert tail_length(epochs) == length


@pytest.mark.parametrize("factor", [2, 3, 4])
def test_a_promoted_trials_tail_is_within_what_it_trained(factor):
    for last in range(1, 300):
        assert tail_length(last) <= last - (-(-last // factor) if last > 1 else 0)


@pytest.mark.parametrize(
    ("rule", "direction", "expected"),
    [
        ("last", "max", (12, 0.7)),
        ("tail", "max", (12, 0.72)),
        ("tail", "min", (12, 0.72)),
        ("best", "max", (2, 0.9)),
        ("best", "min", (1, 0.5)),
    ],
)
def test_each_rule_gives_the_score_computed_by_hand(rule, direction, expected):
    assert score_of_epochs(CURVE, rule, direction) == pytest.approx(expected)


def test_a_promoted_trials_tail_counts_all_epochs_of_the_chain():
    own = [(epoch, float(epoch)) for epoch in range(10, 28)]  # its parent trained 9 epochs
    assert score_of_epochs(own, "tail", "max") == (27, 26.0)


def test_epochs_that_measured_nothing_are_not_part_of_the_tail():
    # Keras' validation_freq=2: of the last three of 26 epochs, the 24th and 26th were measured; of
    # the last three of 30, the 28th and 30th.
    even = [(epoch, epoch / 100) for epoch in range(2, 27, 2)]
    assert score_of_epochs(even, "tail", "max") == (26, pytest.approx((0.24 + 0.26) / 2))
    longer = [*even, (28, 0.5), (30, 0.7)]
    assert score_of_epochs(longer, "tail", "max") == (30, pytest.approx(0.6))


def test_a_tail_without_a_measurement_before_the_last_is_the_last_one():
    assert score_of_epochs([(10, 0.5), (20, 0.6)], "tail", "max") == (20, 0.6)


def test_an_earlier_epoch_of_the_tail_that_is_not_finite_is_left_out():
    curve = [*CURVE[:10], (11, math.nan), (12, 0.7)]
    assert score_of_epochs(curve, "tail", "max") == (12, 0.7)


@pytest.mark.parametrize("rule", ["last", "tail"])
@pytest.mark.parametrize("value", [math.inf, -math.inf])
def test_a_last_epoch_that_is_not_finite_is_the_score(rule, value):
    assert score_of_epochs([*CURVE, (13, value)], rule, "max") == (13, value)


def test_without_any_finite_epoch_the_last_one_is_the_score():
    assert score_of_epochs([(1, math.inf), (2, -math.inf)], "best", "max") == (2, -math.inf)


@pytest.mark.parametrize(
    ("rule", "epochs", "words"),
    [
        ("last", 50, "the last epoch"),
        ("best", 50, "the best epoch"),
        ("tail", 50, "the mean of the last 5 epochs"),
        ("tail", 10, "the last epoch"),
    ],
)
def test_what_a_score_is_in_words(rule, epochs, words):
    assert score_words(rule, epochs) == words
