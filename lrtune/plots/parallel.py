"""Picture: parallel coordinates of the trials of one family."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.collections import LineCollection
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from lrtune.errors import ArgumentError
from lrtune.plots.scales import (
    brief,
    clip,
    log_limits,
    log_ticks,
    momentum_limits,
    momentum_ticks,
    objective_label,
    to_scale,
    window,
)
from lrtune.plots.select import families_of, value_of
from lrtune.plots.theme import MUTED, canvas, legend, looks, note, text
from lrtune.schedules import get
from lrtune.stats.trials import family_of, score_of
from lrtune.stats.winner import Direction, ordered

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.artist import Artist
    from matplotlib.axes import Axes

    from lrtune.records.reader import RunRecords
    from lrtune.records.schema import Outcome

_BEST_SHARE, _BEST_MOST = 0.1, 10
_MOST_COORDINATES = 10
_LOST = "#777777"


@dataclass(frozen=True)
class _Coordinate:
    """One upright axis: its name, its ticks and the place of each trial on it, 0 to 1."""

    name: str
    ticks: Sequence[tuple[float, str]]
    places: Sequence[float]


def parallel_coordinates(
    records: RunRecords, *, family: str | None = None, ax: Axes | None = None
) -> Axes:
    """The trials of one family: a line each, across its parameters to its score.

    The best tenth, 10 at most, are in the family's colour, the best of them thick; the others are
    grey, and dotted where they diverged. Only trials of one budget: the full one, or the longest
    that any trial of the family has.

    Args:
        records: of the run.
        family: name of the family; None for that of the best trial.
        ax: to draw into; None for new ones.

    Returns:
        The axes, on which each coordinate is an upright line at x = 0, 1, ...

    Raises:
        ArgumentError: the family has no trial with a score and all its parameters.
    """
    family = _best_family(records) if family is None else family
    names, trials = _trials(records, family)
    limits = window(
        [score_of(one) for one in trials if one.status == "completed"] or map(score_of, trials),
        records.manifest.direction,
    )
    coordinates = [_coordinate(family, name, trials) for name in names]
    coordinates.append(_score(records, trials, limits))
    places = np.array([one.places for one in coordinates]).T
    best = _best(records, trials)
    style = looks(records)
    look = style.get(family, style["constant"])
    with canvas(ax, width=max(2.3 + 1.35 * len(coordinates), 7.7)) as drawn:
        _frame(drawn, coordinates)
        rest = [index for index in range(len(trials)) if index not in best]
        done = [index for index in rest if trials[index].status == "completed"]
        lost = [index for index in rest if trials[index].status == "diverged"]
        _lines(drawn, places[done], MUTED, _thin(len(trials)), 1.5)
        _lines(drawn, places[lost], _LOST, _thin(len(trials)), 1.6, dashes="dotted")
        _lines(drawn, places[best[::-1]], look.colour, 1.5, 2.5)
        _lines(drawn, places[best[:1]], look.colour, 3.2, 3.0)
        budget = trials[0].epochs.planned
        epochs = f"{budget:,} {'epoch' if budget == 1 else 'epochs'}"
        many = f"{len(trials):,} {'trial' if len(trials) == 1 else 'trials'}"
        drawn.set_title(f"{text(family, 28)}: parameters and score of {many} of {epochs}")
        off = sum(not limits[0] <= score_of(one) <= limits[1] for one in trials)
        legend(drawn, _handles(look.colour, len(best), len(done), len(lost), off))
    return drawn


def families_with_trials(records: RunRecords) -> list[str]:
    """Families that `parallel_coordinates` can draw."""
    found = []
    for family in families_of(records, list(records.outcomes)):
        try:
            _trials(records, family)
        except ArgumentError:
            continue
        found.append(family)
    return found


def _best_family(records: RunRecords) -> str:
    drawable = families_with_trials(records)
    if not drawable:
        raise ArgumentError(
            f"No trial of the run {str(records.folder)!r} has a score and all its parameters."
        )
    own = [one for one in records.outcomes if family_of(one) in drawable]
    return family_of(ordered(own, records.manifest.direction)[0])


def _trials(records: RunRecords, family: str) -> tuple[list[str], list[Outcome]]:
    """The coordinates' names, and the trials of one budget that have all of them and a score."""
    own = [one for one in records.outcomes if family_of(one) == family]
    own = [one for one in own if math.isfinite(score_of(one))]
    names = ["lr0", "momentum"]
    if own:
        parameters = own[0].recipe.parameters
        names += [f"{family}.{name}" for name in parameters if name != "lr0"]
    names = names[:_MOST_COORDINATES]
    whole = [one for one in own if all(_fits(one, name) for name in names)]
    if not whole:
        known = ", ".join(repr(name) for name in families_of(records, list(records.outcomes)))
        raise ArgumentError(
            "family must have a trial with a score and all its parameters; families with trials: "
            f"{known or 'none'}. Received: family={family!r}."
        )
    budgets = {one.epochs.planned for one in whole}
    full = records.manifest.max_epochs
    budget = full if full in budgets else max(budgets)
    return names, [one for one in whole if one.epochs.planned == budget]


def _fits(trial: Outcome, name: str) -> bool:
    value = value_of(trial, name)
    if name == "lr0":
        return value > 0
    return 0 <= value < 1 if name == "momentum" else math.isfinite(value)


