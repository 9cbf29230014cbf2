"""What several pictures draw alike: the baseline, points of trials, numbers at ends of lines."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.lines import Line2D

from lrtune.plots.scales import clip
from lrtune.plots.theme import BASELINE, BASELINE_DASHES, Look, band_handle, spread, text
from lrtune.stats.trials import score_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes

    from lrtune.records.schema import Outcome
    from lrtune.stats.baseline import Baseline


@dataclass(frozen=True)
class Ending:
    """Where a line ends, and the number that is to stand there.

    Attributes:
        place: on the y axis.
        rank: int >= 1.
        colour: of the line.
    """

    place: float
    rank: int
    colour: str


def draw_baseline(ax: Axes, baseline: Baseline | None, which: str = "y") -> list[Artist]:
    """The baseline's mean as a line, what is within its noise as a band; the legend's entries.

    Args:
        ax: where scores are on the axis `which`.
        baseline: of the run; None draws nothing.
        which: "x" or "y".
    """
    if baseline is None:
        return []
    mean, spread_ = baseline.reference.mean, baseline.spread
    line, span = (ax.axhline, ax.axhspan) if which == "y" else (ax.axvline, ax.axvspan)
    line(mean, color=BASELINE, linestyle=BASELINE_DASHES, linewidth=1.6, zorder=1.5)
    label = f"baseline {text(baseline.reference.name, 24)}: {mean:.4g}"
    handles: list[Artist] = [baseline_handle(label)]
    if not math.isnan(spread_):
        span(mean - spread_, mean + spread_, color=BASELINE, alpha=0.15, linewidth=0, zorder=0.5)
        handles.append(band_handle(f"95 of 100 single runs of it: ±{spread_:.2g}"))
    return handles


def baseline_handle(label: str) -> Line2D:
    """A legend's entry of the baseline's line."""
    return Line2D([], [], color=BASELINE, linestyle=BASELINE_DASHES, linewidth=1.6, label=label)


def baseline_extent(baseline: Baseline | None, scores: Sequence[float]) -> list[float]:
    """Scores that an axis must show for the baseline to be seen beside others.

    Of a band far wider than the others' range a part is enough: one seed in three that fails to
    train makes it so wide that all trials would lie on a line, and reach accuracies above 1.

    Args:
        baseline: of the run.
        scores: the others.
    """
    if baseline is None:
        return []
    mean = baseline.reference.mean
    band = 0.0 if math.isnan(baseline.spread) else baseline.spread
    known = [mean, *(score for score in scores if math.isfinite(score))]
    room = 0.5 * (max(known) - min(known)) or band
    return [mean, max(mean - band, min(known) - room), min(mean + band, max(known) + room)]


def draw_points(
    ax: Axes,
    places: npt.NDArray[np.float64],
    scores: npt.NDArray[np.float64],
    look: Look,
    *,
    total: int,
    filled: bool = True,
    diverged: bool = False,
    zorder: float = 3,
) -> None:
    """Points of one family: filled, hollow, or crosses for those that diverged.

    Args:
        ax: to draw into.
        places: of the points on the x axis.
        scores: of the points on the y axis.
        look: of the family.
        total: points in the whole picture: more are smaller and let others shine through.
        filled: False for hollow, smaller ones.
        diverged: True for crosses.
        zorder: as matplotlib's.
    """
    size = float(np.clip(5400 / max(total, 1), 13, 40))
    # A cloud of thousands is an image within an SVG, which would have a megabyte of them else.
    cloud = total > 1000
    alpha = float(np.clip(120 / max(total, 1), 0.4, 0.9))
    if diverged:
        ax.scatter(
            places, scores, s=size, marker="x", color=look.colour, alpha=alpha, linewidths=1.1,
            zorder=zorder, clip_on=False, rasterized=cloud,
        )  # fmt: skip
    elif filled:
        ax.scatter(
            places, scores, s=size, marker=look.marker, color=look.colour, alpha=alpha,
            edgecolors="white", linewidths=0.4, zorder=zorder, clip_on=False, rasterized=cloud,
        )  # fmt: skip
    else:
        ax.scatter(
            places, scores, s=0.55 * size, marker=look.marker, facecolors="none",
            edgecolors=look.colour, alpha=0.6 * alpha, linewidths=0.8, zorder=zorder - 1,
            clip_on=False, rasterized=cloud,
        )  # fmt: skip


def diverged_handle(count: int) -> Line2D:
    """A legend's entry of the crosses."""
    return Line2D(
        [], [], color="#333333", marker="x", linestyle="none", label=f"diverged ({count:,})"
    )


def drawn_scores(trials: Sequence[Outcome], limits: tuple[float, float]) -> npt.NDArray[np.float64]:
    """Scores of trials as they are drawn: those off the axis at its edge."""
    return clip([score_of(one) for one in trials], limits)


def off_axis(trials: Sequence[Outcome], limits: tuple[float, float]) -> int:
    """How many of the trials score outside the axis."""
    return sum(not limits[0] <= score_of(one) <= limits[1] for one in trials)


def number_ends(ax: Axes, endings: Sequence[Ending]) -> None:
    """Ranks at the right edge, each as near to the end of its line as the others let it be."""
    shown = [one for one in endings if math.isfinite(one.place)]
    points = [ax.transData.transform((ax.get_xlim()[1], one.place)) for one in shown]
    inverse = ax.transAxes.inverted()
    places = [float(inverse.transform(point)[1]) for point in points]
    # NOTE: legends and labels take a quarter of the height once the layout is made.
    height = 0.75 * ax.get_window_extent().height / ax.figure.dpi * 72
    gap = min(10.5 / max(height, 1.0), 0.2)
    for one, place in zip(shown, spread(places, gap), strict=True):
        ax.annotate(
            str(one.rank),
            (1, place),
            xytext=(5, 0),
            xycoords="axes fraction",
            textcoords="offset points",
            color=one.colour,
            fontsize=9,
            fontweight="bold",
            va="center",
            annotation_clip=False,
        )
