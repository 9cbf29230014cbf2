"""A difference from the baseline in words."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from lrtune.stats.power import MOST, fewest_seeds

if TYPE_CHECKING:
    from lrtune.stats.comparison import Difference


def sentence(difference: Difference, places: int = 4, baseline: str = "the baseline") -> str:
    """The verdict of one comparison.

    Args:
        difference: as `compare` returns it.
        places: int >= 0, decimals of differences.
        baseline: how to name the arm that it is compared with.

    Returns:
        One line without a full stop, to follow the arm's name: "beats the baseline by 0.0153
        [0.0041, 0.0262] unadjusted (adjusted p = 0.031, 8 seeds)". The p-value includes Holm's
        correction, the interval does not; with one comparison there is nothing to adjust.
    """
    if not math.isnan(difference.evidence):
        return _sequential(difference, places, baseline)
    if difference.verdict == "untested":
        return _untested(difference)
    aside = _missing(difference)
    if difference.mean == 0 and difference.std == 0:
        return f"exactly equal to {baseline} with each of {difference.n} seeds{aside}"

    figures = _figures(difference, places)
    if difference.verdict == "better":
        return f"beats {baseline} by {figures}{aside}"
    if difference.verdict == "worse":
        return f"worse than {baseline} by {figures}{aside}"
    return f"no evidence of a difference: {figures}{_more(difference, places)}{aside}"


def _sequential(difference: Difference, places: int, baseline: str) -> str:
    """The verdict of a sequential test, which has evidence in place of a p-value."""
    if not difference.n:
        return "no pair has ended yet"
    mean, lower = (f"{one + 0.0:.{places}f}" for one in (difference.mean, difference.lower))
    pairs = f"{difference.n} pair{'' if difference.n == 1 else 's'}"
    aside = f"(evidence {difference.evidence:.2g}, {pairs})"
    if difference.verdict == "better":
        return f"beats {baseline} by {mean}, by at least {lower} with 95 % confidence {aside}"
    what = "not decided yet" if difference.verdict == "untested" else "not shown to be better"
    return f"{what}: {mean} {aside}"


def _figures(difference: Difference, places: int) -> str:
    mean, lower, upper = difference.mean, difference.lower, difference.upper
    if difference.verdict == "worse":
        mean, lower, upper = -mean, -upper, -lower
    p = _p(difference.p_holm)
    several = difference.comparisons > 1
    if difference.verdict == "none" and difference.p <= difference.alpha:
        # The interval excludes 0, but there is no verdict: say why.
        others = f"{difference.comparisons} comparisons"
        p = f"{_p(difference.p)}, but {p} adjusted for {others}"
    elif several:
        p = f"adjusted {p}"
    shown = [f"{number + 0.0:.{places}f}" for number in (mean, lower, upper)]
    ends = f"[{shown[1]}, {shown[2]}]{' unadjusted' if several else ''}"
    return f"{shown[0]} {ends} ({p}, {difference.n} seeds)"


def _more(difference: Difference, places: int) -> str:
    fewest = fewest_seeds(difference.comparisons, difference.alpha)
    impossible = ""
    if difference.n < fewest:
        impossible = (
            f"; {difference.n} seeds are too few for a verdict with {difference.comparisons} "
            f"comparisons, which takes {fewest}"
        )
    seeds = difference.seeds_to_show
    if seeds is None:
        return impossible
    about = f"more than {MOST:,}" if seeds > MOST else f"about {seeds:,}"
    size = f"{abs(difference.mean):.{places}f}"
    guess = f"{about} seeds would show a difference of {size}, a guess from these very seeds"
    return f"{impossible}; {guess}"


def _untested(difference: Difference) -> str:
    fewest = fewest_seeds(alpha=difference.alpha)
    seeds = "seed has" if difference.n == 1 else "seeds have"
    return (
        f"not tested: {difference.n or 'no'} {seeds} a score in both arms, and a test needs "
        f"{fewest}{_missing(difference)}"
    )


def _missing(difference: Difference) -> str:
    if not difference.missing:
        return ""
    total = difference.n + difference.missing
    return f"; {difference.missing} of {total} seeds not counted (no score in one of the two arms)"


def _p(p: float) -> str:
    if math.isnan(p):
        return "p unknown"
    return "p < 0.001" if p < 0.001 else f"p = {p:.2g}"
