"""How often the interval for other seeds and other samples covers the gain: `pytest -m long`.

Images differ in how easy they are, alike by .9 between arms, and two seeds of one arm disagree on
.19 of them, as on the real data (tests/stats/test_error_rates.py). An arm's seeds have a standard
deviation of .01 over all images. Figures are logged:
`pytest -m long --log-cli-level INFO tests/stats/test_two_way_coverage.py`.
"""

from __future__ import annotations

import logging
import math

import numpy as np
import pytest
from scipy.special import ndtr, ndtri, stdtrit

from lrtune.stats.sequential import evidence
from lrtune.stats.two_way import two_way_interval
from tests.stats.test_error_rates import ACCURACY, error_of, spread

pytestmark = pytest.mark.long
log = logging.getLogger(__name__)

REPETITIONS = 3_000
CONFIDENCE = 0.95


def predictions(draw, n, m, gain, *, alike=0.9, sd=0.01):
    """Whether arm and reference classify each image correctly: two arrays of shape (n, m)."""
    common = draw.standard_normal(m)
    for accuracy in (ACCURACY + gain, ACCURACY):
        easy = math.sqrt(alike) * common + math.sqrt(1 - alike) * draw.standard_normal(m)
        # The mean of ndtr(a sqrt(1 + s^2) + s z) over z ~ N(0, 1) is ndtr(a): a seed's accuracy
        # over all images is exactly that drawn here.
        of_seeds = ndtri(accuracy + sd * draw.standard_normal((n, 1)))
        chances = ndtr(of_seeds * math.sqrt(1 + spread() ** 2) + spread() * easy)
        yield draw.random((n, m)) < chances


def coverage(draw_pair, gain):
    """Of the two-way interval, and of Student's t interval of the seeds' means."""
    both, alone = [], []
    for _ in range(REPETITIONS):
        arm, reference = draw_pair()
        found = two_way_interval(arm, reference, confidence=CONFIDENCE)
        both.append(found.lower <= gain <= found.upper)
        t = float(stdtrit(len(arm) - 1, (1 + CONFIDENCE) / 2))
        alone.append(abs(found.mean - gain) <= t * found.se_seeds)
    return float(np.mean(both)), float(np.mean(alone))


@pytest.mark.parametrize(
    ("n", "m", "gain"),
    [
        (2, 2000, 0.0),
        (3, 2000, 0.0),
        (4, 500, 0.0),
        (4, 2000, 0.0),
        (8, 500, 0.0),
        (8, 2000, 0.0),
        (8, 2000, 0.02),
        (20, 500, 0.0),
        (20, 500, 0.02),
        (20, 2000, 0.0),
    ],
)
def test_the_interval_covers_the_gain_over_all_seeds_and_images(n, m, gain):
    draw = np.random.default_rng([n, m, int(100 * gain)])
    both, alone = coverage(lambda: predictions(draw, n, m, gain), gain)

    log.info("%2d seeds x %4d images, gain %.2f: %.3f +- %.3f, seeds alone %.3f", n, m, gain, both,
             error_of(both, REPETITIONS), alone)  # fmt: skip
    assert both >= 0.94 - 3 * error_of(0.06, REPETITIONS)
    assert both < 0.985
    assert alone < both


@pytest.mark.parametrize(
    ("alike", "sd"), [(1.0, 0.01), (0.9, 0.0), (0.9, 0.005), (0.9, 0.03), (0.5, 0.01), (1.0, 0.0)]
)
def test_it_covers_whichever_effect_is_larger(alike, sd):
    draw = np.random.default_rng([int(10 * alike), int(1000 * sd)])
    both, alone = coverage(lambda: predictions(draw, 8, 500, 0.0, alike=alike, sd=sd), 0.0)

    log.info("8 seeds x 500 images, arms alike by %.1f, seeds' deviation %.3f: %.3f +- %.3f, seeds "
             "alone %.3f", alike, sd, both, error_of(both, REPETITIONS), alone)  # fmt: skip
    assert both >= 0.94 - 3 * error_of(0.06, REPETITIONS)


@pytest.mark.parametrize(("n", "m"), [(4, 500), (8, 500), (20, 200)])
def test_it_covers_the_mean_difference_of_losses(n, m):
    """Losses are skewed: a few images are classified wrongly with much confidence."""
    draw = np.random.default_rng([n, m, 1])

    def losses():
        common = draw.gamma(0.5, 1, m)
        for _ in range(2):
            own = draw.gamma(0.5, 0.3, m) + 0.3 * draw.standard_exponential((n, m))
            yield (common + own) * (1 + 0.05 * draw.standard_normal((n, 1)))

    both, alone = coverage(losses, 0.0)

    log.info("losses, %2d seeds x %3d images: %.3f +- %.3f, seeds alone %.3f", n, m, both,
             error_of(both, REPETITIONS), alone)  # fmt: skip
    assert both >= 0.94 - 3 * error_of(0.06, REPETITIONS)


@pytest.mark.parametrize("gain", [0.0, 0.01, 0.02])
def test_seeds_chosen_by_the_sequential_test_hardly_change_the_coverage(gain):
    """An early "better" comes from lucky seeds, and an early "not shown" from unlucky ones.

    "better" is about these images. For arms that are equal over all images it is wrong more often.
    """
    repetitions = 2_000
    draw = np.random.default_rng([int(100 * gain), 11])
    covered, better, above = np.zeros((3, repetitions), dtype=bool)
    for i in range(repetitions):
        arm, reference = predictions(draw, 20, 2000, gain)
        # One arm deviates by .01 over all images and .0068 on these: sqrt(2 (.01^2 + .0068^2)).
        stopped = evidence(arm.mean(axis=1) - reference.mean(axis=1), 0.0171)
        found = two_way_interval(arm[: stopped.n], reference[: stopped.n])
        covered[i] = found.lower <= gain <= found.upper
        better[i], above[i] = stopped.verdict == "better", found.lower > 0

    log.info("gain %.2f, stopped by the sequential test: %.3f +- %.3f covered; 'better' %.3f, %.3f "
             "with an interval above 0", gain, covered.mean(),
             error_of(covered.mean(), repetitions), better.mean(),
             (better & above).mean())  # fmt: skip
    assert covered.mean() >= 0.935 - 3 * error_of(0.06, repetitions)
    if gain == 0:
        assert (better & above).mean() <= 0.05 + 3 * error_of(0.05, repetitions)


def test_it_does_not_cover_what_the_seeds_do_not_show():
    """The limit: one seed in ten of one arm alone ends at chance, on all images."""
    draw = np.random.default_rng(10)
    gain = 0.1 * (0.5 - ACCURACY)

    def failing():
        arm, reference = predictions(draw, 8, 500, 0.0)
        failed = draw.random((8, 1)) < 0.1
        return np.where(failed, draw.random(arm.shape) < 0.5, arm), reference

    both, alone = coverage(failing, gain)

    log.info("8 seeds x 500 images, one seed in ten of the arm at chance: %.3f +- %.3f, seeds "
             "alone %.3f", both, error_of(both, REPETITIONS), alone)  # fmt: skip
    assert 0.6 < both < 0.93
