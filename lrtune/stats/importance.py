"""Which hyperparameters mattered for the scores of trials.

A forest of extremely randomized trees (scikit-learn; Geurts, Ernst and Wehenkel, Machine Learning
63, 2006, https://doi.org/10.1007/s10994-006-6226-1) learns the scores of trials from their
hyperparameters. Then one hyperparameter is shuffled in held-out trials: its importance is how much
worse the prediction becomes. For independent parameters half of that loss is the variance that
goes with the parameter, alone or together with others (Gregorutti, Michel and Saint-Pierre,
Statistics and Computing 27, 2017, https://arxiv.org/abs/1310.5726). As a share of the variance of
scores it is Sobol's total index.

Scores are replaced by their ranks: the question is what puts one trial before another, and a loss
of 1e30 of one diverged trial must not dominate the variance.

NOTE: why not another method. Measured on 1,000 trials of pure noise with 4 parameters: computing
time, and the largest importance of a parameter without effect.

    this                                      .14 s     .01
    impurity of a forest (scikit-learn)       .23 s     .31
    fANOVA (Optuna 5.0, 64 trees)             24 s      .11
    PED-ANOVA (Optuna 5.0)                    1.2 s     .00 (imports take 1 s); but with 30 trials
                                                        whose score depends on lr0 alone it puts
                                                        noise first
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from lrtune.errors import ArgumentError
from lrtune.schedules.space import sampling_of
from lrtune.stats.trials import families_of, family_of, score_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy.typing as npt

    from lrtune.records.reader import RunRecords
    from lrtune.records.schema import Outcome

    FloatArray = npt.NDArray[np.float64]

FEWEST = 50
"""With fewer trials of one budget, importance is not computed.

NOTE: where one of four hyperparameters decides half of the variance of scores, another one seems to
matter most in 35 % of searches of 20 trials, in 10 % of 30 and in 2 % of 50 (60 simulated each).
"""

GENERAL = ("schedule", "lr0", "momentum")

# 3 folds of 30 trees with 2 shuffles: .14 s for 1,000 trials, .08 s for a family of 20 to 250. 4
# folds of 50 trees take twice as long, and explain no more (.66 of the variance against .65).
_FOLDS, _TREES, _LEAF, _SHUFFLES = 3, 30, 2, 2


@dataclass(frozen=True)
class Importance:
    """The importance of some hyperparameters over some trials.

    Attributes:
        family: the family whose trials these are; None for all families.
        trials: int >= 0, how many trials were used.
        shares: hyperparameter -> its share of the variance of scores, alone or together with
            others, the largest first; about 0 (or slightly below) for one without effect. Shares
            add up to more than 1 where parameters matter together. Empty if unknown.
        explained: share of the variance of scores that the forest predicts in held-out trials, at
            most 1; at or below 0 it predicts nothing. NaN if unknown.
        reason: why shares are unknown or only noise, a sentence; else empty.
    """

    family: str | None
    trials: int
    shares: Mapping[str, float]
    explained: float
    reason: str = ""


@dataclass(frozen=True)
class Importances:
    """The importance of all hyperparameters of a search.

    Attributes:
        budget: epochs that trials were meant to reach; only trials of this budget count.
        overall: of `schedule`, `lr0` and `momentum`, over the trials of all families.
        families: family -> of `lr0`, `momentum` and its own parameters, over its trials alone; in
            the manifest's order.
    """

    budget: int
    overall: Importance
    families: Mapping[str, Importance]


def measure_importance(records: RunRecords, *, seed: int = 0) -> Importances:
    """Which hyperparameters mattered in a search.

    Only trials of one budget are comparable: those of the full budget if there are at least
    `FEWEST`, else the largest group of one budget (in Hyperband the lowest rung, whose scores show
    what makes a good start rather than a good end). Completed and diverged trials count, because
    hyperparameters can make a trial diverge; failed ones do not.

    Args:
        records: of the run.
        seed: int >= 0, of forests and shuffles: the same seed gives the same numbers.

    Returns:
        The importances; with fewer than `FEWEST` trials no shares, but the reason.
    """
    scored = [one for one in records.outcomes if not math.isnan(score_of(one))]
    budget = _budget(scored, records.manifest.max_epochs)
    trials = [one for one in scored if one.epochs.planned == budget]
    families = {}
    for family in families_of(records.manifest):
        own = [one for one in trials if family_of(one) == family]
        families[family] = _measure(own, family, ["lr0", "momentum", *_parameters(own)], seed)
    return Importances(budget, _measure(trials, None, GENERAL, seed), families)


def shares_of_variance(
    features: FloatArray, scores: FloatArray, *, seed: int = 0
) -> tuple[FloatArray, float]:
    """The share of the variance of scores that goes with each feature.

    Args:
        features: shape (trials, features), finite.
        scores: shape (trials,), trials >= 6, finite and not all equal; only their order counts.
        seed: int >= 0.

    Returns:
        Shares, shape (features,), and the share that is predicted in held-out trials.

    Raises:
        ArgumentError: fewer than 6 scores, or all of them equal.
    """
    if len(scores) < 2 * _FOLDS or np.ptp(scores) == 0:
        raise ArgumentError(
            f"scores must be {2 * _FOLDS} or more, not all equal. Received: {len(scores)} scores."
        )
    from scipy.stats import rankdata
    from sklearn.ensemble import ExtraTreesRegressor
    from sklearn.inspection import permutation_importance
    from sklearn.model_selection import KFold

    ranks = rankdata(scores)
    ranks = (ranks - ranks.mean()) / ranks.std()
    shares, errors = [], []
    for learnt, unseen in KFold(_FOLDS, shuffle=True, random_state=seed).split(features):
        forest = ExtraTreesRegressor(_TREES, min_samples_leaf=_LEAF, random_state=seed)
        forest.fit(features[learnt], ranks[learnt])
        shuffled = permutation_importance(
            forest,
            features[unseen],
            ranks[unseen],
            scoring="neg_mean_squared_error",
            n_repeats=_SHUFFLES,
            random_state=seed,
        )
        shares.append(shuffled.importances_mean / 2)
        errors.append(np.mean((forest.predict(features[unseen]) - ranks[unseen]) ** 2))
    return np.mean(shares, axis=0), 1 - float(np.mean(errors))


def _budget(scored: Sequence[Outcome], full: int) -> int:
    sizes = Counter(one.epochs.planned for one in scored)
    if not sizes or sizes[full] >= FEWEST:
        return full
    return max(sizes, key=lambda budget: (sizes[budget], budget))


def _parameters(trials: Sequence[Outcome]) -> list[str]:
    """The family's own hyperparameters, `family.parameter`, in the order of the first trial."""
    if not trials:
        return []
    names = trials[0].recipe.parameter_names
    # What all trials have alike, as the horizon, explains nothing.
    return [name for name in names if len({one.values.get(name) for one in trials}) > 1]


