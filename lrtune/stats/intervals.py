"""The interval of one arm's mean over its seeds.

The studentized bootstrap (bootstrap-t) resamples the seeds and uses the quantiles of
t* = (resampled mean - mean) / resampled standard error in place of those of Student's t (Efron,
"The Jackknife, the Bootstrap and Other Resampling Plans", 1982, chapter 10; Hall, "Theoretical
Comparison of Bootstrap Confidence Intervals", Annals of Statistics 16, 1988,
https://doi.org/10.1214/aos/1176350933).

NOTE: not the BCa bootstrap, which is too narrow for the few seeds people train. The share in % of
95 % intervals that cover the mean (4,000 simulated, standard error .4):

    noise                       method           n = 6     8    12    20
    normal                      BCa                 87    89    91    93
                                t                   95    96    95    95
                                bootstrap-t         95    95    95    95
    log-normal, skewness 2      BCa                 85    86    89    91
                                t                   92    91    92    93
                                bootstrap-t         93    93    94    94
    exponential, skewness 2     BCa                 83    85    89    92
                                t                   88    89    90    92
                                bootstrap-t         93    93    94    95

If more than one resample in a hundred has no t* because scores tie (five seeds stuck at chance and
one that learns), Student's t interval is used instead.

It is wider than the t interval by 9 to 15 % at 6 and 8 seeds of normal noise. No method covers what
no seed shows: if one seed in ten ends at chance and the others do not, intervals of 6 to 12 seeds
cover the mean 75 % of the time (BCa 60 to 70 %).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    FloatArray = npt.NDArray[np.float64]

RESAMPLES = 9_999
FEWEST = 6
"""With fewer scores there is no interval: its coverage was measured for 6 and more."""

_TIED = 0.01
"""At most this share of resamples may have no t*; for 6 different scores it is .0001."""


def mean_interval(
    scores: FloatArray, confidence: float = 0.95, *, seed: int = 0, resamples: int = RESAMPLES
) -> tuple[FloatArray, FloatArray]:
    """The studentized bootstrap interval of the mean.

    Args:
        scores: shape (..., n), finite: one sample per row.
        confidence: float > 0 and < 1.
        seed: int >= 0, of the resamples.
        resamples: int >= 1, how many.

    Returns:
        Lower and upper bound, each of shape (...), in the unit of the scores; NaN for n < `FEWEST`;
        both are the score itself if all scores are equal.
    """
    scores = np.asarray(scores, dtype=np.float64)
    n = scores.shape[-1]
    if n < FEWEST:
        unknown = np.full(scores.shape[:-1], np.nan)
        return unknown, unknown.copy()
    mean = scores.mean(axis=-1)
    centred = scores - mean[..., None]
    variance = (centred**2).sum(axis=-1) / (n - 1)

    draw = np.random.default_rng(seed)
    weights = draw.multinomial(n, np.full(n, 1 / n), size=resamples).astype(np.float64) / n
    means = centred @ weights.T
    variances = ((centred**2) @ weights.T - means**2) * (n / (n - 1))
    # A resample of equal scores has no t*: its variance is about 1e-17 by rounding.
    variances[variances <= 1e-12 * variance[..., None]] = np.nan
    with np.errstate(invalid="ignore"):
        ts = means / np.sqrt(variances / n)

    tail = (1 - confidence) / 2
    error = np.sqrt(variance / n)
    low, high = _quantiles(ts, tail, n)
    constant = np.ptp(scores, axis=-1) == 0
    return (
        np.where(constant, scores[..., 0], mean - high * error),
        np.where(constant, scores[..., 0], mean - low * error),
    )


def _quantiles(ts: FloatArray, tail: float, n: int) -> tuple[FloatArray, FloatArray]:
    """The quantiles at `tail` and 1 - `tail` of each row; Student's t where too many are NaN."""
    from scipy.special import stdtrit

    student = float(stdtrit(n - 1, 1 - tail))
    tied = np.isnan(ts).mean(axis=-1) > _TIED
    ts[tied] = 0.0
    low, high = np.nanquantile(ts, [tail, 1 - tail], axis=-1)
    return np.where(tied, -student, low), np.where(tied, student, high)