def _coordinate(family: str, name: str, trials: list[Outcome]) -> _Coordinate:
    values = [value_of(one, name) for one in trials]
    kind = {"lr0": "log", "momentum": "momentum"}.get(name) or _sampling(family, name)
    if kind == "log" and min(values) <= 0:
        kind = "linear"
    if kind == "log":
        limits = log_limits(values)
        ticks = log_ticks(limits, most=6)
        low, high = (math.log10(one) for one in limits)
    elif kind == "momentum":
        low, high = momentum_limits(values)
        ticks = momentum_ticks(low, high)
    else:
        room = 0.05 * (max(values) - min(values)) or 0.05 * abs(values[0]) or 0.5
        low, high = min(values) - room, max(values) + room
        ticks = _linear_ticks(low, high, whole=all(value == int(value) for value in values))
    return _Coordinate(
        name=name.removeprefix(f"{family}."),
        ticks=[((to_scale(tick, kind) - low) / (high - low), brief(tick)) for tick in ticks],
        # What lies below 8 decades is at the axis' end.
        places=[min(max((to_scale(v, kind) - low) / (high - low), 0), 1) for v in values],
    )


def _score(records: RunRecords, trials: list[Outcome], limits: tuple[float, float]) -> _Coordinate:
    low, high = limits
    places = (clip(map(score_of, trials), limits) - low) / (high - low)
    ticks = _linear_ticks(low, high)
    return _Coordinate(
        name="\n".join(
            (
                text(objective_label(records.manifest.objective).replace(r"\$", "$"), 20),
                f"({Direction(records.manifest.direction).word} is better)",
            )
        ),
        ticks=[((tick - low) / (high - low), _fixed(tick, ticks)) for tick in ticks],
        places=[float(place) for place in places],
    )


def _linear_ticks(low: float, high: float, *, whole: bool = False) -> list[float]:
    ticks = MaxNLocator(6, integer=whole, min_n_ticks=1).tick_values(low, high)
    return [float(tick) for tick in ticks if low <= tick <= high]


def _fixed(tick: float, ticks: Sequence[float]) -> str:
    """With as many decimals as the distance of ticks asks for."""
    apart = min((b - a for a, b in pairwise(ticks)), default=abs(tick))
    places = 1 - math.floor(math.log10(apart)) if apart > 0 else 1
    long = any(abs(round(one, places - 1) - one) > apart / 100 for one in ticks)
    return f"{tick:.{min(max(places if long else places - 1, 0), 9)}f}"


def _sampling(family: str, name: str) -> str:
    try:
        ranges = get(family).ranges
    except ArgumentError:
        return "linear"
    own = name.removeprefix(f"{family}.")
    return next((one.sampling for one in ranges if one.parameter == own), "linear")


def _best(records: RunRecords, trials: list[Outcome]) -> list[int]:
    """Indices of the best tenth of the completed trials, the best first."""
    place = {one.trial_id: index for index, one in enumerate(trials)}
    best = ordered(trials, records.manifest.direction)
    done = [place[one.trial_id] for one in best if one.status == "completed"]
    return done[: min(max(math.ceil(_BEST_SHARE * len(trials)), 1), _BEST_MOST)]


def _frame(ax: Axes, coordinates: Sequence[_Coordinate]) -> None:
    ax.grid(visible=False)
    ax.set_xlim(-0.45, len(coordinates) - 0.75)
    ax.set_ylim(-0.02, 1.02)
    for spine in ax.spines.values():
        spine.set_visible(False)
    ax.set_yticks([])
    ax.set_xticks(range(len(coordinates)), [text(one.name, 18) if "\n" not in one.name
                  else one.name for one in coordinates])  # fmt: skip
    ax.tick_params(axis="x", length=0, pad=6)
    if len(coordinates) > 7:
        ax.tick_params(axis="x", labelrotation=30)
    for place, one in enumerate(coordinates):
        ax.plot([place, place], [0, 1], color="#555555", linewidth=1, zorder=3.5)
        for height, label in one.ticks:
            ax.plot([place - 0.03, place], [height] * 2, color="#555555", linewidth=1, zorder=3.5)
            ax.text(
                place - 0.05, height, label, ha="right", va="center", fontsize=8.5, zorder=4,
                bbox={"facecolor": "white", "alpha": 0.75, "linewidth": 0, "pad": 0.6},
            )  # fmt: skip


def _lines(
    ax: Axes, places: Any, colour: str, width: float, zorder: float, dashes: str = "solid"
) -> None:
    if not len(places):
        return
    x = np.arange(places.shape[1])
    segments = [np.column_stack([x, line]) for line in places]
    ax.add_collection(
        LineCollection(segments, colors=colour, linewidths=width, zorder=zorder, linestyles=dashes)
    )


def _thin(total: int) -> float:
    return 1.0 if total < 100 else 0.5


def _handles(colour: str, best: int, done: int, lost: int, off: int) -> list[Artist]:
    handles: list[Artist] = []
    if best:
        handles.append(Line2D([], [], color=colour, linewidth=3.2, label="best trial"))
    if best > 1:
        handles.append(Line2D([], [], color=colour, linewidth=1.5, label=f"{best} best"))
    if done:
        handles.append(Line2D([], [], color=MUTED, label=f"others ({done:,})"))
    if lost:
        handles.append(Line2D([], [], color=_LOST, linestyle=":", label=f"diverged ({lost:,})"))
    if off:
        handles.append(note(f"{off:,} off the score axis, at its end"))
    return handles
