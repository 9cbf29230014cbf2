"""`benchmarks/algorithms.py`: searches answered from a table, and what they are worth."""

from __future__ import annotations

import copy
import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import keras_tuner
import numpy as np
import pandas as pd
import pytest
from schedule_table.stand_in import stand_in
from schedule_table.table import Table, load
from schedule_table.tasks import TASKS
from tabular import search as search_module
from tabular.answers import Answers
from tabular.asha import AshaOracle
from tabular.contenders import Setting, contenders
from tabular.deck import Cube, Deck, Pair
from tabular.fast_bayesian import accelerate
from tabular.optuna_oracle import OptunaOracle
from tabular.runner import TabularRunner
from tabular.search import Snapped, search
from tabular.summary import curves, reached
from tabular.truth import Truth, cross_fitted, noise, posterior_means

from lrtune.records.schema import Outcome, Span
from lrtune.records.task import TrialTask
from lrtune.schedules.recipe import Recipe
from lrtune.schedules.space import Space
from lrtune.search.algorithm import Algorithm
from lrtune.search.oracle import tell

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
HORIZON = 9
SECONDS = 2.0
"""Of an epoch."""

CONSTANTS = [0.001, 0.01, 0.1, 0.2]
"""Learning rates of the small table; the n-th has the score n / 10 + seed / 100."""


def constant(lr0, momentum=0.5):
    return {"schedule": "constant", "lr0": lr0, "momentum": momentum}


def step(lr0, drop, momentum=0.5):
    own = {"step.drop": drop, "step.epochs_drop": 3}
    return {"schedule": "step", "lr0": lr0, "momentum": momentum, **own}


def space(*families):
    hp = keras_tuner.HyperParameters()
    Space(families, HORIZON).declare(hp)
    return hp


def small_table(schedules, *, budgets=(HORIZON,), seeds=(1, 2), diverged=None):
    """Accuracy .0e after epoch e and the score after the last; `diverged`: schedule -> epochs."""
    trainings, epochs = [], []
    for number, _ in enumerate(schedules):
        for budget in budgets:
            for seed in seeds:
                key = {"schedule": number, "budget": budget, "seed": seed}
                lasts = (diverged or {}).get(number, budget)
                score = number / 10 + seed / 100 if lasts == budget else 0.05
                status = "completed" if lasts == budget else "diverged"
                seconds = SECONDS * lasts
                trainings.append({**key, "status": status, "score": score, "seconds": seconds})
                for epoch in range(1, lasts + 1):
                    shown = score if epoch == budget else number / 10 + epoch / 1000
                    epochs.append({**key, "epoch": epoch, "lr": 0.1, "val_accuracy": shown})
    rows = [
        {"schedule": number, "family": values["schedule"], "values": values}
        for number, values in enumerate(schedules)
    ]
    return Table("small", HORIZON, *map(pd.DataFrame, (rows, trainings, epochs)))


@pytest.fixture
def constants():
    return Answers(small_table([constant(lr0) for lr0 in CONSTANTS], budgets=(9, 3)))


@pytest.fixture
def cube():
    return Cube(space("constant").space, {n: constant(lr0) for n, lr0 in enumerate(CONSTANTS)})


@pytest.fixture
def deck(cube):
    return Deck(cube, (1, 2), np.random.default_rng(0))


def task(trial_id, first, last, state=None, compression=1.0):
    recipe = replace(Recipe.from_values(constant(0.1)), compression=compression)
    return TrialTask(trial_id, recipe, 1, first, last, state)


def ran(runner):
    """Trial ids and end times of all that is running, in the order in which they end."""
    found = []
    while runner.running:
        found += [(one.task.trial_id, runner.clock) for one in runner.wait(lambda *_: None)]
    return found


def asha(**kwargs):
    objective = keras_tuner.Objective("val_accuracy", "max")
    hp = space("constant")
    return Algorithm(AshaOracle(objective, 3, HORIZON, hyperparameters=hp, seed=1, **kwargs))


def random_search(max_trials, *families):
    objective = keras_tuner.Objective("val_accuracy", "max")
    hp = space(*families)
    return Algorithm(
        keras_tuner.oracles.RandomSearchOracle(objective, max_trials, hyperparameters=hp, seed=1)
    )


# The simulated clock


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


@pytest.mark.parametrize(("slots", "seconds"), [(1, 72.0), (2, 36.0), (16, 18.0)])
def test_four_whole_trainings_take_so_long(constants, slots, seconds):
    # 4 trainings of 9 epochs of 2 s: 72 s one after another.
    trace = search(constants, random_search(4, "constant"), 4 * HORIZON, 1, slots)

    assert (trace.trials, trace.epochs, trace.seconds) == (4, 36, seconds)


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


