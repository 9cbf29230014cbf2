"""The simulated clock, and what a training that is answered from the table costs."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from tabular.answers import Answers
from tabular.deck import Cube, Deck
from tabular.runner import TabularRunner

from lrtune.records.task import TrialTask
from lrtune.schedules.recipe import Recipe
from tests.benchmarks.tabular.small_table import CONSTANTS, SECONDS, constant, small_table, space


def task(trial_id, first, last, state=None, compression=1.0):
    recipe = replace(Recipe.from_values(constant(0.1)), compression=compression)
    return TrialTask(trial_id, recipe, 1, first, last, state)


def ran(runner):
    """Trial ids and end times of all that is running, in the order in which they end."""
    found = []
    while runner.running:
        found += [(one.task.trial_id, runner.clock) for one in runner.wait(lambda *_: None)]
    return found


def test_two_workers_end_their_tasks_in_the_order_of_time(constants, deck):
    for trial_id in ("0", "1", "2"):
        deck.deal(trial_id, constant(0.1))
    runner = TabularRunner(constants, deck, slots=2)

    runner.submit(task("0", 0, 9))  # 9 epochs: from 0 to 18 s
    runner.submit(task("1", 0, 3))  # 3 epochs: from 0 to 6 s
    (first,) = runner.wait(lambda *_: None)
    assert (first.task.trial_id, runner.clock, runner.ended, runner.begun) == ("1", 6.0, 3, 12)

    runner.submit(task("2", 0, 3))  # 3 epochs: from 6 to 12 s
    assert ran(runner) == [("2", 12.0), ("0", 18.0)]
    assert runner.ended == 15


def test_the_runner_tells_every_epoch_before_the_outcome(constants, deck):
    deck.deal("0", constant(0.1))
    runner = TabularRunner(constants, deck)
    runner.submit(task("0", 3, 9, {}))
    told = []

    (outcome,) = runner.wait(lambda trial_id, record: told.append((trial_id, record["epoch"])))
    assert told == [("0", epoch) for epoch in range(4, 10)]
    assert [one["epoch"] for one in outcome.epochs] == [4, 5, 6, 7, 8, 9]


def test_a_promoted_trial_pays_for_the_new_epochs_alone(constants, deck):
    deck.deal("0", constant(0.1))
    deck.promote("1", "0")
    runner = TabularRunner(constants, deck)

    runner.submit(task("0", 0, 3))
    assert ran(runner) == [("0", 6.0)]
    runner.submit(task("1", 3, 9, {}))
    assert ran(runner) == [("1", 18.0)]


def test_a_rescaled_promoted_trial_pays_for_the_whole_rung(constants, deck):
    deck.deal("0", constant(0.1))
    deck.promote("1", "0")
    runner = TabularRunner(constants, deck)

    runner.submit(task("0", 0, 3, compression=3.0))
    assert ran(runner) == [("0", 6.0)]
    runner.submit(task("1", 0, 9))
    assert ran(runner) == [("1", 24.0)]


def test_rung_scores_are_those_of_the_curve_or_of_the_compressed_schedule(constants, deck):
    deck.deal("0", constant(0.1))  # schedule 2: .2 + .001 * epoch on the way, .2 + .01 * seed last
    seed = deck.pair("0").seed
    scores = []
    for compression in (1.0, 3.0):
        runner = TabularRunner(constants, deck)
        runner.submit(task("0", 0, 3, compression=compression))
        (outcome,) = runner.wait(lambda *_: None)
        scores.append(outcome.epochs[-1]["val_accuracy"])

    assert scores == [0.2 + 0.003, 0.2 + seed / 100]


def test_a_training_that_diverges_is_paid_until_then_and_has_the_untrained_score():
    rates = [constant(lr0) for lr0 in CONSTANTS]
    answers = Answers(small_table(rates, diverged={3: 4}))
    deck = Deck(Cube(space("constant").space, answers.schedules), (1,), np.random.default_rng(0))
    deck.deal("0", constant(0.2))
    runner = TabularRunner(answers, deck)

    runner.submit(task("0", 0, 3))
    assert [one.status for one in runner.wait(lambda *_: None)] == ["completed"]
    runner.submit(task("0", 3, 9, {}))
    (outcome,) = runner.wait(lambda *_: None)
    assert (outcome.status, outcome.untrained) == ("diverged", {"val_accuracy": 0.05})
    assert (runner.clock, runner.ended) == (4 * SECONDS, 4)
