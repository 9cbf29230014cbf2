"""Picture: what the best trials scored after each epoch, and the rate they trained with."""

from __future__ import annotations

import math
from collections import defaultdict
from typing import TYPE_CHECKING, Any

from matplotlib.lines import Line2D

from lrtune.errors import ArgumentError
from lrtune.plots.marks import Ending, baseline_handle, number_ends
from lrtune.plots.scales import count_axis, log_axis, log_limits, objective_label, window
from lrtune.plots.select import best_trials, number
from lrtune.plots.theme import BASELINE, BASELINE_DASHES, legend, looks, panels, text
from lrtune.stats.baseline import measure_baseline
from lrtune.stats.trials import family_of, is_full, score_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.artist import Artist
    from matplotlib.axes import Axes

    from lrtune.plots.theme import Look
    from lrtune.records.reader import RunRecords
    from lrtune.records.schema import Outcome
    from lrtune.stats.baseline import Baseline

    Rows = list[dict[str, Any]]


def learning_curves(
    records: RunRecords, *, top: int = 5, axes: Sequence[Axes] | None = None
) -> tuple[Axes, Axes]:
    """The objective after each epoch of the best trials, above the rate they trained with.

    A promoted trial's curve goes on from its parent's, with a small ring where one took over from
    the other. The baseline is the mean over its seeds.

    Args:
        records: of the run.
        top: int from 1 to 10, how many of the best trials.
        axes: two to draw into; None for new ones.

    Returns:
        The axes of scores and the axes of rates, over the same epochs.

    Raises:
        ArgumentError: no trial completed with a score, or no objective of the best is recorded.
    """
    trials = best_trials(records, top)
    curves = [joined_epochs(records, one) for one in trials]
    objective = records.manifest.objective
    scores = [number(row.get(objective)) for rows in curves for row in rows]
    if not any(map(math.isfinite, scores)):
        raise ArgumentError(
            f"The run {str(records.folder)!r} has no recorded epoch of its best trials with a "
            f"{objective!r}."
        )
    baseline = measure_baseline(records)
    mean = _baseline_curve(records, baseline)
    style = looks(records)
    with panels(axes, height=4.6 + 0.17 * len(trials), ratios=(2, 1)) as (above, below):
        above.set_ylim(*window([*scores, *mean[1]], records.manifest.direction, reach=12))
        log_axis(below, "y", log_limits(one for rows in curves for one in _rates(rows)[1]))
        last = max([row["epoch"] for rows in curves for row in rows] + mean[0])
        above.set_xlim(0, last * 1.005)
        handles: list[Artist] = []
        for rank, (trial, rows) in enumerate(zip(trials, curves, strict=True), start=1):
            handles.append(_draw(records, (above, below), trial, rows, rank, style))
        if baseline is not None and mean[0]:
            above.plot(
                *mean, color=BASELINE, linestyle=BASELINE_DASHES, linewidth=1.6, zorder=1.5,
                label="baseline",
            )  # fmt: skip
            seeds = (
                f"mean of {baseline.reference.n} seeds" if baseline.reference.n > 1 else "1 seed"
            )
            handles.append(
                baseline_handle(f"baseline {text(baseline.reference.name, 24)}, {seeds}")
            )
        _number(above, trials, curves, objective, style)
        _number(below, trials, curves, "lr", style)
        above.set_ylabel(objective_label(objective))
        below.set_ylabel("learning rate")
        below.set_xlabel("epoch")
        count_axis(below)
        which = "the best trial" if len(trials) == 1 else f"the {len(trials)} best trials"
        above.set_title(f"How {which} learnt, and the rate beneath")
        legend(above, handles)
    return above, below


def joined_epochs(records: RunRecords, trial: Outcome) -> Rows:
    """The epochs behind a trial, from those of the trial that its lineage began with."""
    rows: Rows = []
    for one in records.lineage(trial.trial_id):
        own = records.epochs(one.trial_id)
        if own:
            rows = [row for row in rows if row["epoch"] < own[0]["epoch"]] + own
    return rows


def _draw(
    records: RunRecords,
    axes: tuple[Axes, Axes],
    trial: Outcome,
    rows: Rows,
    rank: int,
    style: dict[str, Look],
) -> Line2D:
    """Both lines of one trial; returns the legend's entry."""
    look = style[family_of(trial)]
    objective = records.manifest.objective
    joints = {one.epochs.last for one in records.lineage(trial.trial_id)[:-1]}
    label = f"{rank}   {text(family_of(trial), 28)}: {score_of(trial):.4g}   (trial "
    label += f"{trial.trial_id}{', promoted' if joints else ''})"
    lines = (
        ([row["epoch"] for row in rows], [number(row.get(objective)) for row in rows]),
        _rates(rows),
    )
    for ax, (times, values) in zip(axes, lines, strict=True):
        ax.plot(
            times,
            values,
            color=look.colour,
            linestyle=look.dashes,
            linewidth=2.4 if rank == 1 else 1.5,
            label=label,
            zorder=4 - 0.1 * rank,
            marker=look.marker if len(times) == 1 else "",
        )
        at = {time: value for time, value in zip(times, values, strict=True) if time in joints}
        ax.scatter(
            list(at), list(at.values()),
            s=22, facecolors="white", edgecolors=look.colour, linewidths=1.2, zorder=4.5,
        )  # fmt: skip
    return Line2D(
        [], [], color=look.colour, linestyle=look.dashes, linewidth=2, label=label,
        marker=look.marker if len(rows) == 1 else "",
    )  # fmt: skip


def _rates(rows: Rows) -> tuple[list[float], list[float]]:
    """Times from epoch e - 1 to e with the rates of the first and the last step of epoch e."""
    times = [float(row["epoch"] - 1 + end) for row in rows for end in (0, 1)]
    rates = [number(row.get(key, row.get("lr"))) for row in rows for key in ("lr", "lr_last")]
    return times, rates


def _number(
    ax: Axes, trials: list[Outcome], curves: list[Rows], key: str, style: dict[str, Look]
) -> None:
    low, high = ax.get_ylim()
    endings = []
    for rank, (trial, rows) in enumerate(zip(trials, curves, strict=True), start=1):
        known = _rates(rows)[1] if key == "lr" else [number(row.get(key)) for row in rows]
        known = [value for value in known if math.isfinite(value) and (key != "lr" or value > 0)]
        if known:
            place = min(max(known[-1], low), high)
            endings.append(Ending(place, rank, style[family_of(trial)].colour))
    number_ends(ax, endings)


def _baseline_curve(
    records: RunRecords, baseline: Baseline | None
) -> tuple[list[int], list[float]]:
    """Epochs and the mean over the seeds of the best arm that recorded each."""
    if baseline is None:
        return [], []
    found: dict[int, list[float]] = defaultdict(list)
    for seed in records.baseline.get(baseline.reference.name, ()):
        if not is_full(seed, records.manifest):
            continue
        for row in records.epochs(seed.trial_id):
            score = number(row.get(records.manifest.objective))
            if math.isfinite(score):
                found[row["epoch"]].append(score)
    epochs = sorted(found)
    return epochs, [math.fsum(found[epoch]) / len(found[epoch]) for epoch in epochs]
