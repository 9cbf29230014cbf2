"""From the incumbents of many searches to regrets: what a search costs, and what it is worth."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from .search import Trace
    from .truth import Truth

    Numbers = NDArray[np.float64]

TARGETS = (0.01, 0.005)
"""Mean regrets to be reached."""

RESAMPLES = 400
POINTS = 2_000
"""Of a grid of seconds."""


def frame(traces: Sequence[Trace], **key: Any) -> pd.DataFrame:
    """The incumbents of several searches, a row each.

    Args:
        traces: of repetitions, in their order.
        **key: columns that are the same in all rows.
    """
    rows = [
        {
            **key,
            "repetition": number,
            "epochs": one.epochs,
            "seconds": one.seconds,
            "schedule": one.schedule,
            "seed": one.seed,
            "budget": one.budget,
            "score": one.score,
            "unused": " ".join(map(str, one.unused)),
        }
        for number, trace in enumerate(traces)
        for one in trace.incumbents
    ]
    return pd.DataFrame(rows)


def with_regret(incumbents: pd.DataFrame, truth: Truth) -> pd.DataFrame:
    """The incumbents with `regret`, and with `held_out`: the regret over seeds not seen."""
    unused = incumbents.unused.map(lambda text: [int(one) for one in text.split()])
    held = [
        truth.held_out_reference - truth.held_out(schedule, seeds)
        for schedule, seeds in zip(incumbents.schedule, unused, strict=True)
    ]
    return incumbents.assign(regret=incumbents.schedule.map(truth.regret), held_out=held)


def curves(
    incumbents: pd.DataFrame, clock: str, grid: Numbers, start: float, column: str = "regret"
) -> Numbers:
    """What each repetition's incumbent is worth over time: a row a repetition, a column a time.

    Args:
        incumbents: of one algorithm and number of workers.
        clock: "epochs" or "seconds".
        grid: the times, increasing.
        start: the value before there is an incumbent.
        column: what it is worth.
    """
    rows = []
    for _, own in incumbents.groupby("repetition"):
        place = np.searchsorted(own[clock].to_numpy(), grid, side="right")
        rows.append(np.array([start, *own[column]])[place])
    return np.array(rows)


def reached(found: Numbers, grid: Numbers, target: float) -> dict[str, float | None]:
    """When the mean of the curves reaches a target for good, with a bootstrap interval of 95 %.

    None where it does not within the grid.

    Args:
        found: as `curves` returns them.
        grid: the times.
        target: the mean regret.
    """
    draw = np.random.default_rng(0)
    counts = draw.multinomial(len(found), [1 / len(found)] * len(found), size=RESAMPLES)
    times = np.array([_first(mean, grid, target) for mean in counts @ found / len(found)])
    low, high = np.quantile(times, [0.025, 0.975], method="nearest")
    exact = _first(found.mean(axis=0), grid, target)
    named = {"at": exact, "low": float(low), "high": float(high)}
    return {name: one if np.isfinite(one) else None for name, one in named.items()}


def described(found: Numbers) -> dict[str, list[float]]:
    """Mean with a bootstrap interval of 95 %, and median, at each time."""
    draw = np.random.default_rng(0)
    counts = draw.multinomial(len(found), [1 / len(found)] * len(found), size=RESAMPLES)
    low, high = np.quantile(counts @ found / len(found), [0.025, 0.975], axis=0)
    named = {
        "mean": found.mean(axis=0),
        "low": low,
        "high": high,
        "median": np.median(found, axis=0),
    }
    return {name: np.round(one, 5).tolist() for name, one in named.items()}


def summary(
    incumbents: pd.DataFrame, truth: Truth, horizon: int, trials: int
) -> dict[str, dict[str, Any]]:
    """What all algorithms reach on one table, by name.

    Args:
        incumbents: with regrets, of one table.
        truth: of the table.
        horizon: epochs of a full training.
        trials: so many of these are the budget of a search.
    """
    start = truth.reference - truth.without
    budget = horizon * trials
    every, whole = np.arange(budget + 1.0), horizon * np.arange(1.0, trials + 1)
    found: dict[str, dict[str, Any]] = {}
    for (name, workers), own in incumbents.groupby(["algorithm", "workers"], sort=False):
        one = found.setdefault(str(name), {"repetitions": int(own.repetition.nunique())})
        grid = np.linspace(0, own.seconds.max(), POINTS)
        in_time = curves(own, "seconds", grid, start)
        one.setdefault("seconds_to", {})[str(workers)] = {
            str(target): reached(in_time, grid, target) for target in TARGETS
        }
        if workers == 1:
            in_epochs = curves(own, "epochs", every, start)
            one["epochs_to"] = {
                str(target): reached(in_epochs, every, target) for target in TARGETS
            }
            one["regret"] = described(in_epochs[:, whole.astype(int)])
            held = curves(own, "epochs", whole, start, "held_out").mean(axis=0)
            one["held_out"] = np.round(held, 5).tolist()
    return found


def shown(found: Mapping[str, Mapping[str, Any]], trials: int) -> str:
    """The summary for a person."""
    budgets = [one for one in (5, 10, 20, 40) if one <= trials] or [trials]
    heads = [f"after {one}" for one in budgets] + [f"to {target:g}" for target in TARGETS]
    lines = [f"{'mean regret':28}" + "".join(f"{head:>12}" for head in heads)]
    for name, one in found.items():
        if "regret" not in one:
            continue
        regrets = [f"{one['regret']['mean'][place - 1]:12.4f}" for place in budgets]
        epochs = [one["epochs_to"][str(target)]["at"] for target in TARGETS]
        reached_at = [f"{'never' if at is None else f'{at:.0f} epochs':>12}" for at in epochs]
        lines.append(f"{name:28}" + "".join(regrets + reached_at))
    return "\n".join(lines)


def _first(means: Numbers, grid: Numbers, target: float) -> float:
    """The first time after which the curve is never above the target; infinity if there is none."""
    above = np.flatnonzero(means > target)
    place = above[-1] + 1 if len(above) else 0
    return float(grid[place]) if place < len(grid) else float("inf")
