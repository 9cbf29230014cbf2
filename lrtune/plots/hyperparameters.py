"""Picture: the score against the initial learning rate and against momentum."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from lrtune.errors import ArgumentError
from lrtune.plots.marks import (
    baseline_extent,
    diverged_handle,
    draw_baseline,
    draw_points,
    drawn_scores,
    off_axis,
)
from lrtune.plots.scales import clip, log_axis, log_limits, momentum_axis, score_label, window
from lrtune.plots.select import families_of, value_of
from lrtune.plots.theme import family_handle, legend, looks, note, panels
from lrtune.stats.baseline import measure_baseline
from lrtune.stats.trials import is_full, score_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.artist import Artist
    from matplotlib.axes import Axes

    from lrtune.records.reader import RunRecords
    from lrtune.records.schema import Outcome


def hyperparameters(
    records: RunRecords, *, axes: Sequence[Axes] | None = None
) -> tuple[Axes, Axes]:
    """The score of every trial against its initial learning rate, and against its momentum.

    Trials of the full budget are filled, those of smaller budgets small and hollow, those that
    diverged crosses.

    Args:
        records: of the run.
        axes: two to draw into; None for new ones.

    Returns:
        The axes of the learning rate and those of momentum, with the same scores along y.

    Raises:
        ArgumentError: no trial has both a score and a learning rate.
    """
    trials = [
        one for one in records.outcomes if np.isfinite(score_of(one)) and value_of(one, "lr0") > 0
    ]
    if not trials:
        raise ArgumentError(
            f"No trial of the run {str(records.folder)!r} has both a score and an lr0."
        )
    manifest = records.manifest
    baseline = measure_baseline(records)
    counted = [one for one in trials if one.status == "completed"] or trials
    scores = [score_of(one) for one in counted]
    limits = window([*scores, *baseline_extent(baseline, scores)], manifest.direction)
    short = [one for one in trials if one.status == "completed" and not is_full(one, manifest)]
    lost = [one for one in trials if one.status == "diverged"]
    style = looks(records)
    with panels(axes, width=8.6, height=4.3, beside=True) as (left, right):
        left.set_ylim(*limits)
        log_axis(left, "x", log_limits(value_of(one, "lr0") for one in trials))
        momentum_axis(right, (value_of(one, "momentum") for one in trials))
        handles: list[Artist] = []
        for ax, name in ((left, "lr0"), (right, "momentum")):
            reference = draw_baseline(ax, baseline)
            for family, own in families_of(records, trials).items():
                _draw(records, ax, name, own, limits, len(trials), family)
        for family, own in families_of(records, trials).items():
            handles.append(family_handle(family, style[family], count=len(own)))
        if lost:
            handles.append(diverged_handle(len(lost)))
        if short:
            handles.append(note(f"hollow: fewer than {manifest.max_epochs:,} epochs"))
        if off := off_axis(trials, limits):
            handles.append(note(f"{off:,} off the axis, at its edge"))
        left.set_ylabel(score_label(manifest.objective, manifest.direction))
        left.set_xlabel("initial learning rate")
        right.set_xlabel("momentum")
        right.tick_params(axis="y", length=0)
        left.set_title("Score against initial learning rate")
        right.set_title("and against momentum")
        legend(left, [*handles, *reference])
    return left, right


def _draw(
    records: RunRecords,
    ax: Axes,
    name: str,
    trials: list[Outcome],
    limits: tuple[float, float],
    total: int,
    family: str,
) -> None:
    look = looks(records)[family]
    known = [one for one in trials if np.isfinite(value_of(one, name))]
    if name == "momentum":
        known = [one for one in known if 0 <= value_of(one, name) < 1]
    kinds = (
        ("completed", True, [one for one in known if is_full(one, records.manifest)]),
        ("completed", False, [one for one in known if not is_full(one, records.manifest)]),
        ("diverged", True, known),
    )
    edges = ax.get_xlim()
    for status, filled, some in kinds:
        shown = [one for one in some if one.status == status]
        if not shown:
            continue
        draw_points(
            ax,
            clip([value_of(one, name) for one in shown], edges),
            drawn_scores(shown, limits),
            look,
            total=total,
            filled=filled,
            diverged=status == "diverged",
        )
