"""The numbers of `fidelity.py`: how well a short training tells which schedule ends best.

A score has noise: the same schedule with another seed scores differently. So nothing here is chosen
and judged by the same training, unless the measure says "same training".
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy.stats import rankdata

from lrtune.stats.score import tail_length

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

SHARES = {"1/9": 1 / 9, "1/3": 1 / 3, "1/2": 1 / 2, "2/3": 2 / 3, "1": 1.0}
BRACKET = 27
"""Schedules in a simulated bracket, of which a third is kept."""

BEST = 3
QUARTER = 4

RULES = ("last", "tail", "tail-2", "tail-3", "tail-5", "best", "val_loss", "val_loss-tail")
"""Scores that are compared. "tail" is lrtune's, the last tenth; "tail-3" is the last 3 epochs."""

COLUMNS = (
    "task", "measure", "kind", "share", "epochs", "subset", "value", "lower", "upper",
)  # fmt: skip


@dataclass(frozen=True)
class Trained:
    """A task's trainings as arrays; a score above another is better.

    Attributes:
        name: of the task.
        horizon: epochs of a whole training.
        families: of the schedules, n of them.
        seeds: all that trained any schedule.
        common: places, in `seeds`, of those that trained every schedule.
        curves: budget -> metric ("val_accuracy", or "val_loss" with its sign changed) -> values,
            shaped (seeds, n, budget). NaN where there is no training. From the epoch in which a
            training diverged, it has the untrained model's accuracy, and a loss of infinity.
    """

    name: str
    horizon: int
    families: NDArray[np.str_]
    seeds: tuple[int, ...]
    common: tuple[int, ...]
    curves: dict[int, dict[str, Floats]]

    @cached_property
    def end(self) -> Floats:
        """The accuracy after the last epoch: (seeds, n)."""
        return self.curves[self.horizon]["val_accuracy"][:, :, -1]

    @cached_property
    def budgets(self) -> dict[str, int]:
        """Share of the horizon in words -> epochs; "1 epoch" is the control."""
        found = {"1 epoch": 1}
        for words, share in SHARES.items():
            epochs = max(1, round(share * self.horizon))
            if epochs not in found.values():
                found[words] = epochs
        return found

    def score(self, rule: str, epochs: int, budget: int | None = None) -> Floats:
        """Scores (seeds, n) by one of `RULES` after so many epochs of trainings over `budget`."""
        metric = "val_loss" if rule.startswith("val_loss") else "val_accuracy"
        curve = self.curves[budget or self.horizon][metric][:, :, :epochs]
        if rule == "best":
            return curve.max(axis=-1)
        if rule.endswith("tail"):
            length = tail_length(epochs)
        else:
            length = int(rule.partition("-")[2] or 1) if rule.startswith("tail") else 1
        return curve[:, :, -length:].mean(axis=-1)

    def ways(self) -> Iterator[tuple[str, str, int, Floats]]:
        """(kind, share in words, epochs, scores) of every short training, and of the whole one."""
        for share, epochs in self.budgets.items():
            yield "truncated", share, epochs, self.score("last", epochs)
            if epochs in self.curves and epochs != self.horizon:
                yield "rescaled", share, epochs, self.score("last", epochs, epochs)

    def draws(self) -> Iterator[tuple[Callable[[Floats], Floats], Floats, NDArray[np.bool_]]]:
        """Ways to let one seed choose and others judge.

        The best schedules may have more seeds than the others. These were chosen by the common
        seeds, so that theirs are lucky: then an extra seed takes their place.

        Yields:
            A function from scores (seeds, n) to those (n) that choose; the truth (n), the mean at
            the end of seeds that have not chosen; which schedules may be the true best.
        """
        known = ~np.isnan(self.end)
        extra = [place for place in range(len(self.seeds)) if place not in self.common]
        well = known[extra].sum(axis=0) > 1 if extra else np.ones(known.shape[1], bool)
        for number, seed in enumerate(extra if well.any() and extra else self.common):
            fallback = self.common[number % len(self.common)]

            def chosen(scores: Floats, one: int = seed, other: int = fallback) -> Floats:
                return np.where(np.isnan(scores[one]), scores[other], scores[one])

            truth = _mean(self.end, [one for one in self.common if one != fallback])
            if extra:
                others = [one for one in extra if one != seed]
                truth = np.where(well, _mean(self.end, others), truth)
            yield chosen, truth, well & ~np.isnan(truth)


