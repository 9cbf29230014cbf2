"""What the losses of a range test say: where they fall, where they rise, which rates to search.

Smith, "Cyclical learning rates for training neural networks", 2017 (arXiv 1506.01186), section 3.3,
lets the rate rise during a short training and reads off where the loss begins to fall and where it
begins to rise. fastai's `lr_find` names the steepest fall. Both look at one noisy curve; here it is
the median of several seeds, and a change within the noise counts as none.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

FAR_ABOVE = 4.0
"""A training ends where its loss is this many times the one it began with.

fastai ends at four times the best loss, which noise reaches once the loss has fallen far.
"""

FACTOR = 3.0
"""How far the suggested range stays below the rate at which the loss rises, and how far it goes
beyond the one up to which the loss is lowest."""

WIDTH = 300.0
"""The upper end of the suggested range over the lower one, as in a search's usual range for SGD.

Measured on cats vs dogs with one and with two epochs, three times three seeds each: all six ranges
for SGD hold .0027 to .36, which has the best constant rates, .005 to .05; those for AdamW hold
.00032 to .0071.
"""

_FIRST_STEPS = 10
_FIRST_SHARE = 0.2
"""The loss at the beginning is that of the first steps while it trains, and of the first fifth of
all rates in the end."""

_FALL, _RISE, _LEAST_CHANGE = 2.0, 2.5, 0.002
"""Standard errors from which a fall and a rise count, and the least share of the loss.

Of 200 simulated tests whose losses were only noise, with three seeds and 125 steps, 8 % had a fall
and 6 % a rise.
"""


@dataclass(frozen=True)
class Reading:
    """What was read off the curve of a range test.

    Attributes:
        smoothed: float64 [steps], the loss at each rate, without the noise.
        steepest: the rate > 0 in the suggested range at which the loss falls fastest per factor of
            the rate; None if it does not fall by more than the noise.
        rises: the rate > 0 above which the loss is higher than its lowest by more than the noise;
            None if it is not.
        suggested: (low, high) to search, low < high, each to two digits; None if the loss neither
            falls nor rises, or rises from the lowest rate on.
        lowest: the rate up to which the loss is as good as its lowest; None if it does not fall.
    """

    smoothed: NDArray[np.float64]
    steepest: float | None
    rises: float | None
    suggested: tuple[float, float] | None
    lowest: float | None = None


def read(rates: NDArray[np.float64], losses: NDArray[np.float64], smoothing: float) -> Reading:
    """Reads off where the loss falls and rises, and suggests a range.

    The range ends at a third of the rate at which the loss rises, and if the loss fell before, not
    above three times the rate up to which it is as good as its lowest. It begins at 1/300 of its
    end.

    Args:
        rates: [steps], > 0, rising by the same factor at every step; at least two.
        losses: [seeds, steps], NaN or infinite once a training has diverged.
        smoothing: float > 0 and <= 1, the window as a share of the steps.
    """
    bound = bound_of(losses[:, :_FIRST_STEPS])
    clipped = np.where(np.isfinite(losses), np.minimum(losses, bound), bound)
    smoothed, errors = _smooth(clipped, smoothing)
    lowest = int(np.argmin(smoothed))
    first = slice(0, max(1, round(_FIRST_SHARE * len(rates))))
    start = float(np.median(smoothed[first]))
    fall, least = start - float(smoothed[lowest]), _LEAST_CHANGE * abs(start)
    # NOTE: a mean over several windows has a smaller error than that of one.
    windows = max(1.0, _FIRST_SHARE / smoothing)
    error = float(np.median(errors[first])) / math.sqrt(windows)
    falls = fall > max(least, _FALL * math.hypot(error, errors[lowest]))
    # NOTE: not with the errors at those rates, because losses scatter where they rise.
    rise = max(least, _RISE * math.sqrt(2) * errors[lowest], 0.1 * fall)
    rises = _rises(rates, smoothed, lowest, rise)
    ends = [float(rates[-1])]
    ends += [] if rises is None else [rises / FACTOR]
    edge = _edge(rates, smoothed, lowest, float(errors[lowest])) if falls else None
    ends += [] if edge is None else [FACTOR * edge]
    high = min(ends)
    if len(ends) == 1 or high <= rates[0]:
        return Reading(smoothed, None, rises, None)
    suggested = float(f"{high / WIDTH:.2g}"), float(f"{high:.2g}")
    steepest = _steepest(rates, smoothed, suggested) if falls else None
    return Reading(smoothed, steepest, rises, suggested, edge)


def bound_of(first_losses: NDArray[np.float64]) -> float:
    """The loss above which a training has diverged: four times that of its first steps.

    Args:
        first_losses: of at least one step; may be negative, as a log-likelihood is.
    """
    known = first_losses[np.isfinite(first_losses)]
    start = float(np.median(known)) if known.size else 0.0
    return start + (FAR_ABOVE - 1) * abs(start)


def _smooth(
    losses: NDArray[np.float64], smoothing: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The smoothed loss [steps], and the standard error of each of its values.

    It is the median of all seeds within a window around each step, which one outlier does not move
    and which has no lag, and then a mean over the same window.
    """
    steps = losses.shape[1]
    half = max(1, round(smoothing * steps / 2))
    windows = [slice(max(0, step - half), step + half + 1) for step in range(steps)]
    medians = np.array([np.median(losses[:, window]) for window in windows])
    smoothed = np.array([medians[window].mean() for window in windows])
    apart = np.abs(losses - smoothed)
    # Of a normal distribution, the standard deviation is 1.4826 times the median distance from the
    # median, and the median of n values has 1.25 / sqrt(n) times that as its standard error.
    errors = [
        1.25 * 1.4826 * np.median(apart[:, window]) / np.sqrt(apart[:, window].size)
        for window in windows
    ]
    return smoothed, np.array(errors)


def _rises(
    rates: NDArray[np.float64], smoothed: NDArray[np.float64], lowest: int, least: float
) -> float | None:
    """The rate from which on the loss stays more than `least` above its lowest."""
    near = np.flatnonzero(smoothed - smoothed[lowest] <= least)
    last = int(near[-1])  # the lowest itself is near
    return float(rates[last + 1]) if last + 1 < len(rates) else None


def _edge(
    rates: NDArray[np.float64], smoothed: NDArray[np.float64], lowest: int, least: float
) -> float:
    """The rate up to which the loss is still as good as lowest."""
    above = np.flatnonzero(smoothed[lowest:] - smoothed[lowest] > least)
    return float(rates[lowest + above[0] - 1 if above.size else -1])


def _steepest(
    rates: NDArray[np.float64], smoothed: NDArray[np.float64], within: tuple[float, float]
) -> float:
    slopes = np.gradient(smoothed, np.log(rates))
    inside = (rates >= within[0]) & (rates <= within[1])
    return float(rates[int(np.argmin(np.where(inside, slopes, np.inf)))])
