"""The best score to expect from a number of trials, with bands; and a search's best so far.

If F is the distribution function of one trial's score, that of the best of n independent trials is
F**n. The tuning curve is the median, or the mean, of this best against n. A simultaneous confidence
band of F becomes one of the median curve at all n at once, without any assumption on F (Lourie, Cho
and He, "Show Your Work with Confidence: Confidence Bands for Tuning Curves", NAACL 2024,
https://arxiv.org/abs/2311.09480; library opda). Only random search draws independent trials.

NOTE: which band. Both methods hold their level at any number of trials (1,000 simulated searches of
10 to 100 trials: the median curve lay within the .95 band, at all n at once, in .990 to .995; the
band is exact for the whole distribution, and the curve uses only its better half). The band of
Learned-Miller and DeStefano is much narrower where a tuning curve looks, at the best scores (50
uniform trials: the band of the best of 10 is .22 wide, against .29 of Kolmogorov and Smirnov's; 250
trials: .085 against .130), but opda has to simulate it: .07 s for 10 trials, .6 s for 50, 7 s for
250. Its highest-density variant takes 5 times as long as the equal-tailed one and has about the
same width.
"""

from __future__ import annotations

import functools
import math
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from lrtune.errors import ArgumentError
from lrtune.stats.trials import epochs_of, families_of, family_of, is_full, score_of
from lrtune.stats.winner import Direction

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt
    import pandas as pd

    from lrtune.records.reader import RunRecords

    FloatArray = npt.NDArray[np.float64]

Method = Literal["ld_equal_tailed", "ld_highest_density", "ks", "dkw"]

LARGEST_LD = 50
"""Up to this many trials the band is Learned-Miller and DeStefano's by default."""


@dataclass(frozen=True, eq=False)
class TuningCurve:
    """The best score of n independent trials, against n. Scores in the unit of the objective.

    Attributes:
        n: shape (trials,), ints from 1 to the number of trials.
        expected: shape (trials,), expected best score of n trials.
        median: shape (trials,), median best score of n trials.
        lower, upper: shape (trials,), band of the median that holds at all n at once, lower <=
            upper whatever the direction; infinite (or the end of the support) where so few trials
            do not bound the best of n.
    """

    n: npt.NDArray[np.int64]
    expected: FloatArray
    median: FloatArray
    lower: FloatArray
    upper: FloatArray

    @property
    def trials(self) -> int:
        """How many trials the curve was measured from, >= 1."""
        return len(self.n)


def tuning_curve(
    scores: Sequence[float],
    direction: str,
    *,
    confidence: float = 0.95,
    support: tuple[float, float] = (-math.inf, math.inf),
    method: Method | None = None,
    seed: int = 0,
) -> TuningCurve:
    """The tuning curve of independent trials.

    Args:
        scores: at least one, finite: of trials drawn independently from one space.
        direction: "max" if higher scores are better, "min" if lower ones are.
        confidence: float > 0 and < 1, of the band.
        support: the lowest and the highest possible score; (0, 1) for an accuracy.
        method: of the band; None for "ld_equal_tailed" up to `LARGEST_LD` scores and "ks" above.
        seed: int >= 0, of the simulation behind an "ld" band.

    Returns:
        The curve at n = 1 to the number of scores. Where scores tie, the band is conservative.

    Raises:
        ArgumentError: an argument outside its domain.
    """
    less = Direction(direction) is Direction.MIN
    values = _checked(scores, confidence, support)
    from opda.nonparametric import EmpiricalDistribution

    with warnings.catch_warnings():
        # Accuracies tie, and opda warns that its band then holds more often than asked. It is
        # still a band: rounding scores without ties is monotone, so the rounded band of the exact
        # scores is a band of the rounded scores.
        warnings.filterwarnings("ignore", "Duplicates detected", RuntimeWarning)
        low, point, high = EmpiricalDistribution.confidence_bands(
            values,
            confidence,
            a=support[0],
            b=support[1],
            generator=_generator(seed, len(values)),
            method=method or _method(len(values)),
            n_jobs=1,  # otherwise it starts one process per core for every curve
        )
    n = np.arange(1, len(values) + 1)
    return TuningCurve(
        n,
        expected=point.average_tuning_curve(n, minimize=less),
        median=point.quantile_tuning_curve(n, minimize=less),
        # An upper bound of the distribution function is a lower bound of scores.
        lower=high.quantile_tuning_curve(n, minimize=less),
        upper=low.quantile_tuning_curve(n, minimize=less),
    )


