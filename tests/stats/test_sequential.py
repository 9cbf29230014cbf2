from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from lrtune.errors import ArgumentError
from lrtune.stats.sequential import (
    confidence_interval,
    e_values,
    evidence,
    prior_scale,
    usual_scale,
)

# Differences of accuracies on 2,000 images: multiples of .0005, so that ties abound.
PAIRS = st.lists(st.integers(-80, 160), min_size=1, max_size=20).map(
    lambda counts: [count / 2000 for count in counts]
)
S0 = 0.014
NOT_FINITE = "differences must be finite numbers; leave out seeds without a score in both arms."


def by_hand(differences, s0, centre=0.0):
    """The product of the docstring, term by term; the scale from d - max(centre, 0)."""
    product, path, total = 1.0, [], 3 * s0**2
    for i, one in enumerate(differences, start=1):
        scale = math.sqrt(total / (i + 2))
        product *= 1 + 0.9 * math.tanh((one - centre) / scale)
        path.append(product)
        total += min(abs(one - max(centre, 0)), 3 * scale) ** 2
    return path


def test_the_evidence_of_two_pairs_by_hand():
    # s_1 = .01, tanh 1 = .76159416; s_2^2 = (3 * .01^2 + .01^2) / 4 = .01^2, tanh -2 = -.96402758.
    found = e_values(np.array([0.01, -0.02]), 0.01)

    expected = [1.685434741, 1.685434741 * (1 - 0.9 * 0.9640275801)]
    np.testing.assert_allclose(found, expected, rtol=1e-9)


@settings(deadline=None)
@given(PAIRS)
def test_the_evidence_is_the_product_of_the_bets(differences):
    np.testing.assert_allclose(e_values(np.array(differences), S0), by_hand(differences, S0))


def test_a_pair_far_off_counts_as_three_scales_by_hand():
    # s_1 = .01, and both .5 and -.04 count as .03: s_2^2 = (3 * .01^2 + .03^2) / 4 = 3 * .01^2.
    for far in (0.5, -0.04):
        path = e_values(np.array([far, 0.01]), 0.01)
        assert path[1] / path[0] == pytest.approx(1 + 0.9 * math.tanh(3**-0.5))


def test_one_collapsed_seed_does_not_hide_a_gain_for_long():
    # The arm's second seed ends at chance. With its whole square in the scale, it takes 16 pairs.
    differences = [0.03, -0.19] + [0.03] * 18

    assert evidence(differences, S0).verdict == "better"
    assert evidence(differences, S0).n == 12


@settings(max_examples=50, deadline=None)
@given(st.lists(st.floats(0.001, 1), min_size=1, max_size=8))
def test_on_average_over_all_signs_no_bet_gains(sizes):
    # Under the null hypothesis all 2**n signs are equally likely: the mean of E is exactly 1.
    n = len(sizes)
    signs = 1 - 2 * ((np.arange(2**n)[:, None] >> np.arange(n)) & 1)

    np.testing.assert_allclose(e_values(signs * np.array(sizes), S0).mean(axis=0), 1)


def test_a_tie_changes_nothing_but_the_scale():
    path = evidence([0.01, 0.0, 0.01], 0.01).trajectory

    assert path[0] == path[1]
    # s_3^2 = (3 * .01^2 + .01^2) / 5.
    assert path[2] / path[1] == pytest.approx(1 + 0.9 * math.tanh(math.sqrt(5 / 4)))


def test_rows_are_tests_of_their_own_each_with_its_scale():
    rows = np.random.default_rng(0).normal(0, 0.02, (2, 3, 7))
    scales = np.array([[0.01, 0.02, 0.03], [0.001, 0.1, 1]])
    found = e_values(rows, scales)

    for index in np.ndindex(2, 3):
        np.testing.assert_allclose(found[index], e_values(rows[index], scales[index]))


def test_a_large_gain_is_shown_after_five_pairs():
    # 1.9**4 = 13 is too little; .5 is many scales in each pair: 1.9**5 = 24.8.
    found = evidence([0.5] * 8, 0.001)

    assert (found.n, found.verdict, found.reason) == (5, "better", "shown")
    assert found.e == pytest.approx(1.9**5, abs=0.01)


def test_no_arm_is_given_up_before_four_pairs():
    assert evidence([-0.1] * 3, S0).verdict == "undecided"
    found = evidence([-0.1] * 9, S0)
    assert (found.n, found.verdict, found.reason) == (4, "not shown", "unlikely")


