"""How the epochs of a training become its score: the last one, a mean of the last few, the best.

The mean is over the last tenth of the epochs, so that a longer training averages more of them: of
50 epochs the last 5, of 27 the last 3, and up to 10 only the last one.

NOTE: a tail evens out the jitter from one epoch to the next, which is small next to the difference
between seeds where the rate falls to its end: `benchmarks/fidelity.py` measures both.
"""

from __future__ import annotations

import math
import statistics
from typing import TYPE_CHECKING

from lrtune.stats.winner import Direction

if TYPE_CHECKING:
    from collections.abc import Sequence

SCORES = ("last", "tail", "best")
"""What a score may be."""

TAIL = 10
"""The tail is one epoch in so many, rounded up."""


def tail_length(epochs: int) -> int:
    """How many of the last epochs of a training are its tail.

    A trial that Hyperband promoted has trained about half of its epochs itself, or more, so that
    its tail never reaches back into the trial that it continues.

    Args:
        epochs: int >= 1, trained in total, those of the trials that it continues included.

    Returns:
        int >= 1.
    """
    return max(1, math.ceil(epochs / TAIL))


def score_of_epochs(
    measured: Sequence[tuple[int, float]], rule: str, direction: str
) -> tuple[int, float]:
    """The epoch that a training's score belongs to, and this score.

    Args:
        measured: epoch (from 1) and objective of every epoch that measured it, in their order; at
            least one.
        rule: "last" for the last of them; "tail" for the mean of those among the last epochs, as
            many as `tail_length` says of the last one's number; "best" for the best one.
        direction: "max" if higher scores are better, "min" if lower ones are.

    Returns:
        For "last" and "tail" the last epoch. Its objective decides whether the training diverged:
        if it is not finite, it is the score. An earlier epoch that is not finite is left out.
    """
    epoch, last = measured[-1]
    finite = [one for one in measured if math.isfinite(one[1])]
    if rule == "best":
        return Direction(direction).best(finite, lambda one: one[1]) or (epoch, last)
    if rule == "last" or not math.isfinite(last):
        return epoch, last
    first = epoch - tail_length(epoch) + 1
    return epoch, statistics.fmean(value for number, value in finite if number >= first)


def score_words(rule: str, epochs: int) -> str:
    """What a search's scores are, in words: "the mean of the last 5 epochs".

    Args:
        rule: "last", "tail" or "best".
        epochs: int >= 1, the full budget.
    """
    if rule != "tail":
        return f"the {rule} epoch"
    length = tail_length(epochs)
    return "the last epoch" if length == 1 else f"the mean of the last {length} epochs"
