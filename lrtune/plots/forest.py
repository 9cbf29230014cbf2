"""Picture: the arms of a confirmation against the baseline, seed by seed."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import pandas as pd
import seaborn as sns
from matplotlib.ticker import MaxNLocator

from lrtune._util.printable import printable
from lrtune.errors import ArgumentError
from lrtune.plots.picture import Picture
from lrtune.plots.scales import around, objective_label
from lrtune.plots.theme import BASELINE, INK, MUTED, figure_of, legend, name_rows, panels, text
from lrtune.schedules.recipe import Recipe
from lrtune.stats.confirmation import measure_confirmation
from lrtune.stats.winner import Direction

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from lrtune.stats.confirmation import Confirmed

_VERDICTS = {
    "better": (">", "full", "better than the baseline"),
    "worse": ("<", "full", "worse than the baseline"),
    "none": ("o", "none", "no evidence of a difference"),
    "untested": ("s", "none", "too few seeds for a test"),
}
"""Verdict -> marker, how it is filled, and what the legend says."""

_SEQUENTIAL = {
    **_VERDICTS,
    "none": ("o", "none", "not shown to be better"),
    "untested": ("s", "none", "not decided yet"),
}


class Forest(Picture):
    """The paired difference of every confirmed arm from the baseline, with its interval.

    Above 0 is always better. The marker shows the verdict (Holm's correction over all arms), the
    line the 95 % interval of the mean difference (of this comparison alone, not adjusted for their
    number); pale points are the seeds.
    """

    title = "Differences from the baseline"
    about = "Mean difference of each arm on the test data, with its interval; points are seeds."

    def data(self) -> pd.DataFrame:
        """A row an arm and seed with a score of both the arm and the baseline, the best arm first.

        Columns arm, family, schedule (its text), seed, difference (above 0 is better), and of the
        arm as a whole: mean, lower, upper, p_holm, evidence (NaN unless the design is sequential),
        verdict.
        """
        confirmed = self._confirmed()
        comparison, arms = confirmed.comparison, confirmed.manifest.arms
        base = confirmed.scores[comparison.baseline]
        direction = Direction(comparison.direction)
        rows = [
            {
                "arm": one.arm, "family": printable(str(arms[one.arm].get("schedule"))),
                "schedule": Recipe.from_values(arms[one.arm]).schedule_text, "seed": seed,
                "difference": direction.gain(score, base[seed]), "mean": one.mean,
                "lower": one.lower, "upper": one.upper, "p_holm": one.p_holm,
                "evidence": one.evidence, "verdict": one.verdict,
            }
            for one in sorted(comparison.differences, key=lambda one: -one.mean if one.n else 0)
            for seed, score in confirmed.scores[one.arm].items()
            if math.isfinite(score - base.get(seed, math.nan))
        ]  # fmt: skip
        if not rows:
            raise ArgumentError(
                f"The confirmation of the run {str(self._records.folder)!r} has no seed yet with a "
                "score of both an arm and the baseline."
            )
        return pd.DataFrame(rows)

    def __call__(self, *, ax: Axes | None = None) -> Figure:
        """Draw it: differences along x, arms along y.

        Args:
            ax: to draw into; None for new ones.
        """
        frame = self.data()
        frame["row"] = frame.groupby("arm", sort=False).ngroup()
        arms = frame.drop_duplicates("arm")
        confirmed = self._confirmed()
        comparison = confirmed.comparison
        with panels(ax, size=(8.2, 2.2 + 0.55 * len(arms))) as (drawn,):
            drawn.axvline(0, color=INK, linewidth=1.4, zorder=1.5)
            sns.scatterplot(
                frame.assign(row=frame["row"] + 0.17), x="difference", y="row", hue="family",
                palette=self._colours, alpha=0.35, s=14, linewidth=0, legend=False, ax=drawn,
            )  # fmt: skip
            self._draw_arms(drawn, arms, _SEQUENTIAL if confirmed.evidence else _VERDICTS)
            ends = pd.concat([frame[one] for one in ("difference", "lower", "upper")])
            drawn.set_xlim(*around([0.0, *(one for one in ends if math.isfinite(one))]))
            # Beside long names the axes are narrow: more numbers than these would overlap.
            drawn.xaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 2.5, 5, 10]))
            drawn.set_ylim(len(arms) - 0.4, -0.6)
            names = zip(arms["arm"], arms["schedule"], strict=True)
            name_rows(drawn, arms["row"], [f"{text(a, 30)}\n{text(s, 44)}" for a, s in names])
            baseline = text(comparison.baseline, 30)
            what = objective_label(confirmed.manifest.objective)
            what = f"difference in test {what.removeprefix('validation ')} from {baseline}"
            gap = "\n" if len(what) > 60 else " "
            drawn.set(xlabel=f"{what}{gap}(right of 0 is better)", ylabel="")
            seeds = len(comparison.seeds)
            drawn.set_title(f"Better than {baseline}? Differences over {seeds} fresh seeds")
            tested = int((arms["verdict"] != "untested").sum())
            note = f"p: adjusted for {tested} comparisons (Holm)" if tested > 1 else ""
            level = f"{100 * comparison.confidence:.3g} % interval of the mean difference"
            level += ", unadjusted" if tested > 1 else ""
            if confirmed.evidence is not None:
                level = "bounds, each with 95 % confidence at any stop"
            drawn.plot([], [], color=BASELINE, linewidth=2, label=level)
            drawn.scatter([], [], color=MUTED, s=14, label="one seed")
            legend(drawn, note)
            return figure_of(drawn)

    def _draw_arms(
        self, ax: Axes, arms: pd.DataFrame, verdicts: dict[str, tuple[str, str, str]]
    ) -> None:
        """Marker and interval of each arm, and its numbers at the right edge."""
        for verdict, (marker, fill, words) in verdicts.items():
            if (arms["verdict"] == verdict).any():
                ax.plot([], [], color=BASELINE, marker=marker, fillstyle=fill, linestyle="none",
                        markersize=8, markeredgewidth=1.6, label=words)  # fmt: skip
        for one in arms.itertuples():
            marker, fill, _ = verdicts[one.verdict]
            known = math.isfinite(one.lower) and math.isfinite(one.upper)
            ax.errorbar(
                one.mean, one.row, marker=marker, markersize=9, markeredgewidth=1.6, elinewidth=2,
                xerr=[[one.mean - one.lower], [one.upper - one.mean]] if known else None,
                color=self._colours[one.family], zorder=3,
                markerfacecolor="white" if fill == "none" else None,
            )  # fmt: skip
            words = f"{one.mean:+.2g}".replace("-", "\N{MINUS SIGN}")
            if not math.isnan(one.p_holm):
                words += ", p < 0.001" if one.p_holm < 0.001 else f", p = {one.p_holm:.2g}"
            if not math.isnan(one.evidence):
                words += f", evidence {one.evidence:.2g}"
            ax.annotate(
                words, (1, one.row), xytext=(8, 0), xycoords=ax.get_yaxis_transform(),
                textcoords="offset points", va="center", fontsize=8.5, annotation_clip=False,
            )  # fmt: skip

    def _confirmed(self) -> Confirmed:
        confirmed = measure_confirmation(self._records)
        if confirmed is None:
            raise ArgumentError(
                f"The run {str(self._records.folder)!r} has no confirmation, which trains the best "
                "schedules and the baseline again with fresh seeds."
            )
        return confirmed
