"""Picture: what the best trials scored after each epoch, and the rate they trained with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd
import seaborn as sns

from lrtune._util.printable import printable
from lrtune.errors import ArgumentError
from lrtune.plots.picture import Picture
from lrtune.plots.scales import count_axis, log_scale, objective_label, score_scale, set_scores
from lrtune.plots.select import best_fact, best_trials, number
from lrtune.plots.theme import BASELINE_LINE, DASHES, figure_of, legend, panels, text
from lrtune.stats.trials import family_of, is_full, score_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from lrtune.records.reader import RunRecords
    from lrtune.records.schema import Outcome


class LearningCurves(Picture):
    """The objective after each epoch of the best trials, above the rate they trained with.

    A promoted trial's curve continues its parent's; a small ring marks where. The baseline is the
    mean over its seeds, with a band from the lowest to the highest.
    """

    title = "Learning curves of the best trials"
    about = "Above, the objective after each epoch; below, the learning rate."

    def data(self, *, top: int = 5) -> pd.DataFrame:
        """A row an epoch of each of the best trials and of each seed of the baseline.

        Columns rank (0 for the baseline), trial_id, family, epoch, score (NaN for none), lr and
        lr_last (of the first and the last step of the epoch), last_of_parent.

        Args:
            top: int from 1 to 10, how many of the best trials.
        """
        rows: list[dict[str, Any]] = []
        for rank, trial in enumerate(best_trials(self._records, top), start=1):
            lineage = self._records.continued(trial.trial_id)
            joints = {one.epochs.last for one in lineage[:-1]}
            rows += self._rows(rank, trial, joined_epochs(self._records, trial), joints)
        if all(pd.isna(row["score"]) for row in rows):
            raise ArgumentError(
                f"The run {str(self._records.folder)!r} has no recorded epoch of its best trials "
                f"with a {self._manifest.objective!r}."
            )
        name = self._baseline.reference.name if self._baseline else ""
        for seed in self._records.baseline.get(name, ()):
            if is_full(seed, self._manifest):
                rows += self._rows(0, seed, self._records.epochs(seed.trial_id), set())
        return pd.DataFrame(rows)

    def __call__(self, *, top: int = 5, axes: Sequence[Axes] | None = None) -> Figure:
        """Draw it: scores above, rates below, over the same epochs.

        Args:
            top: int from 1 to 10, how many of the best trials.
            axes: two to draw into; None for new ones.
        """
        frame = self.data(top=top)
        best, baseline = frame[frame["rank"] > 0], frame[frame["rank"] == 0].dropna(subset="score")
        trials = best_trials(self._records, top)
        labels = {rank: _label(rank, trial) for rank, trial in enumerate(trials, start=1)}
        # seaborn connects the points on both sides of a NaN: each piece is a line of its own.
        best = best.assign(
            label=best["rank"].map(labels),
            piece=best.groupby("rank")["score"].transform(lambda one: one.isna().cumsum()),
        )
        ends = [
            best.assign(time=best["epoch"] - 1, rate=best["lr"]),
            best.assign(time=best["epoch"], rate=best["lr_last"]),
        ]
        rates = pd.concat(ends).sort_values(["rank", "epoch", "time"], kind="stable")
        shown = {rank: label for rank, label in labels.items() if rank in set(best["rank"])}
        style: dict[str, Any] = {
            "hue": "label", "style": "label", "size": "label", "hue_order": list(shown.values()),
            "style_order": list(shown.values()), "size_order": list(shown.values()),
            "dashes": {label: DASHES[rank - 1] for rank, label in shown.items()},
            "sizes": {label: 2.4 if rank == 1 else 1.5 for rank, label in shown.items()},
            "palette": {
                label: self._colours[printable(family_of(trials[rank - 1]))]
                for rank, label in shown.items()
            },
            "estimator": None, "sort": False,
        }  # fmt: skip
        size, ratios = (7.2, 4.6 + 0.17 * len(trials)), (2, 1)
        with panels(axes, 2, 1, size=size, sharex=True, height_ratios=ratios) as (above, below):
            only = {"marker": "o"} if best["epoch"].max() == best["epoch"].min() else {}
            sns.lineplot(best, x="epoch", y="score", units="piece", ax=above, **style, **only)
            sns.lineplot(rates, x="time", y="rate", ax=below, legend=False, **style)
            self._draw_baseline_curve(above, below, baseline)
            for ax, column in ((above, "score"), (below, "lr_last")):
                for label, own in best[best["last_of_parent"]].groupby("label"):
                    ax.scatter(own["epoch"], own[column], s=22, facecolor="white", zorder=4.5,
                               edgecolor=style["palette"][label], linewidths=1.2)  # fmt: skip
            scores = score_scale(frame["score"], self._manifest.direction, reach=12)
            set_scores(above, "y", scores)
            log_scale(rates["rate"]).apply(below, "y")
            above.set_xlim(0, frame["epoch"].max() * 1.005)
            count_axis(below)
            above.set(xlabel="", ylabel=objective_label(self._manifest.objective))
            below.set(xlabel="epoch", ylabel="learning rate")
            which = "the best trial" if len(trials) == 1 else f"the {len(trials)} best trials"
            above.set_title(f"How {which} learned, and the rate below")
            legend(above)
            return figure_of(above)

    def facts(self) -> str:
        """The best trial."""
        return best_fact(self._records)

    def _rows(
        self, rank: int, trial: Outcome, epochs: list[dict[str, Any]], joints: set[int]
    ) -> list[dict[str, Any]]:
        return [
            {
                "rank": rank, "trial_id": trial.trial_id, "family": printable(family_of(trial)),
                "epoch": row["epoch"], "score": number(row.get(self._manifest.objective)),
                "lr": number(row.get("lr")), "lr_last": number(row.get("lr_last", row.get("lr"))),
                "last_of_parent": row["epoch"] in joints,
            }
            for row in epochs
        ]  # fmt: skip

    def _draw_baseline_curve(self, above: Axes, below: Axes, curve: pd.DataFrame) -> None:
        if self._baseline is None or curve.empty:
            return
        n = curve["trial_id"].nunique()
        label = f"{self._baseline_name}, {f'mean and range of {n} seeds' if n > 1 else '1 seed'}"
        sns.lineplot(curve, x="epoch", y="score", errorbar=("pi", 100), label=label, ax=above,
                     err_kws={"alpha": 0.12, "linewidth": 0}, **BASELINE_LINE)  # fmt: skip
        if (rate := self._baseline.reference.recipe.lr0) > 0:
            below.axhline(rate, **BASELINE_LINE)


def joined_epochs(records: RunRecords, trial: Outcome) -> list[dict[str, Any]]:
    """The epochs behind a trial, from those of the trial that its lineage began with."""
    rows: list[dict[str, Any]] = []
    for one in records.continued(trial.trial_id):
        own = records.epochs(one.trial_id)
        if own:
            rows = [row for row in rows if row["epoch"] < own[0]["epoch"]] + own
    return rows


def _label(rank: int, trial: Outcome) -> str:
    promoted = ", promoted" if trial.parent else ""
    family = text(family_of(trial), 28)
    return f"{rank}   {family}: {score_of(trial):.4g}   (trial {trial.trial_id}{promoted})"
