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
from lrtune.report.glossary import GLOSSARY, explained
from lrtune.report.page_pictures import draw_pictures
from lrtune.report.page_settings import list_settings
from lrtune.report.page_trials import build_trials
from lrtune.report.page_winner import code_of, picture_of, tiles

if TYPE_CHECKING:
    import os

    from lrtune.records.reader import RunRecords

TEMPLATES = Path(__file__).parent / "templates"


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
    environment.filters["explained"] = explained
    report = build_report(records)
    pictures = draw_pictures(records)
    best = picture_of(records, report)
    code, alone = code_of(report)
    html: str = environment.get_template("page.html").render(
        report=report,
        name=records.folder.name or str(records.folder),
        folder=str(records.folder),
        code=code,
        alone=alone,
        tiles=tiles(report),
        trials=build_trials(report),
        sections=build_sections(report),
        forest=next((one for one in pictures if one.name == "forest"), None),
        pictures=[
            *([best] if best else []),
            *(one for one in pictures if one.name not in ("forest", "schedules")),
        ],
        glossary=GLOSSARY,
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
