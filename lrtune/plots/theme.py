"""How all pictures look: one style, one palette, figures that no global state keeps.

Figures are matplotlib's own objects, made without pyplot: drawing needs no display, leaves no
figure open, and the style applies to these figures only. Fonts are those that matplotlib ships.

Colours are Okabe and Ito's, which colour-blind readers can tell apart ("Color universal design",
2008, https://jfly.uni-koeln.de/color/), without their yellow, which is invisible on white. Families
differ in their markers too, so black and white works.
"""

from __future__ import annotations

import functools
import io
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from matplotlib.figure import Figure
from matplotlib.font_manager import findfont, get_font
from matplotlib.lines import Line2D
from matplotlib.style import context

from lrtune._util.printable import printable
from lrtune.errors import ArgumentError

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Iterator, Sequence
    from contextlib import AbstractContextManager

    from matplotlib.axes import Axes
    from matplotlib.backend_bases import RendererBase

    from lrtune.records.reader import RunRecords

FONT = "DejaVu Sans"

INK = "#333333"
"""Lines that belong to no family."""

BASELINE = "#555555"
"""The baseline: its line and its band."""

MUTED = "#b8b8b8"
"""What is only there for comparison."""

DARK = {
    "#000000": "#e5eaef", INK: "#d3dae1", BASELINE: "#a3aeb9", MUTED: "#59636e",
    "#e8e8e8": "#2b323a", "#ffffff": "#171c22", "#0072b2": "#3d9bdc",
}  # fmt: skip
"""Colour -> what it is on a dark page; the other colours stay."""

