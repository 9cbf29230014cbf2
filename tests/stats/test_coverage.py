"""How often 95 % intervals cover the truth, by simulation: `pytest -m long`.

Figures are logged: `pytest -m long --log-cli-level INFO tests/stats/test_coverage.py`. The Monte
Carlo standard error of a coverage of .95 in 4,000 repetitions is .0034.
"""

from __future__ import annotations

import logging

import numpy as np
import pytest
import scipy.stats

from lrtune.stats import signflip
from lrtune.stats.intervals import mean_interval

pytestmark = pytest.mark.long
log = logging.getLogger(__name__)

REPETITIONS = 4_000
CHUNK = 200
SEEDS = (6, 8, 12, 20)
BAND = (0.92, 0.98)

# Of a log-normal of skewness 2: sigma .5513 solves (exp(s^2) + 2) sqrt(exp(s^2) - 1) = 2.
SIGMA = 0.5513


def normal(draw, shape):
    return draw.standard_normal(shape)


def exponential(draw, shape):
    """Skewness -2: a few bad seeds."""
    return 1 - draw.exponential(1, shape)


def lognormal(draw, shape):
    """Skewness -2, with a heavier tail."""
    one = np.exp(SIGMA * draw.standard_normal(shape))
    mean, square = np.exp(SIGMA**2 / 2), np.exp(SIGMA**2)
    return (mean - one) / np.sqrt((square - 1) * square)


def at_chance(draw, shape):
    """One seed in ten ends at chance, far below all others."""
    return np.where(draw.random(shape) < 0.1, -4.5, 0.5) + 0.5 * draw.standard_normal(shape)


def coverage(bounds):
    lower, upper = bounds
    return float(((lower <= 0) & (upper >= 0)).mean())


def in_chunks(interval, samples):
    parts = [interval(samples[i : i + CHUNK]) for i in range(0, len(samples), CHUNK)]
    return tuple(np.concatenate(bounds) for bounds in zip(*parts, strict=True))


def of_mean(samples):
    return in_chunks(lambda chunk: mean_interval(chunk, resamples=1_999), samples)


def of_difference(samples):
    return in_chunks(lambda chunk: signflip.interval(signflip.subset_means(chunk)), samples)


def bca(samples):
    """Of scipy, 1,999 resamples, for the first 1,000 samples."""

    def interval(chunk):
        found = scipy.stats.bootstrap(
            (chunk,), np.mean, axis=-1, n_resamples=1_999, method="BCa", rng=0
        ).confidence_interval
        return found.low, found.high

    return in_chunks(interval, samples[:1_000])


@pytest.fixture(autouse=True)
def drawn_for_twenty(monkeypatch):
    # 2**20 subsets of 4,000 samples take minutes; 19,999 drawn ones of each give the same coverage
    # (the last test here).
    monkeypatch.setattr(signflip, "EXACT", 12)


@pytest.mark.parametrize("n", SEEDS)
@pytest.mark.parametrize("noise", [normal, lognormal, exponential])
def test_the_interval_of_a_mean_covers_it(noise, n):
    samples = noise(np.random.default_rng([n, 1]), (REPETITIONS, n))
    covered = coverage(of_mean(samples))

    log.info("mean, %s, %d seeds: %.3f (BCa %.3f)", noise.__name__, n, covered,
             coverage(bca(samples)))  # fmt: skip
    assert BAND[0] <= covered <= BAND[1]


@pytest.mark.parametrize("n", SEEDS)
@pytest.mark.parametrize(
    ("arm", "baseline", "ratio"),
    [
        (normal, normal, 1),
        (lognormal, lognormal, 1),
        (exponential, exponential, 1),
        (lognormal, normal, 1),
        (exponential, normal, 1),
        (exponential, normal, 2),
        (at_chance, at_chance, 1),
    ],
)
def test_the_interval_of_a_difference_covers_it(arm, baseline, ratio, n):
    draw = np.random.default_rng([n, 2])
    samples = ratio * arm(draw, (REPETITIONS, n)) - baseline(draw, (REPETITIONS, n))
    covered = coverage(of_difference(samples))

    log.info("difference, %s x %d against %s, %d seeds: %.3f (BCa %.3f)", arm.__name__, ratio,
             baseline.__name__, n, covered, coverage(bca(samples)))  # fmt: skip
    assert BAND[0] <= covered <= BAND[1]


@pytest.mark.parametrize("n", SEEDS)
def test_no_interval_covers_what_no_seed_shows(n):
    """The limit: rare failures of one arm alone. Half of all samples of six seeds show none."""
    draw = np.random.default_rng([n, 3])
    alone = at_chance(draw, (REPETITIONS, n))
    against = alone - 0.5 * normal(draw, alone.shape)
    covered = coverage(of_mean(alone)), coverage(of_difference(against))

    log.info("one seed in ten at chance, %d seeds: mean %.3f, difference from an arm without such "
             "seeds %.3f (BCa %.3f, %.3f)", n, *covered, coverage(bca(alone)),
             coverage(bca(against)))  # fmt: skip
    assert 0.65 < covered[0] < 0.92
    assert 0.80 < covered[1] < 0.92


@pytest.mark.parametrize("n", [6, 8])
def test_bca_is_too_narrow_for_few_seeds(n):
    samples = normal(np.random.default_rng([n, 1]), (REPETITIONS, n))

    assert coverage(bca(samples)) < BAND[0] - 0.01


def test_drawn_subsets_give_the_bounds_of_all(monkeypatch):
    samples = exponential(np.random.default_rng(5), (40, 20))
    drawn = signflip.interval(signflip.subset_means(samples))
    monkeypatch.setattr(signflip, "EXACT", 20)
    exact = np.array([signflip.interval(signflip.subset_means(row)) for row in samples]).T

    width = exact[1] - exact[0]
    assert np.abs(np.array(drawn) - exact).max() < 0.1 * width.min()
    assert np.mean(drawn[1] - drawn[0]) == pytest.approx(np.mean(width), rel=0.01)
