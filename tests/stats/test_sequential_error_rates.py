"""What the sequential test costs, how often it is wrong, and what it sees: `pytest -m long`.

Arms have seeds of standard deviation .01 (accuracy), and the reference's is known. Figures are
logged: `pytest -m long --log-cli-level INFO tests/stats/test_sequential_error_rates.py`.
"""

from __future__ import annotations

import logging
import math

import numpy as np
import pytest

from lrtune.stats.sequential import (
    ACCURACY_SCALE,
    Evidence,
    confidence_interval,
    e_values,
    evidence,
    prior_scale,
)
from tests.stats.test_error_rates import error_of, verdicts

pytestmark = pytest.mark.long
log = logging.getLogger(__name__)

REPETITIONS = 10_000
SEEDS = 20
SD = 0.01
ACCURACY, CHANCE = 0.69, 0.5
ALPHA = 0.05
CHOOSING = 8
S0 = prior_scale(SD, ACCURACY_SCALE)


def normal(draw, shape):
    return draw.standard_normal(shape)


def exponential(draw, shape):
    """Skewness -2: a few bad seeds."""
    return 1 - draw.exponential(1, shape)


def lognormal(draw, shape):
    """Skewness -2, with a heavier tail, as in test_coverage.py."""
    sigma = 0.5513
    one, square = np.exp(sigma * draw.standard_normal(shape)), math.exp(sigma**2)
    return (math.exp(sigma**2 / 2) - one) / math.sqrt((square - 1) * square)


def student(draw, shape):
    return draw.standard_t(3, shape) / math.sqrt(3)


def accuracies(draw, noise, gain=0.0, sd=SD, collapse=0.0):
    """One arm: shape (repetitions, seeds). A share `collapse` of the seeds ends at chance."""
    scores = ACCURACY + gain + sd * noise(draw, (REPETITIONS, SEEDS))
    return np.where(draw.random(scores.shape) < collapse, CHANCE, scores)


def judged(differences, s0=S0, **how) -> list[Evidence]:
    scales = np.broadcast_to(s0, len(differences))
    return [
        evidence(row, float(scale), **how) for row, scale in zip(differences, scales, strict=True)
    ]


def better(found):
    return float(np.mean([one.verdict == "better" for one in found]))


def pairs(found):
    return float(np.mean([one.n for one in found]))


def chosen(draw, gain):
    """The true gain of the arm chosen of three, of which the first has one.

    Two seeds each on the validation data, and a third for the best two: 8 trainings.
    """
    gains = np.array([gain, 0.0, 0.0])
    scores = gains[:, None] + SD * draw.standard_normal((REPETITIONS, 3, 3))
    two = scores[:, :, :2].mean(axis=-1)
    three = np.where(two > two.min(axis=-1, keepdims=True), scores.mean(axis=-1), -np.inf)
    return gains[three.argmax(axis=-1)]


@pytest.mark.parametrize(
    ("gain", "trainings", "power"), [(0.0, 22, 0.029), (0.01, 29, 0.61), (0.02, 23, 0.98)]
)
def test_choosing_and_testing_one_arm_takes_few_trainings(gain, trainings, power):
    draw = np.random.default_rng([int(1000 * gain), 1])
    true = chosen(draw, gain)[:, None]
    differences = true + math.sqrt(2) * SD * draw.standard_normal((REPETITIONS, SEEDS))
    found = judged(differences)
    # The reference's deviation from three seeds instead of the true one.
    few = SD * np.sqrt(draw.chisquare(2, REPETITIONS) / 2)
    guessed = judged(differences, [prior_scale(one, ACCURACY_SCALE) for one in few])

    log.info("gain %.2f in one of 3: %.1f trainings, 'better' %.3f +- %.3f; s0 of three seeds: "
             "%.1f, %.3f", gain, CHOOSING + 2 * pairs(found), better(found),
             error_of(better(found), REPETITIONS), CHOOSING + 2 * pairs(guessed),
             better(guessed))  # fmt: skip
    assert CHOOSING + 2 * pairs(found) == pytest.approx(trainings, abs=0.6)
    assert better(found) == pytest.approx(power, abs=0.02)
    assert better(guessed) == pytest.approx(better(found), abs=0.03)


