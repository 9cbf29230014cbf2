"""Picture: the score against the initial learning rate and against momentum."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lrtune.plots.picture import Picture, off_axis
from lrtune.plots.scales import clip, log_scale, momentum_scale, set_scores
from lrtune.plots.select import best_fact, trials_frame
from lrtune.plots.theme import count, figure_of, legend, panels

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


class Hyperparameters(Picture):
    """The score of every trial against its initial learning rate, and against its momentum.

    Points of trials with less than the full budget are small; crosses are trials that diverged.
    """

    title = "Scores against rate and momentum"
    about = "Each point is a trial, against its initial learning rate and its momentum."

    def data(self) -> pd.DataFrame:
        """A row a trial with a score and a learning rate: the columns of `select.trials_frame`."""
        frame = trials_frame(self._records)
        frame = frame[frame["score"].notna() & (frame["lr0"] > 0)]
        if frame.empty:
            raise self._nothing("has both a score and an lr0")
        return frame

    def __call__(self, *, axes: Sequence[Axes] | None = None) -> Figure:
        """Draw it: the learning rate and momentum along x, side by side; the same scores along y.

        Args:
            axes: two to draw into, or one where no trial has a momentum; None for new ones.
        """
        frame = self.data()
        scores = self._score_scale(frame)
        limits = scores.limits
        parts = {"lr0": (frame, log_scale(frame["lr0"]))}
        moving = frame[frame["momentum"].between(0, 1, "left")]
        if len(moving):
            parts["momentum"] = moving, momentum_scale(moving["momentum"])
        size = (0.2 + 4.2 * len(parts), 4.3)
        with panels(axes, 1, len(parts), size=size, sharey=True) as drawn:
            for ax, (column, (known, scale)) in zip(drawn, parts.items(), strict=True):
                edges = known.assign(**{column: clip(known[column], scale.limits)})
                ax.set_ylim(*limits)
                self._draw_trials(ax, edges, column, limits)
                self._draw_baseline(ax)
                scale.apply(ax, "x")
                set_scores(ax, "y", scores)
            left = drawn[0]
            left.set(xlabel="initial learning rate", ylabel=self._score_label)
            left.set_title("Score against initial learning rate")
            for right in drawn[1:]:
                right.set(xlabel="momentum", ylabel="")
                right.tick_params(axis="y", length=0)
                right.set_title("and against momentum")
            most = self._manifest.max_epochs
            short = "" if frame["full"].all() else f"small: fewer than {count(most, 'epoch')}"
            legend(left, short, off_axis(frame["score"], limits))
            return figure_of(left)

    def facts(self) -> str:
        """The best trial."""
        return best_fact(self._records)
