from __future__ import annotations

import math

import pytest
from statsmodels.stats.power import TTestPower

from lrtune.errors import ArgumentError
from lrtune.stats.power import MOST, fewest_seeds, seeds_to_show


@pytest.mark.parametrize(
    ("comparisons", "fewest"), [(1, 6), (2, 7), (3, 7), (4, 8), (6, 8), (7, 9), (12, 9), (13, 10)]
)
def test_the_fewest_seeds_are_the_first_whose_smallest_p_value_passes_holms_first_step(
    comparisons, fewest
):
    assert fewest_seeds(comparisons) == fewest
    assert 2 / 2**fewest <= 0.05 / comparisons < 2 / 2 ** (fewest - 1)


def test_a_level_that_is_a_power_of_two_is_reached_exactly():
    assert fewest_seeds(1, 2 / 2**7) == 7


@pytest.mark.parametrize("size", [0.1, 0.3, 0.5, 0.9, 1.2, 1.5, 3.0, 10.0, 1e6])
@pytest.mark.parametrize(("n", "comparisons"), [(6, 1), (8, 4), (20, 12)])
def test_the_seeds_are_the_first_that_have_the_power(size, n, comparisons):
    # By trying one number after another. NaN is a power that cannot be told from 1.
    if size < 1 / math.sqrt(n):
        assert seeds_to_show(-size * 0.007, 0.007, n, comparisons) is None
        return
    fewest = max(n + 1, fewest_seeds(comparisons))
    power = TTestPower().power
    expected = next(
        (
            seeds
            for seeds in range(fewest, MOST + 1)
            if not power(size, seeds, 0.05 / comparisons) < 0.8
        ),
        MOST + 1,
    )

    assert seeds_to_show(-size * 0.007, 0.007, n, comparisons) == expected


def test_a_difference_of_half_a_deviation_by_the_textbook():
    # Cohen, "Statistical Power Analysis" (1988): 34 pairs for d = .5, two-sided .05, power .8.
    assert seeds_to_show(0.5, 1.0, 8) == 34


def test_a_difference_within_one_standard_error_has_no_such_number():
    # Of 16 pairs with a deviation of .04 the standard error is .01.
    assert seeds_to_show(0.0099, 0.04, 16) is None
    assert seeds_to_show(-0.0099, 0.04, 16) is None
    assert seeds_to_show(0.0101, 0.04, 16) > 100


def test_for_a_difference_of_0_no_number_of_seeds_is_given():
    assert seeds_to_show(0.0, 0.01, 8) is None
    assert seeds_to_show(math.nan, math.nan, 0) is None


def test_a_difference_without_noise_needs_the_fewest_seeds_of_a_verdict():
    assert seeds_to_show(0.01, 0.0, 6, comparisons=4) == 8


def test_what_is_out_of_its_domain_is_refused():
    with pytest.raises(ArgumentError, match=r"^comparisons must be >= 1\. Received: comparisons"):
        fewest_seeds(0)
    with pytest.raises(ArgumentError, match=r"^alpha must be > 0 and < 1\. Received: alpha=1\.$"):
        fewest_seeds(1, 1)