@pytest.mark.parametrize("below", [0.0, 0.02])
@pytest.mark.parametrize("gain", [0.0, 0.01, 0.02])
def test_the_fixed_design_takes_twice_as_many_trainings_and_sees_less(gain, below):
    """Three trials and three constant rates of eight seeds: sign-flip tests, Holm's correction.

    Two of the constant rates are worse than the third by `below`. Where they get a verdict, the
    correction for the others is smaller.
    """
    draw = np.random.default_rng([int(1000 * gain), 2])
    scores = SD * draw.standard_normal((REPETITIONS, 6, 8))
    scores[:, 1] += gain
    scores[:, 4:] -= below
    found = verdicts(scores) == 1
    seen = float((found[:, 0] if gain else found.any(axis=1)).mean())

    log.info("gain %.2f in one of 3, two constant rates worse by %.2f, 6 arms x 8 seeds: 48 "
             "trainings, 'better' %.3f +- %.3f", gain, below, seen,
             error_of(seen, REPETITIONS))  # fmt: skip
    assert seen < {0.0: 0.025, 0.01: 0.15, 0.02: 0.62}[gain]


def rounded(noise, to):
    """Ties: accuracies that are multiples of 1 / to."""

    def draw_rounded(draw, shape):
        scores = ACCURACY + SD * noise(draw, shape)
        return (np.round(scores * to) / to - ACCURACY) / SD

    return draw_rounded


SYMMETRIC = {
    "normal": (normal, 0.0),
    "exponential": (exponential, 0.0),
    "log-normal": (lognormal, 0.0),
    "t, 3 df": (student, 0.0),
    "ties, 1 / 2000": (rounded(normal, 2000), 0.0),
    "ties, 1 / 50": (rounded(normal, 50), 0.0),
    "1 seed in 8 at chance": (normal, 1 / 8),
    "1 seed in 20 at chance": (normal, 1 / 20),
}


def both_sides(differences):
    """How often the test says "better", and ever would if it never gave up; and for -d."""
    never = [
        float((e_values(d, S0).max(axis=-1) >= 20).mean()) for d in (differences, -differences)
    ]
    return better(judged(differences)), *never


@pytest.mark.parametrize("name", SYMMETRIC)
def test_equal_arms_that_vary_alike_are_rarely_called_better(name):
    noise, collapse = SYMMETRIC[name]
    draw = np.random.default_rng([len(name), 3])
    arm, reference = (accuracies(draw, noise, collapse=collapse) for _ in range(2))
    found = both_sides(arm - reference)

    log.info("no gain, %s in both arms: 'better' %.3f; without giving up %.3f, reversed %.3f", name,
             *found)  # fmt: skip
    assert max(found) <= ALPHA + 4 * error_of(ALPHA, REPETITIONS)


@pytest.mark.parametrize("correlation", [0.3, 0.8])
def test_arms_whose_seeds_are_alike_are_no_exception(correlation):
    draw = np.random.default_rng([int(10 * correlation), 4])
    common, *own = draw.standard_normal((3, REPETITIONS, SEEDS))
    arm, reference = (
        SD * (math.sqrt(correlation) * common + math.sqrt(1 - correlation) * one) for one in own
    )
    found = both_sides(arm - reference)
    seen = {gain: better(judged(arm - reference + gain)) for gain in (0.01, 0.02)}

    log.info("correlation %.1f: 'better' %.3f; without giving up %.3f, reversed %.3f; power %.3f "
             "for .01, %.3f for .02", correlation, *found, *seen.values())  # fmt: skip
    assert max(found) <= ALPHA + 4 * error_of(ALPHA, REPETITIONS)


@pytest.mark.parametrize(
    ("factor", "power"),
    [(1 / 64, 0.9), (1 / 16, 0.93), (1 / 4, 0.97), (1, 0.99), (4, 0.99), (16, 0.2), (64, 0.0)],
)
def test_a_wrong_prior_scale_costs_power_but_no_error(factor, power):
    draw = np.random.default_rng([int(100 * factor), 5])
    noise = math.sqrt(2) * SD * draw.standard_normal((REPETITIONS, SEEDS))
    found = [judged(gain + noise, factor * S0) for gain in (0.0, 0.01, 0.02)]
    shares = list(map(better, found))

    log.info("s0 %.3f times as large: 'better' %.3f, power %.3f for .01, %.3f for .02; pairs %s",
             factor, *shares, [round(pairs(one), 1) for one in found])  # fmt: skip
    assert shares[0] <= ALPHA + 4 * error_of(ALPHA, REPETITIONS)
    assert shares[2] >= power


UNLIKE = {
    "log-normal, same deviation, against normal": (lognormal, 1, normal),
    "log-normal, twice as noisy, against normal": (lognormal, 2, normal),
    "exponential, twice as noisy, against normal": (exponential, 2, normal),
    "exponential, twice as noisy, against itself": (exponential, 2, exponential),
    "normal, twice as noisy, against normal": (normal, 2, normal),
}


