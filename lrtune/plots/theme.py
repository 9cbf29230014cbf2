"""How all pictures look: one style, one palette, figures that no global state knows of.

Figures are matplotlib's own objects, made without pyplot: nothing needs a display, nothing stays
open, and the style holds for these figures alone. Fonts are those that matplotlib ships.

Colours are Okabe and Ito's, which colour-blind readers tell apart ("Color universal design", 2008,
https://jfly.uni-koeln.de/color/), without their yellow, which nobody sees on white. A family has a
marker and a dash pattern of its own besides, so that black and white will do.
"""

from __future__ import annotations

import functools
import io
import itertools
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import matplotlib as mpl
from matplotlib.figure import Figure
from matplotlib.font_manager import findfont, get_font
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from lrtune._util.printable import printable
from lrtune.errors import ArgumentError

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Iterator, Sequence

    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.backend_bases import RendererBase

    from lrtune.records.reader import RunRecords

FONT = "DejaVu Sans"

RC: dict[str, Any] = {
    "font.family": FONT,
    "font.size": 9,
    "axes.titlesize": 11,
    "axes.titlelocation": "left",
    "axes.titlepad": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": "#555555",
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#e8e8e8",
    "grid.linewidth": 0.8,
    "xtick.color": "#555555",
    "ytick.color": "#555555",
    "xtick.labelcolor": "black",
    "ytick.labelcolor": "black",
    "legend.frameon": False,
    "legend.fontsize": 8.5,
    "lines.solid_capstyle": "butt",
    "figure.constrained_layout.h_pad": 0.07,
    "figure.constrained_layout.w_pad": 0.07,
    # NOTE: text as outlines. As text it is set in whatever font the reader's browser has in place
    # of ours, and then labels overlap that did not; what a picture shows is in its <title>.
    "svg.fonttype": "path",
    "svg.hashsalt": "lrtune",
}

COLOURS = ("#000000", "#E69F00", "#0072B2", "#009E73", "#D55E00", "#CC79A7", "#56B4E9")
MARKERS = ("o", "^", "s", "D", "v", "P", "p", "h", "<", ">", "*")
DASHES: tuple[Any, ...] = (
    "-",
    (0, (6, 1.5)),
    (0, (7, 1.5, 1.5, 1.5)),
    (0, (2.5, 1)),
    (0, (9, 1.5, 1.5, 1.5, 1.5, 1.5)),
    (0, (1, 1)),
    (0, (12, 2)),
    (0, (4, 1.5, 4, 1.5, 1, 1.5)),
)
FIRST = ("constant", "time", "step", "exponential")
"""These have the first places in the palette in every run, searched or not."""

BASELINE = "#555555"
"""Colour of the baseline: its line and its band."""

BASELINE_DASHES: Any = (0, (4, 2.5))
MUTED = "#b8b8b8"
"""What is there for context."""

MOST_ENTRIES = 16
"""A legend of more entries leaves out the rest, and says how many."""


@dataclass(frozen=True)
class Look:
    """What a family looks like in every picture.

    Attributes:
        colour: of lines and markers.
        marker: of points.
        dashes: of lines.
    """

    colour: str
    marker: str
    dashes: Any


class Picture(Figure):
    """A figure in our style whenever it is drawn, which shows itself in a notebook."""

    def draw(self, renderer: RendererBase) -> None:
        """Draws everything; ticks made on the way are in our style, too."""
        with style():
            super().draw(renderer)

    def savefig(self, fname: str | os.PathLike[str] | io.BytesIO, **kwargs: Any) -> None:  # type: ignore[override]
        """Saves the picture, as matplotlib does; SVG without the date, to be the same each time."""
        kind = kwargs.get("format") or str(fname).rpartition(".")[2]
        if kind == "svg":
            kwargs["metadata"] = {"Date": None, **(kwargs.get("metadata") or {})}
        with style():
            super().savefig(fname, **kwargs)

    def _repr_png_(self) -> bytes:
        buffer = io.BytesIO()
        self.savefig(buffer, format="png")
        return buffer.getvalue()


@contextmanager
def style() -> Iterator[None]:
    """Our style within the block, whatever the user's own is, and that again after it."""
    with mpl.rc_context():
        mpl.rcdefaults()
        parameters: Any = mpl.rcParams  # its keys are literal types since matplotlib 3.11
        parameters.update(RC)
        yield


@contextmanager
def canvas(ax: Axes | None, width: float = 7.2, height: float = 4.4) -> Iterator[Axes]:
    """The axes to draw into: those given, in their own style, or new ones in ours."""
    if ax is not None:
        yield ax
        return
    with style():
        yield Picture(figsize=(width, height), layout="constrained").add_subplot()


@contextmanager
def panels(
    axes: Sequence[Axes] | None,
    *,
    width: float = 7.2,
    height: float = 4.4,
    ratios: tuple[float, float] = (1, 1),
    beside: bool = False,
) -> Iterator[tuple[Axes, Axes]]:
    """Two axes, those given or new ones: one above the other with the same x, or side by side."""
    if axes is not None:
        given = list(axes)
        if len(given) != 2:
            raise ArgumentError(f"axes must be two. Received: {len(given)}.")
        yield given[0], given[1]
        return
    with style():
        figure = Picture(figsize=(width, height), layout="constrained")
        if beside:
            found = figure.subplots(1, 2, sharey=True, width_ratios=ratios)
        else:
            found = figure.subplots(2, 1, sharex=True, height_ratios=ratios)
        yield found[0], found[1]


