"""Reports of a confirmed run.

CONFIRMED's trial-1 is better than constant-tuned by .016 .014 .016 .011 .016 .016 .018 .017, in sum
.124, so .0155 with every one of 8 seeds: p = 2/256, and times 3 arms (Holm) .0234. constant-0.1 is
worse with every seed: .0078, times 3 but no less than the one before it: .0234.
"""

from __future__ import annotations

from lrtune.records.reader import read_run
from lrtune.report.build import build_report
from tests.runs import build_run

CONFIRMED = build_run.CONFIRMED


def report_of(folder):
    return build_report(read_run(folder))


def first(scores, seeds):
    """The scores of so many seeds; the others have not ended."""
    return {arm: (*row[:seeds], *[None] * (8 - seeds)) for arm, row in scores.items()}