@pytest.mark.parametrize(("rescaled", "epochs"), [(False, 15), (True, 18)])
def test_the_fourth_trial_of_halving_is_the_best_of_three(constants, rescaled, epochs):
    # Three of 3 epochs; then the best third of them trains 6 more, or 9 from its start.
    trace = search(constants, asha(), 10, 1, rescaled=rescaled)

    assert (trace.trials, trace.epochs) == (4, epochs)
    last = trace.incumbents[-1]
    assert last.budget == HORIZON
    early = [one for one in trace.incumbents if one.budget == 3]
    assert (early[-1].schedule, early[-1].seed) == (last.schedule, last.seed)


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


# Snapping


def test_the_nearest_rate_is_so_on_the_logarithmic_scale(deck):
    # .04 lies .03 from .01 and .06 from .1, but their ratios are 4 and 2.5.
    assert deck.deal("0", constant(0.04))["lr0"] == 0.1


def test_the_nearest_schedule_counts_all_hyperparameters_of_its_family():
    schedules = {
        0: constant(0.1),
        # lr0 from .001 to .3 on a logarithmic scale: .1 is at .807, .03 at .596;
        1: step(0.03, 0.2),
        # drop from .1 to .8 on a logarithmic scale: .2 is at 1/3, .4 at 2/3.
        2: step(0.1, 0.4),
    }
    cube = Cube(space("constant", "step").space, schedules)

    # .211 from schedule 1, .333 from schedule 2; the constant is of another family.
    assert list(cube.nearest(step(0.1, 0.2))) == [1, 2, 0]
    assert cube.distance(step(0.1, 0.2), schedules[2], ["step.drop"]) == pytest.approx(1 / 3)


def test_two_values_of_a_choice_are_one_apart():
    cube = Cube(space("warmup_stable_decay").space, {})
    a, b = ({"warmup_stable_decay.shape": one} for one in ("linear", "cosine"))

    assert cube.distance(a, b, list(a)) == 1
    assert cube.distance(a, a, list(a)) == 0


def test_each_seed_of_a_schedule_is_dealt_once_then_the_next_schedule(deck):
    proposals = [constant(0.1)] * 6
    rates = [deck.deal(str(n), one)["lr0"] for n, one in enumerate(proposals)]

    # From .1, on the logarithmic scale: .1, then .2 (ratio 2), then .01 (ratio 10).
    assert rates == [0.1, 0.1, 0.2, 0.2, 0.01, 0.01]
    assert {deck.pair("0"), deck.pair("1")} == {Pair(2, 1), Pair(2, 2)}
    assert deck.unused(2) == []
    assert deck.unused(0) == [1, 2]


def test_a_family_that_is_used_up_lends_from_others_and_says_so():
    schedules = {0: constant(0.1), 1: step(0.1, 0.2), 2: step(0.001, 0.2)}
    deck = Deck(Cube(space("constant", "step").space, schedules), (1,), np.random.default_rng(0))

    dealt = [deck.deal(str(n), constant(0.1)) for n in range(3)]
    assert [one["lr0"] for one in dealt] == [0.1, 0.1, 0.001]
    assert deck.misfits == 2
    with pytest.raises(LookupError, match="every training of the table is used up"):
        deck.deal("3", constant(0.1))


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


@pytest.fixture(scope="module")
def made_up(tmp_path_factory):
    from dataclasses import replace

    folder = tmp_path_factory.mktemp("table")
    truth = stand_in(folder, replace(TASKS["reading"], schedules=33), extra_seeds=2)
    return Answers(load(folder)["reading"]), truth


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


# The truth


def test_the_best_schedule_has_no_regret_and_all_others_have_some(made_up):
    answers, exact = made_up
    truth = Truth(answers.scores, answers.seeds)
    regrets = {number: truth.regret(number) for number in answers.schedules}

    assert min(regrets.values()) == regrets[truth.best] == 0
    assert truth.noise == pytest.approx(0.01, rel=0.3)  # see stand_in.NOISE
    assert exact[truth.best] == pytest.approx(max(exact.values()), abs=0.01)


def test_a_posterior_mean_under_a_normal_prior_is_halfway_between_score_and_prior_mean():
    draw = np.random.default_rng(1)
    values = draw.standard_normal(1000)
    scores = values + draw.standard_normal(1000)
    found = posterior_means(scores, np.ones(1000))

    middle = np.abs(scores) < 1.5
    assert np.abs(found[middle] - scores[middle] / 2).max() < 0.2
    assert np.mean((found - values) ** 2) == pytest.approx(0.5, rel=0.1)


