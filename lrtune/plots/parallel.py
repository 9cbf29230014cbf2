"""Picture: parallel coordinates of the trials of one family."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import seaborn as sns

from lrtune._util.printable import printable
from lrtune.errors import ArgumentError
from lrtune.plots.picture import CLOUD, Picture, off_axis
from lrtune.plots.scales import Scale, around, linear_scale, log_scale, momentum_scale, score_scale
from lrtune.plots.select import number
from lrtune.plots.theme import BASELINE, MUTED, count, figure_of, legend, panels, text
from lrtune.schedules.space import sampling_of
from lrtune.schedules.warmup import PREFIX
from lrtune.stats.trials import family_of, score_of
from lrtune.stats.winner import ordered

if TYPE_CHECKING:
    from collections.abc import Mapping

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

FEWEST = 8
"""Below so many trials, lines show no pattern that the table of trials does not."""

_BEST_SHARE, _BEST_MOST = 0.1, 10
_MOST_COORDINATES = 10


class ParallelCoordinates(Picture):
    """The trials of one family: a line each, across its parameters to its score.

    The best tenth, 10 at most, are in the family's colour, the best of them thick; the others are
    grey, and dotted where they diverged. Only trials of one budget: the full one, or the longest
    that any trial of the family has.
    """

    title = "Parameters and scores"
    about = "Each line is a trial of the family, through its parameters to its score."

    def data(self, *, family: str | None = None) -> pd.DataFrame:
        """A row a trial, the best first.

        Columns trial_id, status, epochs (its budget), each parameter by its own name, score.

        Args:
            family: its name; None for the best trial's.
        """
        frames = self._frames()
        if family is None and frames:
            direction = self._manifest.direction
            best = [one for one in self._records.outcomes if family_of(one) in frames]
            family = family_of(ordered(best, direction)[0])
        if not frames:
            raise ArgumentError(
                f"Parallel coordinates need {FEWEST} or more trials of one family and budget. The "
                f"run {str(self._records.folder)!r} has fewer."
            )
        if family not in frames:
            raise ArgumentError(
                f"family must have at least {FEWEST} trials of one budget with a score and all "
                f"parameters; these have: {', '.join(map(repr, frames)) or 'none'}. "
                f"Received: family={family!r}."
            )
        return frames[family]

    def __call__(self, *, family: str | None = None, ax: Axes | None = None) -> Figure:
        """Draw it: each coordinate is an upright line at x = 0, 1, ...

        Args:
            family: its name; None for the best trial's.
            ax: to draw into; None for new ones.
        """
        frame = self.data(family=family)
        name = family_of(self._records.by_id[frame["trial_id"].iloc[0]])
        completed = frame["status"] == "completed"
        scores = frame.loc[completed, "score"] if completed.any() else frame["score"]
        parameters = list(frame.columns[3:-1])
        scales = {one: _scale(name, one, frame[one]) for one in parameters}
        scales["score"] = score_scale(scores, self._manifest.direction)
        best = min(max(math.ceil(_BEST_SHARE * len(frame)), 1), _BEST_MOST, int(completed.sum()))
        kinds = {
            "best trial": (self._colours[printable(name)], 3.2, ""),
            f"{best} best": (self._colours[printable(name)], 1.5, ""),
            f"others ({completed.sum() - best:,})": (MUTED, 1.0, ""),
            f"diverged ({(~completed).sum():,})": (BASELINE, 1.0, (1, 2)),
        }
        sizes = (min(best, 1), max(best - 1, 0), completed.sum() - best, (~completed).sum())
        frame["kind"] = np.repeat(list(kinds), sizes)
        with panels(ax, size=(max(2.3 + 1.35 * len(scales), 7.7), 4.4)) as (drawn,):
            self._draw_lines(drawn, frame, scales, kinds)
            self._draw_frame(drawn, scales)
            many = f"{count(len(frame), 'trial')} of {count(int(frame['epochs'].iloc[0]), 'epoch')}"
            drawn.set_title(f"{text(name, 28)}: parameters and score of {many}")
            off = off_axis(frame["score"], scales["score"].limits)
            legend(drawn, off.replace("the axis", "the score axis"))
            return figure_of(drawn)

    def variants(self) -> Mapping[str, Mapping[str, Any]]:
        """A picture a family that has enough trials."""
        return {
            f"-{name if name.isidentifier() and name.isascii() else f'family-{place}'}": {
                "family": name
            }
            for place, name in enumerate(self._frames(), start=1)
        }

    def _frames(self) -> dict[str, pd.DataFrame]:
        """Family -> its table, in the run's order; families with too few trials are left out."""
        ended = ordered(self._records.outcomes, self._manifest.direction)
        names = map(family_of, ended)
        found = {}
        for family in dict.fromkeys((*self._manifest.families, *sorted(names))):
            trials = [one for one in ended if family_of(one) == family]
            # No axis for the horizon, which is the same for all trials shown.
            parts = trials[0].recipe.parameters if trials else ()
            own = [one for one in parts if one not in ("lr0", "epochs")]
            rows = [
                {
                    **one.recipe.parameters, "momentum": one.recipe.momentum,
                    "trial_id": one.trial_id, "status": one.status, "epochs": one.epochs.planned,
                    "score": score_of(one),
                }
                for one in trials
            ]  # fmt: skip
            columns = ["trial_id", "status", "epochs", "lr0", "momentum", *own, "score"]
            frame = pd.DataFrame(rows, columns=columns)
            numbers = frame[["lr0", "momentum", *own]].map(number)
            # No axis for names and for what most trials do not have.
            known = numbers.notna().mean() > 0.5
            parameters = [one for one in numbers if one == "lr0" or known[one]][:_MOST_COORDINATES]
            frame = frame[["trial_id", "status", "epochs", "score"]].join(numbers[parameters])
            frame = frame[["trial_id", "status", "epochs", *parameters, "score"]].dropna()
            frame = frame[frame["lr0"] > 0]
            if "momentum" in frame:
                frame = frame[frame["momentum"].between(0, 1, "left")]
            frame = frame[frame["epochs"] == frame["epochs"].max()]
            if len(frame) >= FEWEST:
                found[family] = frame
        return found

    def _draw_lines(
        self, ax: Axes, frame: pd.DataFrame, scales: dict[str, Scale], kinds: dict[str, Any]
    ) -> None:
        places = {at: scales[one].share(frame[one]) for at, one in enumerate(scales)}
        long = frame[["trial_id", "kind"]].assign(**{str(at): one for at, one in places.items()})
        long = long.melt(["trial_id", "kind"], var_name="at", value_name="place")
        long["at"] = long["at"].astype(int)
        shown = [one for one in kinds if one in set(frame["kind"])]
        thin = 1.0 if len(frame) < 100 else 0.5
        sns.lineplot(
            long.sort_values("kind", key=lambda one: -one.map(list(kinds).index), kind="stable"),
            x="at", y="place", units="trial_id", estimator=None, sort=False, ax=ax,
            hue="kind", hue_order=shown[::-1], palette={one: kinds[one][0] for one in shown},
            size="kind", size_order=shown[::-1],
            sizes={one: kinds[one][1] * (thin if kinds[one][1] == 1 else 1) for one in shown},
            style="kind", style_order=shown[::-1], dashes={one: kinds[one][2] for one in shown},
            rasterized=len(frame) > CLOUD,
        )  # fmt: skip

    def _draw_frame(self, ax: Axes, scales: dict[str, Scale]) -> None:
        ax.grid(visible=False)
        ax.set_xlim(-0.45, len(scales) - 0.75)
        ax.set_ylim(-0.02, 1.02)
        ax.set(xlabel="", ylabel="")
        for spine in ax.spines.values():
            spine.set_visible(False)
        ax.set_yticks([])
        names = [text(one, 18) for one in list(scales)[:-1]]
        names.append(self._score_label.replace(" (", "\n("))
        ax.set_xticks(range(len(scales)), names)
        ax.tick_params(axis="x", length=0, pad=6, labelrotation=30 if len(scales) > 7 else 0)
        for at, scale in enumerate(scales.values()):
            ax.plot([at, at], [0, 1], color=BASELINE, linewidth=1, zorder=3.5)
            places = scale.share(scale.ticks)
            ax.hlines(places, at - 0.03, at, color=BASELINE, linewidth=1, zorder=3.5)
            for place, label in zip(places, scale.labels, strict=True):
                ax.text(
                    at - 0.05, place, label, ha="right", va="center", fontsize=8.5, zorder=4,
                    bbox={"facecolor": "white", "alpha": 0.75, "linewidth": 0, "pad": 0.6},
                )  # fmt: skip


def _scale(family: str, name: str, values: pd.Series) -> Scale:
    """The scale on which a parameter is searched."""
    if name == "momentum":
        return momentum_scale(values)
    sampling = sampling_of(name if name == "lr0" else f"{family.removeprefix(PREFIX)}.{name}")
    if sampling == "log" and values.min() > 0:
        return log_scale(values, most=6)
    return linear_scale(around(values), whole=bool((values % 1 == 0).all()))
