"""Picture: the best score to expect from a number of random trials of a family, with bands."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import seaborn as sns

from lrtune.errors import ArgumentError
from lrtune.plots.picture import Picture
from lrtune.plots.scales import clip, count_axis, window
from lrtune.plots.select import families_fact, full_frame
from lrtune.plots.theme import BASELINE_LINE, INK, MUTED, count, figure_of, legend, panels, text
from lrtune.stats.frames import curves_frame
from lrtune.stats.tuning_curves import family_curves
from lrtune.stats.winner import Direction

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

FEWEST = 3
"""A family with fewer trials has no panel: its curve would be a dot or a straight line."""

_COLUMNS = 4
_MOST = 12
"""At most this many families have a panel: those with most trials."""


class TuningCurves(Picture):
    """The median best score of a number of random trials, with its band: a panel a family.

    The other families' medians are grey in each panel. Where a band reaches the edge, so few
    trials do not bound the best score.
    """

    title = "Tuning curves"
    about = "The best score to expect from a number of random trials of a family, with 95 % bands."

    def data(self, *, confidence: float = 0.95) -> pd.DataFrame:
        """A row a family and number of trials, as `stats.tuning_curves.curves_frame` returns it.

        Args:
            confidence: float > 0 and < 1, of each band, at all numbers of trials at once.
        """
        curves = family_curves(self._records, confidence=confidence)
        if not curves:
            full_frame(self._records)  # says why there are none
        if all(curve.trials < FEWEST for curve in curves.values()):
            raise ArgumentError(
                f"A tuning curve needs {FEWEST} or more trials of one family and the full budget. "
                f"The run {str(self._records.folder)!r} has fewer."
            )
        return curves_frame(curves)

    def __call__(self, *, confidence: float = 0.95, axes: Sequence[Axes] | None = None) -> Figure:
        """Draw it: number of trials along x, best scores along y.

        Args:
            confidence: float > 0 and < 1, of each band, at all numbers of trials at once.
            axes: one for each family of 3 or more trials (12 at most); None for new ones.
        """
        frame = self.data(confidence=confidence)
        sizes = frame["schedule"].value_counts()
        most = sizes[sizes >= FEWEST].index[:_MOST]
        shown = [name for name in frame["schedule"].unique() if name in most]
        columns = min(len(shown), _COLUMNS)
        rows = math.ceil(len(shown) / columns)
        limits, longest = self._extent(frame), int(sizes.max())
        size = (max(1.2 + 2.1 * columns, 6.0), 1.5 + 2.5 * rows)
        title = "Best score to expect from a number of random trials"
        with panels(
            axes, rows, columns, size=size, most=len(shown), title=title, sharex=True, sharey=True
        ) as drawn:
            for ax, family in zip(drawn, shown, strict=True):
                self._draw_family(ax, frame, family, limits)
                ax.set_xlim(1, longest * 1.01)
                ax.set_ylim(*limits)
                count_axis(ax, most=4)
                ax.set(xlabel="random trials", ylabel="")
                ax.set_title(f"{text(family, 20)}, {count(sizes[family], 'trial')}", fontsize=9.5)
            first = drawn[0]
            first.set_ylabel(f"best {self._score_label}")
            first.plot([], [], color=INK, linewidth=2, label="median")
            if len(sizes) > 1:
                first.plot([], [], color=MUTED, linewidth=1, label="median of other families")
            legend(first, f"shaded: {100 * confidence:.3g} % band of the median")
            return figure_of(first)

    def facts(self) -> str:
        """The best score of each family."""
        return families_fact(self._records)

    def _draw_family(
        self, ax: Axes, frame: pd.DataFrame, family: str, limits: tuple[float, float]
    ) -> None:
        own, others = frame[frame["schedule"] == family], frame[frame["schedule"] != family]
        if len(others):
            sns.lineplot(others, x="n", y="median", units="schedule", estimator=None, color=MUTED,
                         linewidth=1, ax=ax)  # fmt: skip
        colour = self._colours[family]
        sns.lineplot(own, x="n", y="median", estimator=None, color=colour, linewidth=2, ax=ax)
        low, high = clip(own["lower"], limits), clip(own["upper"], limits)
        ax.fill_between(own["n"], low, high, color=colour, alpha=0.17, linewidth=0)
        if self._baseline is not None:
            mean = self._baseline.reference.mean
            ax.axhline(mean, label=f"{self._baseline_name}: {mean:.4g}", **BASELINE_LINE)

    def _extent(self, frame: pd.DataFrame) -> tuple[float, float]:
        """Limits around medians and the worse halves of bands, which may reach to infinity."""
        higher = Direction(self._manifest.direction) is Direction.MAX
        mean = self._baseline.reference.mean if self._baseline else math.nan
        low, high = window([*frame["median"], mean], self._manifest.direction)
        # Room on the better side, to show that there is a band and that it goes on.
        room = 0.4 * (high - low)
        ends = frame["lower" if higher else "upper"]
        worst = ends[np.isfinite(ends)].quantile(0.1 if higher else 0.9)  # NaN where none is finite
        if higher:
            return max(min(low, worst), low - room), high + room
        return low - room, min(max(high, worst), high + room)