def test_twelve_pairs_that_lean_neither_way_are_the_last():
    # One pair below 0, then ties.
    differences = [-0.005] + [0.0] * 19

    assert evidence(differences[:11], S0).verdict == "undecided"
    found = evidence(differences, S0)
    assert (found.n, found.verdict, found.reason) == (12, "not shown", "no trend")
    assert 0.3 < found.e < 1


def test_evidence_of_exactly_one_goes_on_until_all_seeds_are_used():
    found = evidence([0.0] * 30, S0)

    assert (found.n, found.e, found.reason) == (20, 1.0, "all seeds")
    assert evidence([0.0] * 19, S0).verdict == "undecided"
    assert evidence([0.0] * 30, S0, max_seeds=25).n == 25


def test_the_last_pair_may_still_show_a_gain():
    assert evidence([0.5] * 5, 0.001, max_seeds=5).verdict == "better"


def test_more_seeds_go_on_after_not_shown_and_may_end_otherwise():
    differences = [-0.03, -0.02, 0.0, -0.01] + [0.03] * 20

    assert evidence(differences, S0).n == 4
    assert evidence(differences, S0, min_seeds=8).verdict == "not shown"
    found = evidence(differences, S0, min_seeds=15)
    assert found.verdict == "better"
    assert found.trajectory == evidence(differences[: found.n], S0, min_seeds=20).trajectory


def test_with_more_seeds_the_second_rule_waits_as_well():
    found = evidence([-0.005] + [0.0] * 19, S0, min_seeds=15)

    assert (found.n, found.reason) == (15, "no trend")


def test_no_pairs_are_no_evidence():
    found = evidence([], S0)

    assert (found.n, found.e, found.trajectory, found.verdict) == (0, 1.0, (), "undecided")
    assert found.interval == (-math.inf, math.inf)


@settings(deadline=None)
@given(PAIRS, st.integers(1, 20))
def test_what_comes_after_the_first_stop_does_not_count(differences, min_seeds):
    found = evidence(differences, S0, min_seeds=min_seeds)

    assert found.differences == tuple(differences[: found.n])
    assert evidence(found.differences, S0, min_seeds=min_seeds) == found
    assert max((1.0, *found.trajectory[:-1])) < 20
    assert (found.verdict == "better") == (found.e >= 20)
    assert (found.verdict == "undecided") == (found.reason == "")
    if found.n < len(differences):
        assert found.verdict != "undecided"


@settings(deadline=None)
@given(PAIRS, st.sampled_from([1e-9, 3.0, 1e9]))
def test_the_unit_of_the_objective_does_not_matter(differences, unit):
    scaled = np.array(differences) * unit

    np.testing.assert_allclose(e_values(scaled, S0 * unit), e_values(np.array(differences), S0))
    np.testing.assert_allclose(
        confidence_interval(scaled, S0 * unit),
        unit * np.array(confidence_interval(differences, S0)),
    )


def test_losses_whose_squares_overflow_have_evidence():
    path = evidence([1e200, -1e200, 1e-200], 1e-200).trajectory

    # s_2^2 = (3 + 9) / 4 = 3 and s_3^2 = (3 + 9 + 27) / 5, in units of 1e-200.
    expected = [1.9, 0.19, 0.19 * (1 + 0.9 * math.tanh(math.sqrt(5 / 39)))]
    assert path == pytest.approx(expected)


@settings(deadline=None)
@given(PAIRS, st.integers(1, 20))
def test_the_lower_bound_is_above_0_if_and_only_if_the_arm_is_shown_to_be_better(
    differences, min_seeds
):
    found = evidence(differences, S0, min_seeds=min_seeds)
    lower, upper = found.interval

    assert (lower > 0) == (found.verdict == "better")
    assert (upper < 0) == (max(by_hand([-one for one in found.differences], S0)) >= 20)
    assert lower < upper


@settings(max_examples=50, deadline=None)
@given(PAIRS)
def test_the_lower_bound_is_the_first_centre_that_is_not_ruled_out(differences):
    assume(len(differences) >= 5)
    lower, _ = confidence_interval(differences, S0)

    # Where E touches 20 from below, rounding decides.
    assert max(by_hand(differences, S0, lower - 1e-6)) >= 20 - 1e-6
    assert max(by_hand(differences, S0, lower + 1e-6)) < 20 + 1e-6
    for below in np.linspace(0.001, 1, 15):
        assert max(by_hand(differences, S0, lower - below)) >= 20


