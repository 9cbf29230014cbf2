"""The seam to Keras Tuner: asks and tells its oracles, and knows all of its private names we use.

What stock settings get wrong (Keras Tuner 1.4.8): `seed=0` counts as no seed; the random state that
Bayesian search draws from is not saved, so that a search that was stopped and resumed proposes
other trials; everything is saved in place, so that a kill leaves half a file; Hyperband writes the
newest bracket's number into a promoted trial, not its own bracket's.

`PRIVATE` lists the private names; a test looks for each of them in the installed Keras Tuner.
"""

from __future__ import annotations

import copy
import math
import warnings
from typing import TYPE_CHECKING, Any

import keras_tuner
import numpy as np
from keras_tuner.engine.trial import Trial, TrialStatus
from typing_extensions import override

from lrtune.schedules.recipe import STEERING
from lrtune.search.seeds import proposal_seed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lrtune.records.schema import Outcome

SEEN_IN = "1.4.8"
"""The Keras Tuner that these private names were last seen in."""

PRIVATE: Mapping[type, tuple[str, ...]] = {
    keras_tuner.Oracle: ("_record_values", "_save_trial", "_seed_state"),
    keras_tuner.oracles.BayesianOptimizationOracle: ("_random_state",),
    keras_tuner.oracles.HyperbandOracle: (
        "_brackets", "_get_epochs", "_get_num_brackets", "_get_num_rounds", "_get_size",
        "_increment_bracket_num", "_start_new_bracket",
    ),
    keras_tuner.Tuner: ("_get_tuner_fname",),
}  # fmt: skip

_ZERO = 2**32 - 1
"""Stands for seed 0 in Keras Tuner, which tests a seed for truth; scikit-learn takes no larger."""

NEVER = 10**9
"""Failed trials in a row before Keras Tuner may end a search: that is our loop's decision."""


class UnsavedTuner(keras_tuner.Tuner):  # type: ignore[misc] # Keras Tuner has no types
    """A tuner that neither saves nor reloads by itself: Keras Tuner does both in place."""

    @override
    def save(self) -> None:
        """Does nothing: the records writer writes each result as it comes."""

    @override
    def _get_tuner_fname(self) -> str:
        # A file that is never there, so that Keras Tuner does not reload files that a kill may have
        # torn: `reload` is called when lrtune is ready for it.
        return "/lrtune/never-there"


def keras_tuner_seed(seed: int) -> int:
    """What Keras Tuner must be given so that `seed`, 0 included, is a seed to it."""
    return seed or _ZERO


def disable_saving(oracle: Any) -> None:
    """Makes an oracle silent, and stops it from saving by itself."""
    # Keras Tuner prints a table a trial; the loop's observer shows what is worth showing.
    oracle.verbose = 0
    oracle.save = lambda: None
    oracle._save_trial = lambda _: None


def state_of(oracle: Any) -> dict[str, Any]:
    """What an oracle knows besides its trials, as a value of its own, for `reset`."""
    state: dict[str, Any] = copy.deepcopy(oracle.get_state())
    return state


def reset(oracle: Any, state: Mapping[str, Any]) -> None:
    """Makes an oracle forget its trials, and puts it back to a state of `state_of`."""
    oracle.trials.clear()
    oracle.set_state(copy.deepcopy(dict(state)))


def seed_proposal(oracle: Any, seed: int, number: int) -> None:
    """Lets what an oracle draws next depend on the search's seed and the trial's number alone.

    Args:
        oracle: `keras_tuner.Oracle`.
        seed: int >= 0, the search's.
        number: int >= 0, of the trial that is to be proposed.
    """
    # NOTE: not through set_state: Bayesian search's then forgets the model it has fitted, by which
    # it guesses the scores of running trials.
    oracle._seed_state = proposal_seed(seed, number)
    if hasattr(oracle, "_random_state"):
        oracle._random_state = np.random.RandomState(oracle._seed_state)


