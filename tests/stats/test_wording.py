from __future__ import annotations

import math

import pytest

from lrtune.stats.comparison import Difference
from lrtune.stats.wording import sentence


def difference(**changes):
    figures = {
        "arm": "step", "n": 8, "missing": 0, "mean": 0.0153, "std": 0.008, "lower": 0.0041,
        "upper": 0.0262, "p": 0.0078125, "p_holm": 0.03125, "comparisons": 4, "alpha": 0.05,
        "verdict": "better", "seeds_to_show": None, **changes,
    }  # fmt: skip
    return Difference(**figures)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, ("beats the baseline by 0.0153 [0.0041, 0.0262] unadjusted (adjusted p = 0.031, "
         "8 seeds)")),
        ({"comparisons": 1, "p_holm": 0.0078125},
         "beats the baseline by 0.0153 [0.0041, 0.0262] (p = 0.0078, 8 seeds)"),
        ({"p_holm": 0.0002, "n": 12, "missing": 1},
         ("beats the baseline by 0.0153 [0.0041, 0.0262] unadjusted (adjusted p < 0.001, 12 "
         "seeds); 1 of 13 seeds not counted (no score in one of the two arms)")),
        ({"verdict": "worse", "mean": -0.0153, "lower": -0.0262, "upper": -0.0041},
         ("worse than the baseline by 0.0153 [0.0041, 0.0262] unadjusted (adjusted p = 0.031, 8 "
         "seeds)")),
        ({"verdict": "none", "mean": -0.003, "lower": -0.0121, "upper": 0.0061, "p": 0.45,
          "p_holm": 1.0, "seeds_to_show": 123},
         ("no evidence of a difference: -0.0030 [-0.0121, 0.0061] unadjusted (adjusted p = 1, 8 "
         "seeds); about 123 seeds would show a difference of 0.0030, a guess from these very "
         "seeds")),
        ({"verdict": "none", "mean": 0.0, "p": 1.0, "p_holm": 1.0, "comparisons": 1},
         "no evidence of a difference: 0.0000 [0.0041, 0.0262] (p = 1, 8 seeds)"),
        ({"verdict": "none", "p": 0.9, "p_holm": 0.9, "seeds_to_show": 1001, "comparisons": 1},
         ("no evidence of a difference: 0.0153 [0.0041, 0.0262] (p = 0.9, 8 seeds); more than "
         "1,000 seeds would show a difference of 0.0153, a guess from these very seeds")),
        ({"verdict": "none", "p": 0.03125, "p_holm": 0.125, "n": 6, "seeds_to_show": 9},
         ("no evidence of a difference: 0.0153 [0.0041, 0.0262] unadjusted (p = 0.031, but p = "
         "0.12 adjusted for 4 comparisons, 6 seeds); 6 seeds are too few for a verdict with 4 "
         "comparisons, which takes 8; about 9 seeds would show a difference of 0.0153, a guess "
         "from these very seeds")),
        ({"verdict": "untested", "n": 1, "missing": 7, "p": math.nan},
         ("not tested: 1 seed has a score in both arms, and a test needs 6; 7 of 8 seeds not "
         "counted (no score in one of the two arms)")),
    ],
)  # fmt: skip
def test_a_verdict_in_words(changes, words):
    assert sentence(difference(**changes)) == words


def test_the_baseline_has_the_name_that_was_asked_for():
    words = sentence(difference(), baseline="the tuned constant rate")

    assert words.startswith("beats the tuned constant rate by 0.0153 [")


def test_the_number_of_decimals_is_the_one_that_was_asked_for():
    assert sentence(difference(), places=2).startswith("beats the baseline by 0.02 [0.00, 0.03]")
