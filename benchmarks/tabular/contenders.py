"""The search algorithms that are compared, by name."""

from __future__ import annotations

import importlib.util
import tempfile
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lrtune.search.algorithm import Algorithm
from lrtune.search.algorithms import ALGORITHMS, tuner_of

from .answers import OBJECTIVE

if TYPE_CHECKING:
    from collections.abc import Callable

    from .answers import Answers

NEVER_ENDING = 1_000
"""Iterations of Hyperband: the budget of epochs ends it."""


@dataclass(frozen=True)
class Setting:
    """What is searched.

    Attributes:
        hypermodel: of the task.
        horizon: epochs.
        trials: so many full trainings are as long as the whole search.
    """

    hypermodel: Any
    horizon: int
    trials: int


@dataclass(frozen=True)
class Contender:
    """A search algorithm.

    Attributes:
        make: function of a setting that returns the algorithm, which has asked for nothing yet.
        group: which others it is drawn beside.
        rungs: of one whose shorter trainings have their schedules laid out over them: function of
            the horizon that returns the epochs of these, which the table must have.
    """

    make: Callable[[Setting], Algorithm]
    group: str
    rungs: Callable[[int], list[int]] | None = None

    @property
    def rescaled(self) -> bool:
        """Whether its shorter trainings have their schedules laid out over them."""
        return self.rungs is not None

    def can_run(self, answers: Answers) -> bool:
        """Whether the table has the trainings that it needs."""
        return self.rungs is None or all(
            answers.has_budget(epochs) for epochs in self.rungs(answers.horizon)
        )


def registered(name: str) -> Callable[[Setting], Algorithm]:
    """Any algorithm of `lrtune.search.algorithms`, made by its own tuner with its own defaults."""

    def make(setting: Setting) -> Algorithm:
        algorithm: Algorithm = _tuner(name, setting)._algorithm
        return algorithm

    return make


def hyperband(
    part: int | None = None, horizon: str = "truncated"
) -> Callable[[Setting], Algorithm]:
    """Lrtune's Hyperband.

    Args:
        part: its first rung has at least the horizon divided by this many epochs; 2 halves the
            epochs from rung to rung, since a third of the horizon would be less than the half. None
            for Keras Tuner's: at least one epoch.
        horizon: "truncated" or "rescaled".
    """

    def make(setting: Setting) -> Algorithm:
        factor = 2 if part == 2 else 3
        more = {"factor": factor, "hyperband_iterations": NEVER_ENDING, "horizon": horizon}
        algorithm: Algorithm = _tuner("hyperband", setting, **more)._algorithm
        oracle = algorithm.oracle
        # A little less, so that dividing by 3 twice or by 9 once makes no difference.
        oracle.min_epochs = setting.horizon / part - 1e-9 if part else 1
        oracle._brackets.clear()
        oracle._current_bracket = oracle._get_num_brackets() - 1
        oracle._start_new_bracket()
        return algorithm

    return make


def rungs(part: int) -> Callable[[int], list[int]]:
    """The budgets below the horizon that algorithms with rungs need, three times as long each."""

    def found(horizon: int) -> list[int]:
        return [-(-horizon // 3**one) for one in range(1, 9) if 3**one <= part]

    return found


def asha(part: int) -> Callable[[Setting], Algorithm]:
    """Asynchronous successive halving whose first rung is the horizon divided by `part`."""

    def make(setting: Setting) -> Algorithm:
        from .asha import AshaOracle

        space = _tuner("random", setting).oracle.get_space()
        oracle = AshaOracle(
            _objective(), setting.horizon / part, setting.horizon, hyperparameters=space, seed=1
        )
        return Algorithm(oracle)

    return make


def bayesian(setting: Setting) -> Algorithm:
    """Lrtune's Bayesian search, whose oracle is replaced by one that proposes the same, faster."""
    from .fast_bayesian import accelerate

    algorithm: Algorithm = _tuner("bayesian", setting)._algorithm
    accelerate(algorithm.oracle)
    return algorithm


def tpe(setting: Setting) -> Algorithm:
    """Optuna's tree-structured Parzen estimator, multivariate, with a group for each family."""
    import optuna

    def sampler(seed: int) -> Any:
        return optuna.samplers.TPESampler(
            seed=seed,
            multivariate=True,
            group=True,
            constant_liar=True,
            warn_independent_sampling=False,
        )

    return _optuna(setting, sampler)


def tpe_independent(setting: Setting) -> Algorithm:
    """The same as by default, each parameter on its own; it knows of trials that are running."""
    import optuna

    return _optuna(setting, lambda seed: optuna.samplers.TPESampler(seed=seed, constant_liar=True))


def gp(setting: Setting) -> Algorithm:
    """Optuna's Gaussian process; it draws parameters that only some families have at random."""
    import optuna

    return _optuna(setting, lambda seed: optuna.samplers.GPSampler(seed=seed))


def contenders() -> dict[str, Contender]:
    """All that can run here: Optuna's Gaussian process needs PyTorch."""
    full, truncated, rescaled = "full trainings", "truncated", "rescaled"
    found = {
        "random": Contender(registered("random"), full),
        "bayesian": Contender(bayesian, full),
        "optuna tpe": Contender(tpe_independent, full),
        "optuna tpe multivariate": Contender(tpe, full),
        "hyperband": Contender(hyperband(), truncated),
        "hyperband from 1/3": Contender(hyperband(3), truncated),
        "hyperband from 1/2": Contender(hyperband(2), truncated),
        "asha from 1/9": Contender(asha(9), truncated),
        "asha from 1/3": Contender(asha(3), truncated),
        "hyperband rescaled from 1/9": Contender(hyperband(9, rescaled), rescaled, rungs(9)),
        "hyperband rescaled from 1/3": Contender(hyperband(3, rescaled), rescaled, rungs(3)),
        "asha rescaled from 1/9": Contender(asha(9), rescaled, rungs(9)),
        "asha rescaled from 1/3": Contender(asha(3), rescaled, rungs(3)),
    }
    if importlib.util.find_spec("torch") is not None:
        found["optuna gp"] = Contender(gp, full)
    others = {one: Contender(registered(one), "others") for one in ALGORITHMS if one not in found}
    return {**found, **others}


def _optuna(setting: Setting, sampler: Callable[[int], Any]) -> Algorithm:
    from .optuna_oracle import OptunaOracle

    space = _tuner("random", setting).oracle.get_space()
    return Algorithm(OptunaOracle(_objective(), sampler, hyperparameters=space, seed=1))


def _tuner(name: str, setting: Setting, **more: Any) -> Any:
    """A tuner of the task as people make it; it is not asked to search."""
    if ALGORITHMS[name].takes_max_trials:
        more["max_trials"] = setting.trials
    else:
        more["max_epochs"] = setting.horizon
    return tuner_of(name)(
        setting.hypermodel,
        objective=OBJECTIVE,
        directory=tempfile.mkdtemp(),
        project_name="run",
        seed=1,
        baseline_seeds=0,
        **more,
    )


def _objective() -> Any:
    import keras_tuner

    return keras_tuner.Objective(OBJECTIVE, "max")
