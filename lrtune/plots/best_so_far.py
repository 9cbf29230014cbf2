"""Picture: the best score that a search had, against the epochs it had spent."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.lines import Line2D

from lrtune.errors import ArgumentError
from lrtune.plots.marks import (
    baseline_extent,
    draw_baseline,
    draw_points,
    drawn_scores,
    off_axis,
)
from lrtune.plots.scales import count_axis, score_label, window
from lrtune.plots.theme import BASELINE, canvas, family_handle, legend, looks, note
from lrtune.stats import tuning_curves as statistics
from lrtune.stats.baseline import measure_baseline
from lrtune.stats.trials import family_of, is_full, score_of

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes

    from lrtune.records.reader import RunRecords

_LINE = "#333333"


def best_so_far(records: RunRecords, *, ax: Axes | None = None) -> Axes:
    """The best score of the full budget against the epochs that all trials had spent by then.

    Points are the completed trials of the full budget, in the colours of their families. Epochs
    count in the order of trials' ids, that in which they were begun.

    Args:
        records: of the run.
        ax: to draw into; None for new ones.

    Returns:
        The axes: cumulative epochs along x, scores along y.

    Raises:
        ArgumentError: no trial completed the full budget with a score.
    """
    curve = statistics.best_so_far(records)
    manifest = records.manifest
    done = [
        (spent, one)
        for spent, one in zip(curve.epochs, records.outcomes, strict=True)
        if one.status == "completed" and is_full(one, manifest) and math.isfinite(score_of(one))
    ]
    if not done:
        raise ArgumentError(
            f"No trial of the run {str(records.folder)!r} completed the full budget of "
            f"{manifest.max_epochs} epochs with a score: there is no best so far."
        )
    baseline = measure_baseline(records)
    trials = [one for _, one in done]
    scores = [score_of(one) for one in trials]
    limits = window([*scores, *baseline_extent(baseline, scores)], manifest.direction)
    style = looks(records)
    with canvas(ax) as drawn:
        drawn.set_xlim(0, max(*curve.epochs, 1) * 1.02)
        drawn.set_ylim(*limits)
        handles: list[Artist] = []
        drawn.plot(
            curve.epochs, curve.best, color=_LINE, linewidth=2, drawstyle="steps-post", zorder=2.5
        )
        handles.append(Line2D([], [], color=_LINE, linewidth=2, label="best so far"))
        handles += _draw_search(drawn, records.baseline_search)
        for family in (name for name in style if any(family_of(one) == name for one in trials)):
            own = [(spent, one) for spent, one in done if family_of(one) == family]
            draw_points(
                drawn,
                np.array([spent for spent, _ in own], dtype=np.float64),
                drawn_scores([one for _, one in own], limits),
                style[family],
                total=len(done),
            )
            handles.append(family_handle(family, style[family], count=len(own)))
        handles += draw_baseline(drawn, baseline)
        if off := off_axis(trials, limits):
            handles.append(note(f"{off:,} off the axis, at its edge"))
        count_axis(drawn)
        drawn.set_xlabel("epochs spent")
        drawn.set_ylabel(score_label(manifest.objective, manifest.direction))
        drawn.set_title("Best score so far, against epochs spent by all trials")
        legend(drawn, handles)
    return drawn


def _draw_search(ax: Axes, search: RunRecords | None) -> list[Artist]:
    """The same of the search for the best constant rate, which is a run of its own."""
    if search is None:
        return []
    curve = statistics.best_so_far(search)
    if not any(map(math.isfinite, curve.best)):
        return []
    ax.plot(
        curve.epochs, curve.best, color=BASELINE, linewidth=1.4, drawstyle="steps-post", zorder=2.4
    )
    label = "best constant rate, own search"
    return [Line2D([], [], color=BASELINE, linewidth=1.4, label=label)]
