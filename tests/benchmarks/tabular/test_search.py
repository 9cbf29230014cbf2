"""Whole searches that are answered from a table."""

from __future__ import annotations

import keras_tuner
import pytest
from schedule_table.tasks import TASKS
from tabular import search as search_module
from tabular.asha import AshaOracle
from tabular.contenders import Setting, contenders
from tabular.deck import Deck
from tabular.search import search

from lrtune.schedules.space import Space
from lrtune.search.algorithm import Algorithm
from tests.benchmarks.tabular.small_table import CONSTANTS, HORIZON, constant, random_search, space


def asha(**kwargs):
    objective = keras_tuner.Objective("val_accuracy", "max")
    hp = space("constant")
    return Algorithm(AshaOracle(objective, 3, HORIZON, hyperparameters=hp, seed=1, **kwargs))


@pytest.mark.parametrize(("slots", "seconds"), [(1, 72.0), (2, 36.0), (16, 18.0)])
def test_four_whole_trainings_take_so_long(constants, slots, seconds):
    # 4 trainings of 9 epochs of 2 s: 72 s one after another.
    trace = search(constants, random_search(4, "constant"), 4 * HORIZON, 1, slots)

    assert (trace.trials, trace.epochs, trace.seconds) == (4, 36, seconds)


@pytest.mark.parametrize(("rescaled", "epochs"), [(False, 15), (True, 18)])
def test_the_fourth_trial_of_halving_is_the_best_of_three(constants, rescaled, epochs):
    # Three of 3 epochs; then the best third of them trains 6 more, or 9 from its start.
    trace = search(constants, asha(), 10, 1, rescaled=rescaled)

    assert (trace.trials, trace.epochs) == (4, epochs)
    last = trace.incumbents[-1]
    assert last.budget == HORIZON
    early = [one for one in trace.incumbents if one.budget == 3]
    assert (early[-1].schedule, early[-1].seed) == (last.schedule, last.seed)


@pytest.mark.parametrize("name", ["random", "hyperband", "asha rescaled from 1/9", "optuna tpe"])
@pytest.mark.filterwarnings("ignore::optuna.exceptions.ExperimentalWarning")
def test_no_training_is_used_twice(made_up, monkeypatch, name):
    answers, _ = made_up
    decks = []

    class Spied(Deck):
        def __init__(self, *args):
            super().__init__(*args)
            decks.append(self)

    monkeypatch.setattr(search_module, "Deck", Spied)
    contender = contenders()[name]
    hypermodel = TASKS["reading"].hypermodel(27)
    algorithm = contender.make(Setting(hypermodel, 27, 8))
    trace = search(answers, algorithm, 8 * 27, 1, 2, rescaled=contender.rescaled)

    dealt = list(decks[0]._dealt.values())
    fresh = set(dealt)
    assert trace.trials <= len(dealt)
    # A promotion continues a pair: whatever is dealt anew was not dealt before.
    new = [one for one in dealt if one in fresh and not fresh.discard(one)]
    left = sum(len(decks[0].unused(number)) for number in answers.schedules)
    assert len(new) == len(set(dealt)) == 2 * len(answers.schedules) - left
    assert {one.seed for one in dealt} <= {1, 2}


def test_the_same_seed_gives_the_same_search(made_up):
    answers, _ = made_up
    algorithm = random_search(8, *Space(("reading", "modern"), 27).families)

    assert search(answers, algorithm, 200, 5) == search(answers, algorithm, 200, 5)
    assert search(answers, algorithm, 200, 5) != search(answers, algorithm, 200, 6)


def test_a_table_without_the_shorter_trainings_cannot_answer_rescaled_rungs(constants):
    named = contenders()

    # The small table is laid out over 9 and 3 epochs: a third of the horizon, not a ninth.
    assert named["hyperband rescaled from 1/3"].can_run(constants)
    assert not named["hyperband rescaled from 1/9"].can_run(constants)


def test_each_search_has_an_oracle_with_its_own_seed(constants):
    class OfItsSeed(keras_tuner.Oracle):
        def populate_space(self, trial_id):
            # Odd seeds: the first of the four schedules; even ones: the last.
            return {"status": "RUNNING", "values": constant(CONSTANTS[-(self.seed % 2 == 0)])}

    objective = keras_tuner.Objective("val_accuracy", "max")
    own = Algorithm(OfItsSeed(objective, hyperparameters=space("constant"), seed=1))
    schedules = [search(constants, own, 9, seed).incumbents[0].schedule for seed in (1, 2, 3)]

    assert schedules == [0, 3, 0]
