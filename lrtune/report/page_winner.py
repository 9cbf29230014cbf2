"""The page's code to paste, its few large numbers, and the picture of the best schedule."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lrtune.errors import LrtuneError
from lrtune.report.confirmed import best_confirmed, deciding
from lrtune.report.page_pictures import PagePicture, draw_winner
from lrtune.report.verdict import chance_of
from lrtune.report.words import NOTHING, brief, fixed, p_text
from lrtune.stats.sequential import BETTER

if TYPE_CHECKING:
    from lrtune.records.reader import RunRecords
    from lrtune.report.build import Report
    from lrtune.stats.comparison import Difference
    from lrtune.stats.confirmation import Confirmed


def code_of(report: Report) -> tuple[str, bool]:
    """The code of the recommended choice, and whether it needs no run folder; empty without one."""
    choice = report.answer.choice
    if choice is None:
        return "", True
    try:
        return choice.code(), True
    except LrtuneError:  # a family of the user's own, say
        return "\n".join(report.usage), False


def picture_of(records: RunRecords, report: Report) -> PagePicture | None:
    """The best schedule against the constant rate; None without one, or where it is unknown."""
    if report.ranked.empty:
        return None
    arm = best_confirmed(report.confirmation) if report.confirmation else None
    try:
        return draw_winner(records, arm)
    except (LrtuneError, ValueError, OverflowError):
        return None


def tiles(report: Report) -> list[tuple[str, str]]:
    """The few numbers that the answer rests on: what each is, and the number.

    None where nothing is recommended: a lead over a baseline that has not learned says nothing.
    """
    if report.answer.choice is None:
        return []
    decides = deciding(report.confirmation) if report.confirmation else None
    if report.confirmation and decides and decides.n:
        shown = _confirmed(report.confirmation, decides, report.places)
    else:
        shown = _searched(report)
    return [(what, number) for what, number in shown if number != NOTHING]


def _searched(report: Report) -> list[tuple[str, str]]:
    places, baseline, first = report.places, report.baseline, report.ranked.iloc[0]
    objective = report.records.manifest.objective
    shown = [(f"best {objective} in the search", fixed(first["score"], places))]
    if baseline is not None:
        arm, full = baseline.reference, len(report.ranked)
        shown.append((f"mean of {arm.name}", fixed(arm.mean, places)))
        shown.append(("lead of the best trial", fixed(first["delta"], places, sign=True)))
        k, size = chance_of(baseline, float(first["delta"]), full)
        of = f"the best of {k:,}" if k > 1 else "one training"
        shown.append((f"chance alone can give {of}", fixed(size, places)))
    return shown


def _confirmed(confirmed: Confirmed, one: Difference, places: int) -> list[tuple[str, str]]:
    arms = {arm.name: arm for arm in confirmed.comparison.arms}
    arm, base = arms[one.arm], arms[confirmed.manifest.baseline]
    measured = f"{arm.name} on the test {confirmed.manifest.data.kind}, mean of {arm.n}"
    return [
        (measured, fixed(arm.mean, places)),
        (f"{base.name}, mean of {base.n}", fixed(base.mean, places)),
        (f"lead of {arm.name}", fixed(one.mean, places, sign=True)),
        ("p, adjusted for all arms", p_text(one.p_holm)),
        (f"evidence, {BETTER:g} is needed", brief(one.evidence)),
    ]
