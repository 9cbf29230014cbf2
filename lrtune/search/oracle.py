"""The seam to Keras Tuner: it calls the oracles and has all private names that lrtune uses.

What stock settings get wrong (Keras Tuner 1.4.8): `seed=0` counts as no seed. The random state of
Bayesian search is not saved, so a resumed search proposes other trials. Everything is saved in
place, so a kill leaves half a file. Hyperband writes the newest bracket's number into a promoted
trial instead of its own bracket's.

`PRIVATE` lists the private names; a test looks for each of them in the installed Keras Tuner.
"""

from __future__ import annotations

import copy
import functools
import math
import warnings
from typing import TYPE_CHECKING, Any

import keras_tuner
import numpy as np
from keras_tuner.engine.metrics_tracking import infer_metric_direction
from keras_tuner.engine.trial import Trial, TrialStatus
from typing_extensions import override

from lrtune.errors import ArgumentError
from lrtune.schedules.recipe import COMPRESSION, STEERING
from lrtune.search.seeds import family_in_turn, proposal_seed

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from lrtune.records.schema import Outcome
    from lrtune.schedules.space import Space

SEEN_IN = "1.4.8"
"""The latest version of Keras Tuner in which these private names were seen."""

PRIVATE: Mapping[type, tuple[str, ...]] = {
    keras_tuner.Oracle: (
        "_check_consecutive_failures", "_record_values", "_save_trial", "_seed_state",
    ),
    keras_tuner.oracles.BayesianOptimizationOracle: ("_random_state",),
    keras_tuner.oracles.HyperbandOracle: (
        "_brackets", "_current_bracket", "_get_epochs", "_get_num_brackets", "_get_num_rounds",
        "_get_size", "_increment_bracket_num", "_start_new_bracket",
    ),
    keras_tuner.Tuner: ("_get_tuner_fname",),
}  # fmt: skip

_ZERO = 2**32 - 1
"""Replaces seed 0, which counts as no seed in Keras Tuner; the largest seed of scikit-learn."""

NEVER = 10**9
"""Failed trials in a row before Keras Tuner may end a search: that is our loop's decision."""


class UnsavedTuner(keras_tuner.Tuner):  # type: ignore[misc] # Keras Tuner has no types
    """A tuner that does not save or reload by itself, as Keras Tuner does, in place."""

    @override
    def save(self) -> None:
        """Does nothing: the records writer writes each result at once."""

    @override
    def _get_tuner_fname(self) -> str:
        # A file that never exists, so that Keras Tuner does not reload files that a kill may have
        # damaged. lrtune calls `reload` itself.
        return "/lrtune/never-there"


def _always(value: Any) -> Callable[..., Any]:
    """What an oracle draws a hyperparameter's value with, for one that is known."""
    return lambda seed=None: value  # noqa: ARG005 - Keras Tuner's name


def keras_tuner_seed(seed: int) -> int:
    """The seed to pass to Keras Tuner, which ignores 0."""
    return seed or _ZERO


def disable_saving(oracle: Any) -> None:
    """Stops an oracle from printing and from saving by itself."""
    # Keras Tuner prints a table for each trial; here the loop's observer shows the results.
    oracle.verbose = 0
    oracle.save = lambda: None
    oracle._save_trial = lambda _: None
    if oracle.max_consecutive_failed_trials == NEVER:
        # It looks at every trial that has ended: 2 ms at the 10,000th, 10 s to resume there.
        oracle._check_consecutive_failures = lambda: None


def own_defaults(oracle: Any, space: Space) -> dict[str, Any]:
    """The user's own hyperparameters, with the values that they have where nothing is said.

    Args:
        oracle: `keras_tuner.Oracle`.
        space: which hyperparameters are lrtune's.

    Returns:
        By name, without those that exist only beside other values than these.
    """
    declared = oracle.hyperparameters.space
    values = {hp.name: hp.default for hp in declared if not space.reserves(hp.name)}
    return {hp.name: hp.default for hp in declared if hp.name in values and is_active(hp, values)}


def is_active(hp: Any, values: Mapping[str, Any]) -> bool:
    """Whether a hyperparameter exists beside these values of those that it depends on."""
    return all(one.is_active(values) for one in hp.conditions)


def state_of(oracle: Any) -> dict[str, Any]:
    """A copy of what an oracle knows besides its trials, for `reset`."""
    state: dict[str, Any] = copy.deepcopy(oracle.get_state())
    return state


def reset(oracle: Any, state: Mapping[str, Any]) -> None:
    """Makes an oracle forget its trials and restores a state from `state_of`."""
    oracle.trials.clear()
    oracle.set_state(copy.deepcopy(dict(state)))


def seed_proposal(
    oracle: Any, seed: int, number: int, drawn: int, tries: Sequence[Mapping[str, Any]] = ()
) -> None:
    """Makes an oracle's next draw depend only on the search's seed and the trial's number.

    The first draws are the user's own tries. After them each family has its turn, so that all get
    the same number of trials: Keras Tuner draws the family like any other value, and of 20 families
    it leaves out 1 or 2 in 60 trials.

    Args:
        oracle: `keras_tuner.Oracle`.
        seed: int >= 0, the search's.
        number: int >= 0, of the trial to be proposed.
        drawn: int >= 0, how many trials before it continue no other one.
        tries: hyperparameter values of the first trials.
    """
    given: Mapping[str, Any] = tries[drawn] if drawn < len(tries) else {}
    for hp in oracle.hyperparameters.space:
        if hp.name in given:
            hp.random_sample = _always(given[hp.name])
        elif hp.name == "schedule":
            hp.random_sample = _always(family_in_turn(hp.values, seed, drawn - len(tries)))
        else:
            vars(hp).pop("random_sample", None)  # its own again
    # NOTE: not through set_state, which makes Bayesian search forget its fitted model, with which
    # it estimates the scores of running trials.
    oracle._seed_state = proposal_seed(seed, number)
    if hasattr(oracle, "_random_state"):
        oracle._random_state = np.random.RandomState(oracle._seed_state)


