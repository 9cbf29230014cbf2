"""What the short report says below the answer: the long tables in a line for each thing."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from lrtune.records.schema import PAGE
from lrtune.report.baseline import baseline_section
from lrtune.report.confirmation import confirmation_summary
from lrtune.report.grid import Section
from lrtune.report.rungs import first_rung_line
from lrtune.report.trials import trials_section
from lrtune.report.words import NO_BREAK, count, duration
from lrtune.stats.ranking import RUNNING

if TYPE_CHECKING:
    from lrtune.report.build import Report


def build_summary(report: Report, top: int) -> list[Section]:
    """The sections of the short report in their order.

    Args:
        report: of the run.
        top: int >= 1, how many of the best trials to list, unless the report says it.
    """
    baseline = baseline_section(report)
    arms = Section(baseline.title, about=baseline.about, pairs=baseline.pairs)
    # A confirmation's table has the constant rates already.
    before = confirmation_summary(report), trials_section(report, top)
    found = [*before, *([arms] if report.confirmation is None else [])]
    return [section for section in found if not section.is_empty]


def closing_lines(report: Report) -> list[str]:
    """Trials without a rank, how far to trust early rungs, costs, and where to read more."""
    cost, folder = report.cost, shlex.quote(str(report.records.folder))
    parts = {
        "search": cost.search.epochs,
        "baseline": cost.baseline_search.epochs + cost.baseline.epochs,
        "confirmation": cost.confirm.epochs,
    }
    spent = ", ".join(f"{name} {epochs:,}" for name, epochs in parts.items() if epochs)
    lines = [_unranked(report), first_rung_line(report.records)]
    if spent:
        # Not the time that has passed, which is less with several workers.
        total = f"{count(cost.total.epochs, 'epoch')}, {duration(cost.total.seconds)}"
        lines.append(f"Training: {total} ({spent}).")
    details = f"`lrtune report {folder} --details`".replace(" ", NO_BREAK)
    page = f", or {PAGE} there" if (report.records.folder / PAGE).exists() else ""
    lines.append(f"More: {details}{page}")
    return [line for line in lines if line]


def _unranked(report: Report) -> str:
    """How many trials have no rank, by kind; empty if all have one."""
    unranked = report.trials[report.trials["rank"].isna()]
    words = {"completed": "with fewer epochs", RUNNING: "unfinished"}
    kinds = [(n, words.get(str(one), one)) for one, n in unranked["status"].value_counts().items()]
    if not kinds:
        return ""
    (first, what), *others = kinds
    more = "".join(f", {number:,} {kind}" for number, kind in others)
    return f"Not ranked: {count(first, 'trial')} {what}{more}."
