from __future__ import annotations

import math
import statistics

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lrtune.errors import ArgumentError
from lrtune.stats.comparison import compare
from lrtune.stats.frames import comparison_frame
from lrtune.stats.wording import sentence

BASE = [0.68, 0.684, 0.676, 0.69, 0.681, 0.679, 0.688, 0.683]
# Better by .005 to .012, and now better, now worse.
GAIN = [0.69, 0.692, 0.683, 0.7, 0.693, 0.684, 0.697, 0.692]
NOISE = [0.678, 0.69, 0.672, 0.693, 0.684, 0.674, 0.689, 0.68]


def by_seed(values, first=1):
    return dict(enumerate(values, start=first))


def arms(**others):
    return {"constant": by_seed(BASE), **{name: by_seed(row) for name, row in others.items()}}


def only(comparison):
    (difference,) = comparison.differences
    return difference


def test_the_figures_of_one_arm_against_the_baseline_by_hand():
    comparison = compare(arms(step=GAIN), "constant", "max")

    difference = only(comparison)
    # .010 .008 .007 .010 .012 .005 .009 .009: mean .07 / 8
    assert difference.mean == pytest.approx(0.00875)
    assert difference.std == pytest.approx(statistics.stdev([10, 8, 7, 10, 12, 5, 9, 9]) / 1000)
    assert difference.p == difference.p_holm == 2 / 256
    assert 0.005 < difference.lower < difference.mean < difference.upper < 0.012
    assert (difference.verdict, difference.n, difference.missing) == ("better", 8, 0)
    assert difference.seeds_to_show is None
    base = comparison.arms[0]
    assert (base.name, base.n, base.mean) == ("constant", 8, pytest.approx(0.682625))
    assert base.std == pytest.approx(statistics.stdev(BASE))
    assert base.lower < base.mean < base.upper
    assert comparison.seeds == tuple(range(1, 9))


def test_less_is_better_for_a_loss():
    difference = only(compare(arms(step=GAIN), "constant", "min"))

    assert difference.mean == pytest.approx(-0.00875)
    assert difference.verdict == "worse"


def test_holms_correction_by_hand():
    # p is 2/256 twice and that of NOISE, the largest: times 3, times 2 but no less, times 1.
    comparison = compare(arms(a=GAIN, b=NOISE, c=[x - 0.02 for x in BASE]), "constant", "max")
    a, b, c = comparison.differences

    assert [a.p, c.p] == [2 / 256] * 2
    assert [a.p_holm, b.p_holm, c.p_holm] == pytest.approx([6 / 256, b.p, 6 / 256])
    assert [one.verdict for one in (a, b, c)] == ["better", "none", "worse"]
    assert [one.comparisons for one in comparison.differences] == [3] * 3


def test_a_small_p_value_is_no_verdict_after_correction():
    # 7 comparisons of 8 seeds: 7 * 2/256 = .055.
    others = {f"noise-{i}": [x + (-1) ** (s >> i) * 0.001 for s, x in enumerate(BASE)]
              for i in range(6)}  # fmt: skip
    comparison = compare(arms(step=GAIN, **others), "constant", "max")

    assert comparison.differences[0].p == 2 / 256
    assert comparison.differences[0].p_holm == pytest.approx(14 / 256)
    assert comparison.differences[0].lower > 0
    assert comparison.differences[0].verdict == "none"
    assert "but p = 0.055 adjusted for 7 comparisons" in sentence(comparison.differences[0])
    assert "8 seeds are too few for a verdict with 7" in sentence(comparison.differences[0])


def test_the_same_schedule_twice_has_no_difference_and_no_verdict():
    comparison = compare(arms(again=BASE), "constant", "max")

    difference = only(comparison)
    assert (difference.mean, difference.lower, difference.upper) == (0, 0, 0)
    assert (difference.p, difference.verdict, difference.seeds_to_show) == (1, "none", None)
    assert sentence(difference) == "exactly equal to the baseline with each of 8 seeds"


def test_the_same_difference_with_every_seed_is_a_difference():
    difference = only(compare(arms(step=[x + 0.25 for x in BASE]), "constant", "max"))

    assert (difference.lower, difference.upper) == pytest.approx((0.25, 0.25))
    assert (difference.p, difference.verdict) == (2 / 256, "better")


def test_a_seed_without_a_score_makes_no_pair():
    step = by_seed(GAIN)
    step[1] = math.nan
    del step[2]
    comparison = compare({"constant": by_seed(BASE), "step": step}, "constant", "max")

    difference, arm = only(comparison), comparison.arms[1]
    assert (difference.n, difference.missing, difference.p) == (6, 2, 2 / 64)
    assert (arm.n, arm.missing) == (6, 2)
    assert arm.mean == pytest.approx(statistics.fmean(GAIN[2:]))
    assert sentence(difference).endswith(
        "; 2 of 8 seeds not counted (no score in one of the two arms)"
    )


def test_a_comparison_with_too_few_seeds_has_summaries_but_no_test():
    scores = {"constant": by_seed(BASE[:5]), "step": by_seed(GAIN[:5]), "late": {}}

    comparison = compare(scores, "constant", "max")

    assert [one.verdict for one in comparison.differences] == ["untested", "untested"]
    assert [one.n for one in comparison.differences] == [5, 0]
    assert comparison.differences[0].mean == pytest.approx(0.0094)
    assert all(math.isnan(arm.lower) for arm in comparison.arms)


def test_losses_whose_squares_overflow_have_no_finite_deviation():
    difference = only(compare(arms(step=[1e300, *GAIN[1:]]), "constant", "min"))

    assert difference.mean == pytest.approx(-1e300 / 8)
    assert not math.isfinite(difference.std)
    assert difference.verdict == "none"


