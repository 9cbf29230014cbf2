"""Picture: which hyperparameters decided how well trials did."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lrtune.errors import ArgumentError
from lrtune.plots.theme import canvas, looks, text
from lrtune.stats.importance import measure_importance

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from lrtune.records.reader import RunRecords
    from lrtune.stats.importance import Importance

_ALL = "#555555"


def importance(records: RunRecords, *, seed: int = 0, ax: Axes | None = None) -> Axes:
    """By how much each hyperparameter decided the score, over all families and within each.

    Args:
        records: of the run.
        seed: int >= 0, of the forests that are asked.
        ax: to draw into; None for new ones.

    Returns:
        The axes: shares of the variance of scores along x, hyperparameters along y in groups.

    Raises:
        ArgumentError: fewer than 20 trials of one budget, or they tell nothing; the message is
            that of `lrtune.stats.importance`.
    """
    found = measure_importance(records, seed=seed)
    groups = [one for one in (found.overall, *found.families.values()) if one.shares]
    if not groups:
        raise ArgumentError(found.overall.reason)
    style = looks(records)
    rows = sum(len(one.shares) + 1.35 for one in groups)
    with canvas(ax, height=1.2 + 0.27 * rows) as drawn:
        place = 0.0
        places: list[float] = []
        names: list[str] = []
        greatest = max(max(one.shares.values()) for one in groups)
        drawn.set_xlim(min(0, -0.02 * greatest), max(greatest * 1.12, 0.05))
        for one in groups:
            colour = _ALL if one.family is None else style[one.family].colour
            drawn.text(0, place, _heading(one), fontweight="bold", fontsize=9, va="center")
            for name, share in one.shares.items():
                place += 1
                drawn.barh(
                    place, max(share, 0.0), height=0.7, color=colour,
                    alpha=1.0 if one.explained > 0 else 0.35,
                )  # fmt: skip
                drawn.annotate(
                    f"{100 * max(share, 0.0):.0f} %", (max(share, 0.0), place),
                    xytext=(4, 0), textcoords="offset points", va="center", fontsize=8.5,
                )  # fmt: skip
                places.append(place)
                names.append(text(name.removeprefix(f"{one.family}."), 30))
            place += 1.35
        drawn.set_ylim(place - 0.6, -0.8)
        drawn.set_yticks(places, names)
        drawn.tick_params(axis="y", length=0)
        drawn.grid(visible=False, axis="y")
        drawn.xaxis.set_major_formatter(lambda value, _: f"{100 * value:.0f} %")
        drawn.set_xlabel("share of the variance of scores, alone or together with others")
        epochs = f"{found.budget:,} {'epoch' if found.budget == 1 else 'epochs'}"
        drawn.set_title(f"What decided the score, over trials of {epochs}")
    return drawn


def _heading(one: Importance) -> str:
    whose = "all families" if one.family is None else text(one.family, 28)
    # At or below 0 the forest predicts nothing, and the bars are noise.
    explained = f"{100 * one.explained:.0f} % predictable" if one.explained > 0 else "only noise"
    return f"{whose} ({one.trials:,} trials, {explained})"
