"""A run at a glance: in one line, and as the small table that a notebook shows."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING

from lrtune._util.printable import printable
from lrtune.report.words import brief, decimals, fixed
from lrtune.stats.ranking import RUNNING, rank

if TYPE_CHECKING:
    from lrtune.records.reader import RunRecords


def one_line(records: RunRecords) -> str:
    """The run's folder, what was asked of the search, and how many trials there are."""
    manifest = records.manifest
    return printable(
        f"<lrtune run {str(records.folder)!r}: {manifest.algo}, {manifest.objective}, "
        f"{manifest.max_epochs} epochs; {counted(records)}>"
    )


def counted(records: RunRecords) -> str:
    """The number of trials of each status: "7 completed, 1 running"."""
    statuses: list[str] = [outcome.status for outcome in records.outcomes]
    counts = {status: statuses.count(status) for status in dict.fromkeys(statuses)}
    unfinished = set(records.unfinished)
    if lost := unfinished & {outcome.trial_id for outcome in records.lost}:
        counts["lost"] = len(lost)
    if running := unfinished - lost:
        what = RUNNING if records.manifest.finished is None else "missing"
        counts[what] = len(running)
    return ", ".join(f"{count:,} {status}" for status, count in counts.items()) or "no trials"


def notebook_html(records: RunRecords) -> str:
    """The same line above the best five trials, as HTML."""
    title = html.escape(one_line(records).strip("<>"))
    columns = ["rank", "trial_id", "schedule", "lr0", "momentum", "parameters", "score"]
    table = rank(records).head(5)
    if table["own"].fillna("").any():
        columns.insert(-1, "own")
    table = table[[*columns, "delta", "status"]]
    table["rank"] = table["rank"].astype("string").fillna("")  # na_rep leaves out such columns
    places = decimals(table["score"])
    cells = table.to_html(
        index=False,
        na_rep="",
        escape=True,
        formatters={
            "lr0": brief,
            "momentum": brief,
            "score": lambda score: fixed(score, places),
            "delta": lambda delta: fixed(delta, places, sign=True),
        },
    )
    # These classes prevent MathJax, which notebooks apply to outputs, from rendering a name with $
    # or \( as a formula, which could contain links.
    return f'<div class="tex2jax_ignore mathjax_ignore"><p>{title}</p>{cells}</div>'
