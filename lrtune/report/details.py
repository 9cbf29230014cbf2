"""What takes a second more to compute: which hyperparameters mattered, and tuning curves."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from lrtune.report.grid import Column, numbers
from lrtune.report.words import count, fixed, interval

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lrtune.stats.importance import Importance, Importances
    from lrtune.stats.tuning_curves import TuningCurve

LEGEND = (
    "share of the variance of scores that goes with each hyperparameter, alone or together with "
    "others; the joint share is measured on held-out trials"
)

TRIALS = (1, 2, 5, 10, 20, 50)
"""Numbers of trials whose expected best score is shown."""


def importance_pairs(found: Importances) -> tuple[tuple[str, str], ...]:
    """Whose trials, and what mattered in them."""
    pairs = [("all families", _words(found.overall))]
    # Where all families together have too few trials, each family has too few.
    if found.overall.shares:
        pairs += [(family, _words(one)) for family, one in found.families.items() if one.trials]
    return tuple(pairs)


def curve_columns(curves: Mapping[str, TuningCurve], places: int) -> tuple[Column, ...]:
    """The best score to expect of n random trials, a row for each family and n.

    Args:
        curves: family -> its curve; no columns without any.
        places: int >= 0, decimals of scores.
    """
    points = [
        (family if n == 1 else "", n, curve)
        for family, curve in curves.items()
        for n in TRIALS
        if n <= curve.trials
    ]
    if not points:
        return ()
    return (
        Column("schedule", tuple(family for family, _, _ in points)),
        numbers("n", (str(n) for _, n, _ in points)),
        numbers("expected", (fixed(curve.expected[n - 1], places) for _, n, curve in points)),
        numbers("median", (fixed(curve.median[n - 1], places) for _, n, curve in points)),
        Column(
            "95 % band of the median",
            tuple(interval(curve.lower[n - 1], curve.upper[n - 1], places)
                  for _, n, curve in points),
        ),
    )  # fmt: skip


def _words(one: Importance) -> str:
    if not one.shares:
        return one.reason
    shares = ", ".join(f"{name} {_share(share)}" for name, share in one.shares.items())
    if one.reason:
        return f"{one.reason} {shares}"
    return f"{shares}; all together {_share(one.explained)} ({count(one.trials, 'trial')})"


def _share(share: float) -> str:
    # An estimate: a parameter without effect may come out at -.01, and one that alone decides
    # everything at 1.11 (seen with 60 trials).
    return f"{min(max(share, 0.0), 1.0):.2f}" if math.isfinite(share) else "unknown"