def family_curves(records: RunRecords, *, confidence: float = 0.95) -> dict[str, TuningCurve]:
    """A tuning curve for each schedule family of a random search.

    Completed and diverged trials of the full budget count: a family's space includes the rates that
    diverge, and the score of a diverged trial is the untrained model's. Failed trials do not count,
    as they have no score and say nothing about their parameters.

    All bands have the same method, so that they can be compared: "ld_equal_tailed" if no family has
    more than `LARGEST_LD` trials, else "ks".

    Args:
        records: of a random search.
        confidence: float > 0 and < 1, of each band.

    Returns:
        Family -> curve, in the manifest's order; families without a scored trial are left out.

    Raises:
        ArgumentError: the search was not a random search.
    """
    manifest = records.manifest
    if manifest.algo != "random":
        raise ArgumentError(
            "A tuning curve needs independent trials, which only random search draws: trials of "
            f"{manifest.algo!r} depend on the scores of earlier ones. Use best_so_far() to see the "
            "best score of this search after each trial."
        )
    scores: dict[str, list[float]] = {family: [] for family in families_of(manifest)}
    for outcome in records.outcomes:
        score = score_of(outcome)
        if is_full(outcome, manifest) and math.isfinite(score):
            scores.setdefault(family_of(outcome), []).append(score)
    method = _method(max(map(len, scores.values()), default=0))
    support = (0.0, 1.0) if "accuracy" in manifest.objective else (-math.inf, math.inf)
    return {
        family: tuning_curve(
            of_family, manifest.direction, confidence=confidence, support=support, method=method
        )
        for family, of_family in scores.items()
        if of_family
    }


def best_so_far(records: RunRecords) -> pd.DataFrame:
    """The best score of the full budget against the epochs spent, for any algorithm.

    Args:
        records: of any search.

    Returns:
        One row per trial that ended, in the order of ids, which is the order in which trials began
        (when they ended is not recorded). Columns:
            trial_id: of the trial.
            epochs: trained by all trials up to this one, including diverged and failed ones and
                those of shorter budgets.
            best: best score of the completed trials of the full budget so far; NaN before the
                first. Scores of shorter budgets are not comparable and do not count.
    """
    import pandas as pd

    manifest, outcomes = records.manifest, records.outcomes
    scores = pd.Series(
        [
            score_of(one) if one.status == "completed" and is_full(one, manifest) else math.nan
            for one in outcomes
        ],
        dtype=np.float64,
    )
    less = Direction(manifest.direction) is Direction.MIN
    frame: pd.DataFrame = pd.DataFrame(
        {
            "trial_id": [one.trial_id for one in outcomes],
            "epochs": np.cumsum([epochs_of(one) for one in outcomes], dtype=np.int64),
            "best": (scores.cummin() if less else scores.cummax()).ffill(),
        }
    )
    return frame


def _method(trials: int) -> Method:
    return "ld_equal_tailed" if trials <= LARGEST_LD else "ks"


@functools.cache
def _generator(seed: int, n: int) -> np.random.Generator:
    # NOTE: opda caches a band's weights by number of scores and generator. With one generator for
    # each number of scores the cache is used, and the order of calls never changes the numbers.
    return np.random.default_rng([seed, n])


def _checked(
    scores: Sequence[float], confidence: float, support: tuple[float, float]
) -> list[float]:
    values = [float(score) for score in scores]
    if not values or not all(math.isfinite(value) for value in values):
        raise ArgumentError(
            f"scores must be finite numbers, at least one. Received: scores={values!r}."
        )
    if not 0 < confidence < 1:
        raise ArgumentError(f"confidence must be > 0 and < 1. Received: confidence={confidence!r}.")
    if not support[0] <= min(values) <= max(values) <= support[1]:
        raise ArgumentError(
            f"support must hold all scores, {min(values):g} to {max(values):g}. "
            f"Received: support={support!r}."
        )
    return values
