"""Picture: the learning rate over the horizon, of the best trials and of the baseline."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.lines import Line2D

from lrtune.errors import ArgumentError
from lrtune.plots.marks import Ending, baseline_handle, number_ends
from lrtune.plots.scales import count_axis, log_axis, log_limits
from lrtune.plots.select import best_trials, number
from lrtune.plots.theme import BASELINE, BASELINE_DASHES, canvas, legend, looks, text
from lrtune.stats.baseline import measure_baseline
from lrtune.stats.trials import family_of, score_of

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes

    from lrtune.records.reader import RunRecords
    from lrtune.records.schema import Outcome

    Line = tuple[list[float], list[float]]

_SAMPLES = 1000


def schedules(records: RunRecords, *, top: int = 5, ax: Axes | None = None) -> Axes:
    """The schedules of the best trials over the horizon, against the baseline's constant rate.

    A schedule that is held over each epoch is drawn as steps. Of a family that this process does
    not know, the rates that were recorded are drawn.

    Args:
        records: of the run.
        top: int from 1 to 10, how many of the best trials.
        ax: to draw into; None for new ones.

    Returns:
        The axes: epochs from 0 to the horizon, learning rates on a log scale.

    Raises:
        ArgumentError: no trial completed with a score.
    """
    trials = best_trials(records, top)
    epochs = records.manifest.max_epochs
    lines = [_line(records, one) for one in trials]
    baseline = measure_baseline(records)
    constant = math.nan if baseline is None else baseline.reference.recipe.lr0
    rates = [rate for line in lines for rate in line[1]] + [constant]
    style = looks(records)
    with canvas(ax, width=7.8, height=3.7 + 0.17 * len(trials)) as drawn:
        drawn.set_xlim(0, epochs)
        log_axis(drawn, "y", log_limits(rates))
        handles: list[Artist] = []
        endings = []
        for rank, (trial, (times, values)) in enumerate(zip(trials, lines, strict=True), start=1):
            look = style[family_of(trial)]
            label = _label(rank, trial)
            (line,) = drawn.plot(
                times,
                values,
                color=look.colour,
                linestyle=look.dashes,
                linewidth=2.6 if rank == 1 else 1.7,
                label=label,
                zorder=4 - 0.1 * rank,
                drawstyle="steps-post",
            )
            handles.append(Line2D([], [], color=look.colour, linestyle=look.dashes, label=label))
            endings.append(Ending(_last(line.get_ydata()), rank, look.colour))
        if baseline is not None and constant > 0:
            drawn.axhline(
                constant, color=BASELINE, linestyle=BASELINE_DASHES, linewidth=1.6, zorder=1.5
            )
            handles.append(baseline_handle(f"baseline {text(baseline.reference.name, 24)}"))
        number_ends(drawn, endings)
        count_axis(drawn)
        drawn.set_xlabel("epoch")
        drawn.set_ylabel("learning rate")
        drawn.set_title(_title(records, trials))
        legend(drawn, handles, columns=1)
    return drawn


def _line(records: RunRecords, trial: Outcome) -> Line:
    """Times and rates, each rate holding until the next time."""
    epochs = records.manifest.max_epochs
    try:
        schedule = trial.recipe.schedule
    except ArgumentError:
        return _recorded(records, trial)
    if schedule.per_step and family_of(trial) != "constant":
        times = np.linspace(0, epochs, _SAMPLES + 1)
    else:
        times = np.arange(epochs + 1, dtype=np.float64)
    rates = schedule(times)
    if not schedule.per_step:
        rates[-1] = rates[-2]  # the horizon itself belongs to no epoch
    return [float(time) for time in times], [float(rate) for rate in rates]


def _recorded(records: RunRecords, trial: Outcome) -> Line:
    rows = [row for one in records.lineage(trial.trial_id) for row in records.epochs(one.trial_id)]
    times = [float(row["epoch"] - 1) for row in rows]
    rates = [number(row.get("lr")) for row in rows]
    return ([*times, times[-1] + 1], [*rates, rates[-1]]) if rows else ([0.0], [math.nan])


def _last(rates: object) -> float:
    known = [float(rate) for rate in np.atleast_1d(np.asarray(rates)) if rate > 0]
    return known[-1] if known else math.nan


def _label(rank: int, trial: Outcome) -> str:
    return f"{rank}   {text(trial.recipe, 64)}: {score_of(trial):.4g}   (trial {trial.trial_id})"


def _title(records: RunRecords, trials: list[Outcome]) -> str:
    budget = trials[0].epochs.planned
    which = "the best trial" if len(trials) == 1 else f"the {len(trials)} best trials"
    if budget == records.manifest.max_epochs:
        return f"Learning rate of {which} over {_epochs(budget)}"
    return f"Schedules of {which}, trained for {_epochs(budget)} so far"


def _epochs(number_of: int) -> str:
    return f"{number_of:,} {'epoch' if number_of == 1 else 'epochs'}"