def trained(table: Any) -> Trained:
    """The arrays of a `table.Table`; schedules that failed with a common seed are left out."""
    whole = table.trainings[table.trainings.budget == table.horizon]
    counts = whole.dropna(subset="score").groupby("seed").size()
    common = counts[counts >= 0.9 * counts.max()].index
    by_seed = whole[whole.seed.isin(common)].dropna(subset="score").groupby("schedule").size()
    schedules = by_seed[by_seed == len(common)].index.sort_values()
    seeds = tuple(sorted(whole.seed.unique().tolist()))
    kept = table.trainings[table.trainings.schedule.isin(schedules)]
    curves = {
        int(budget): _curves(table, trainings, int(budget), list(schedules), seeds)
        for budget, trainings in kept.groupby("budget")
    }
    families = table.schedules.set_index("schedule").family.loc[schedules].to_numpy(str)
    places = tuple(place for place, seed in enumerate(seeds) if seed in common)
    return Trained(table.name, table.horizon, families, seeds, places, curves)


def _curves(
    table: Any, trainings: pd.DataFrame, budget: int, schedules: list[int], seeds: tuple[int, ...]
) -> dict[str, Floats]:
    place = {"schedule": dict(zip(schedules, range(len(schedules)), strict=True))}
    place["seed"] = dict(zip(seeds, range(len(seeds)), strict=True))
    shape = len(seeds), len(schedules), budget
    known = trainings.dropna(subset="score")
    at = known.seed.map(place["seed"]), known.schedule.map(place["schedule"])
    found = {}
    rows = table.epochs[(table.epochs.budget == budget) & table.epochs.schedule.isin(schedules)]
    for metric, sign in {"val_accuracy": 1.0, "val_loss": -1.0}.items():
        values = np.full(shape, np.nan)
        values[at] = known.score.to_numpy()[:, None] if sign > 0 else -np.inf
        ended = rows[np.isfinite(rows[metric])]
        index = ended.seed.map(place["seed"]), ended.schedule.map(place["schedule"])
        values[(*index, ended.epoch - 1)] = sign * ended[metric]
        found[metric] = values
    return found


class Rows:
    """The rows of a task's numbers.

    Args:
        task: its name.
    """

    def __init__(self, task: str) -> None:
        self._task = task
        self._rows: list[dict[str, Any]] = []

    def add(self, measure: str, found: Floats, subset: str = "all", **where: Any) -> None:
        """A number with its interval: the first value is the table's, the others resamples'."""
        value, *others = found
        lower, upper = np.nanquantile(others, [0.025, 0.975])
        interval = {"value": value, "lower": lower, "upper": upper}
        self._rows.append(
            {"task": self._task, "measure": measure, "subset": subset, **where, **interval}
        )

    def frame(self) -> pd.DataFrame:
        """All of them."""
        return pd.DataFrame(self._rows, columns=list(COLUMNS))


