"""Picture: the learning rate of the best schedule over the epochs, against the constant rate."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import seaborn as sns

from lrtune.errors import ArgumentError
from lrtune.plots.learning_curves import joined_epochs
from lrtune.plots.picture import Picture
from lrtune.plots.scales import count_axis, log_scale
from lrtune.plots.select import best_trials, number
from lrtune.plots.theme import BASELINE_LINE, count, figure_of, legend, panels, text
from lrtune.schedules.recipe import Recipe

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_SAMPLES = 400
_MOST_STEPS = 4000
"""More steps than this are closer together than a picture's dots."""


class Schedules(Picture):
    """The learning rate of the best schedule over the epochs, against the constant rate.

    A schedule that is held over each epoch is drawn as steps. For a family that is not known here,
    the recorded rates are drawn.
    """

    title = "The best schedule"
    about = "Its learning rate over the epochs, on a log scale, against the constant rate."

    def data(self, *, arm: str | None = None) -> pd.DataFrame:
        """A row a time.

        Columns epoch (the time in epochs, from 0), lr (from then on), constant (the baseline's
        rate; NaN without one).

        Args:
            arm: of the confirmation; None for the best trial of the search.
        """
        recipe, constant, horizon = self._choice(arm)
        try:
            schedule = recipe.schedule
        except ArgumentError:
            trial = best_trials(self._records, 1)[0]
            rows = joined_epochs(self._records, trial) if arm is None else []
            if not rows:
                raise
            times = [row["epoch"] - 1 for row in rows] + [rows[-1]["epoch"]]
            rates = [number(row.get("lr")) for row in (*rows, rows[-1])]
            return pd.DataFrame({"epoch": times, "lr": rates, "constant": constant})
        smooth = schedule.per_step and recipe.family != "constant"
        steps = _SAMPLES if smooth else min(horizon, _MOST_STEPS)
        points = np.linspace(0, horizon, steps + 1)
        points = points if smooth else np.floor(points)
        values = np.array(schedule(points), dtype=np.float64)
        if not smooth:
            values[-1] = values[-2]  # the horizon itself belongs to no epoch
        return pd.DataFrame({"epoch": points, "lr": values, "constant": constant})

    def __call__(self, *, arm: str | None = None, ax: Axes | None = None) -> Figure:
        """Draw it: epochs along x, learning rates on a log scale along y.

        Args:
            arm: of the confirmation; None for the best trial of the search.
            ax: to draw into; None for new ones.
        """
        frame = self.data(arm=arm)
        recipe, constant, horizon = self._choice(arm)
        colour = self._colours.get(str(recipe.family), self._colours["constant"])
        with panels(ax, size=(6.0, 3.3)) as (drawn,):
            sns.lineplot(
                frame, x="epoch", y="lr", drawstyle="steps-post", color=colour, linewidth=2.4,
                estimator=None, sort=False, label=text(recipe, 64), ax=drawn,
            )  # fmt: skip
            if constant > 0:
                name = self._baseline_name if arm is None else "baseline"
                drawn.axhline(constant, label=f"{name}: {constant:.3g}", **BASELINE_LINE)
            log_scale([*frame["lr"], constant]).apply(drawn, "y")
            drawn.set_xlim(0, horizon)
            count_axis(drawn)
            drawn.set(xlabel="epoch", ylabel="learning rate")
            which = "the best trial" if arm is None else text(arm, 30)
            drawn.set_title(f"Learning rate of {which} over {count(horizon, 'epoch')}")
            legend(drawn, columns=1)
            return figure_of(drawn)

    def facts(self, arm: str | None = None) -> str:
        """Where the rate begins and ends, and the constant one."""
        frame, (recipe, constant, _) = self.data(arm=arm), self._choice(arm)
        first, last = frame["lr"].iloc[0], frame["lr"].iloc[-1]
        rates = f"from {first:.3g} to {last:.3g}" if first != last else f"{first:.3g} throughout"
        against = "" if math.isnan(constant) else f"; the constant rate is {constant:.3g}"
        return f"{recipe}: {rates}{against}."

    def _choice(self, arm: str | None) -> tuple[Recipe, float, int]:
        """What to draw, the constant rate against it (NaN for none), and over how many epochs."""
        if arm is None:
            rate = self._baseline.reference.recipe.lr0 if self._baseline else math.nan
            return best_trials(self._records, 1)[0].recipe, rate, self._manifest.max_epochs
        confirmation = self._records.confirmation
        arms = confirmation.manifest.arms if confirmation else {}
        if confirmation is None or arm not in arms:
            known = ", ".join(map(repr, arms)) or "none"
            raise ArgumentError(
                f"arm must be one of the confirmation: {known}. Received: arm={arm!r}."
            )
        base = Recipe.from_values(arms[confirmation.manifest.baseline])
        return Recipe.from_values(arms[arm]), base.lr0, max(confirmation.manifest.epochs, 1)