def ask(oracle: Any, seed: int) -> Any | None:
    """The oracle's next trial, a `keras_tuner` Trial; None while (or because) it has none."""
    number = len(oracle.trials)
    seed_proposal(oracle, seed, number)
    with warnings.catch_warnings():
        # What scikit-learn says about fitting its Gaussian process is nothing that a person who
        # searches schedules can act on.
        warnings.filterwarnings("ignore", module=r"sklearn\.gaussian_process")
        # A name of its own for every trial: to an oracle a name it knows is a worker that asks for
        # its running trial again.
        trial = oracle.create_trial(f"lrtune{number}")
    return trial if trial.status == TrialStatus.RUNNING else None


def add(oracle: Any, trial_id: str, values: Mapping[str, Any]) -> Any:
    """Adds a trial that was proposed before, as a running one.

    Returns:
        The `keras_tuner` Trial.
    """
    hp = oracle.get_space()
    hp.values = dict(values)
    trial = Trial(hp, trial_id, TrialStatus.RUNNING)
    oracle._record_values(trial)
    oracle.trials[trial_id] = trial
    oracle.start_order.append(trial_id)
    return trial


def tell(oracle: Any, trial: Any, outcome: Outcome, metrics: Mapping[str, float]) -> None:
    """Tells an oracle how one of its trials ended.

    Args:
        oracle: `keras_tuner.Oracle` with one objective.
        trial: the trial, as `ask` or `add` returned it.
        outcome: as recorded. A diverged trial has a score, the untrained model's, which is finite
            and poor; a failed one is no result, and Hyperband promotes nothing from a rung with
            too many of them.
        metrics: of its last epoch, by name; values that are not finite are left out.
    """
    trial.message = outcome.message
    if outcome.score is None:
        trial.status = "FAILED"
    else:
        trial.status = "COMPLETED"
        reported = {**metrics, oracle.objective.name: outcome.score}
        finite = {name: float(value) for name, value in reported.items() if np.isfinite(value)}
        oracle.update_trial(trial.trial_id, finite, step=outcome.epochs.last)
    oracle.end_trial(trial)


def rung_of(values: Mapping[str, Any], horizon: int) -> tuple[int, int, str | None]:
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


# Hyperband's brackets: a list of rounds (rungs) each, of {"past_id": parent, "id": trial}.


def hyperband_rungs(oracle: Any) -> list[tuple[int, int, int]]:
    """The rungs that a Hyperband oracle will run, as (trials, first epoch, last epoch)."""
    rungs = []
    for bracket in range(oracle._get_num_brackets()):
        for number in range(oracle._get_num_rounds(bracket)):
            first = oracle._get_epochs(bracket, number - 1) if number else 0
            size = oracle._get_size(bracket, number)
            rungs.append((size, first, oracle._get_epochs(bracket, number)))
    return rungs * int(oracle.hyperband_iterations)


def scale_rungs(oracle: Any, share: float) -> None:
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


def promotable_trials(oracle: Any) -> set[str]:
    """Ids of the trials that a later rung of Hyperband may continue."""
    return {
        one["id"] for bracket in oracle._brackets for rung in bracket["rounds"][:-1] for one in rung
    }


def place_in_bracket(oracle: Any, trial_id: str, values: Mapping[str, Any]) -> None:
    """Puts a recorded trial where Hyperband had it; a promoted one goes to its parent's bracket.

    Its values name another bracket where a newer one had begun: see the top of this file.
    """
    parent = values.get("tuner/trial_id")
    if parent is None:
        bracket = oracle._brackets[-1]
        if len(bracket["rounds"][0]) >= oracle._get_size(bracket["bracket_num"], 0):
            oracle._increment_bracket_num()
            oracle._start_new_bracket()
        oracle._brackets[-1]["rounds"][0].append({"past_id": None, "id": trial_id})
        return
    number = values["tuner/round"]
    for bracket in oracle._brackets:
        rounds = bracket["rounds"]
        if number < len(rounds) and any(one["id"] == parent for one in rounds[number - 1]):
            rounds[number].append({"past_id": parent, "id": trial_id})
