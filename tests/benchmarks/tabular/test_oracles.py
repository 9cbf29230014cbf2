"""What the oracles of the comparison learn and propose."""

from __future__ import annotations

import copy

import keras_tuner
import numpy as np
import pytest
from schedule_table.tasks import TASKS
from tabular.asha import AshaOracle
from tabular.contenders import Setting, contenders
from tabular.fast_bayesian import accelerate
from tabular.optuna_oracle import OptunaOracle
from tabular.search import Snapped

from lrtune.records.schema import Outcome, Span
from lrtune.search.algorithm import Algorithm
from lrtune.search.oracle import tell
from tests.benchmarks.tabular.small_table import CONSTANTS, HORIZON, constant, random_search, space


def test_the_oracle_learns_the_values_that_were_trained(deck):
    algorithm = random_search(4, "constant")
    snapped = Snapped(algorithm, deck, rescaled=False)
    for _ in range(4):
        trial = snapped.ask(1)
        assert trial.hyperparameters.values in [constant(lr0) for lr0 in CONSTANTS]
        assert algorithm.oracle.trials[trial.trial_id] is trial


def told(oracle, trial, score):
    span = Span(1, HORIZON, HORIZON)
    outcome = Outcome(trial.trial_id, "completed", {}, span, 1, 1.0, score)
    tell(oracle, trial, outcome, {})


def test_optuna_learns_the_values_that_were_trained(deck):
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    oracle = OptunaOracle(
        keras_tuner.Objective("val_accuracy", "max"),
        lambda seed: optuna.samplers.TPESampler(seed=seed, n_startup_trials=2),
        hyperparameters=space("constant"),
        seed=1,
    )
    snapped = Snapped(Algorithm(oracle), deck, rescaled=False)
    first, second = snapped.ask(1), snapped.ask(1)
    told(oracle, second, 0.7)
    told(oracle, first, 0.6)
    snapped.ask(1)

    completed = [one for one in oracle._study.trials if one.state.name == "COMPLETE"]
    # Momentum goes from .01 to .99, so .5 is .01 + .99 - .5 reversed.
    expected = [
        {**one.hyperparameters.values, "momentum reversed": pytest.approx(0.5)}
        for one in (second, first)
    ]
    for one in expected:
        del one["momentum"]
    assert {one.value: one.params for one in completed} == dict(
        zip((0.7, 0.6), expected, strict=True)
    )


@pytest.mark.parametrize(
    ("name", "horizon", "rungs"),
    [
        ("hyperband", 27, {1, 3, 9, 27}),
        ("hyperband from 1/3", 27, {9, 27}),
        ("hyperband from 1/2", 27, {14, 27}),
        ("hyperband rescaled from 1/9", 20, {3, 7, 20}),
        ("hyperband rescaled from 1/3", 15, {5, 15}),
    ],
)
def test_hyperbands_first_rung_is_the_part_of_the_horizon_that_its_name_says(name, horizon, rungs):
    contender = contenders()[name]
    algorithm = contender.make(Setting(TASKS["reading"].hypermodel(horizon), horizon, 8))

    assert {last for _, _, last in algorithm.rungs(horizon)} == rungs
    if contender.rungs is not None:
        assert set(contender.rungs(horizon)) == rungs - {horizon}


@pytest.mark.parametrize(
    ("part", "horizon", "rungs"), [(9, 27, [3, 9, 27]), (3, 27, [9, 27]), (9, 20, [3, 7, 20])]
)
def test_the_rungs_of_asynchronous_halving_are_hyperbands(part, horizon, rungs):
    objective = keras_tuner.Objective("val_accuracy", "max")

    assert AshaOracle(objective, horizon / part, horizon).rungs == rungs


def test_fast_bayesian_search_proposes_what_keras_tuners_does():
    oracle = keras_tuner.oracles.BayesianOptimizationOracle(
        keras_tuner.Objective("val_accuracy", "max"),
        max_trials=20,
        num_initial_points=6,
        hyperparameters=space("constant", "step"),
        seed=1,
    )
    algorithm = Algorithm(oracle)
    for place in range(6):
        trial = algorithm.ask(3)
        told(oracle, trial, 0.6 + 0.01 * np.sin(5 * trial.hyperparameters.values["lr0"] + place))
    fast = copy.deepcopy(algorithm)
    accelerate(fast.oracle)

    ours, stock = (one.ask(3).hyperparameters.values for one in (fast, algorithm))
    assert ours.keys() == stock.keys()
    for name, value in stock.items():
        assert ours[name] == (value if name == "schedule" else pytest.approx(value, rel=1e-3))