def measure(task: Trained, resamples: int = 400) -> pd.DataFrame:
    """Everything about a task, with 95 % bootstrap intervals over schedules.

    Returns:
        The columns of `COLUMNS`; `measure` is one of

        - agreement: Spearman's correlation of a short training's score with the score at the end,
          of other seeds ("other seeds") or of the same training ("same training"); the same among
          the best quarter, which is chosen by a seed that is not correlated.
        - survival: the share of the true best three that are in the best third.
        - regret: how much worse (accuracy) the best schedule of 27 by the short training is than
          the best of them by the whole training.
        - family: mean change of rank of a family from the short training to the end; above 0 it
          climbs: short trainings wrong it. 1 would be from last to first.
        - reliability, truth: Spearman's correlation of a score between seeds, and with the mean
          accuracy of other seeds at the end.
        - noise: standard deviation between seeds as a share of that of "last", of the better half
          of the schedules.
        - gain: how much better (accuracy) the best schedule of 27 by this score is than the best of
          them by "last".
    """
    draw = np.random.default_rng(0)
    n = len(task.families)
    index = np.vstack([np.arange(n), draw.integers(0, n, (resamples, n))])
    brackets = draw.integers(0, n, (resamples, 20, BRACKET))
    brackets = np.take_along_axis(index[1:, None], brackets, axis=2)
    rows = Rows(task.name)
    _short_trainings(task, index, brackets, rows)
    _scores(task, index, brackets, rows)
    return rows.frame()


def _short_trainings(
    task: Trained, index: NDArray[np.intp], brackets: NDArray[np.intp], rows: Rows
) -> None:
    for kind, share, epochs, early in task.ways():
        where = {"kind": kind, "share": share, "epochs": epochs}
        for subset, found in agreements(task, early, index).items():
            rows.add("agreement", found, subset, **where)
        if share != "1":
            rows.add("survival", survival(task, early, index), **where)
            rows.add("regret", regret(task, early, task.end, brackets), **where)
            for family, found in changes(task, early, index).items():
                rows.add("family", found, family, **where)


def _scores(task: Trained, index: NDArray[np.intp], brackets: NDArray[np.intp], rows: Rows) -> None:
    for rule in RULES:
        scores, where = task.score(rule, task.horizon), {"kind": rule, "epochs": task.horizon}
        rows.add("reliability", reliability(task, scores, index), **where)
        for subset, found in agreements(task, scores, index).items():
            if subset.endswith("other seeds"):
                rows.add("truth", found, subset, **where)
        if rule != "last":
            rows.add("gain", -regret(task, scores, task.end, brackets), **where)
        if not rule.startswith("val_loss"):
            rows.add("noise", noise(task, scores, index), **where)


def agreements(task: Trained, early: Floats, index: NDArray[np.intp]) -> dict[str, Floats]:
    """Rank correlations of early scores with the end; a number for each row of the index."""
    found: dict[str, list[Floats]] = {}
    for seed in task.common:
        other = _mean(task.end, [one for one in task.common if one != seed])
        sampled, same, truth = (one[index] for one in (early[seed], task.end[seed], other))
        found.setdefault("other seeds", []).append(spearman(sampled, truth))
        found.setdefault("same training", []).append(spearman(sampled, same))
        quarter = best_quarter(truth, sampled, same)
        found.setdefault("best quarter, same training", []).append(spearman(*quarter))
    for seed, chooser, *others in _rotated(task.common):
        if others:  # there are at least three seeds
            judged = early[seed][index], _mean(task.end, others)[index]
            quarter = best_quarter(task.end[chooser][index], *judged)
            found.setdefault("best quarter, other seeds", []).append(spearman(*quarter))
    return {name: np.mean(one, axis=0) for name, one in found.items()}


