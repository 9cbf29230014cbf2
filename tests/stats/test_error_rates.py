"""How often verdicts are wrong, and how often a true gain is seen, by simulation: `pytest -m long`.

Noise as measured on the real data: accuracies of about .69 on 2,000 test images, of which a seed
moves all arms alike by .005 and each by .007 of its own, on top of the images' binomial noise.
Figures are logged: `pytest -m long --log-cli-level INFO tests/stats/test_error_rates.py`.
"""

from __future__ import annotations

import functools
import logging
import math

import numpy as np
import pytest
import scipy.special
import scipy.stats

from lrtune.stats import comparison
from lrtune.stats.comparison import compare
from lrtune.stats.signflip import p_value, subset_means

pytestmark = pytest.mark.long
log = logging.getLogger(__name__)

REPETITIONS = 2_000
IMAGES = 2_000
ACCURACY, SHARED, OWN = 0.69, 0.005, 0.007
ALPHA = 0.05


def chances(draw, arms, seeds, gain=0.0, own=OWN, repetitions=REPETITIONS):
    """Each arm's true accuracy with each seed: shape (repetitions, arms, seeds), arm 0 the base."""
    shared = draw.normal(0, SHARED, (repetitions, 1, seeds))
    noise = draw.normal(0, 1, (repetitions, arms, seeds)) * np.broadcast_to(own, arms)[:, None]
    true = ACCURACY + shared + noise
    true[:, 1] += gain
    return true


def scores_of(draw, true):
    return draw.binomial(IMAGES, true) / IMAGES


def verdicts(scores):
    """1 for better, -1 for worse, 0 for none: shape (repetitions, arms - 1)."""
    differences = scores[:, 1:] - scores[:, :1]
    parts = np.array_split(differences, max(1, differences.size >> 10))
    ps = np.concatenate([p_value(subset_means(part)) for part in parts])
    return np.where(holm(ps) <= ALPHA, np.sign(differences.mean(axis=-1)), 0).astype(int)


def holm(ps):
    # By hand and for all rows at once: statsmodels collects garbage with every call, .08 s.
    order = np.argsort(ps, axis=-1)
    steps = np.take_along_axis(ps, order, -1) * np.arange(ps.shape[-1], 0, -1)
    adjusted = np.minimum(np.maximum.accumulate(steps, axis=-1), 1)
    return np.take_along_axis(adjusted, np.argsort(order, axis=-1), -1)


def error_of(share, repetitions=REPETITIONS):
    return math.sqrt(max(share * (1 - share), 1 / repetitions) / repetitions)


def test_the_simulated_verdicts_equal_those_of_compare(monkeypatch):
    monkeypatch.setattr(comparison, "mean_interval", lambda *_, **__: (math.nan, math.nan))
    # No verdict depends on it, and solving for the power takes most of the time.
    monkeypatch.setattr(comparison, "seeds_to_show", lambda *_: None)
    draw = np.random.default_rng(1)
    scores = scores_of(draw, chances(draw, 4, 8, gain=0.02, repetitions=60))
    names = {"none": 0, "better": 1, "worse": -1}

    for expected, table in zip(verdicts(scores), scores, strict=True):
        arms = {f"arm-{i}": dict(enumerate(row)) for i, row in enumerate(table)}
        found = compare(arms, "arm-0", "max").differences
        assert [names[one.verdict] for one in found] == expected.tolist()
    assert np.unique(verdicts(scores)).size > 1


@pytest.mark.parametrize("seeds", [8, 12])
@pytest.mark.parametrize(
    ("unlike", "own"), [("alike", OWN), ("unlike", (OWN, OWN, 2 * OWN, 4 * OWN, OWN / 2))]
)
def test_equal_arms_rarely_get_a_verdict(seeds, unlike, own):
    draw = np.random.default_rng([seeds, 7])
    found = verdicts(scores_of(draw, chances(draw, 5, seeds, own=own)))
    beats, wrong = (found == 1).any(axis=1).mean(), (found != 0).any(axis=1).mean()

    log.info("5 equal arms of %s noise, %d seeds: false 'beats' in %.4f +- %.4f, any verdict in "
             "%.4f +- %.4f", unlike, seeds, beats, error_of(beats), wrong,
             error_of(wrong))  # fmt: skip
    assert beats <= ALPHA
    # Both signs together: the level itself, give or take four standard errors of .05.
    assert wrong <= ALPHA + 4 * error_of(ALPHA)