def _measure(
    trials: Sequence[Outcome], family: str | None, names: Sequence[str], seed: int
) -> Importance:
    whole = [one for one in trials if all(_known(one.values.get(name)) for name in names)]
    count, scores = len(whole), np.array([score_of(one) for one in whole])
    whose, reason = "" if family is None else f" of {family}", ""
    if count < FEWEST:
        reason = (
            f"{f'Only {count}' if count else 'No'} {'trial' if count == 1 else 'trials'}{whose} "
            f"trained for the same number of epochs; with fewer than {FEWEST}, chance often "
            "decides which hyperparameter seems to matter most."
        )
    elif np.ptp(scores) == 0:
        reason = f"All {count} trials{whose} scored the same, so no hyperparameter mattered."
    if reason:
        return Importance(family, count, {}, math.nan, reason)

    columns = [_column([one.values[name] for one in whole], sampling_of(name)) for name in names]
    features = np.column_stack(columns)
    varied = np.ptp(features, axis=0) > 0
    shares, explained = np.zeros(len(names)), 0.0
    if varied.any():
        shares[varied], explained = shares_of_variance(features[:, varied], scores, seed=seed)
    ordered = sorted(zip(names, map(float, shares), strict=True), key=lambda pair: -pair[1])
    if explained <= 0:
        reason = (
            f"The hyperparameters of {count} trials{whose} do not predict the scores of held-out "
            "trials: these shares are noise."
        )
    return Importance(family, count, dict(ordered), explained, reason)


def _column(values: Sequence[Any], scale: str) -> FloatArray:
    if any(isinstance(value, str) for value in values):
        # A family becomes a number: with 30 splits or more, trees can separate any set of 17.
        return np.unique(list(map(str, values)), return_inverse=True)[1].astype(np.float64)
    numbers = np.array(values, dtype=np.float64)
    if scale == "reverse_log" and numbers.max() < 1:
        return -np.log(1 - numbers)
    if scale == "log" and numbers.min() > 0:
        return np.log(numbers)
    return numbers


def _known(value: Any) -> bool:
    return isinstance(value, str) or (isinstance(value, int | float) and math.isfinite(value))
