"""What numbers look like on an axis: units, readable ticks, limits that show what matters."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.ticker import LogLocator, MaxNLocator, NullLocator, ScalarFormatter

from lrtune.plots.theme import text
from lrtune.stats.winner import Direction

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    import numpy.typing as npt
    from matplotlib.axes import Axes

    FloatArray = npt.NDArray[np.float64]

_NAMES = {"accuracy": "training accuracy", "loss": "training loss"}

DECADES = 8
"""A log axis shows at most this many decades: a rate below them does nothing."""


@dataclass(frozen=True)
class Scale:
    """One axis: which values it shows, where, and its ticks.

    Attributes:
        name: of matplotlib's scale.
        limits: (low, high), the values at its ends.
        ticks: values with a tick.
        labels: their texts.
        forward: from a value to its place, linear in what the eye measures.
        options: of matplotlib's scale.
    """

    name: str
    limits: tuple[float, float]
    ticks: Sequence[float]
    labels: Sequence[str]
    forward: Callable[[Any], Any]
    options: dict[str, Any]

    def share(self, values: Iterable[float]) -> FloatArray:
        """Where the values are between the two ends, from 0 to 1; the ends for those outside."""
        low, high = self.forward(np.array(self.limits))
        places: FloatArray = (self.forward(clip(values, self.limits)) - low) / (high - low)
        return places

    def apply(self, ax: Axes, which: str) -> None:
        """Make this the scale of the "x" or "y" axis."""
        ax.set(**{f"{which}scale": "linear"})
        getattr(ax, f"set_{which}scale")(self.name, **self.options)
        ax.set(**{f"{which}lim": self.limits})
        getattr(ax, f"set_{which}ticks")(self.ticks, labels=self.labels)
        getattr(ax, f"{which}axis").set_minor_locator(NullLocator())


def log_scale(values: Iterable[float], most: int = 8) -> Scale:
    """A logarithmic scale around the values > 0, at most `DECADES` below the greatest.

    Args:
        values: to show.
        most: about how many ticks it may have.
    """
    kept = [value for value in values if math.isfinite(value) and value > 0] or [1e-3, 1.0]
    high = max(kept)
    low = max(min(kept), high * 10**-DECADES)
    room = max((high / low) ** 0.05, 1.12)
    limits = low / room, high * room
    ticks = _log_ticks(limits, most)
    labels = [f"{tick:.3g}" for tick in ticks]
    return Scale("log", limits, ticks, labels, np.log10, {"nonpositive": "mask"})


def momentum_scale(values: Iterable[float]) -> Scale:
    """A scale of momentum: 1 - momentum is logarithmic, as it is when searched."""
    places = [float(_far(value)) for value in values if 0 <= value < 1] or [0.0]
    room = max(0.06 * (max(places) - min(places)), 0.04)
    low, high = min(places) - room, max(places) + room
    ticks = _momentum_ticks(low, high)
    limits = float(_momentum(low)), float(_momentum(high))
    labels = [f"{tick:.6g}" for tick in ticks]
    return Scale("function", limits, ticks, labels, _far, {"functions": (_far, _momentum)})


def linear_scale(limits: tuple[float, float], *, whole: bool = False) -> Scale:
    """A linear scale with these limits; with ticks at whole numbers only if asked for."""
    low, high = limits
    ticks = MaxNLocator(6, integer=whole, min_n_ticks=1).tick_values(low, high)
    ticks = [float(tick) for tick in ticks if low <= tick <= high]
    formatter = ScalarFormatter(useOffset=False)
    formatter.create_dummy_axis()
    formatter.set_scientific(False)
    return Scale("linear", limits, ticks, formatter.format_ticks(ticks), np.asarray, {})


def around(values: Iterable[float]) -> tuple[float, float]:
    """Limits around the values, with some room."""
    known = list(values)
    room = 0.05 * (max(known) - min(known)) or 0.05 * abs(known[0]) or 0.5
    return min(known) - room, max(known) + room


def objective_label(name: str) -> str:
    """An objective as an axis names it: "validation accuracy" for "val_accuracy"."""
    if name.startswith("val_"):
        return text(f"validation {name.removeprefix('val_')}".replace("_", " "), 28)
    return text(_NAMES.get(name, name.replace("_", " ")), 28)


def score_label(name: str, direction: str) -> str:
    """The same with what is better: "validation loss (lower is better)"."""
    label = objective_label(name)
    better = f"({Direction(direction).word} is better)"
    return f"{label} {better}" if len(label) <= 20 else f"{label}\n{better}"


def window(scores: Iterable[float], direction: str, reach: float = 4.0) -> tuple[float, float]:
    """The scores that an axis shows: all except worse ones far from the rest.

    Half of all trials lie between the quartiles. An axis ends where a score is more than `reach`
    times their distance worse than the worse quartile: one loss of 1e30 must not turn all others
    into a line.

    Args:
        scores: those that count; NaN is skipped.
        direction: "max" or "min", what is better.
        reach: float > 0.

    Returns:
        (low, high), low < high, with some room around the scores.
    """
    values = np.array([score for score in scores if math.isfinite(score)], dtype=np.float64)
    if not len(values):
        return 0.0, 1.0
    low, high = float(values.min()), float(values.max())
    if len(values) >= 5:
        first, third = (float(one) for one in np.quantile(values, (0.25, 0.75)))
        most = reach * max(third - first, 0.01 * abs(third))
        if Direction(direction) is Direction.MAX:
            low = max(low, first - most)
        else:
            high = min(high, third + most)
    room = 0.06 * (high - low) or 0.02 * abs(high) or 0.5
    return low - room, high + room


def score_scale(scores: Iterable[float], direction: str, reach: float = 4.0) -> Scale:
    """The scale of an axis of scores, with the limits of `window`.

    It is logarithmic for losses that differ by more than a decade: on a linear axis, the best of
    them all lie at its end.

    Args:
        scores: as `window` takes them.
        direction: likewise.
        reach: likewise.
    """
    known = list(scores)
    limits = window(known, direction, reach)
    shown = [score for score in known if score <= limits[1]]
    if Direction(direction) is Direction.MIN and shown and 0 < 10 * min(shown) < max(shown):
        return log_scale(shown)
    return linear_scale(limits)


def set_scores(ax: Axes, which: str, scale: Scale) -> None:
    """Make this scale of scores that of the "x" or "y" axis; a linear one has matplotlib's ticks.

    Called after drawing, as seaborn computes medians in the scale of the axis. The limits alone are
    set before as well: matplotlib cannot find ticks for scores of 1e308 by itself.
    """
    if scale.name == "log":
        scale.apply(ax, which)
    else:
        ax.set(**{f"{which}lim": scale.limits})


def clip(values: Iterable[float], limits: tuple[float, float]) -> FloatArray:
    """The values, with those outside moved to the edge."""
    return np.clip(np.array(list(values), dtype=np.float64), *limits)


def count_axis(ax: Axes, most: int = 8) -> None:
    """Whole numbers of epochs or trials as ticks of the x axis, thousands with a comma."""
    ax.xaxis.set_major_locator(MaxNLocator(most, integer=True, min_n_ticks=1))
    ax.xaxis.set_major_formatter("{x:,.0f}")


def _log_ticks(limits: tuple[float, float], most: int) -> list[float]:
    decades = math.log10(limits[1] / limits[0])
    if decades < 0.5:
        ticks = MaxNLocator(4).tick_values(*limits)
    elif decades < 1.2:
        ticks = LogLocator(subs=(1, 2, 3, 5)).tick_values(*limits)
    elif decades < 2.5:
        ticks = LogLocator(subs=(1, 3) if decades > 1.8 else (1, 2, 5)).tick_values(*limits)
    else:
        ticks = LogLocator(numticks=most).tick_values(*limits)
    return [float(tick) for tick in ticks if limits[0] <= tick <= limits[1]]


def _momentum_ticks(low: float, high: float) -> list[float]:
    """Momenta between two places, far enough apart for their labels."""
    ticks: list[float] = []
    # The roundest first: a value close to one that already has a tick gets none.
    for tick in (0.0, 0.9, 0.99, 0.5, 0.999, 0.8, 0.95, 0.7, 0.98, 0.3, 0.97, 0.6, 0.2, 0.4, 0.1):
        place = float(_far(tick))
        apart = all(abs(place - float(_far(one))) > 0.11 * (high - low) for one in ticks)
        if low <= place <= high and apart:
            ticks.append(tick)
    if len(ticks) < 2:  # all momenta are alike
        ends = float(_momentum(low)), min(float(_momentum(high)), 1.0)
        ticks = [
            float(one) for one in MaxNLocator(4).tick_values(*ends) if ends[0] <= one < ends[1]
        ]
    return sorted(ticks)


def _far(momentum: Any) -> Any:
    """How far a momentum is from 1, on a log scale."""
    return -np.log10(np.maximum(1 - np.asarray(momentum, dtype=np.float64), 1e-9))


def _momentum(place: Any) -> Any:
    return 1 - 10 ** -np.asarray(place, dtype=np.float64)