def find_scikit_learn() -> None:
    """Gives Keras Tuner's Bayesian search scikit-learn, which was kept from it to start faster."""
    import sklearn.gaussian_process
    from keras_tuner.src.tuners import bayesian

    bayesian.sklearn = sklearn


def ask(oracle: Any, seed: int, drawn: int, tries: Sequence[Mapping[str, Any]] = ()) -> Any | None:
    """The oracle's next trial, a `keras_tuner` Trial; None if it has none, for now or for good.

    Its arguments are those of `seed_proposal`.
    """
    number = len(oracle.trials)
    seed_proposal(oracle, seed, number, drawn, tries)
    with warnings.catch_warnings():
        # Users cannot act on scikit-learn's warnings about fitting its Gaussian process.
        warnings.filterwarnings("ignore", module=r"sklearn\.gaussian_process")
        # A new name for every trial: an oracle takes a known name for a worker that asks for its
        # running trial again.
        trial = oracle.create_trial(f"lrtune{number}")
    return trial if trial.status == TrialStatus.RUNNING else None


def add(oracle: Any, trial_id: str, values: Mapping[str, Any], hp: Any) -> Any:
    """Adds a trial that was proposed earlier, as a running one.

    Args:
        oracle: `keras_tuner.Oracle`.
        trial_id: of the trial.
        values: its hyperparameter values.
        hp: a copy of the oracle's space, which becomes the trial's own.

    Returns:
        The `keras_tuner` Trial.
    """
    # In the order of a new trial's: those of the space first, as a record has the schedule first.
    names = [one.name for one in hp.space if one.name in values]
    names += [name for name in values if name not in names and name != COMPRESSION]
    hp.values = {name: values[name] for name in names}
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
        outcome: as recorded. A diverged trial has the untrained model's score, which is finite and
            poor. A failed trial has no score, and Hyperband promotes nothing from a rung with too
            many of them.
        metrics: of its last epoch by name; values that are not finite are left out.
    """
    trial.message = outcome.message
    if outcome.score is None:
        trial.status = "FAILED"
    else:
        trial.status = "COMPLETED"
        reported = {**metrics, oracle.objective.name: outcome.score}
        finite = {name: float(value) for name, value in reported.items() if np.isfinite(value)}
        for name in finite:
            if not trial.metrics.exists(name):
                own = oracle.objective.direction if name == oracle.objective.name else None
                trial.metrics.register(name, own or _direction_of(name))
        oracle.update_trial(trial.trial_id, finite, step=outcome.epochs.last)
    oracle.end_trial(trial)


@functools.cache
def _direction_of(metric: str) -> str:
    """What Keras Tuner takes for a metric's direction.

    It makes a Keras metric to find out, and would do so for every trial: 1 to 7 ms each.
    """
    return infer_metric_direction(metric) or "min"


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


def steering_of(values: Mapping[str, Any], compression: float = 1.0) -> dict[str, Any]:
    """Keras Tuner's own entries among hyperparameter values, which control Hyperband.

    Args:
        values: of a trial.
        compression: of its schedule, added unless it is 1.
    """
    own = {name: value for name, value in values.items() if name.startswith(STEERING)}
    return own if compression == 1 else {**own, COMPRESSION: compression}


def set_first_rung(oracle: Any, epochs: int) -> None:
    """Sets how many epochs the first rung of Hyperband has at least; Keras Tuner's own is 1.

    Args:
        oracle: `keras_tuner.Oracle`.
        epochs: int >= 2.

    Raises:
        ArgumentError: the oracle has no rungs, or fewer epochs than that.
    """
    if not hasattr(oracle, "min_epochs"):
        raise ArgumentError(
            "min_epochs goes with Hyperband, whose first rung has as many epochs. "
            f"Received: min_epochs={epochs}."
        )
    if epochs > oracle.max_epochs:
        raise ArgumentError(
            f"min_epochs must be at most max_epochs, {oracle.max_epochs}. "
            f"Received: min_epochs={epochs}."
        )
    # Keras Tuner compares before it rounds up: of 50 epochs, a rung of 50 / 9 = 5.56 trains 6.
    oracle.min_epochs = epochs - 1 + 1e-6
    # It has begun its first bracket with a rung of fewer epochs.
    oracle._brackets.clear()
    oracle._current_bracket = oracle._get_num_brackets() - 1
    oracle._start_new_bracket()


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
    """Reduces every rung of Hyperband to a share of its trials, at least one.

    Brackets, epochs and the promoted fraction stay the same, so that a smaller search treats a
    schedule like the whole search.

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
    """Puts a recorded trial into its bracket; a promoted one goes to its parent's bracket.

    Its values may name another bracket: see the top of this file.
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
    # The latest first: of the hundreds in a search of 10,000 trials, all but a few are complete.
    for bracket in reversed(oracle._brackets):
        rounds = bracket["rounds"]
        if number < len(rounds) and any(one["id"] == parent for one in rounds[number - 1]):
            rounds[number].append({"past_id": parent, "id": trial_id})
            return