def looks(records: RunRecords) -> dict[str, Look]:
    """Family -> what it looks like: those of `FIRST`, the run's in its order, any other in trials.

    The same for every picture of a run. Where families outnumber colours, marker and dashes differ.
    """
    from lrtune.stats.trials import family_of

    confirmed = records.confirmation.manifest.arms.values() if records.confirmation else ()
    others = {family_of(outcome) for outcome in records.outcomes}
    others |= {str(arm.get("schedule")) for arm in confirmed}
    names = dict.fromkeys((*FIRST, *records.manifest.families, *sorted(others)))
    return {
        name: Look(
            COLOURS[place % len(COLOURS)],
            MARKERS[place % len(MARKERS)],
            DASHES[place % len(DASHES)],
        )
        for place, name in enumerate(names)
    }


def text(given: object, most: int = 40) -> str:
    r"""Text from a run folder as matplotlib may be given it: a line, no formula, no missing glyph.

    A `$` would begin a formula, so it is escaped. A character that the font does not have is
    written as Python would (`\u4f59`): matplotlib warns of each and draws a box for all of them.
    """
    pieces = [_shown(char) for char in str(given)]
    if sum(map(len, pieces)) > most:
        # Names that share a beginning usually differ at the end, so both are kept.
        end = _first(pieces[::-1], most // 3)[::-1]
        pieces = [*_first(pieces, most - 1 - most // 3), "…", *end]
    shown = "".join(pieces)
    return shown.replace("$", r"\$")


def legend(ax: Axes, handles: Sequence[Artist], *, columns: int | None = None) -> None:
    """A legend below the axes, where nothing is drawn, in as many columns as there is room for.

    In a figure of the user's it is within the axes, where matplotlib finds most room.

    Args:
        ax: one of the figure's.
        handles: its entries, with their labels.
        columns: int >= 1; None for as many as fit.
    """
    shown = [handle for handle in handles if handle.get_label()]
    if not shown:
        return
    if len(shown) > MOST_ENTRIES:
        rest = len(shown) - MOST_ENTRIES + 1
        shown = [*shown[: MOST_ENTRIES - 1], note(f"and {rest:,} more")]
    names = [str(one.get_label()) for one in shown]
    # NOTE: matplotlib takes a label that begins with an underscore for one to leave out.
    labels = [f" {name}" if name.startswith("_") else name for name in names]
    figure = ax.figure
    if not isinstance(figure, Picture):
        ax.legend(shown, labels, loc="best")
        return
    # A letter is about .075 inches wide, and a column begins with the line or marker and a gap.
    widest = 0.075 * max(map(len, labels)) + 0.65
    fitting = max(1, min(4, int(figure.get_figwidth() / widest)))
    figure.legend(shown, labels, loc="outside lower left", ncols=columns or fitting)


def family_handle(name: str, look: Look, *, line: bool = False, count: int | None = None) -> Line2D:
    """A legend's entry of a family: its marker, or its line."""
    label = text(name, 28) + ("" if count is None else f" ({count:,})")
    if line:
        return Line2D([], [], color=look.colour, linestyle=look.dashes, linewidth=2, label=label)
    return Line2D(
        [], [], color=look.colour, marker=look.marker, linestyle="none", markersize=6, label=label
    )


def note(words: str) -> Line2D:
    """A legend's entry that is words alone."""
    return Line2D([], [], linestyle="none", label=words)


def band_handle(label: str) -> Patch:
    """A legend's entry of the baseline's band."""
    return Patch(facecolor=BASELINE, alpha=0.15, label=label)


def spread(places: Iterable[float], gap: float, low: float = 0.0, high: float = 1.0) -> list[float]:
    """Places moved no further than needed to be `gap` apart, their order kept, within low..high.

    Args:
        places: where labels would best be.
        gap: float > 0, between neighbours; less where not all have room.
        low: the least place.
        high: the greatest place.
    """
    wanted = list(places)
    if not wanted:
        return []
    gap = min(gap, (high - low) / max(len(wanted) - 1, 1))
    order = sorted(range(len(wanted)), key=lambda index: wanted[index])
    # Labels that touch make a block, whose middle stays the mean of where they would be.
    blocks: list[tuple[float, int]] = []  # (first place, number)
    for index in order:
        first, number = wanted[index], 1
        first = min(max(first, low), high)
        while blocks and first < blocks[-1][0] + gap * blocks[-1][1] - 1e-12:
            before, size = blocks.pop()
            middle = before + gap * (size - 1) / 2
            own = first + gap * (number - 1) / 2
            number += size
            first = (middle * size + own * (number - size)) / number - gap * (number - 1) / 2
            first = min(max(first, low), high - gap * (number - 1))
        blocks.append((first, number))
    placed = [first + gap * step for first, number in blocks for step in range(number)]
    result = [0.0] * len(wanted)
    for index, place in zip(order, placed, strict=True):
        result[index] = place
    return result


def _shown(char: str) -> str:
    safe = printable(char)
    if len(safe) > 1 or ord(safe) in _glyphs():
        return safe
    return safe.encode("unicode_escape").decode("ascii")


def _first(pieces: list[str], most: int) -> list[str]:
    """As many of the first pieces as have `most` characters together, none of them cut."""
    lengths = itertools.accumulate(map(len, pieces))
    return pieces[: sum(1 for _ in itertools.takewhile(lambda length: length <= most, lengths))]


@functools.cache
def _glyphs() -> frozenset[int]:
    return frozenset(get_font(findfont(FONT)).get_charmap())
