"""How far to trust Hyperband's early rungs, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lrtune.report.words import NO_BREAK, count, interval
from lrtune.stats.rungs import measure_rungs

if TYPE_CHECKING:
    from lrtune.records.reader import RunRecords
    from lrtune.stats.rungs import RungAgreement

PLACES = 2


def rungs_words(records: RunRecords) -> str:
    """Whether promoted trials kept their order; empty if too few were promoted to tell."""
    found = [
        f"{_number(one)} between {one.first:,} and {count(one.then, 'epoch')} "
        f"({count(one.trials, 'trial')})"
        for one in measure_rungs(records)
    ]
    if not found:
        return ""
    scale = f"1{NO_BREAK}is the same order, 0{NO_BREAK}is chance"
    return (
        f"promoted trials kept their order with a rank correlation of {', '.join(found)}, where "
        f"{scale}. Among all trials it is higher, as only the best were promoted"
    )


def first_rung_line(records: RunRecords) -> str:
    """The same about the earliest rung, in one line of 80 characters; empty likewise."""
    for one in measure_rungs(records):
        return (
            f"Early rungs: {one.first:,} and {count(one.then, 'epoch')}, rank correlation "
            f"{_number(one)} (0: chance)."
        )
    return ""


def _number(one: RungAgreement) -> str:
    return f"{one.correlation:.{PLACES}f} {interval(one.lower, one.upper, PLACES)}"