def test_scores_without_noise_are_the_truth():
    scores = {number: dict.fromkeys((1, 2), number / 10) for number in range(4)}
    truth = Truth(scores, (1, 2))

    assert [truth.regret(number) for number in range(4)] == pytest.approx([0.3, 0.2, 0.1, 0])
    assert truth.without == pytest.approx(0.15)
    assert truth.picked_by_one_score() == pytest.approx(0)
    assert truth.held_out_reference == pytest.approx(0.3)


def test_the_noise_is_that_of_the_better_half():
    # Deviations of +-.01 in two of two seeds: a variance of .0002 with one degree of freedom each.
    assert noise([[0.5, 0.5], [0.5, 0.5], [0.69, 0.71], [0.7, 0.68]]) == pytest.approx(0.0002**0.5)


def test_values_are_right_on_average_however_a_schedule_was_picked():
    """The mean of two seeds is far too high for the best of twenty single scores."""
    draw = np.random.default_rng(3)
    errors, naive = [], []
    for _ in range(12):
        values = np.where(draw.random(165) < 0.6, draw.uniform(0.5, 0.67, 165), 0.685)
        values += 0.008 * draw.standard_normal(165)
        scores = values[:, None] + 0.01 * draw.standard_normal((165, 2))
        truth = Truth({n: dict(enumerate(row)) for n, row in enumerate(scores)}, (0, 1))
        for _ in range(40):
            tried = draw.permutation(165)[:20]
            found = tried[scores[tried, 0].argmax()]
            errors.append(truth.value(int(found)) - values[found])
            naive.append(scores[found].mean() - values[found])

    assert abs(np.mean(errors)) < 0.0012
    assert np.mean(naive) > 0.004


def test_held_out_scores_are_of_seeds_that_no_search_uses_if_there_are_any():
    scores = {0: {1: 0.9, 2: 0.7, 3: 0.8, 4: 0.82}, 1: {1: 0.9, 2: 0.7}}
    truth = Truth(scores, (1, 2))

    assert truth.held_out(0, [2]) == pytest.approx(0.81)
    assert truth.held_out(1, [2]) == pytest.approx(0.7)
    assert truth.held_out(1, []) == pytest.approx(0.8)
    # The only schedule with four seeds is picked by any two and scored by the others.
    assert cross_fitted(scores) == pytest.approx(0.805, abs=0.01)


# The summary


@pytest.fixture
def incumbents():
    rows = [(0, 3, 0.02), (0, 9, 0.0), (1, 5, 0.01)]
    return pd.DataFrame(rows, columns=["repetition", "epochs", "regret"])


def test_curves_are_steps_from_the_value_without_a_search(incumbents):
    found = curves(incumbents, "epochs", np.array([0.0, 3, 4, 5, 9]), 0.1)

    assert found.tolist() == [[0.1, 0.02, 0.02, 0.02, 0.0], [0.1, 0.1, 0.1, 0.01, 0.01]]


def test_a_target_is_reached_when_the_mean_is_below_it_for_good(incumbents):
    grid = np.arange(10.0)
    found = curves(incumbents, "epochs", grid, 0.1)  # means: .1, .06 from 3, .015 from 5, .005

    assert reached(found, grid, 0.061)["at"] == 3
    assert reached(found, grid, 0.016)["at"] == 5
    assert reached(found, grid, 0.006)["at"] == 9
    assert reached(found, grid, 0.001)["at"] is None


def test_a_quick_comparison_runs_and_is_drawn(tmp_path):
    command = [sys.executable, BENCHMARKS / "algorithms.py", "--quick", "--results", tmp_path]
    names = ["random", "hyperband rescaled from 1/3", "optuna tpe"]
    chosen = [word for name in names for word in ("--algorithm", name)]
    ended = subprocess.run([*command, *chosen], capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr

    found = json.loads((tmp_path / "algorithms.json").read_text())["reading"]
    assert list(found["algorithms"]) == names
    for one in found["algorithms"].values():
        assert one["repetitions"] == 3
        assert len(one["regret"]["mean"]) == 6
        assert set(one["seconds_to"]) == {"1", "2"}
    assert {path.name for path in tmp_path.iterdir()} == {
        "algorithms.json", "incumbents.parquet", "regret-reading.png", "wall-time-reading.png"
    }  # fmt: skip