def best_quarter(chosen_by: Floats, *scores: Floats) -> list[Floats]:
    """The scores of the best quarter, row by row."""
    count = max(4, chosen_by.shape[1] // QUARTER)
    best = np.argsort(-chosen_by, axis=1, kind="stable")[:, :count]
    return [np.take_along_axis(one, best, axis=1) for one in scores]


def _rotated(places: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
    for number in range(len(places)):
        yield places[number:] + places[:number]


def survival(task: Trained, early: Floats, index: NDArray[np.intp]) -> Floats:
    """The share of the true best three that short trainings rank in the best third."""
    found = []
    for choose, truth, may in task.draws():
        best = np.argsort(-np.where(may, truth, -np.inf)[index], axis=1)[:, :BEST]
        places = rankdata(-choose(early)[index], axis=1)
        kept = np.take_along_axis(places, best, axis=1) <= index.shape[1] / 3
        found.append(kept.mean(axis=1))
    return np.mean(found, axis=0)


def regret(task: Trained, early: Floats, late: Floats, brackets: NDArray[np.intp]) -> Floats:
    """How much better than the pick of `early` that of `late` is, on average over brackets.

    Args:
        task: both pick with a seed that the truth does not use.
        early: scores (seeds, n).
        late: likewise.
        brackets: schedules (resamples, brackets, size).
    """
    found = []
    for choose, truth, _ in task.draws():
        picks = []
        for scores in (early, late):
            pick = np.argmax(choose(scores)[brackets], axis=2)
            picks.append(truth[np.take_along_axis(brackets, pick[..., None], axis=2)[..., 0]])
        found.append(np.nanmean(picks[1] - picks[0], axis=1))
    each: Floats = np.mean(found, axis=0)
    return np.concatenate([[each.mean()], each])


def changes(task: Trained, early: Floats, index: NDArray[np.intp]) -> dict[str, Floats]:
    """The mean change of rank, as a share of all ranks, of each family from early to the end."""
    n = index.shape[1]
    climbed = []
    for seed in task.common:
        other = _mean(task.end, [one for one in task.common if one != seed])
        climbed.append((rankdata(other) - rankdata(early[seed])) / n)
    change, of = np.mean(climbed, axis=0)[index], task.families[index]
    with np.errstate(invalid="ignore"):  # a resample may have no schedule of a family
        return {
            family: np.where(of == family, change, 0.0).sum(axis=1) / (of == family).sum(axis=1)
            for family in dict.fromkeys(task.families.tolist())
        }


def reliability(task: Trained, scores: Floats, index: NDArray[np.intp]) -> Floats:
    """The rank correlation of a score between two seeds, the mean over all pairs of seeds."""
    pairs = [(one, other) for one in task.common for other in task.common if one < other]
    found = [spearman(scores[one][index], scores[other][index]) for one, other in pairs]
    return np.mean(found, axis=0)


def noise(task: Trained, scores: Floats, index: NDArray[np.intp]) -> Floats:
    """The standard deviation between seeds, as a share of that of the last epoch's score.

    Of the better half of the schedules: poor ones vary much more, and nobody would choose them.
    """
    common = list(task.common)
    better = rankdata(-_mean(task.end, common)) <= len(task.families) / 2
    weight = better[index]
    own, last = (one[common].var(axis=0, ddof=1)[index] * weight for one in (scores, task.end))
    return np.sqrt(own.sum(axis=1) / last.sum(axis=1))


def spearman(left: Floats, right: Floats) -> Floats:
    """Spearman's rank correlation, row by row; NaN where all values of a row are equal."""
    ranks = [rankdata(one, axis=1) for one in (left, right)]
    ranks = [one - one.mean(axis=1, keepdims=True) for one in ranks]
    products = [(one * other).sum(axis=1) for one, other in ((ranks[0], ranks[1]),
                                                             (ranks[0], ranks[0]),
                                                             (ranks[1], ranks[1]))]  # fmt: skip
    with np.errstate(invalid="ignore", divide="ignore"):
        found: Floats = products[0] / np.sqrt(products[1] * products[2])
    return found


def _mean(scores: Floats, places: list[int]) -> Floats:
    """The mean over seeds that are there; NaN where there is none."""
    known = ~np.isnan(scores[places])
    total = np.where(known, scores[places], 0.0).sum(axis=0)
    with np.errstate(invalid="ignore"):
        mean: Floats = total / known.sum(axis=0)
    return mean
