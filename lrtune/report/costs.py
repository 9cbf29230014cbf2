"""What a run cost, what it had for that so far, and how soon its best trials were good enough."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lrtune.report.words import count, fixed
from lrtune.stats.cost import times_to_target
from lrtune.stats.tuning_curves import best_so_far

if TYPE_CHECKING:
    from lrtune.records.reader import RunRecords
    from lrtune.stats.cost import Cost, Spent

QUARTERS = (0.25, 0.5, 0.75, 1.0)
"""Shares of the epochs spent at which the best score so far is told."""


@dataclass(frozen=True)
class CostRow:
    """One thing paid for.

    Attributes:
        what: in words.
        trials, epochs, seconds: as in `lrtune.stats.cost.Spent`.
        share: of the whole run's epochs, 0 to 1; NaN if there are none.
        part: whether it is a part of the row above that is none.
    """

    what: str
    trials: int
    epochs: int
    seconds: float
    share: float
    part: bool = False


@dataclass(frozen=True)
class Reached:
    """When one of the best trials was as good as the baseline at its end.

    Attributes:
        trial_id, schedule, score: of the trial.
        epoch: the first; None for never.
    """

    trial_id: str
    schedule: str
    score: float
    epoch: int | None


@dataclass(frozen=True)
class Costs:
    """What a run cost and when it had what.

    Attributes:
        rows: what for, the total last.
        remark: on the epochs that led to no score, and to the winner.
        so_far: the best score after a quarter, half, three quarters and all of the epochs of the
            search, in words; empty without any.
        target: the baseline's score, NaN without a baseline.
        reached: when the best trials had it, the best trial first.
    """

    rows: tuple[CostRow, ...]
    remark: str
    so_far: str
    target: float
    reached: tuple[Reached, ...]


def build_costs(records: RunRecords, cost: Cost, places: int, top: int) -> Costs:
    """All about the cost of a run.

    Args:
        records: of the run.
        cost: of the run.
        places: decimals to show scores with.
        top: int >= 1, how many of the best trials to tell about.
    """
    times = times_to_target(records, top)
    return Costs(
        rows=_rows(cost),
        remark=_remark(cost),
        so_far=_so_far(records, places),
        target=times[0].target if times else math.nan,
        reached=tuple(Reached(one.trial_id, one.schedule, one.score, one.epoch) for one in times),
    )


def _rows(cost: Cost) -> tuple[CostRow, ...]:
    named: list[tuple[str, Spent, bool]] = [
        ("search", cost.search, False),
        *((name, spent, True) for name, spent in cost.families.items()),
        ("unfinished", cost.unfinished, True),
        ("search for the baseline", cost.baseline_search, False),
        ("baseline", cost.baseline, False),
        ("confirmation", cost.confirm, False),
        ("total", cost.total, False),
    ]
    total = cost.total.epochs or math.nan
    return tuple(
        CostRow(what, spent.trials, spent.epochs, spent.seconds, spent.epochs / total, part)
        for what, spent, part in named
        if spent.trials
    )


def _remark(cost: Cost) -> str:
    parts = [
        f"{spent.epochs:,} went into {count(spent.trials, 'trial')} that {what}"
        for what, spent in (("diverged", cost.diverged), ("failed", cost.failed))
        if spent.trials
    ]
    if cost.until_winner is not None and cost.lineage is not None:
        parts.append(
            f"{cost.until_winner.epochs:,} into all trials up to the winner, "
            f"{cost.lineage.epochs:,} into the winner itself"
        )
    return f"of the search's epochs {', '.join(parts)}" if parts else ""


def _so_far(records: RunRecords, places: int) -> str:
    curve = best_so_far(records)
    spent = curve.epochs[-1] if curve.epochs else 0
    if not spent:
        return ""
    parts = []
    for share in QUARTERS:
        limit = int(spent * share)
        ended = sum(epochs <= limit for epochs in curve.epochs)
        best = curve.best[ended - 1] if ended else math.nan
        score = "none yet" if math.isnan(best) else fixed(best, places)
        parts.append(f"{score} after {limit:,}")
    return f"{', '.join(parts)} epochs of the search"