@settings(max_examples=50, deadline=None)
@given(st.lists(st.integers(-20, 160), min_size=6, max_size=20), st.sampled_from([0.1, 1, 3]))
def test_all_centres_below_the_lower_bound_are_ruled_out(counts, factor):
    # Nothing proves that the evidence falls as a centre above 0 rises, so the bound is searched.
    differences, s0 = [count / 2000 for count in counts], factor * S0
    lower, _ = confidence_interval(differences, s0)

    for below in np.linspace(1e-9, 0.1, 100):
        assert max(by_hand(differences, s0, lower - below)) >= 20 - 1e-9


@settings(deadline=None)
@given(PAIRS)
def test_swapping_the_arms_mirrors_the_interval(differences):
    lower, upper = confidence_interval(differences, S0)

    assert confidence_interval([-one for one in differences], S0) == (-upper, -lower)


@settings(deadline=None)
@given(PAIRS, st.integers(1, 19))
def test_further_pairs_only_narrow_the_interval(differences, n):
    lower, upper = confidence_interval(differences[:n], S0)
    later = confidence_interval(differences, S0)

    assert later[0] >= lower - 1e-9
    assert later[1] <= upper + 1e-9


def test_four_pairs_say_nothing_about_the_centre():
    assert confidence_interval([0.01] * 4, S0) == (-math.inf, math.inf)
    assert np.isfinite(confidence_interval([0.01] * 5, S0)).all()


def test_the_interval_of_twenty_pairs_is_a_sixth_wider_than_students():
    rows = np.random.default_rng(8).normal(0.01, S0, (200, 20))
    widths = [np.ptp(confidence_interval(row, S0)) for row in rows]
    # The 95 % of Student's t with 19 degrees of freedom, which hold for one look only.
    student = 2 * 2.093 * rows.std(axis=1, ddof=1) / math.sqrt(20)

    assert 1.1 < np.median(widths / student) < 1.25


@pytest.mark.parametrize(
    ("std", "expected"),
    [
        (0.01, 0.01 * 2**0.5),
        (1e-6, 1e-6 * 2**0.5),
        (0.0, 0.003),
        (math.nan, 0.003),
        (math.inf, 0.003),
    ],
)
def test_the_prior_scale_is_that_of_two_arms_that_vary_alike(std, expected):
    assert prior_scale(std, 0.003) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("objective", "mean", "usual"),
    [
        ("val_accuracy", 0.7, 0.003),
        ("val_top_5_accuracy", 0.9, 0.003),
        ("val_loss", 2.0, 0.02),
        ("val_r2", -0.5, 0.005),
        ("val_loss", 0.0, 1e-12),
    ],
)
def test_without_seeds_the_scale_is_a_share_of_the_references_mean(objective, mean, usual):
    assert usual_scale(objective, mean) == pytest.approx(usual)


def test_a_gain_in_a_small_loss_is_shown():
    # Paired losses of a forecast over 20 seeds: the mean is 3.6 standard errors above 0. The search
    # that came before had losses of up to .3, with which the scale has nothing to do.
    gains = [9, 4, 0, 41, 5, 2, 15, 12, 13, 1, 19, 15, 2, 1, 0, -6, 8, 17, -1, 8]
    reference = [0.0139, 0.0141, 0.0141]
    s0 = prior_scale(np.std(reference, ddof=1), usual_scale("val_loss", 0.014))
    found = evidence([gain / 10_000 for gain in gains], s0)
    assert found.verdict == "better"
    assert found.n <= 10


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: evidence([math.nan], S0), f"{NOT_FINITE} Received: differences=array([nan])."),
        (lambda: confidence_interval([math.inf], S0), f"{NOT_FINITE} Received: differences=[inf]."),
        (lambda: evidence([0.1], 0), "s0 must be a finite number > 0. Received: s0=0."),
        (
            lambda: evidence([0.1], math.nan),
            "s0 must be a finite number > 0. Received: s0=nan.",
        ),
        (
            lambda: evidence([0.1], S0, min_seeds=0),
            "min_seeds must be an integer >= 1. Received: min_seeds=0.",
        ),
        (
            lambda: evidence([0.1], S0, max_seeds=7, min_seeds=8),
            "max_seeds must be an integer >= 8. Received: max_seeds=7.",
        ),
        (lambda: prior_scale(-1.0, 0.003), "std must be a number >= 0. Received: std=-1.0."),
        (lambda: prior_scale(0.01, 0.0), "usual must be a finite number > 0. Received: usual=0.0."),
    ],
)
def test_arguments_outside_their_domain_are_errors(call, message):
    with pytest.raises(ArgumentError) as error:
        call()
    assert str(error.value) == message
