"""The report as one HTML file: no network, no other file, readable without JavaScript."""

from __future__ import annotations

import base64
import hashlib
import math
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lrtune._util.atomic import write_any
from lrtune._util.printable import printable
from lrtune.errors import ArgumentError
from lrtune.report.build import build_report
from lrtune.report.page_pictures import draw_pictures
from lrtune.report.page_settings import list_settings
from lrtune.report.page_trials import build_trials
from lrtune.report.page_winner import find_winner
from lrtune.report.sections import arm_columns, cost_columns, p_text, soon_pairs
from lrtune.report.words import fixed
from lrtune.stats.winner import Direction

if TYPE_CHECKING:
    from collections.abc import Callable

    from lrtune.records.reader import RunRecords
    from lrtune.report.build import Report, Row
    from lrtune.report.confirmation import Confirmation
    from lrtune.report.page_winner import Winner

TEMPLATES = Path(__file__).parent / "templates"


@dataclass(frozen=True)
class Inline:
    """A script or a style sheet in the page.

    Attributes:
        text: of it, one of our own files.
        hash: by which the page's policy allows it and nothing else.
    """

    text: str
    hash: str


def write_page(records: RunRecords, path: str | os.PathLike[str]) -> None:
    """Write a run's report as one HTML file, whole or not at all.

    Args:
        records: of the run.
        path: of the file; replaced if there is one.

    Raises:
        ArgumentError: it cannot be written.
    """
    text = render_page(records)
    try:
        write_any(Path(path), text.encode())
    except (OSError, ValueError) as error:  # ValueError for a name with a zero byte in it
        raise ArgumentError(
            "path (--html) must be a file that can be written. Received: "
            f"{os.fspath(path)!r} ({getattr(error, 'strerror', None) or error})."
        ) from error


def render_page(records: RunRecords) -> str:
    """The report of a run as HTML.

    Whatever the run folder holds is shown as text: escaped, printable, and under a policy that
    runs no script but the page's own and loads nothing from anywhere.

    Args:
        records: of the run.
    """
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_finalize(),
    )
    report = build_report(records)
    confirmation = report.confirmation
    pictures = draw_pictures(records)
    winner = find_winner(records, report)
    html: str = environment.get_template("page.html").render(
        report=report,
        name=records.folder.name or str(records.folder),
        folder=str(records.folder),
        manifest=records.manifest,
        winner=winner,
        figures=_figures(records, report, winner),
        trials=build_trials(records, report),
        arms=arm_columns(confirmation.rows, report.places) if confirmation else [],
        costs=cost_columns(report.costs.rows) if report.costs.rows else [],
        soon=soon_pairs(report.costs, report.compared_with, report.places),
        forest=next((one for one in pictures if one.name == "forest"), None),
        pictures=[one for one in pictures if one.name != "forest"],
        settings=list_settings(records.manifest),
        style=_inline("page.css"),
        script=_inline("page.js"),
    )
    return html


def _finalize() -> Callable[[Any], Any]:
    """What every value passes on its way into the page, so that none is forgotten."""
    from markupsafe import Markup

    def finalize(value: Any) -> Any:
        # NOTE: Markup is our own: files of ours, and what `tojson` made.
        if isinstance(value, str) and not isinstance(value, Markup):
            return printable(value)
        return value

    return finalize


def _inline(name: str) -> Inline:
    from markupsafe import Markup

    text = f"\n{(TEMPLATES / name).read_text(encoding='utf-8')}"
    digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
    return Inline(Markup(text), f"sha256-{digest}")  # noqa: S704 - a file of ours


def _figures(records: RunRecords, report: Report, winner: Winner | None) -> list[tuple[str, str]]:
    """The few numbers that the verdict rests on: what they are, and each."""
    if not report.rows:
        return []
    if report.confirmation and winner and winner.arm:
        return _confirmed_figures(records, report.confirmation, winner.arm, report.places)
    first, places = report.rows[0], report.places
    shown = [(f"best {records.manifest.objective} in the search", fixed(first.score, places))]
    if not math.isnan(first.delta):
        shown += [
            (
                f"of {report.compared_with}, the mean",
                _mean(records, first, places),
            ),
            ("difference, above 0 is better", fixed(first.delta, places, sign=True)),
        ]
    if not math.isnan(report.spread):
        shown.append(("noise of a single run", f"±{fixed(report.spread, places)}"))
    return shown


def _confirmed_figures(
    records: RunRecords, confirmation: Confirmation, arm: str, places: int
) -> list[tuple[str, str]]:
    recorded = records.confirmation
    baseline = printable(recorded.manifest.baseline) if recorded else ""
    rows = {row.arm: row for row in confirmation.rows}
    best, base = rows.get(printable(arm)), rows.get(baseline)
    if best is None or base is None:
        return []
    shown = [(f"{best.arm}, test images, mean of {best.n}", fixed(best.mean, places))]
    if best is not base:
        shown.append((f"{base.arm}, mean of {base.n}", fixed(base.mean, places)))
        shown.append(("difference, above 0 is better", fixed(best.difference, places, sign=True)))
    if not math.isnan(best.p):
        shown.append(("p, corrected for all arms", p_text(best.p)))
    return shown


def _mean(records: RunRecords, first: Row, places: int) -> str:
    return fixed(first.score - Direction(records.manifest.direction).sign * first.delta, places)
