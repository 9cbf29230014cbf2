"""Reads a drawn figure back: its texts with their boxes, its legend, its points and lines."""

from __future__ import annotations

from itertools import combinations

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import PathCollection
from matplotlib.colors import to_hex

from lrtune.plots.theme import style


def texts(figure):
    """(text, box) of all text that is drawn, in pixels."""
    with style():
        return _texts(figure)


def _texts(figure):
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    renderer = canvas.get_renderer()
    found = list(figure.texts)
    if figure._suptitle is not None:
        found = [*(one for one in found if one is not figure._suptitle), figure._suptitle]
    for ax in figure.axes:
        found += [ax.title, ax._left_title, ax._right_title, *ax.texts]
        for axis in (ax.xaxis, ax.yaxis):
            found.append(axis.label)
            found += [tick.label1 for tick in axis._update_ticks()]
    legends = [*figure.legends, *(ax.get_legend() for ax in figure.axes)]
    found += [one for legend in legends if legend for one in legend.get_texts()]
    shown = [one for one in found if one.get_visible() and one.get_text().strip()]
    return [(one.get_text(), one.get_window_extent(renderer)) for one in shown]


def overlaps(figure, slack=0.6):
    """Pairs of texts that cover one another by more than `slack` pixels."""
    found = []
    for (first, one), (second, other) in combinations(texts(figure), 2):
        wide = min(one.x1, other.x1) - max(one.x0, other.x0)
        high = min(one.y1, other.y1) - max(one.y0, other.y0)
        if wide > slack and high > slack:
            found.append((first, second))
    return found


def outside(figure):
    """Texts that the figure cuts off."""
    width, height = figure.bbox.width, figure.bbox.height
    return [
        text
        for text, box in texts(figure)
        if box.x0 < -1 or box.y0 < -1 or box.x1 > width + 1 or box.y1 > height + 1
    ]


def legend_texts(ax):
    figure = ax.figure
    legends = [*figure.legends, *(one.get_legend() for one in figure.axes)]
    return [text.get_text() for legend in legends if legend for text in legend.get_texts()]


def points(ax):
    """(x, y) of all scattered points."""
    return [
        (float(x), float(y))
        for collection in ax.collections
        if isinstance(collection, PathCollection)
        for x, y in collection.get_offsets()
    ]


def line(ax, label):
    """The one line whose label begins so."""
    (found,) = [one for one in ax.lines if str(one.get_label()).startswith(label)]
    return found


def colour(artist):
    return to_hex(artist.get_color()).upper()
