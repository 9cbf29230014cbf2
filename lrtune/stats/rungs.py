"""How far to trust Hyperband's early rungs: whether promoted trials keep their order.

A promoted trial has a score at its rung and one at the next. The rank correlation between the two
(Spearman's) says whether the short training ordered the trials as the longer one does. Its interval
is Bonett and Wright's: Fisher's z with the variance (1 + r^2 / 2) / (n - 3) (Psychometrika 65,
2000, https://doi.org/10.1007/BF02294183).

NOTE: the number is smaller than the one of all trials of a rung, because only the best of them go
on: among trials that are nearly equal, chance decides the order. And it is about the same training
at two times, whose seed may be lucky in both; another seed would agree less.
`benchmarks/fidelity.py` measures both on trainings that nothing was left out of.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lrtune.records.reader import RunRecords

FEWEST = 8
"""With fewer promoted trials there is no number: that of 7 has an interval from -.4 to .9."""

_NORMAL = 1.959964
"""The 97.5 % quantile of the normal distribution."""


@dataclass(frozen=True)
class RungAgreement:
    """How alike two successive rungs order the trials that trained for both.

    Attributes:
        first: int >= 1, the budget of the earlier rung in epochs.
        then: int > first, that of the later one.
        trials: int >= `FEWEST`, how many trials completed both.
        correlation: -1 to 1, Spearman's rank correlation of their scores; 1 for the same order.
        lower, upper: its 95 % interval.
    """

    first: int
    then: int
    trials: int
    correlation: float
    lower: float
    upper: float


def measure_rungs(records: RunRecords) -> tuple[RungAgreement, ...]:
    """The agreement of every two successive rungs, the shortest first.

    Trials of all brackets that went from the same budget to the same next one count together.
    Diverged trials are left out: they are at the end of both orders, which is no merit of a rung.

    Args:
        records: of a search.

    Returns:
        Nothing for two rungs with fewer than `FEWEST` such trials, or with equal scores only.
    """
    pairs: dict[tuple[int, int], list[tuple[float, float]]] = {}
    for trial in records.outcomes:
        before = records.by_id.get(trial.parent) if trial.parent is not None else None
        if before is None or {before.status, trial.status} != {"completed"}:
            continue
        if before.score is not None and trial.score is not None:
            budgets = before.epochs.planned, trial.epochs.planned
            pairs.setdefault(budgets, []).append((before.score, trial.score))
    found = []
    for (first, then), scores in sorted(pairs.items()):
        if len(scores) >= FEWEST and not math.isnan(correlation := rank_correlation(scores)):
            bounds = correlation_interval(correlation, len(scores))
            found.append(RungAgreement(first, then, len(scores), correlation, *bounds))
    return tuple(found)


def rank_correlation(pairs: Sequence[tuple[float, float]]) -> float:
    """Spearman's rank correlation; ties share their mean rank, and NaN if all of a side are equal.

    NOTE: the same number as `scipy.stats.spearmanr`, which takes a second to import.
    """
    import pandas as pd

    ranks = pd.DataFrame(pairs).rank()
    if (ranks.nunique() < 2).any():
        return math.nan
    return float(ranks[0].corr(ranks[1]))


def correlation_interval(correlation: float, n: int) -> tuple[float, float]:
    """The 95 % interval of Spearman's rank correlation.

    Args:
        correlation: -1 to 1. A perfect one would have an interval without width; it is taken as
            half a step less, where a step is what swapping two neighbours costs.
        n: int >= 4, of how many pairs.
    """
    most = 1 - 6 / (n * (n * n - 1))
    r = min(max(correlation, -most), most)
    half = _NORMAL * math.sqrt((1 + r * r / 2) / (n - 3))
    return math.tanh(math.atanh(r) - half), math.tanh(math.atanh(r) + half)
