"""Picture: the best score that a search had, against the epochs it had spent."""

from __future__ import annotations

from typing import TYPE_CHECKING

import seaborn as sns

from lrtune.plots.picture import Picture, off_axis
from lrtune.plots.scales import count_axis, set_scores
from lrtune.plots.select import best_fact, trials_frame
from lrtune.plots.theme import BASELINE, INK, figure_of, legend, panels
from lrtune.stats.tuning_curves import best_so_far

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from lrtune.records.reader import RunRecords

_SEARCHES = {"best so far": INK, "best constant rate, own search": BASELINE}


class BestSoFar(Picture):
    """The best score of the full budget against the epochs that all trials had spent by then.

    Points are the completed trials of the full budget, in the colours of their families. Epochs
    count in the order of trials' ids, in which they were started. Where the best constant rate was
    searched for, that search has a line of its own.
    """

    title = "Best score so far"
    about = "The best score against the epochs all trials had spent."

    def data(self) -> pd.DataFrame:
        """A row a trial of either search.

        Columns search, spent (epochs of all trials so far), best (NaN before the first), and those
        of `select.trials_frame`.
        """
        import pandas as pd

        searches = [_curve(self._records)]
        own = self._records.baseline_search
        if own is not None and own.outcomes:
            searches.append(_curve(own))
        frame = pd.concat(searches, keys=list(_SEARCHES)[: len(searches)], names=["search"])
        if searches[0]["best"].isna().all():
            raise self._nothing(
                f"completed the full budget of {self._manifest.max_epochs} epochs with a score: "
                "there is no best so far"
            )
        return frame.reset_index("search")

    def __call__(self, *, ax: Axes | None = None) -> Figure:
        """Draw it: cumulative epochs along x, scores along y.

        Args:
            ax: to draw into; None for new ones.
        """
        frame = self.data()
        main = frame["search"] == next(iter(_SEARCHES))
        done = frame[main & frame["full"] & (frame["status"] == "completed")]
        scale = self._score_scale(done)
        limits = scale.limits
        with panels(ax) as (drawn,):
            drawn.set_xlim(0, max(frame.loc[main, "spent"].max(), 1) * 1.02)
            drawn.set_ylim(*limits)
            sns.lineplot(
                frame.dropna(subset="best"), x="spent", y="best", hue="search", palette=_SEARCHES,
                size="search", sizes=dict(zip(_SEARCHES, (2.0, 1.4), strict=True)),
                drawstyle="steps-post", estimator=None, sort=False, zorder=2.5, ax=drawn,
            )  # fmt: skip
            self._draw_trials(drawn, done, "spent", limits)
            self._draw_baseline(drawn)
            set_scores(drawn, "y", scale)
            count_axis(drawn)
            drawn.set(xlabel="epochs spent", ylabel=self._score_label)
            drawn.set_title("Best score so far, against epochs spent by all trials")
            legend(drawn, off_axis(done["score"], limits))
            return figure_of(drawn)

    def facts(self) -> str:
        """The best trial."""
        return best_fact(self._records)


def _curve(records: RunRecords) -> pd.DataFrame:
    frame, known = trials_frame(records), best_so_far(records).set_index("trial_id")
    spent, best = (frame["trial_id"].map(known[one]) for one in ("epochs", "best"))
    return frame.assign(spent=spent, best=best.astype(float))
