"""The report as one HTML file: no network, no other file, readable without JavaScript."""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

from lrtune._util import checks
from lrtune._util.atomic import write_any
from lrtune._util.printable import printable
from lrtune.report.build import build_report, build_sections
from lrtune.report.confirmation import differences
from lrtune.report.page_pictures import draw_pictures
from lrtune.report.page_settings import list_settings
from lrtune.report.page_trials import build_trials
from lrtune.report.page_winner import find_winner
from lrtune.report.words import NOTHING, fixed, p_text

if TYPE_CHECKING:
    import os

    from lrtune.records.reader import RunRecords
    from lrtune.report.build import Report
    from lrtune.report.page_winner import Winner

TEMPLATES = Path(__file__).parent / "templates"
DIFFERENCE = "difference, above 0 is better"


def write_page(records: RunRecords, path: str | os.PathLike[str]) -> None:
    """Write a run's report as one HTML file, whole or not at all.

    Args:
        records: of the run.
        path: of the file; an existing one is replaced, a link is followed.

    Raises:
        ArgumentError: the file cannot be written; what was there is unchanged.
    """
    text = render_page(records)
    with checks.writable("path (--html)", "a file that can be written", path, also=ValueError):
        write_any(Path(path), text.encode())


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
        # Makes every text printable, in one place. Markup, a kind of str, is exempt: it is never
        # from a run folder, but from our own files and `tojson`.
        finalize=lambda value: printable(value) if type(value) is str else value,
    )
    report = build_report(records)
    pictures = draw_pictures(records)
    winner = find_winner(records, report)
    html: str = environment.get_template("page.html").render(
        report=report,
        name=records.folder.name or str(records.folder),
        folder=str(records.folder),
        winner=winner,
        figures=_figures(report, winner),
        trials=build_trials(report),
        sections=build_sections(report),
        forest=next((one for one in pictures if one.name == "forest"), None),
        pictures=[one for one in pictures if one.name not in ("forest", "schedules")],
        settings=list_settings(records.manifest),
        style=_inline("page.css"),
        script=_inline("page.js"),
    )
    return html


def _inline(name: str) -> dict[str, str]:
    """A script or style sheet of ours, and the hash by which the page's policy allows it."""
    from markupsafe import Markup

    text = f"\n{(TEMPLATES / name).read_text(encoding='utf-8')}"
    digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
    return {"text": Markup(text), "hash": f"sha256-{digest}"}  # noqa: S704 - a file of ours


def _figures(report: Report, winner: Winner | None) -> list[tuple[str, str]]:
    """The few numbers that the verdict rests on: what each is, and the number."""
    if winner is None:
        return []
    places, baseline, confirmed = report.places, report.baseline, report.confirmation
    if confirmed and winner.arm:
        arms = {one.name: one for one in confirmed.comparison.arms}
        best, base = arms[winner.arm], arms[confirmed.manifest.baseline]
        measured = f"{best.name} on the test {confirmed.manifest.data.kind}, mean of {best.n}"
        shown = [(measured, fixed(best.mean, places))]
        if (against := differences(confirmed).get(best.name)) is not None:
            shown.append((f"{base.name}, mean of {base.n}", fixed(base.mean, places)))
            shown.append((DIFFERENCE, fixed(against.mean, places, sign=True)))
            shown.append(("p, adjusted for all arms", p_text(against.p_holm)))
    else:
        first, objective = report.ranked.iloc[0], report.records.manifest.objective
        shown = [(f"best {objective} in the search", fixed(first["score"], places))]
        if baseline is not None:
            name, mean = baseline.reference.name, fixed(baseline.reference.mean, places)
            shown.append((f"mean of {name}", mean))
            shown.append((DIFFERENCE, fixed(first["delta"], places, sign=True)))
            shown.append(("noise of a single run, ±", fixed(baseline.spread, places)))
            if (full := len(report.ranked)) > 1:
                what = f"noise of the best of {full:,} runs, +"
                shown.append((what, fixed(baseline.spread_of_best(full), places)))
    return [(what, number) for what, number in shown if number != NOTHING]