RC: dict[str, Any] = {
    "font.family": FONT,
    "font.size": 9,
    "axes.titlesize": 11,
    "axes.titlelocation": "left",
    "axes.titlepad": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": BASELINE,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#e8e8e8",
    "grid.linewidth": 0.8,
    "xtick.color": BASELINE,
    "ytick.color": BASELINE,
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
FIRST = ("constant", "time", "step", "exponential")
"""These have the first places in the palette in every run, searched or not."""

DASHES: tuple[Any, ...] = (
    "", (6, 1.5), (7, 1.5, 1.5, 1.5), (2.5, 1), (9, 1.5, 1.5, 1.5, 1.5, 1.5), (1, 1), (12, 2),
    (4, 1.5, 4, 1.5, 1, 1.5), (3, 3), (12, 2, 2, 2),
)  # fmt: skip
"""Of the lines of the best trials, the best first: several may be of one family."""

BASELINE_LINE: dict[str, Any] = {
    "color": BASELINE, "linestyle": (0, (4, 2.5)), "linewidth": 1.6, "zorder": 1.5,
}  # fmt: skip

MOST_ENTRIES = 16
"""A longer legend is cut, and says how many entries are missing."""


@dataclass(frozen=True)
class Look:
    """What a family looks like in every picture.

    Attributes:
        colour: of lines and markers.
        marker: of points.
    """

    colour: str
    marker: str


class Canvas(Figure):
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


def style() -> AbstractContextManager[None]:
    """Our style within the block, whatever the user's own is, and that again after it."""
    return context(["default", RC])


@contextmanager
def panels(
    given: Axes | Sequence[Axes] | None,
    rows: int = 1,
    columns: int = 1,
    *,
    size: tuple[float, float] = (7.2, 4.4),
    most: int | None = None,
    title: str = "",
    **options: Any,
) -> Iterator[list[Axes]]:
    """The axes to draw into: those given, in their own style, or new ones in ours.

    Args:
        given: the user's; None for new ones.
        rows: int >= 1, of new axes.
        columns: int >= 1, of new axes.
        size: width and height of the figure in inches.
        most: int >= 1, how many axes are needed; None for rows * columns.
        title: of a new figure of several axes.
        **options: of matplotlib's `Figure.subplots`.
    """
    most = most or rows * columns
    if given is not None:
        own: list[Any] = list(given) if isinstance(given, list | tuple) else [given]
        if len(own) != most:
            raise ArgumentError(f"axes must be {most}. Received: {len(own)}.")
        yield own
        return
    with style():
        figure = Canvas(figsize=size, layout="constrained")
        found = list(figure.subplots(rows, columns, squeeze=False, **options).flat)
        for ax in found[most:]:
            ax.remove()
        if title:
            figure.suptitle(title, x=0.01, ha="left", fontsize=11)
        yield found[:most]


def looks(records: RunRecords) -> dict[str, Look]:
    """Family -> its look: those of `FIRST`, the run's in its order, then any others in trials.

    Names are printable. The same for every picture of a run. Where there are more families than
    colours, their markers differ.
    """
    from lrtune.stats.trials import family_of

    confirmed = records.confirmation.manifest.arms.values() if records.confirmation else ()
    others = {family_of(outcome) for outcome in records.outcomes}
    others |= {str(arm.get("schedule")) for arm in confirmed}
    names = map(printable, (*FIRST, *records.manifest.families, *sorted(others)))
    return {
        name: Look(COLOURS[place % len(COLOURS)], MARKERS[place % len(MARKERS)])
        for place, name in enumerate(dict.fromkeys(names))
    }


def text(given: object, most: int = 40) -> str:
    r"""Text from a run folder as matplotlib may be given it: a line, no formula, no missing glyph.

    A `$` would begin a formula, so it is escaped. A character that the font does not have is
    written as Python would (`\u4f59`): matplotlib warns of each and draws a box for all of them.
    """
    shown = "".join(map(_shown, str(given)))
    if len(shown) > most:
        # Names that share a beginning usually differ at the end, so both are kept.
        shown = f"{shown[: most - 1 - most // 3]}…{shown[-(most // 3) :]}"
    shown = shown.replace("$", r"\$")
    # NOTE: matplotlib leaves a label that begins with an underscore out of the legend.
    return f" {shown}" if shown.startswith("_") else shown


def legend(ax: Axes, *notes: str, columns: int | None = None) -> None:
    """A legend of all labelled lines and points, below the axes, where nothing is drawn.

    In the user's own figure it is inside the axes, where matplotlib finds most room.

    Args:
        ax: with what is labelled.
        notes: entries that are only words.
        columns: int >= 1; None for as many as fit.
    """
    handles, labels = ax.get_legend_handles_labels()
    entries: dict[str, Any] = dict(zip(labels, handles, strict=True))
    entries |= {words: Line2D([], [], linestyle="none") for words in notes if words}
    if (own := ax.get_legend()) is not None:
        own.remove()
    if len(entries) > MOST_ENTRIES:
        rest = len(entries) - MOST_ENTRIES + 1
        entries = dict(list(entries.items())[: MOST_ENTRIES - 1])
        entries[f"and {rest:,} more"] = Line2D([], [], linestyle="none")
    figure = ax.figure
    if not entries:
        return
    if not isinstance(figure, Canvas):
        ax.legend(entries.values(), entries.keys(), loc="best")
        return
    # A letter is about .075 inches wide, and a column begins with the line or marker and a gap.
    fitting = int(figure.get_figwidth() / (0.075 * max(map(len, entries)) + 0.65))
    columns = columns or max(1, min(4, fitting))
    figure.legend(entries.values(), entries.keys(), loc="outside lower left", ncols=columns)


def name_rows(ax: Axes, places: Iterable[float], names: Iterable[str], pad: float = 3.5) -> None:
    """Names at the y axis instead of numbers: no ticks, no grid lines between them."""
    ax.grid(visible=False, axis="y")
    ax.set_yticks(list(places), list(names))
    ax.tick_params(axis="y", length=0, pad=pad)


def figure_of(ax: Axes) -> Figure:
    """The figure that axes belong to."""
    figure = ax.get_figure(root=True)
    if figure is None:
        raise ArgumentError("ax must belong to a figure.")
    return figure


def count(number: int, noun: str) -> str:
    """A number with its noun: "1 trial", "1,200 trials"."""
    return f"{number:,} {noun}" + ("" if number == 1 else "s")


def _shown(char: str) -> str:
    safe = printable(char)
    if len(safe) > 1 or ord(safe) in _glyphs():
        return safe
    return safe.encode("unicode_escape").decode("ascii")


@functools.cache
def _glyphs() -> frozenset[int]:
    return frozenset(get_font(findfont(FONT)).get_charmap())
