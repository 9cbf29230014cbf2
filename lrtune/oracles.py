"""Keras Tuner's oracles, set up so that they do what a schedule search needs.

What stock settings get wrong (Keras Tuner 1.4.8): `seed=0` counts as no seed, and Bayesian search
draws three random trials for each dimension of the space first: 21 here, so that a search of 20
trials would never model anything.
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any

from lrtune.errors import ArgumentError

if TYPE_CHECKING:
    from collections.abc import Mapping

ALGORITHMS = ("hyperband", "bayesian", "random")

_LARGEST = 2**31 - 1
"""The largest seed; the baseline's seeds follow on it, and none may pass 2**32 - 1."""

_ZERO = 2**32 - 1
"""Stands for seed 0 in Keras Tuner, which tests a seed for truth; scikit-learn takes no larger."""


def resolve_seed(seed: int | None) -> int:
    """The seed itself, or a fresh one for None, so that every run has one that can be repeated.

    Raises:
        ArgumentError: not an int from 0 to 2**31 - 1.
    """
    if seed is None:
        return secrets.randbelow(10_000) + 1
    if isinstance(seed, bool) or not isinstance(seed, int) or not 0 <= seed <= _LARGEST:
        raise ArgumentError(f"seed must be an int from 0 to {_LARGEST}. Received: seed={seed!r}.")
    return seed


def oracle_seed(seed: int) -> int:
    """What Keras Tuner must be given so that `seed`, 0 included, is a seed to it."""
    return seed or _ZERO


def initial_points(max_trials: int, dimensions: int) -> int:
    """Random trials before Bayesian search starts to model: at most a third of all, at least 1.

    Args:
        max_trials: int >= 1, trials of the whole search.
        dimensions: int >= 1, hyperparameters in the space; three for each is Keras Tuner's choice
            where the search is long enough.
    """
    return max(1, min(3 * dimensions, max_trials // 3))


def hyperband_plan(oracle: Any) -> list[tuple[int, int, int]]:
    """The rungs a Hyperband oracle will run, as (trials, first epoch, last epoch).

    Args:
        oracle: `keras_tuner.oracles.HyperbandOracle`.
    """
    rungs = []
    for bracket in range(oracle._get_num_brackets()):
        for rung in range(oracle._get_num_rounds(bracket)):
            first = oracle._get_epochs(bracket, rung - 1) if rung else 0
            size = oracle._get_size(bracket, rung)
            rungs.append((size, first, oracle._get_epochs(bracket, rung)))
    return rungs * int(oracle.hyperband_iterations)


def rung(values: Mapping[str, Any], horizon: int) -> tuple[int, int, str | None]:
    """Which epochs a proposed trial trains.

    Args:
        values: hyperparameter values, with Keras Tuner's `tuner/...` for Hyperband.
        horizon: epochs of a trial of any other algorithm.

    Returns:
        Epochs already trained, epochs when done, id of the trial it continues or None.
    """
    if "tuner/epochs" not in values:
        return 0, horizon, None
    return values["tuner/initial_epoch"], values["tuner/epochs"], values.get("tuner/trial_id")
