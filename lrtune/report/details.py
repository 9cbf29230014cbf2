"""What takes a second more: which hyperparameters mattered, and tuning curves."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lrtune.report.words import count
from lrtune.stats.importance import measure_importance
from lrtune.stats.tuning_curves import family_curves

if TYPE_CHECKING:
    from lrtune.records.reader import RunRecords
    from lrtune.stats.importance import Importance

LEGEND = (
    "shares of the variance of scores that go with a hyperparameter, alone or together with "
    "others; what all together predict is of trials not seen"
)

TRIALS = (1, 2, 5, 10, 20, 50)
"""Numbers of trials of which the best score is told."""


@dataclass(frozen=True)
class CurvePoint:
    """The best score to expect of so many trials.

    Attributes:
        schedule: family.
        n: int >= 1, number of trials.
        expected, median: of the best of them.
        lower, upper: of the band of the median.
    """

    schedule: str
    n: int
    expected: float
    median: float
    lower: float
    upper: float


@dataclass(frozen=True)
class Details:
    """The parts of a report that are made when asked for.

    Attributes:
        budget: int >= 1, epochs of the trials that importance rests on.
        importance: whose trials, and what mattered in them.
        legend: what the figures of importance are; empty where there are none.
        curves: points of the families' tuning curves; empty unless the search was a random one.
    """

    budget: int
    importance: tuple[tuple[str, str], ...]
    legend: str
    curves: tuple[CurvePoint, ...]


def build_details(records: RunRecords) -> Details:
    """Importance and tuning curves of a run."""
    found = measure_importance(records)
    lines = [("all families", _words(found.overall))]
    # Where all families together are too few, each of them is.
    if found.overall.shares:
        lines += [(family, _words(one)) for family, one in found.families.items() if one.trials]
    return Details(
        budget=found.budget,
        importance=tuple(lines),
        legend=LEGEND if found.overall.shares else "",
        curves=_curves(records),
    )


def _words(one: Importance) -> str:
    if not one.shares:
        return one.reason
    shares = ", ".join(f"{name} {_share(share)}" for name, share in one.shares.items())
    if one.reason:
        return f"{one.reason} {shares}"
    explained = f"all together predict {_share(one.explained)}"
    return f"{shares}; {explained} ({count(one.trials, 'trial')})"


def _share(share: float) -> str:
    # An estimate: -.01 is what a parameter without effect comes out at, and 1.11 one alone that
    # decides all (seen with 60 trials).
    return f"{min(max(share, 0.0), 1.0):.2f}" if math.isfinite(share) else "unknown"


def _curves(records: RunRecords) -> tuple[CurvePoint, ...]:
    if records.manifest.algo != "random":
        return ()
    return tuple(
        CurvePoint(
            schedule=family,
            n=n,
            expected=curve.expected[n - 1],
            median=curve.median[n - 1],
            lower=curve.lower[n - 1],
            upper=curve.upper[n - 1],
        )
        for family, curve in family_curves(records).items()
        for n in TRIALS
        if n <= curve.trials
    )
