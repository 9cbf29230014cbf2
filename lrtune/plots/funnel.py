"""Picture: Hyperband's funnel, how many trials each rung of each bracket had and who went on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from lrtune._util.printable import printable
from lrtune.errors import ArgumentError
from lrtune.plots.picture import Picture
from lrtune.plots.scales import count_axis
from lrtune.plots.theme import BASELINE, COLOURS, count, figure_of, legend, name_rows, panels, text
from lrtune.stats.trials import family_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from lrtune.records.schema import Outcome

_FATES: dict[str, tuple[str, dict[str, Any]]] = {
    "promoted": ("solid: promoted", {}),
    "ended": ("pale: ended there", {"alpha": 0.3}),
    "lost": ("hatched: diverged or failed", {"hatch": "/////", "alpha": 0.6}),
}
"""What became of a trial -> the legend's words, and how its part of the bar looks."""

_GAP = 1.15
"""Rows between two brackets, for the heading of the second."""


class Funnel(Picture):
    """How many trials each rung of each bracket had, by family, and how many were promoted.

    A bar a rung: solid the trials that were promoted to the next, pale those that ended there,
    hatched those that diverged or failed. Brackets of several iterations are added up.
    """

    title = "Hyperband's rungs"
    about = "Which trials of each rung were promoted to the next."

    def data(self) -> pd.DataFrame:
        """A row a rung, family and fate, the bracket with most rungs first.

        Columns bracket (Keras Tuner's number), epochs (the rung's budget), fate (promoted, ended
        or lost), family, trials.
        """
        if self._manifest.algo != "hyperband":
            raise ArgumentError(
                "A funnel needs the rungs of Hyperband. Received: a run of algorithm "
                f"{self._manifest.algo!r}."
            )
        if not self._records.outcomes:
            raise self._nothing("has ended")
        columns = ["bracket", "epochs", "fate", "family"]
        parents = {one.parent for one in self._records.outcomes}
        rows = [
            (_bracket(one), one.epochs.planned, _fate(one, parents), printable(family_of(one)))
            for one in self._records.outcomes
        ]
        found = pd.DataFrame(rows, columns=columns).value_counts().reset_index(name="trials")
        orders = {"fate": list(_FATES), "family": list(self._looks)}
        return found.sort_values(
            columns,
            ascending=[False, True, True, True],
            key=lambda one: one.map(orders[one.name].index) if one.name in orders else one,
            ignore_index=True,
        )

    def __call__(self, *, ax: Axes | None = None) -> Figure:
        """Draw it: trials along x, rungs along y.

        Args:
            ax: to draw into; None for new ones.
        """
        frame = self.data()
        rungs = frame.groupby(["bracket", "epochs"], sort=False)
        frame["left"] = rungs["trials"].cumsum() - frame["trials"]
        frame["place"] = rungs.ngroup() + _GAP * frame.groupby("bracket", sort=False).ngroup()
        most, last = rungs["trials"].sum().max(), frame["place"].max()
        with panels(ax, size=(7.2, min(2.0 + 0.3 * last, 14))) as (drawn,):
            drawn.set_xlim(0, most * 1.22)
            drawn.set_ylim(last + 0.7, -1.2)
            for family in frame["family"].unique():
                # For the legend alone: with a line, it would be seen at the first rung.
                colour, dots = self._colours[family], self._dots(family)
                words = text(family, 28)
                drawn.bar(0, 0, color=colour, hatch=dots, ec="white", linewidth=0, label=words)
            for fate, own in frame.groupby("fate"):
                words, style = _FATES[str(fate)]
                colours = own["family"].map(self._colours)
                marks = [style.get("hatch", "") + self._dots(one) for one in own["family"]]
                drawn.barh(
                    own["place"], own["trials"], 0.78, own["left"], color=colours,
                    edgecolor="white", linewidth=0.7 if most < 150 else 0,
                    **style | {"hatch": marks},
                )  # fmt: skip
                drawn.bar(0, 0, color=BASELINE, ec="white", linewidth=0, label=words, **style)
            for (bracket, _), own in rungs:
                total, place = own["trials"].sum(), own["place"].iloc[0]
                promoted = own.loc[own["fate"] == "promoted", "trials"].sum()
                words = f"{total:,}, {promoted:,} promoted" if promoted else f"{total:,}"
                drawn.text(total + 0.012 * most, place, words, va="center", fontsize=8.5)
                if place == frame.loc[frame["bracket"] == bracket, "place"].min():
                    drawn.text(0, place - 0.8, f"bracket {bracket}", va="center",
                               fontweight="bold", fontsize=8.5)  # fmt: skip
            firsts = rungs["place"].first()
            name_rows(drawn, firsts, [count(int(one), "epoch") for _, one in firsts.index])
            count_axis(drawn)
            drawn.set_xlabel("trials")
            drawn.set_title("Hyperband's funnel: trials of each rung, and who was promoted")
            legend(drawn)
            return figure_of(drawn)

    def _dots(self, family: str) -> str:
        """A hatch for families that share their colour with an earlier one."""
        return ("", "..", "oo", "xx")[list(self._looks).index(family) // len(COLOURS) % 4]


def _bracket(trial: Outcome) -> int:
    found: Any = trial.values.get("tuner/bracket")
    return found if isinstance(found, int) and found >= 0 else 0


def _fate(trial: Outcome, parents: set[str | None]) -> str:
    if trial.trial_id in parents:
        return "promoted"
    return "ended" if trial.status == "completed" else "lost"
