"""How good the schedules of a table really are, from few noisy scores of each, without flattery.

A search picks a trial for its high score, and the best of a table is picked for its high mean, so
the same scores say too much of both: the winner's curse. There are two ways out; both are here.

`Truth.value` is the posterior mean of a schedule's mean score, given all its seeds. How mean scores
are distributed over schedules is estimated from the table itself (empirical Bayes: the maximum
likelihood estimate without any form, by expectation maximization; Kiefer and Wolfowitz, 1956). A
posterior mean stays right however a schedule was picked (Efron, 2011, "Tweedie's formula and
selection bias"), so the reference is simply the highest one. In simulated tables like ours the
value of an incumbent is off by less than .001 on average, the mean over its two seeds by .003 to
.008. In a single table, the reference has a standard error of .006, or .003 where the best 16 have
eight further seeds. All algorithms share it: it moves their regrets, not their differences.

`Truth.held_out` is the mean over seeds that the search has not seen. It assumes nothing, but is
noisy with one seed left. And where only the best schedules have further seeds it says too little
(by .002 in the same simulation): an incumbent without them is one whose other seed did badly. So it
is only a check.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    Scores = Mapping[int, Mapping[int, float]]

GRID = 400
ROUNDS = 100
"""More of them sharpen the distribution, but in simulated tables not one value gets better."""
SPLITS = 200


class Truth:
    """What is known of the schedules of a table.

    Args:
        scores: schedule -> seed -> score.
        searched: the seeds that searches may use.
        deviation: standard deviation of a score over seeds; None to estimate it from the scores,
            which needs two seeds.
    """

    def __init__(
        self, scores: Scores, searched: Sequence[int], deviation: float | None = None
    ) -> None:
        self._scores = scores
        self._searched = searched
        numbers = list(scores)
        own = noise([list(one.values()) for one in scores.values()])
        self.noise = own if deviation is None else deviation
        means = np.array([np.mean(list(one.values())) for one in scores.values()])
        counts = np.array([len(one) for one in scores.values()])
        values = posterior_means(means, self.noise / np.sqrt(counts))
        self._values: dict[int, float] = dict(zip(numbers, values.tolist(), strict=True))
        self.best = max(self._values, key=self._values.__getitem__)
        """The schedule with the highest value."""
        self.held_out_reference = cross_fitted(scores)
        """The mean score, over seeds that did not pick it, of the schedule that others picked."""

    @property
    def reference(self) -> float:
        """The highest value."""
        return self._values[self.best]

    @property
    def without(self) -> float:
        """The value of a schedule that is picked blindly."""
        return float(np.mean(list(self._values.values())))

    def value(self, schedule: int) -> float:
        """The posterior mean of a schedule's mean score."""
        return self._values[schedule]

    def regret(self, schedule: int) -> float:
        """How much worse than the best schedule it is."""
        return self.reference - self.value(schedule)

    def held_out(self, schedule: int, unused: Sequence[int]) -> float:
        """Its mean score over seeds that no search uses; else over those that this one did not.

        Args:
            schedule: its number.
            unused: seeds of it that the search has not used. If there are none, it is the mean of
                all, which is a little too high.
        """
        scores = self._scores[schedule]
        extra = [score for seed, score in scores.items() if seed not in self._searched]
        rest = [scores[seed] for seed in unused]
        return float(np.mean(extra or rest or list(scores.values())))

    def picked_by_one_score(self) -> float:
        """The mean regret of the schedule with the best score, when each is trained once.

        This is what noise leaves to a search that trains every schedule.
        """
        scores = [[one[seed] for seed in self._searched] for one in self._scores.values()]
        numbers = list(self._scores)
        draw = np.random.default_rng(0)
        places = draw.integers(len(self._searched), size=(5_000, len(numbers)))
        drawn = np.take_along_axis(np.array(scores)[None], places[..., None], axis=2)[..., 0]
        regrets = np.array([self.regret(number) for number in numbers])
        return float(regrets[drawn.argmax(axis=1)].mean())


def noise(scores: Sequence[Sequence[float]]) -> float:
    """The standard deviation of scores over seeds, pooled over the better half of the schedules.

    The others are no guide: many a bad schedule has the same score with every seed.
    """
    means = np.array([np.mean(one) for one in scores])
    better = [one for one, mean in zip(scores, means, strict=True) if mean >= np.median(means)]
    squares = sum((len(one) - 1) * np.var(one, ddof=1) for one in better if len(one) > 1)
    freedom = sum(len(one) - 1 for one in better)
    return float(np.sqrt(squares / freedom)) if freedom else 0.0


def posterior_means(means: NDArray[np.float64], errors: NDArray[np.float64]) -> NDArray[np.float64]:
    """The posterior means of true values, whose distribution is estimated from all of them.

    Args:
        means: one noisy mean each.
        errors: their standard errors; 0 for means that are exact.
    """
    if not errors.any():
        return means
    grid = np.linspace(means.min(), means.max(), GRID)
    log = -0.5 * ((means[:, None] - grid) / errors[:, None]) ** 2
    likelihood = np.exp(log - log.max(axis=1, keepdims=True))
    weights = np.full(GRID, 1 / GRID)
    for _ in range(ROUNDS):
        joint = likelihood * weights
        weights = (joint / joint.sum(axis=1, keepdims=True)).mean(axis=0)
    joint = likelihood * weights
    found: NDArray[np.float64] = (joint @ grid) / joint.sum(axis=1)
    return found


def cross_fitted(scores: Scores) -> float:
    """The schedule with the best mean over half of the seeds, scored by the other half.

    The mean over random halves, among the schedules with most seeds; NaN if these have one.
    """
    most = max(len(one) for one in scores.values())
    if most < 2:
        return float("nan")
    rows = np.array([list(one.values()) for one in scores.values() if len(one) == most])
    draw = np.random.default_rng(0)
    found = []
    for _ in range(SPLITS):
        order = draw.permuted(np.broadcast_to(np.arange(most), rows.shape), axis=1)
        mixed = np.take_along_axis(rows, order, axis=1)
        best = mixed[:, : most // 2].mean(axis=1).argmax()
        found.append(mixed[best, most // 2 :].mean())
    return float(np.mean(found))
