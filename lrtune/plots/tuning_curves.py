"""Picture: the best score one may expect of so many random trials of a family, with bands."""

from __future__ import annotations

import math
from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.lines import Line2D

from lrtune.errors import ArgumentError
from lrtune.plots.marks import baseline_handle
from lrtune.plots.scales import count_axis, score_label, window
from lrtune.plots.theme import (
    BASELINE,
    BASELINE_DASHES,
    MUTED,
    Picture,
    legend,
    looks,
    note,
    style,
    text,
)
from lrtune.stats.baseline import measure_baseline
from lrtune.stats.tuning_curves import family_curves
from lrtune.stats.winner import Direction

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from matplotlib.artist import Artist
    from matplotlib.axes import Axes

    from lrtune.plots.theme import Look
    from lrtune.records.reader import RunRecords
    from lrtune.stats.tuning_curves import TuningCurve

_COLUMNS = 4
_MOST = 12
"""Families that have a panel: those with most trials."""


def tuning_curves(
    records: RunRecords, *, confidence: float = 0.95, axes: Sequence[Axes] | None = None
) -> tuple[Axes, ...]:
    """The median best score of so many random trials, with its band: a panel a family.

    The other families' medians are grey in each panel. Where a band reaches the edge, so few
    trials do not bound the best of that many.

    Args:
        records: of a random search.
        confidence: float > 0 and < 1, of each band, at all numbers of trials at once.
        axes: as many as there are families with scores (12 at most), to draw into; None for new
            ones.

    Returns:
        The axes, a family each in the run's order: number of trials along x, best scores along y.

    Raises:
        ArgumentError: the search was no random one, or no trial of the full budget has a score.
    """
    curves = family_curves(records, confidence=confidence)
    manifest = records.manifest
    if not curves:
        raise ArgumentError(
            f"No trial of the run {str(records.folder)!r} has a score after the full budget of "
            f"{manifest.max_epochs} epochs."
        )
    baseline = measure_baseline(records)
    mean = baseline.reference.mean if baseline else math.nan
    palette = looks(records)
    drawn = sorted(curves, key=lambda name: -curves[name].trials)[:_MOST]
    limits = _limits(curves, manifest.direction, mean)
    longest = max(curve.trials for curve in curves.values())
    with _grid(axes, len(drawn)) as panels:
        for ax, family in zip(panels, (name for name in curves if name in drawn), strict=True):
            for other in (one for one in curves if one != family):
                ax.plot(curves[other].n, curves[other].median, color=MUTED, linewidth=1, zorder=2)
            _draw(ax, curves[family], palette[family], limits)
            if baseline is not None:
                ax.axhline(mean, color=BASELINE, linestyle=BASELINE_DASHES, linewidth=1.6)
            ax.set_xlim(0.5 if longest == 1 else 1, max(longest * 1.01, 1.5))
            ax.set_ylim(*limits)
            count_axis(ax, most=4)
            many = f"{curves[family].trials:,} trial{'' if curves[family].trials == 1 else 's'}"
            ax.set_title(f"{text(family, 20)}, {many}", fontsize=9.5)
            ax.set_xlabel("random trials")
        panels[0].set_ylabel(f"best {score_label(manifest.objective, manifest.direction)}")
        figure = panels[0].figure
        if isinstance(figure, Picture):
            words = "Best score to expect of so many random trials"
            figure.suptitle(words, x=0.01, ha="left", fontsize=11)
        name = text(baseline.reference.name, 24) if baseline else ""
        handles = _handles(len(curves), confidence)
        if baseline is not None:
            handles.append(baseline_handle(f"baseline {name}: {mean:.4g}"))
        legend(panels[0], handles)
    return panels


def _limits(curves: dict[str, TuningCurve], direction: str, baseline: float) -> tuple[float, float]:
    """Limits around the medians and the near halves of their bands, which may reach to infinity."""
    medians = [value for curve in curves.values() for value in curve.median]
    near = [
        bound
        for curve in curves.values()
        for bound in (curve.lower if Direction(direction) is Direction.MAX else curve.upper)
        if math.isfinite(bound)
    ]
    low, high = window([*medians, baseline], direction)
    # Some room on the far side, to show that there is a band and that it goes on.
    room = 0.4 * (high - low)
    near = sorted(near)
    if Direction(direction) is Direction.MAX:
        worst = near[len(near) // 10] if near else low
        return max(min(low, worst), low - room), high + room
    worst = near[-1 - len(near) // 10] if near else high
    return low - room, min(max(high, worst), high + room)


def _draw(ax: Axes, curve: TuningCurve, look: Look, limits: tuple[float, float]) -> None:
    below = np.clip(curve.lower, *limits)
    above = np.clip(curve.upper, *limits)
    if curve.trials == 1:
        ax.plot(curve.n, curve.median, color=look.colour, marker=look.marker, zorder=3)
        ax.vlines(1, below, above, color=look.colour, alpha=0.4)
        return
    ax.fill_between(curve.n, below, above, color=look.colour, alpha=0.17, linewidth=0, zorder=1)
    ax.plot(curve.n, curve.median, color=look.colour, linestyle=look.dashes, linewidth=2, zorder=3)


def _handles(families: int, confidence: float) -> list[Artist]:
    handles: list[Artist] = [Line2D([], [], color="#333333", linewidth=2, label="median")]
    if families > 1:
        handles.append(Line2D([], [], color=MUTED, linewidth=1, label="median of other families"))
    handles.append(note(f"shaded: {100 * confidence:.3g} % band of the median"))
    return handles


@contextmanager
def _grid(axes: Sequence[Axes] | None, number: int) -> Iterator[tuple[Axes, ...]]:
    if axes is not None:
        if len(axes) != number:
            raise ArgumentError(f"axes must be {number}, one a family. Received: {len(axes)}.")
        yield tuple(axes)
        return
    columns = min(number, _COLUMNS)
    rows = math.ceil(number / columns)
    with style():
        figure = Picture(figsize=(max(1.2 + 2.1 * columns, 6.0), 1.5 + 2.5 * rows),
                         layout="constrained")  # fmt: skip
        found = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False)
        for ax in found.flat[number:]:
            ax.remove()
        yield tuple(found.flat[:number])