@pytest.mark.parametrize("name", UNLIKE)
def test_an_arm_with_a_few_bad_seeds_and_the_same_mean_is_called_better_more_often(name):
    """The limit: differences are not symmetric, most seeds are better and a few are much worse."""
    noise, ratio, of_reference = UNLIKE[name]
    draw = np.random.default_rng([len(name), 6])
    arm = accuracies(draw, noise, sd=ratio * SD)
    reference = accuracies(draw, of_reference)
    found = both_sides(arm - reference)
    fixed = verdicts(np.stack([reference, arm], axis=1)[:, :, :8])[:, 0]

    log.info("same mean, %s: 'better' %.3f; without giving up %.3f, reversed %.3f; sign-flip of 8 "
             "seeds: 'better' %.3f, 'worse' %.3f", name, *found, (fixed == 1).mean(),
             (fixed == -1).mean())  # fmt: skip
    assert max(found) < 0.12
    if noise is normal:
        assert max(found) <= ALPHA + 4 * error_of(ALPHA, REPETITIONS)


@pytest.mark.parametrize(
    ("of_arm", "of_reference"),
    [(0, 0), (1 / 20, 1 / 20), (1 / 8, 1 / 8), (1 / 8, 0), (0, 1 / 8)],
)
def test_seeds_at_chance_cost_power(of_arm, of_reference):
    shares, counts, fixed = [], [], []
    for gain in (0.0, 0.01, 0.02):
        draw = np.random.default_rng([int(1000 * gain), 7])
        arm = accuracies(draw, normal, gain, collapse=of_arm)
        reference = accuracies(draw, normal, collapse=of_reference)
        found = judged(arm - reference)
        shares.append(better(found))
        counts.append(round(pairs(found), 1))
        eight = np.stack([reference, arm], axis=1)[:, :, :8]
        fixed.append(round(float((verdicts(eight) == 1).mean()), 3))

    log.info("at chance %.3f of the arm's seeds, %.3f of the reference's, gains 0, .01, .02: "
             "'better' %.3f, %.3f, %.3f; pairs %s; sign-flip of 8 seeds %s", of_arm, of_reference,
             *shares, counts, fixed)  # fmt: skip
    assert shares == sorted(shares)
    # With whole differences in the scale, .41 and .73 for 1 in 20, .20 and .41 for 1 in 8.
    if of_arm == of_reference:
        power = {0: (0.73, 0.997), 1 / 20: (0.50, 0.84), 1 / 8: (0.29, 0.55)}[of_arm]
        assert shares[1:] == pytest.approx(power, abs=0.02)
    if of_arm >= of_reference:
        # The arm is no better in the mean, whether seeds fail or not.
        assert shares[0] <= ALPHA + 4 * error_of(ALPHA, REPETITIONS)


@pytest.mark.parametrize("gain", [0.0, 0.01, 0.02, 0.05])
def test_the_interval_at_the_stop_covers_the_gain(gain):
    repetitions = 2_000
    draw = np.random.default_rng([int(1000 * gain), 8])
    differences = gain + math.sqrt(2) * SD * draw.standard_normal((repetitions, SEEDS))
    for how in ({}, {"min_seeds": SEEDS}):
        found = judged(differences, **how)
        lower, upper = np.array([one.interval for one in found]).T
        missed = float((lower > gain).mean()), float((upper < gain).mean())
        bounded = np.isfinite(lower)

        log.info("gain %.2f, %s: the interval lies above it in %.3f, below in %.3f; %.3f have "
                 "none; median width %.1f s0", gain, how or "stopped early", *missed,
                 1 - bounded.mean(), np.median((upper - lower)[bounded]) / S0)  # fmt: skip
        assert max(missed) <= ALPHA + 4 * error_of(ALPHA, repetitions)


@pytest.mark.parametrize("gain", [0.0, 0.02])
def test_the_interval_of_all_seeds_covers_the_gain(gain):
    repetitions = 2_000
    draw = np.random.default_rng([int(1000 * gain), 9])
    differences = gain + math.sqrt(2) * SD * draw.standard_normal((repetitions, SEEDS))
    lower, upper = np.array([confidence_interval(row, S0) for row in differences]).T
    covered = float(((lower <= gain) & (gain <= upper)).mean())

    log.info("gain %.2f, 20 seeds without a stop: the interval covers it in %.3f +- %.3f; median "
             "width %.2f s0", gain, covered, error_of(covered, repetitions),
             np.median(upper - lower) / S0)  # fmt: skip
    assert covered >= 0.9 - 4 * error_of(0.1, repetitions)
