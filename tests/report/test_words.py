from __future__ import annotations

import math

import pytest

from lrtune.report.words import brief, count, decimals, duration, fixed, mean_and_std, reason
from lrtune.schedules.recipe import Recipe
from lrtune.stats.baseline import Arm


@pytest.mark.parametrize(
    ("scores", "places"),
    [
        ([0.71, 0.68], 4),
        ([2.04], 3),
        ([153.8, 160.0], 1),
        ([15380.0], 0),
        ([0.0012], 6),
        ([0.69, 0.7, 1e30], 4),
        ([], 4),
        ([math.nan, math.inf, 0.0], 4),
    ],
)
def test_typical_scores_have_four_digits(scores, places):
    assert decimals(scores) == places


def test_fixed_numbers():
    assert fixed(0.71249, 4) == "0.7125"
    assert fixed(0.031, 4, sign=True) == "+0.0310"
    assert fixed(1e30, 4) == "1e+30"
    assert fixed(math.nan, 4) == "-"
    assert fixed(math.inf, 4) == "inf"


def test_brief_numbers():
    assert [brief(0.0012345), brief(0.5), brief(10.0), brief(math.nan)] == [
        "0.00123",
        "0.5",
        "10",
        "-",
    ]


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.04, "0.0 s"),
        (9.94, "9.9 s"),
        (9.96, "10 s"),
        (999.4, "999 s"),
        (999.6, "17 min"),
        (5999, "100 min"),
        (6000, "1.7 h"),
        (math.nan, "-"),
    ],
)
def test_durations_have_their_usual_unit(seconds, words):
    assert duration(seconds) == words


def test_counts_have_a_plural():
    assert [count(1, "trial"), count(0, "trial"), count(12345, "epoch")] == [
        "1 trial",
        "0 trials",
        "12,345 epochs",
    ]


def test_a_reason_is_the_first_line_that_is_not_blank():
    assert reason("\n  OOM when allocating\n at x") == "OOM when allocating"
    assert reason(None) == reason(" \n") == "no message"
    assert reason("x" * 200, most=10) == "xxxxxxx..."


def test_the_mean_of_an_arm_has_its_standard_deviation():
    recipe = Recipe.from_values({})

    # (.05**2 + .05**2) / 1 = .005, whose root is .0707.
    assert mean_and_std(Arm("a", recipe, (0.5, 0.6)), 3) == "0.550 ± 0.071 over 2 seeds"
    assert mean_and_std(Arm("a", recipe, (0.5,)), 3) == "0.500 with 1 seed"
