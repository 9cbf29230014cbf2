"""What numbers look like on an axis: units, ticks one can read, limits that show what matters."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.ticker import FixedLocator, FuncFormatter, LogLocator, MaxNLocator, NullLocator

from lrtune.stats.winner import Direction

if TYPE_CHECKING:
    from collections.abc import Iterable

    import numpy.typing as npt
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis

    FloatArray = npt.NDArray[np.float64]

_NAMES = {"accuracy": "training accuracy", "loss": "training loss"}

DECADES = 8
"""So many decades a log axis shows at most: below, a rate does nothing."""


def objective_label(name: str) -> str:
    """An objective as an axis names it: "validation accuracy" for "val_accuracy"."""
    from lrtune.plots.theme import text

    if name.startswith("val_"):
        return text(f"validation {name.removeprefix('val_')}".replace("_", " "), 28)
    return text(_NAMES.get(name, name.replace("_", " ")), 28)


def score_label(name: str, direction: str) -> str:
    """The same with what is better: "validation loss (lower is better)"."""
    label = objective_label(name)
    better = f"({Direction(direction).word} is better)"
    return f"{label} {better}" if len(label) <= 20 else f"{label}\n{better}"


def brief(value: float) -> str:
    """A number on an axis: "0.001", "0.25", "30", "1e-06"."""
    return f"{value:.3g}"


def window(scores: Iterable[float], direction: str, reach: float = 4.0) -> tuple[float, float]:
    """The scores that an axis shows: all, but for worse ones far off the rest.

    Half of all trials lie between the quartiles; what is more than `reach` times their distance
    worse than the worse quartile is off, as one loss of 1e30 must not make a line of all others.

    Args:
        scores: those that count, NaN among them or not.
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


def clip(values: Iterable[float], limits: tuple[float, float]) -> FloatArray:
    """The values, those outside brought to the edge."""
    return np.clip(np.array(list(values), dtype=np.float64), *limits)


def log_limits(values: Iterable[float]) -> tuple[float, float]:
    """Limits of a log axis around the values > 0, at most `DECADES` below the greatest."""
    kept = [value for value in values if math.isfinite(value) and value > 0]
    if not kept:
        return 1e-3, 1.0
    high = max(kept)
    low = max(min(kept), high * 10**-DECADES)
    room = max((high / low) ** 0.05, 1.12)
    return low / room, high * room


def log_axis(ax: Axes, which: str, limits: tuple[float, float]) -> None:
    """Makes the x or y axis logarithmic, with ticks like 0.01 and 0.05."""
    if which == "x":
        ax.set_xscale("log")
        ax.set_xlim(*limits)
    else:
        ax.set_yscale("log", nonpositive="mask")
        ax.set_ylim(*limits)
    axis: Axis = ax.xaxis if which == "x" else ax.yaxis
    axis.set_major_locator(FixedLocator(log_ticks(limits)))
    axis.set_minor_locator(NullLocator())
    axis.set_major_formatter(FuncFormatter(lambda value, _: brief(value)))


def log_ticks(limits: tuple[float, float], most: int = 8) -> list[float]:
    """Ticks within the limits: as many of 1, 2 and 5 times powers of ten as there is room for."""
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


def momentum_axis(ax: Axes, values: Iterable[float]) -> None:
    """Makes the x axis one of momentum, on which 1 - momentum is logarithmic, as it is searched."""
    kept = [value for value in values if 0 <= value < 1]
    low, high = momentum_limits(kept)
    ax.set_xscale("function", functions=(_to_scale, _from_scale))
    ax.set_xlim(float(_from_scale(low)), float(_from_scale(high)))
    ax.xaxis.set_major_locator(FixedLocator(momentum_ticks(low, high)))
    ax.xaxis.set_minor_locator(NullLocator())
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:.6g}"))


def momentum_limits(values: Iterable[float]) -> tuple[float, float]:
    """Limits around momenta >= 0 and < 1, on the scale of the axis: -log10(1 - momentum)."""
    scaled = [float(_to_scale(value)) for value in values] or [0.0]
    room = max(0.06 * (max(scaled) - min(scaled)), 0.04)
    return min(scaled) - room, max(scaled) + room


def momentum_ticks(low: float, high: float) -> list[float]:
    """Momenta between two places on that scale, far enough from one another for their labels."""
    ticks: list[float] = []
    places: list[float] = []
    # The roundest first: what is near one that has its tick gets none.
    for tick in (0.0, 0.9, 0.99, 0.5, 0.999, 0.8, 0.95, 0.7, 0.98, 0.3, 0.97, 0.6, 0.2, 0.4, 0.1):
        place = float(_to_scale(tick))
        apart = all(abs(place - other) > 0.11 * (high - low) for other in places)
        if low <= place <= high and apart:
            ticks.append(tick)
            places.append(place)
    if len(ticks) < 2:  # all momenta alike
        ends = float(_from_scale(low)), float(_from_scale(high))
        ticks = [float(one) for one in MaxNLocator(4).tick_values(*ends) if ends[0] <= one < 1]
        ticks = [one for one in ticks if one <= ends[1]]
    return sorted(ticks)


def _to_scale(momentum: Any) -> Any:
    return -np.log10(np.maximum(1 - np.asarray(momentum, dtype=np.float64), 1e-9))


def _from_scale(place: Any) -> Any:
    return 1 - 10 ** -np.asarray(place, dtype=np.float64)


def count_axis(ax: Axes, most: int = 8) -> None:
    """Whole numbers as ticks of the x axis, of epochs or trials, thousands with a comma."""
    ax.xaxis.set_major_locator(MaxNLocator(most, integer=True, min_n_ticks=1))
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))


def to_scale(value: float, kind: str) -> float:
    """A number's place on a scale of this kind: "log", "momentum" or "linear"."""
    if kind == "log":
        return math.log10(value) if value > 0 else math.nan
    return float(_to_scale(value)) if kind == "momentum" else value
