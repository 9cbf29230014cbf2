"""Picture: which hyperparameters decided how well trials did."""

from __future__ import annotations

from typing import TYPE_CHECKING

import seaborn as sns

from lrtune.errors import ArgumentError
from lrtune.plots.picture import Picture
from lrtune.plots.theme import BASELINE, count, figure_of, name_rows, panels, text
from lrtune.stats.frames import importance_frame
from lrtune.stats.importance import measure_importance

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_GAP = 1.35
"""Rows between the last bar of a group and the heading of the next."""


class Importance(Picture):
    """How much each hyperparameter decided the score, over all families and within each.

    Groups whose scores the hyperparameters do not predict are left out: their bars are noise.
    """

    title = "Importance"
    about = "How much of the variance of scores each hyperparameter explains."

    def data(self, *, seed: int = 0) -> pd.DataFrame:
        """A row a hyperparameter, as `stats.importance.importance_frame` returns it.

        Args:
            seed: int >= 0, of the forests that measure it.
        """
        found = measure_importance(self._records, seed=seed)
        frame = importance_frame(found)
        # NOTE: where scores are pure noise, about 1 run in 12 has more than 0 (8 to 100 trials).
        frame = frame[frame["explained"] > 0]
        if frame.empty:
            raise ArgumentError(
                found.overall.reason
                or "The hyperparameters do not predict the scores: their importances are noise."
            )
        return frame

    def __call__(self, *, seed: int = 0, ax: Axes | None = None) -> Figure:
        """Draw it: shares of the variance along x, hyperparameters along y in groups.

        Args:
            seed: int >= 0, of the forests that measure it.
            ax: to draw into; None for new ones.
        """
        frame = self.data(seed=seed)
        group = frame.groupby("schedule", sort=False).ngroup()
        frame = frame.assign(share=frame["share"].clip(lower=0))
        frame["place"] = [1 + row + _GAP * at for row, at in enumerate(group)]
        with panels(ax, size=(7.2, 1.2 + 0.27 * (frame["place"].max() + _GAP))) as (drawn,):
            sns.barplot(
                frame, x="share", y="place", orient="y", native_scale=True, width=0.7,
                hue="schedule", palette=self._colours | {"all": BASELINE}, saturation=1,
                errorbar=None, legend=False, ax=drawn,
            )  # fmt: skip
            for bars in drawn.containers:
                labels = [f"{100 * bar.get_width():.0f} %" for bar in bars]
                drawn.bar_label(bars, labels, padding=4, fontsize=8.5)  # type: ignore[arg-type]
            for family, own in frame.groupby("schedule", sort=False):
                drawn.text(0, own["place"].min() - 1, _heading(family, own), va="center",
                           fontweight="bold", fontsize=9)  # fmt: skip
            drawn.set_xlim(0, max(1.12 * frame["share"].max(), 0.05))
            drawn.set_ylim(frame["place"].max() + 0.75, -0.8)
            names = [
                text(name.removeprefix(f"{family}."), 30)
                for family, name in zip(frame["schedule"], frame["parameter"], strict=True)
            ]
            name_rows(drawn, frame["place"], names)
            drawn.xaxis.set_major_formatter(lambda value, _: f"{100 * value:.0f} %")
            drawn.set(xlabel="share of the variance of scores, alone or with others", ylabel="")
            budget = count(int(frame["budget"].iloc[0]), "epoch")
            drawn.set_title(f"What decided the score, over trials of {budget}")
            return figure_of(drawn)


def _heading(family: str, own: pd.DataFrame) -> str:
    whose = "all families" if family == "all" else text(family, 28)
    first = own.iloc[0]
    return f"{whose} ({first['trials']:,} trials, {100 * first['explained']:.0f} % predictable)"