@pytest.mark.parametrize("arms", [2, 5])
@pytest.mark.parametrize("gain", [0.015, 0.03])
def test_power(gain, arms):
    shares = []
    for seeds in (8, 12, 16):
        draw = np.random.default_rng([seeds, 8])
        repetitions = 500 if seeds == 16 else REPETITIONS
        true = chances(draw, arms, seeds, gain=gain, repetitions=repetitions)
        shares.append(float((verdicts(scores_of(draw, true))[:, 0] == 1).mean()))

    log.info("true gain %.3f in one of %d arms: power %s at 8, 12, 16 seeds", gain, arms - 1,
             [round(share, 3) for share in shares])  # fmt: skip
    assert shares == sorted(shares)
    assert shares[-1] > (0.6 if gain < 0.02 else 0.95)


def test_power_at_twenty_seeds():
    # The t-test's p-values, which differ little at twenty seeds: 2**20 subsets for each of 2,000
    # repetitions take minutes.
    draw = np.random.default_rng([20, 8])
    scores = scores_of(draw, chances(draw, 5, 20, gain=0.015))
    differences = scores[:, 1:] - scores[:, :1]
    ps = scipy.stats.ttest_1samp(differences, 0, axis=-1).pvalue
    seen = float(((holm(ps) <= ALPHA)[:, 0] & (differences[:, 0].mean(-1) > 0)).mean())
    exact = [p_value(subset_means(row)) for row in differences[:30, 0]]

    log.info("true gain .015 in one of 4 arms: power %.3f at 20 seeds", seen)
    np.testing.assert_allclose(exact, ps[:30, 0], atol=0.02)
    assert 0.7 < seen < 0.95


@functools.cache
def spread():
    """Standard deviation s of the probit of an image's chance that gives chances a variance of .12.

    Two seeds of one arm then disagree on 2 (.69 * .31 - .12) = .19 of the images.
    """
    grid = scipy.stats.norm.ppf((np.arange(20_000) + 0.5) / 20_000)
    tries = np.linspace(0.5, 4, 71)
    variances = [chance(grid, s).var() for s in tries]
    return float(np.interp(0.12, variances, tries))


def chance(z, s):
    """The chance to classify an image of easiness z correctly; its mean over z ~ N(0, 1) is .69."""
    # Not norm.cdf of scipy.stats, which is the same but takes twice as long.
    return scipy.special.ndtr(scipy.special.ndtri(ACCURACY) * math.sqrt(1 + s**2) + s * z)


@functools.cache
def images(alike):
    """Five arms on their 2,000 images, drawn anew for each repetition.

    Returns:
        Mean accuracy over all seeds, and the standard deviation of one seed's that comes from
        drawing each image by itself; shape (repetitions, 5) each.
    """
    draw = np.random.default_rng([round(100 * alike), 9])
    mean, own = np.empty((2, REPETITIONS, 5))
    for repetition in range(REPETITIONS):
        common, single = draw.standard_normal(IMAGES), draw.standard_normal((5, IMAGES))
        right = chance(math.sqrt(alike) * common + math.sqrt(1 - alike) * single, spread())
        mean[repetition] = right.mean(axis=1)
        own[repetition] = np.sqrt((right * (1 - right)).sum(axis=1)) / IMAGES
    return mean[..., None], own[..., None]


@pytest.mark.parametrize("seeds", [8, 12])
def test_more_seeds_on_the_same_images_say_nothing_about_other_images(seeds):
    """Arms are equally accurate over all images, but not on these 2,000.

    `alike` is the correlation between two arms' easiness of one image. With more seeds a verdict
    about these images is more certain, and more often wrong about all images.
    """
    shares = {}
    for alike in (1.0, 0.98, 0.95, 0.9, 0.8):
        mean, own = images(alike)
        # A seed changes all of an arm's chances a little, and draws each image by itself: the sum
        # over images is nearly normal with these two moments.
        noise = np.random.default_rng([seeds, 9]).standard_normal((2, REPETITIONS, 5, seeds))
        scores = mean + OWN * noise[0] + own * noise[1]
        found = verdicts(scores)
        one = p_value(subset_means(scores[:, 1] - scores[:, 0])) <= ALPHA
        shares[alike] = float((found == 1).any(axis=1).mean()), float(one.mean())

    for alike, (beats, one) in shares.items():
        log.info("%d seeds, arms alike by %.2f: false 'beats' among 4 in %.3f +- %.3f; one "
                 "comparison of unadjusted p <= .05 in %.3f +- %.3f", seeds, alike, beats,
                 error_of(beats), one, error_of(one))  # fmt: skip
    assert shares[1.0][0] <= ALPHA
    assert shares[0.8][1] > 2 * ALPHA
