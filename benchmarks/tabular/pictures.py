"""Pictures of the comparison, in the look of lrtune's own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd
import seaborn as sns

from lrtune.plots.theme import BASELINE, COLOURS, MUTED, figure_of, panels

from .summary import TARGETS

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

ANCHOR = "random"
"""The algorithm that is in every panel."""


def draw_regret(
    path: Path,
    found: Mapping[str, Mapping[str, Any]],
    groups: Mapping[str, str],
    table: Mapping[str, Any],
) -> None:
    """Mean regret against epochs, with intervals of 95 %; a panel for each group of algorithms.

    Args:
        path: of the picture.
        found: as `summary` returns it.
        groups: algorithm -> its group.
        table: what is known of the table: name, horizon, trials, noise_limit.
    """
    names = [name for name in found if "regret" in found[name]]
    shown = list(dict.fromkeys(groups[name] for name in names if name != ANCHOR)) or [ANCHOR]
    epochs = [table["horizon"] * one for one in range(1, table["trials"] + 1)]
    highest = 1.1 * max(found[name]["regret"]["high"][len(epochs) // 8] for name in names)
    title = f"{table['name']}: mean regret of the best model so far, with 95 % intervals"
    rows = -(-len(shown) // 2)
    with panels(
        None, rows, min(2, len(shown)), size=(9, 0.6 + 3.1 * rows), most=len(shown), title=title,
        sharex=True, sharey=True,
    ) as axes:  # fmt: skip
        for ax, group in zip(axes, shown, strict=True):
            own = [name for name in names if groups[name] == group or name == ANCHOR]
            colours = dict(zip([n for n in own if n != ANCHOR], COLOURS[1:], strict=False))
            for name in own:
                one, colour = found[name]["regret"], colours.get(name, MUTED)
                ax.fill_between(epochs, one["low"], one["high"], color=colour, alpha=0.2, lw=0)
                sns.lineplot(x=epochs, y=one["mean"], color=colour, label=name, ax=ax)
            ax.axhline(table["noise_limit"], color=BASELINE, ls=":", lw=1.2, label="limit by noise")
            ax.set(title=group, xlabel="epochs", ylabel="mean regret", ylim=(0, highest))
            ax.legend(loc="upper right")
        figure_of(axes[0]).savefig(path)


def draw_wall_time(
    path: Path, found: Mapping[str, Mapping[str, Any]], table: Mapping[str, Any]
) -> None:
    """Simulated time until the mean regret reaches a target, by algorithm and workers.

    Args:
        path: of the picture.
        found: as `summary` returns it.
        table: as for `draw_regret`.
    """
    rows = [
        {"algorithm": name, "workers": workers, "target": target, "minutes": at / 60}
        for name, one in found.items()
        for workers, reached in one["seconds_to"].items()
        for target in TARGETS
        if (at := reached[str(target)]["at"]) is not None
    ]
    data = pd.DataFrame(rows, columns=["algorithm", "workers", "target", "minutes"])
    names = list(found)
    workers = list(dict.fromkeys(key for one in found.values() for key in one["seconds_to"]))
    title = f"{table['name']}: time to a mean regret (no mark: not within the search)"
    with panels(
        None, 1, len(TARGETS), size=(9, 1.6 + 0.24 * len(names)), title=title, sharey=True
    ) as axes:
        for ax, target in zip(axes, TARGETS, strict=True):
            own = data[data.target == target].copy()
            own["algorithm"] = pd.Categorical(own.algorithm, categories=names)
            sns.stripplot(
                own, x="minutes", y="algorithm", hue="workers", hue_order=workers, order=names,
                palette=list(COLOURS[1 : 1 + len(workers)]), size=6, jitter=False, ax=ax,
                legend=ax is axes[-1] and not own.empty,
            )  # fmt: skip
            if not own.empty:
                ax.set_xscale("log")
            ax.set(title=f"to {target:g}", xlabel="simulated minutes", ylabel="")
            ax.grid(visible=True, axis="both")
        figure_of(axes[0]).savefig(path)
