"""Picture: what the trials of each family scored, beside the baseline and its noise."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
import seaborn as sns

from lrtune.plots.picture import CLOUD, Picture, off_axis
from lrtune.plots.scales import clip, set_scores
from lrtune.plots.select import families_fact, family_frame
from lrtune.plots.theme import INK, count, figure_of, legend, name_rows, panels, text

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


class FamilyScores(Picture):
    """The score of every trial of the full budget, a row a family, beside the baseline.

    The upright stroke in a row is the median of the family's completed trials; crosses are trials
    that diverged. Points that would cover one another are placed side by side.
    """

    title = "Scores by family"
    about = "Each point is a trial of the full budget; the band is the noise of the constant rate."

    def data(self) -> pd.DataFrame:
        """A row a trial of the full budget: the columns of `select.trials_frame`.

        The constant rates are those of the baseline's search if no other searched them.
        """
        return family_frame(self._records)

    def __call__(self, *, ax: Axes | None = None) -> Figure:
        """Draw it: scores along x, families along y.

        Args:
            ax: to draw into; None for new ones.
        """
        frame = self.data()
        scale = self._score_scale(frame)
        limits = scale.limits
        sizes = frame["family"].value_counts()
        rows = [name for name in self._looks if name in sizes]
        frame = frame.assign(shown=clip(frame["score"], limits))
        done, lost = (frame[frame["status"] == one] for one in ("completed", "diverged"))
        size = float(np.sqrt(np.clip(5400 / len(frame), 9, 40)))
        height = 1.9 + (0.62 if len(rows) <= 8 else 0.45) * len(rows)
        with panels(ax, size=(7.2, height)) as (drawn,):
            drawn.set_xlim(*limits)
            drawn.set_ylim(len(rows) - 0.45, -0.55)
            self._draw_baseline(drawn, which="x")
            common: dict[str, Any] = {
                "x": "shown", "y": "family", "order": rows, "hue": "family", "hue_order": rows,
                "palette": self._colours, "legend": False, "ax": drawn, "clip_on": False,
            }  # fmt: skip
            if len(done):
                self._points(done, size, common)
            if len(lost):
                sns.stripplot(lost, marker="x", size=size, linewidth=1.1, jitter=False, **common)
                label = f"diverged ({len(lost):,})"
                drawn.scatter([], [], s=30, color=INK, marker="x", label=label)
            many = done[done.groupby("family")["shown"].transform("size") > 2]
            if len(many):
                sns.pointplot(
                    many, estimator="median", errorbar=None, linestyle="none", marker="|",
                    markersize=26, markeredgewidth=2.2, zorder=4, **common,
                )  # fmt: skip
                drawn.plot([], [], color=INK, linewidth=2.2, label="median")
            set_scores(drawn, "x", scale)
            for one in (*drawn.collections, *drawn.lines):
                one.set_in_layout(False)  # points at the edge must not shrink the axes
            names = [f"{text(name, 24)}\n{count(sizes[name], 'trial')}" for name in rows]
            name_rows(drawn, range(len(rows)), names, pad=9)
            drawn.set(xlabel=self._score_label, ylabel="")
            which = "every trial" if len(frame) > 1 else "the one trial"
            drawn.set_title(
                f"Score of {which} of {count(self._manifest.max_epochs, 'epoch')}, by family"
            )
            legend(drawn, off_axis(frame["score"], limits))
            return figure_of(drawn)

    def facts(self) -> str:
        """The best score of each family."""
        return families_fact(self._records)

    def _points(self, done: pd.DataFrame, size: float, common: dict[str, Any]) -> None:
        if len(done) <= CLOUD:
            with warnings.catch_warnings():
                # Where a row has no room for all equal scores, some lie on others.
                warnings.filterwarnings("ignore", ".*of the points cannot be placed")
                sns.swarmplot(done, size=size, linewidth=0.4, edgecolor="white", warn_thresh=1,
                              **common)  # fmt: skip
            return
        # NOTE: seaborn draws the jitter from NumPy's global state, which is the user's.
        state = np.random.get_state()  # noqa: NPY002
        np.random.seed(0)  # noqa: NPY002
        try:
            sns.stripplot(done, size=size, jitter=0.36, alpha=0.4, rasterized=True, **common)
        finally:
            np.random.set_state(state)  # noqa: NPY002
