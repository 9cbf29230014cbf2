"""Picture: what the trials of each family scored, beside the baseline and its noise."""

from __future__ import annotations

import statistics
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.lines import Line2D

from lrtune.plots.marks import (
    baseline_extent,
    diverged_handle,
    draw_baseline,
    draw_points,
    drawn_scores,
    off_axis,
)
from lrtune.plots.scales import score_label, window
from lrtune.plots.select import families_of, full_trials
from lrtune.plots.theme import canvas, legend, looks, note, text
from lrtune.stats.baseline import measure_baseline
from lrtune.stats.trials import score_of

if TYPE_CHECKING:
    import numpy.typing as npt
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes

    from lrtune.records.reader import RunRecords

    FloatArray = npt.NDArray[np.float64]

_MEDIAN = "median"
_WIDEST = 0.38
"""How far points of a family go from its middle; families are 1 apart."""


def family_scores(records: RunRecords, *, ax: Axes | None = None) -> Axes:
    """The score of every trial of the full budget, a row a family, beside the baseline.

    The upright stroke in a row is the median of the family's completed trials; crosses are trials
    that diverged. Points that would cover one another are put side by side.

    Args:
        records: of the run.
        ax: to draw into; None for new ones.

    Returns:
        The axes: scores along x, families along y in the run's order from the top.

    Raises:
        ArgumentError: no trial of the full budget has a score.
    """
    trials = full_trials(records)
    families = families_of(records, trials)
    baseline = measure_baseline(records)
    manifest = records.manifest
    completed = [score_of(one) for one in trials if one.status == "completed"]
    counted = completed or [score_of(one) for one in trials]
    limits = window([*counted, *baseline_extent(baseline, counted)], manifest.direction)
    style = looks(records)
    with canvas(ax, height=1.9 + (0.62 if len(families) <= 8 else 0.45) * len(families)) as drawn:
        drawn.set_xlim(*limits)
        drawn.set_ylim(len(families) - 0.45, -0.55)
        drawn.grid(visible=False, axis="y")
        handles: list[Artist] = draw_baseline(drawn, baseline, which="x")
        for row, (family, own) in enumerate(families.items()):
            done = [one for one in own if one.status == "completed"]
            lost = [one for one in own if one.status == "diverged"]
            offsets = swarm(drawn_scores([*done, *lost], limits), limits, len(trials))
            for some, crosses in ((done, False), (lost, True)):
                places = row + (offsets[: len(done)] if not crosses else offsets[len(done) :])
                draw_points(
                    drawn, drawn_scores(some, limits), places, style[family],
                    total=len(trials), diverged=crosses,
                )  # fmt: skip
            if len(done) > 2:
                middle = statistics.median(score_of(one) for one in done)
                drawn.plot([middle] * 2, [row - 0.42, row + 0.42], color=style[family].colour,
                           linewidth=2.2, zorder=4, solid_capstyle="round",
                    gid=_MEDIAN)  # fmt: skip
        drawn.set_yticks(
            range(len(families)),
            [f"{text(name, 24)}\n{_trials(len(own))}" for name, own in families.items()],
        )
        drawn.tick_params(axis="y", length=0, pad=9)
        drawn.set_xlabel(score_label(manifest.objective, manifest.direction))
        epochs = "1 epoch" if manifest.max_epochs == 1 else f"{manifest.max_epochs:,} epochs"
        many = "every trial" if len(trials) > 1 else "the one trial"
        drawn.set_title(f"Score of {many} of {epochs}, by family")
        if any(line.get_gid() == _MEDIAN for line in drawn.lines):
            handles.append(Line2D([], [], color="#333333", linewidth=2.2, label="median"))
        if lost_all := sum(one.status == "diverged" for one in trials):
            handles.append(diverged_handle(lost_all))
        if off := off_axis(trials, limits):
            handles.append(note(f"{off:,} off the axis, at its edge"))
        legend(drawn, handles)
    return drawn


def _trials(number: int) -> str:
    return f"{number:,} {'trial' if number == 1 else 'trials'}"


def swarm(scores: FloatArray, limits: tuple[float, float], total: int) -> FloatArray:
    """How far from the middle of its row each point goes, so that equal scores lie side by side.

    Args:
        scores: shape (n,), within the limits.
        limits: of the axis of scores.
        total: points in the whole picture.

    Returns:
        Shape (n,), from -.38 to .38; 0 for a point alone.
    """
    bins = 90 if total < 500 else 140
    place = np.floor((scores - limits[0]) / (limits[1] - limits[0]) * bins)
    offsets = np.zeros(len(scores))
    most = max((int(n) for n in np.unique(place, return_counts=True)[1]), default=1)
    step = min(0.13, 2 * _WIDEST / max(most - 1, 1))
    for one in np.unique(place):
        index = np.flatnonzero(place == one)
        # The middle first, then below and above in turn.
        turn = np.arange(len(index))
        offsets[index] = step * np.where(turn % 2, (turn + 1) // 2, -(turn // 2))
    return np.clip(offsets, -_WIDEST, _WIDEST)
