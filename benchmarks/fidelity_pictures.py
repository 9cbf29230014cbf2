"""The pictures of `fidelity.py`, drawn from its numbers, in the look of lrtune's own pictures."""

from __future__ import annotations

from itertools import cycle
from typing import TYPE_CHECKING

import seaborn as sns
from fidelity_measures import spearman

from lrtune.plots.theme import BASELINE_LINE, COLOURS, INK, MARKERS, legend, name_rows, panels

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pandas as pd
    from fidelity_measures import Trained
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

KINDS = {"truncated": COLOURS[2], "rescaled": COLOURS[4]}


def early_and_late(task: Trained, share: str = "1/3") -> Figure:
    """One seed's accuracy early, and at the end, against another seed's at the end.

    Args:
        task: its schedules are the points.
        share: of the horizon, one of `task.budgets`.
    """
    first, second = task.common[:2]
    families = list(dict.fromkeys(task.families.tolist()))
    with panels(None, 1, 2, size=(8.2, 4.6), sharey=True) as drawn:
        for ax, epochs in zip(drawn, (task.budgets[share], task.horizon), strict=True):
            early, end = task.score("last", epochs)[first], task.end[second]
            sns.scatterplot(
                x=early, y=end, hue=task.families, style=task.families, hue_order=families,
                palette=dict(zip(families, cycle(COLOURS), strict=False)), style_order=families,
                markers=dict(zip(families, cycle(MARKERS), strict=False)), ax=ax,
            )  # fmt: skip
            ax.set_title(f"rank correlation {spearman(early[None], end[None]).item():.2f}")
            ax.set(xlabel=f"accuracy after {epochs} epochs", ylabel="at the end, another seed")
        if (own := drawn[0].get_legend()) is not None:
            own.remove()
        legend(drawn[1])
    return drawn[0].figure  # type: ignore[return-value]


def agreement(frame: pd.DataFrame) -> Figure:
    """How the order of short trainings agrees with the end, a panel a task.

    Args:
        frame: as `fidelity_measures.measure` returns it, of all tasks.
    """
    found = frame[(frame.measure == "agreement") & (frame.share != "1")]
    tasks = list(dict.fromkeys(frame.task))
    size = 3.6 * len(tasks), 3.9
    title = "How well short trainings order schedules (dashed: what seeds allow)"
    with panels(None, 1, len(tasks), size=size, title=title, sharey=True) as drawn:
        for ax, task in zip(drawn, tasks, strict=True):
            own = found[found.task == task]
            for subset, dashes in {"other seeds": "-", "best quarter, same training": ":"}.items():
                _bands(ax, own[own.subset == subset], subset, dashes)
            ceiling = frame[(frame.task == task) & (frame.measure == "truth")]
            ceiling = ceiling[(ceiling.kind == "last") & (ceiling.subset == "other seeds")]
            ax.axhline(ceiling["value"].iloc[0], **BASELINE_LINE)
            ax.set(title=task, xlabel="epochs of the short training", ylabel="rank correlation")
            ax.set_ylim(-0.3, 1.02)
        legend(drawn[0])
    return drawn[0].figure  # type: ignore[return-value]


def _bands(ax: Axes, rows: pd.DataFrame, subset: str, dashes: str) -> None:
    for kind, own in rows.groupby("kind", sort=False):
        words = f"{kind}, {'all, other seeds' if subset == 'other seeds' else subset}"
        sns.lineplot(
            x=own.epochs, y=own["value"], color=KINDS[str(kind)], linestyle=dashes,
            marker="o" if dashes == "-" else "D",
            label=words, legend=False, ax=ax,
        )  # fmt: skip
        if dashes == "-":
            ax.fill_between(
                own.epochs, own.lower, own.upper, color=KINDS[str(kind)], alpha=0.15, linewidth=0
            )


def families(frame: pd.DataFrame, share: str = "1/3") -> Figure:
    """Which families a short training wrongs: the mean change of rank, a row a family.

    Args:
        frame: as `fidelity_measures.measure` returns it, of all tasks.
        share: of the horizon, as in the frame.
    """
    found = frame[(frame.measure == "family") & (frame.share == share)]
    rows = found.groupby("subset")["value"].mean().sort_values(ascending=False).index
    title = f"Who climbs after {share} of the epochs (right: a short training wrongs the family)"
    return _rows(found.assign(row=found.subset), rows, KINDS, title, "mean change of rank")


def scores(frame: pd.DataFrame) -> Figure:
    """How well each kind of score tells the true order, a row a score, a panel a task.

    Args:
        frame: as `fidelity_measures.measure` returns it, of all tasks.
    """
    found = frame[(frame.measure == "truth") & (frame.subset == "other seeds")]
    title = "Rank correlation of a score with the last epoch's accuracy of other seeds"
    found = found.assign(row=found.kind, kind="truth")
    return _rows(found, found.row.unique(), {"truth": COLOURS[2]}, title, "rank correlation")


def _rows(
    found: pd.DataFrame, rows: Iterable[str], colours: dict[str, str], title: str, xlabel: str
) -> Figure:
    """Values and their intervals, a panel a task; several kinds side by side around a line at 0."""
    tasks, rows, several = list(found.task.unique()), list(rows), len(colours) > 1
    size = 2.2 + 2.4 * len(tasks), 1.5 + 0.3 * len(rows)
    with panels(None, 1, len(tasks), size=size, title=title, sharex=several) as drawn:
        for number, (ax, task) in enumerate(zip(drawn, tasks, strict=True)):
            for place, (kind, colour) in enumerate(colours.items()):
                own = found[(found.task == task) & (found.kind == kind)]
                shift = 0.12 * (2 * place - len(colours) + 1)
                places = [rows.index(row) + shift for row in own.row]
                ax.hlines(places, own.lower, own.upper, color=colour, linewidth=1.4)
                sns.scatterplot(
                    x=own["value"], y=places, color=colour, label=kind, legend=False, ax=ax
                )
            if several:
                ax.axvline(0, color=INK, linewidth=0.8)
            name_rows(ax, range(len(rows)), rows if number == 0 else [""] * len(rows))
            ax.set(title=task, xlabel=xlabel, ylabel="")
            ax.invert_yaxis()
        if several:
            legend(drawn[0])
    return drawn[0].figure  # type: ignore[return-value]