def test_an_arm_with_too_few_pairs_has_a_summary_but_no_test():
    scores = arms(step=GAIN, broken=[*GAIN[:5], math.nan, math.inf, math.nan])
    step, broken = compare(scores, "constant", "max").differences

    assert (broken.verdict, broken.n) == ("untested", 5)
    assert math.isnan(broken.p)
    assert math.isnan(broken.p_holm)
    assert broken.mean == pytest.approx(0.0094)
    # An untested arm does not count in Holm's correction.
    assert step.comparisons == 1
    assert sentence(broken) == (
        "not tested: 5 seeds have a score in both arms, and a test needs 6; 3 of 8 seeds not "
        "counted (no score in one of the two arms)"
    )


def test_an_arm_without_any_score():
    scores = arms(step=GAIN, broken=[math.nan] * 8)
    broken = compare(scores, "constant", "max").differences[1]

    assert (broken.n, broken.verdict) == (0, "untested")
    assert math.isnan(broken.mean)
    assert sentence(broken).startswith("not tested: no seeds have a score in both arms")


def test_selection_bias_is_how_much_better_the_search_score_was():
    searched = {"step": 0.71}
    for direction, sign in (("max", 1), ("min", -1)):
        base, step = compare(arms(step=GAIN), "constant", direction, search_scores=searched).arms
        assert step.selection_bias == pytest.approx(sign * (0.71 - statistics.fmean(GAIN)))
        assert math.isnan(base.selection_bias)


FEW = settings(max_examples=4, deadline=None)  # a comparison takes a quarter of a second
COUNTS = st.lists(st.integers(1200, 1500), min_size=8, max_size=8)


@FEW
@given(COUNTS, COUNTS, st.integers(-20, 20))
def test_a_shift_of_all_scores_changes_no_difference(base, other, shift):
    def scores(by):
        return {"a": by_seed([(x + by) / 2000 for x in base]),
                "b": by_seed([(x + by) / 2000 for x in other])}  # fmt: skip

    moved, kept = only(compare(scores(shift), "a", "max")), only(compare(scores(0), "a", "max"))
    assert (moved.p, moved.verdict) == (kept.p, kept.verdict)
    assert (moved.mean, moved.lower) == pytest.approx((kept.mean, kept.lower), abs=1e-12)


@FEW
@given(COUNTS, COUNTS)
def test_exchanging_the_arms_or_the_direction_changes_all_signs(base, other):
    scores = {"a": by_seed([x / 2000 for x in base]), "b": by_seed([x / 2000 for x in other])}
    one = only(compare(scores, "a", "max"))

    for turned in (compare(scores, "b", "max"), compare(scores, "a", "min")):
        difference = only(turned)
        assert difference.p == one.p
        assert difference.mean == pytest.approx(-one.mean)
        assert (difference.lower, difference.upper) == pytest.approx((-one.upper, -one.lower))


@FEW
@given(COUNTS, COUNTS, st.permutations(range(1, 9)))
def test_the_order_of_seeds_does_not_matter(base, other, order):
    scores = {"a": by_seed([x / 2000 for x in base]), "b": by_seed([x / 2000 for x in other])}
    shuffled = {name: {seed: row[seed] for seed in order} for name, row in scores.items()}

    # A search score for each arm avoids NaN, which is not equal to itself.
    searched = {"a": 0.7, "b": 0.7}
    one = compare(scores, "a", "max", search_scores=searched)
    assert compare(shuffled, "a", "max", search_scores=searched) == one


def test_arms_without_a_common_seed_are_untested():
    scores = {"a": by_seed(BASE), "b": by_seed(GAIN, first=100)}
    difference = only(compare(scores, "a", "max"))

    assert (difference.n, difference.missing, difference.verdict) == (0, 16, "untested")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"baseline": "x"}, ("scores must hold the baseline and at least one other arm. "
         "Received: baseline='x', arms 'constant', 'step'.")),
        ({"direction": "up"}, "direction must be 'max' or 'min'. Received: direction='up'."),
        ({"confidence": 1}, "confidence must be > 0 and < 1. Received: confidence=1."),
    ],
)  # fmt: skip
def test_arguments_outside_their_domain_are_errors(changes, message):
    arguments = {"baseline": "constant", "direction": "max", **changes}
    with pytest.raises(ArgumentError) as error:
        compare(arms(step=GAIN), **arguments)
    assert str(error.value) == message


def test_the_frame_has_one_row_per_arm():
    # Differences of .006 -.002 .006 -.002 .004 0 -.002 .003: mean .0016, standard error .0013.
    noise = [0.686, 0.682, 0.682, 0.688, 0.685, 0.679, 0.686, 0.686]
    comparison = compare(arms(step=GAIN, noise=noise), "constant", "max")
    frame = comparison_frame(comparison)

    assert frame["arm"].tolist() == ["constant", "step", "noise"]
    assert frame["is_baseline"].tolist() == [True, False, False]
    assert frame["difference"].tolist()[1:] == [one.mean for one in comparison.differences]
    assert frame["pairs"].isna().tolist() == [True, False, False]
    assert frame["seeds_to_show"].isna().tolist() == [True, True, False]
    assert frame.loc[0, "sentence"] == "the baseline"
    assert list(frame.columns) == [
        "arm", "is_baseline", "n", "missing", "mean", "std", "lower", "upper",
        "search_score", "selection_bias", "pairs", "difference", "difference_std",
        "difference_lower", "difference_upper", "p", "p_holm", "verdict", "seeds_to_show",
        "evidence", "sentence",
    ]  # fmt: skip
