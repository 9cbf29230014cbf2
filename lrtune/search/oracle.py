"""Keras Tuner's oracles, set up, asked and told so that they do what a schedule search needs.

What stock settings get wrong (Keras Tuner 1.4.8): `seed=0` counts as no seed; Bayesian search
draws three random trials for each dimension of the space first: 21 here, so that a search of 20
trials would never model anything; the random state it draws from is not saved, so that a search
that was stopped and continued proposes other trials; and all is saved in place.
"""

from __future__ import annotations

import math
import secrets
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

from lrtune.errors import ArgumentError
from lrtune.schedules.recipe import STEERING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lrtune.records.schema import Outcome

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


def scale_hyperband(oracle: Any, share: float) -> None:
    """Gives every rung of Hyperband a share of its trials, at least one.

    Brackets, epochs and the fraction that is promoted stay what they are, so that a smaller search
    treats a schedule as the whole one does.

    Args:
        oracle: `keras_tuner.oracles.HyperbandOracle`.
        share: float > 0.
    """
    whole = oracle._get_size

    def scaled(bracket_num: int, round_num: int) -> int:
        return math.ceil(share * int(whole(bracket_num, round_num)))

    if share != 1:
        oracle._get_size = scaled


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


def steering_of(values: Mapping[str, Any]) -> dict[str, Any]:
    """Keras Tuner's own entries among hyperparameter values, by which it steers Hyperband."""
    return {name: value for name, value in values.items() if name.startswith(STEERING)}


def keep_from_writing(oracle: Any) -> None:
    """Takes from an oracle its own way of saving: the records writer writes what it knows."""
    oracle.save = lambda: None
    oracle._save_trial = lambda _: None


def seed_proposal(oracle: Any, seed: int, number: int) -> None:
    """Lets what an oracle draws next depend on the search's seed and the trial's number alone.

    Args:
        oracle: `keras_tuner.Oracle`.
        seed: int >= 0, the search's.
        number: int >= 0 of the trial that is to be proposed.
    """
    # The third number keeps these draws apart from the trials' own seeds.
    drawn = int(np.random.SeedSequence([seed, number, 1]).generate_state(1)[0])
    oracle._seed_state = drawn
    if hasattr(oracle, "_random_state"):
        oracle._random_state = np.random.RandomState(drawn)


def ask(oracle: Any, seed: int) -> Any:
    """The oracle's next trial, a `keras_tuner` Trial; its status says whether there is one."""
    number = len(oracle.trials)
    seed_proposal(oracle, seed, number)
    with warnings.catch_warnings():
        # What scikit-learn says about fitting its Gaussian process is nothing a person who
        # searches schedules can act on.
        warnings.filterwarnings("ignore", module=r"sklearn\.gaussian_process")
        # A name of its own for every trial: to an oracle a name it knows is a worker that asks for
        # its running trial again.
        return oracle.create_trial(f"lrtune{number}")


def trial_seed(seed: int, trial_id: str) -> int:
    """The seed of a trial: an int in [0, 2**32), set by the search's seed and the trial's id."""
    entropy = [seed, int(trial_id)]
    return int(np.random.SeedSequence(entropy).generate_state(1)[0])


def metrics_of(record: Mapping[str, float]) -> dict[str, float]:
    """What an epoch's record says of the model, without what it says of the epoch."""
    apart = ("epoch", "lr", "lr_last", "seconds")
    return {name: value for name, value in record.items() if name not in apart}


def tell(oracle: Any, trial: Any, outcome: Outcome, metrics: Mapping[str, float]) -> None:
    """Tells an oracle how a trial of it ended.

    Args:
        oracle: `keras_tuner.Oracle` with one objective.
        trial: the trial, as `ask` returned it.
        outcome: as recorded. A diverged trial has a score, the untrained model's, which is finite
            and poor; a failed one is no result, and Hyperband promotes nothing from a rung with
            too many of them.
        metrics: of its last epoch, by name; what is not finite is left out.
    """
    trial.message = outcome.message
    if outcome.score is None:
        trial.status = "FAILED"
    else:
        trial.status = "COMPLETED"
        told = {**metrics, oracle.objective.name: outcome.score}
        finite = {name: float(value) for name, value in told.items() if np.isfinite(value)}
        oracle.update_trial(trial.trial_id, finite, step=outcome.epochs.last)
    oracle.end_trial(trial)
