"""The parts of a report, described once: the terminal and the page only lay them out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lrtune.report.baseline import baseline_section
from lrtune.report.confirmation import confirmation_section
from lrtune.report.costs import cost_section, progress_section
from lrtune.report.details import curves_section, importance_section
from lrtune.report.trials import trials_section, unranked_section

if TYPE_CHECKING:
    from lrtune.report.build import Report
    from lrtune.report.grid import Section


def build_sections(report: Report) -> dict[str, Section]:
    """The sections of a report by name, in their order in the terminal.

    Returns:
        "baseline" always; "trials", "unranked", "cost", "progress", "importance", "curves" and
        "confirmation" if they are not empty.
    """
    found = {
        "baseline": baseline_section(report),
        "trials": trials_section(report),
        "unranked": unranked_section(report),
        "cost": cost_section(report),
        "progress": progress_section(report),
        "importance": importance_section(report),
        "curves": curves_section(report),
        "confirmation": confirmation_section(report),
    }
    return {name: section for name, section in found.items() if not section.is_empty}
