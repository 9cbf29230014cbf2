from __future__ import annotations

import itertools
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lrtune.errors import ArgumentError
from lrtune.records.reader import read_run
from lrtune.records.schema import Outcome, Span
from lrtune.stats.winner import Direction, best_trial, full_trials, ordered
from tests.runs import build_run

SCORES = st.floats(allow_nan=False, allow_infinity=False)


def outcome(trial_id, score, status="completed", planned=50):
    return Outcome(trial_id, status, {}, Span(1, planned, planned), 1, 1.0, score)


@given(SCORES, SCORES)
def test_direction_says_whether_more_or_less_is_better(a, b):
    assert Direction("max").better(a, b) == (a > b)
    assert Direction("min").better(a, b) == (a < b)
    assert (Direction("max").gain(a, b) > 0) == (a - b > 0)
    assert (Direction("min").gain(a, b) > 0) == (b - a > 0)


@given(st.lists(SCORES, min_size=1))
def test_the_best_is_the_first_of_equal_ones(scores):
    items = list(enumerate(scores))

    for name, choose in (("max", max), ("min", min)):
        index, score = Direction(name).best(items, lambda item: item[1])
        assert score == choose(scores)
        assert index == scores.index(score)


def test_an_item_without_a_score_is_never_the_best():
    assert Direction("max").best([math.nan, 0.1, math.nan], lambda score: score) == 0.1
    assert Direction("min").best([math.nan], lambda score: score) is None
    assert not Direction("min").better(math.nan, 1.0)
    assert not Direction("min").better(1.0, math.nan)


def test_any_other_direction_is_an_error():
    with pytest.raises(ArgumentError) as error:
        Direction("up")
    assert str(error.value) == "direction must be 'max' or 'min'. Received: direction='up'."


@pytest.mark.parametrize("direction", ["max", "min"])
def test_trials_are_ordered_by_status_budget_score_and_when_they_were_tried(direction):
    good, poor = (0.7, 0.6) if direction == "max" else (0.6, 0.7)
    right = [
        outcome("3", good),
        outcome("9", good),
        outcome("10", good),
        outcome("1", poor),
        outcome("4", good, planned=17),
        outcome("2", poor, planned=17),
        outcome("5", poor, "diverged"),
        outcome("6", good, "diverged", planned=17),
        outcome("0", None, "failed"),
        outcome("7", None, "failed", planned=17),
    ]

    assert ordered(reversed(right), direction) == right
    for mixed in itertools.islice(itertools.permutations(right), 0, 3_000_000, 30_011):
        assert ordered(mixed, direction) == right
    assert full_trials(right[::-1], direction, 50) == right[:4]


def test_the_winner_is_the_first_of_the_ranking_and_only_of_the_full_budget(tmp_path):
    run = read_run(build_run.small_run(tmp_path / "run"))
    assert best_trial(run).trial_id == "1"  # .712, the best of those of 50 epochs, by hand

    build_run.write_manifest(tmp_path / "short")
    build_run.write_trial(tmp_path / "short", "0", 0.9, epochs=(1, 17, 17))
    assert best_trial(read_run(tmp_path / "short")) is None
