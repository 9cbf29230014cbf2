"""The pictures of `lrtune.plots` for the page: each as a data URI, and in words."""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lrtune._util.printable import printable
from lrtune.errors import ArgumentError
from lrtune.plots.gallery import Drawn, Plots, image, titles
from lrtune.plots.theme import DARK

if TYPE_CHECKING:
    from lrtune.records.reader import RunRecords


@dataclass(frozen=True)
class PagePicture:
    """One picture.

    Attributes:
        name: as `Plots.draw_all` names it.
        title: a few words.
        about: how to read it.
        alt: what it shows, for readers who cannot see it.
        uri: the picture itself.
        width: its own, in CSS pixels.
        height: likewise.
    """

    name: str
    title: str
    about: str
    alt: str
    uri: str
    width: int
    height: int


def draw_pictures(records: RunRecords) -> list[PagePicture]:
    """Every picture that this run has data for, in the order of a report.

    Args:
        records: of the run.
    """
    return [page_picture(one) for one in Plots(records).draw_all()]


def draw_winner(records: RunRecords, arm: str | None) -> PagePicture:
    """The schedule that the verdict names, against the constant rate.

    Args:
        records: of the run.
        arm: of the confirmation; None for the best trial of the search.

    Raises:
        ArgumentError: its family is not known here.
    """
    picture = Plots(records).schedules
    drawn = Drawn("winner", picture, picture(arm=arm))
    return page_picture(drawn, picture.facts(arm))


def page_picture(drawn: Drawn, facts: str | None = None) -> PagePicture:
    """A picture as the page shows it.

    Args:
        drawn: the picture.
        facts: what it shows; None for what the picture says about itself.
    """
    name, picture, figure = drawn
    own = ", ".join(dict.fromkeys(map(printable, titles(figure)))) or picture.title
    title = own if len(picture.variants()) > 1 else picture.title
    if facts is None:
        try:
            facts = picture.facts()
        except ArgumentError:
            facts = ""
    alt = " ".join(part for part in (f"{own}.", picture.about, printable(facts)) if part)
    width, height = (round(96 * side) for side in figure.get_size_inches())
    return PagePicture(name, title, picture.about, alt, _uri(image(figure, "svg")), width, height)


def _uri(svg: bytes) -> str:
    """The SVG with dark colours for dark pages, and two decimals in its coordinates, not six."""

    def fewer(found: re.Match[bytes]) -> bytes:
        return re.sub(rb"(\.\d\d)\d+", rb"\1", found[0]).replace(b" \n", b"\n")

    small = re.sub(rb'\s(d|x|y|x1|x2|y1|y2|points)="[^"]*"', fewer, svg)
    # NOTE: a media query in the image itself needs no second image, and no script.
    rules = [f"svg{{fill:{DARK['#000000']}}}"]
    rules += [
        f'[style*="{what}: {light}"]{{{what}:{dark}!important}}'
        for light, dark in DARK.items()
        for what in ("fill", "stroke")
    ]
    style = f"@media (prefers-color-scheme: dark){{{''.join(rules)}}}</style>".encode()
    recoloured = small.replace(b"</style>", style, 1)
    return f"data:image/svg+xml;base64,{base64.b64encode(recoloured).decode()}"
