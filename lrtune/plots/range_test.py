"""Picture: the loss of a range test against the rate, and the range that it suggests."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import seaborn as sns

from lrtune.plots.scales import log_scale
from lrtune.plots.theme import BASELINE, COLOURS, INK, MUTED, figure_of, legend, panels

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from lrtune.stats.range_test import Reading


def draw_range_test(curves: pd.DataFrame, reading: Reading, ax: Axes | None = None) -> Figure:
    """Draw it: rates on a log scale along x, losses along y.

    Args:
        curves: a row a step and seed: seed, rate, loss, smoothed.
        reading: what was read off them.
        ax: to draw into; None for new ones.
    """
    shown = curves.dropna(subset="loss")
    seeds = curves["seed"].nunique()
    with panels(ax, size=(6.8, 4.2)) as (drawn,):
        sns.lineplot(
            shown, x="rate", y="loss", units="seed", estimator=None, color=MUTED, linewidth=0.6,
            ax=drawn,
        )  # fmt: skip
        drawn.plot([], [], color=MUTED, label="each step" if seeds == 1 else "each seed and step")
        once = curves.drop_duplicates("step")
        words = "smoothed" if seeds == 1 else f"median of {seeds} seeds, smoothed"
        sns.lineplot(once, x="rate", y="smoothed", color=INK, linewidth=2.2, label=words, ax=drawn)
        if reading.suggested:
            low, high = reading.suggested
            drawn.axvspan(
                low, high, color=COLOURS[2], alpha=0.15, linewidth=0, zorder=0.5,
                label=f"suggested range {low:g} to {high:g}",
            )  # fmt: skip
        marks = (
            ("falls fastest at", reading.steepest, (0, (1, 1.5))),
            ("rises from", reading.rises, "--"),
        )
        for name, rate, dashes in marks:
            if rate is not None:
                drawn.axvline(
                    rate, color=BASELINE, linestyle=dashes, label=f"{name} {rate:.2g}", zorder=1.5
                )
        ends = reading.suggested or ()
        log_scale([*curves["rate"], *ends]).apply(drawn, "x")
        drawn.set_ylim(*_window(shown, once["smoothed"]))
        drawn.set(xlabel="learning rate", ylabel="training loss")
        drawn.set_title("Range test: the loss while the rate rises")
        legend(drawn)
        return figure_of(drawn)


def _window(steps: pd.DataFrame, smoothed: pd.Series[float]) -> tuple[float, float]:
    """The losses that the axis shows: most of them, without the rise to where they diverge."""
    usual = steps[np.isfinite(steps["loss"])]
    early = usual.loc[usual["rate"] <= usual["rate"].median(), "loss"]
    start, lowest = float(smoothed.iloc[0]), float(smoothed.min())
    low = min(float(usual["loss"].quantile(0.01)), lowest)
    high = max(start + 0.5 * (start - lowest), float(early.quantile(0.99)))
    room = 0.06 * (high - low) or 0.5
    return low - room, high + room
