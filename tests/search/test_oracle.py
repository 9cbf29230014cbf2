"""What lrtune sets up differently in Keras Tuner's oracles."""

from __future__ import annotations

import ast
from pathlib import Path

import keras_tuner
import pytest

import lrtune
from lrtune.errors import ArgumentError, SearchError
from lrtune.records.schema import Outcome, Span
from lrtune.search import oracle as seam
from lrtune.search.algorithms import ALGORITHMS, tuner_of
from lrtune.search.bayesian import initial_points
from lrtune.search.hyperband import HyperbandAlgorithm
from lrtune.search.oracle import PRIVATE, SEEN_IN, hyperband_rungs, keras_tuner_seed, rung_of
from lrtune.search.seeds import resolve_seed
from tests.search.fake_search import Search, failed

OBJECTIVE = keras_tuner.Objective("val_loss", "min")


def hyperband(**arguments):
    return keras_tuner.oracles.HyperbandOracle(objective=OBJECTIVE, **arguments)


def total(plan):
    return sum(size for size, _, _ in plan), sum(
        size * (last - first) for size, first, last in plan
    )


def test_the_plan_of_9_epochs_is_the_one_worked_out_by_hand():
    assert hyperband_rungs(hyperband(max_epochs=9)) == [
        *[(3, 0, 9)],
        *[(5, 0, 3), (2, 3, 9)],
        *[(9, 0, 1), (3, 1, 3), (1, 3, 9)],
    ]


@pytest.mark.parametrize(
    ("max_epochs", "factor", "expected"),
    [
        (1, 3, (1, 1)),  # bracket 0: ceil(1 + 0) = 1
        (3, 3, (3 + 1 + 2, 3 * 1 + 1 * 2 + 2 * 3)),
        (4, 2, (4 + 2 + 1 + 3 + 2 + 3, 4 * 1 + 2 * 1 + 1 * 2 + 3 * 2 + 2 * 2 + 3 * 4)),
        (9, 3, (23, 75)),
        (27, 3, (70, 375)),
    ],
)
def test_the_plan_counts_trials_and_epochs(max_epochs, factor, expected):
    plan = hyperband_rungs(hyperband(max_epochs=max_epochs, factor=factor))
    assert total(plan) == expected


def test_iterations_repeat_the_plan():
    once = hyperband_rungs(hyperband(max_epochs=9))
    assert hyperband_rungs(hyperband(max_epochs=9, hyperband_iterations=2)) == once * 2


@pytest.mark.parametrize(
    ("max_trials", "dimensions", "points"),
    [
        (1, 7, 1),
        (2, 7, 1),
        (3, 7, 1),
        (6, 7, 2),
        (20, 7, 6),
        (63, 7, 21),
        (1000, 7, 21),
        (20, 1, 3),
    ],
)
def test_initial_points_are_a_third_of_the_trials_and_at_most_three_a_dimension(
    max_trials, dimensions, points
):
    assert initial_points(max_trials, dimensions) == points


def test_keras_tuner_takes_every_seed_for_a_seed():
    assert [keras_tuner_seed(seed) for seed in (1, 2, 2**31 - 1)] == [1, 2, 2**31 - 1]
    assert (
        keras_tuner_seed(0) == 2**32 - 1
    )  # the largest that scikit-learn takes, and no seed of ours


def test_a_seed_is_kept_and_none_draws_a_fresh_one():
    assert [resolve_seed(seed) for seed in (0, 7, 2**31 - 1)] == [0, 7, 2**31 - 1]
    drawn = {resolve_seed(None) for _ in range(20)}
    assert len(drawn) > 1
    assert all(1 <= seed <= 10_000 for seed in drawn)


@pytest.mark.parametrize("seed", [-1, 2**31, 1.0, "1", False])
def test_an_invalid_seed_is_refused(seed):
    with pytest.raises(ArgumentError) as error:
        resolve_seed(seed)
    assert str(error.value) == (
        f"seed must be an integer from 0 to 2147483647. Received: seed={seed!r}."
    )


def test_epochs_and_parent_follow_from_hyperbands_values():
    values = {"lr0": 0.1, "tuner/initial_epoch": 3, "tuner/epochs": 9, "tuner/trial_id": "0004"}
    assert rung_of(values, 50) == (3, 9, "0004")
    del values["tuner/trial_id"]
    assert rung_of(values, 50) == (3, 9, None)
    assert rung_of({"lr0": 0.1}, 50) == (0, 50, None)


@pytest.mark.parametrize(
    ("owner", "name"),
    [(owner, name) for owner, names in PRIVATE.items() for name in names],
    ids=lambda one: one if isinstance(one, str) else one.__name__,
)
def test_keras_tuner_still_has_each_private_name(owner, name):
    # Where this fails Keras Tuner has changed since SEEN_IN: look at what replaced the name.
    if hasattr(owner, name):
        return
    made = {
        keras_tuner.Oracle: lambda: keras_tuner.oracles.RandomSearchOracle(OBJECTIVE),
        keras_tuner.oracles.BayesianOptimizationOracle: lambda: (
            keras_tuner.oracles.BayesianOptimizationOracle(OBJECTIVE)
        ),
        keras_tuner.oracles.HyperbandOracle: hyperband,
    }[owner]()
    assert hasattr(made, name), f"{owner.__name__}.{name}, last seen in Keras Tuner {SEEN_IN}"


def test_no_other_file_uses_a_private_name_of_keras_tuner():
    names = {name for names in PRIVATE.values() for name in names}
    for path in Path(lrtune.__file__).parent.rglob("*.py"):
        if path.name == "oracle.py":
            continue
        attributes = [
            node.attr
            for node in ast.walk(ast.parse(path.read_text()))
            if isinstance(node, ast.Attribute)
        ]
        assert names.isdisjoint(attributes), path
        for node in ast.walk(ast.parse(path.read_text())):
            if not isinstance(node, ast.Attribute) or not node.attr.startswith("_"):
                continue
            holder = ast.unparse(node.value)
            assert not holder.endswith(("oracle", "keras_tuner")), f"{path}: {holder}.{node.attr}"


def test_every_private_name_that_the_seam_uses_is_listed():
    tree = ast.parse(Path(seam.__file__).read_text())
    used = {
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and ast.unparse(node.value) == "oracle"
        if node.attr.startswith("_")
    }
    listed = {name for names in PRIVATE.values() for name in names}
    assert used | {"_get_tuner_fname"} == listed


def test_a_reset_oracle_proposes_what_a_new_one_does():
    hp = keras_tuner.HyperParameters()
    hp.Float("x", 0.0, 1.0)
    algorithm = HyperbandAlgorithm(hyperband(max_epochs=9, hyperparameters=hp))
    first = [algorithm.ask(7).hyperparameters.values for _ in range(4)]
    algorithm.reset()
    assert algorithm.oracle.trials == {}
    assert [algorithm.ask(7).hyperparameters.values for _ in range(4)] == first


def test_an_unknown_algorithm_is_an_error_not_random_search():
    with pytest.raises(ArgumentError) as error:
        tuner_of("genetic")
    assert str(error.value) == (
        "algo must be one of hyperband, bayesian, shape, random. Received: algo='genetic'."
    )
    assert [tuner_of(name).algo for name in ALGORITHMS] == list(ALGORITHMS)


@pytest.mark.parametrize("metric", ["accuracy", "val_loss", "auc", "poisson", "of_my_own"])
def test_every_metric_has_the_direction_that_keras_tuner_gives_it(metric):
    ours, stock = (keras_tuner.oracles.RandomSearchOracle(OBJECTIVE) for _ in range(2))
    for oracle in (ours, stock):
        seam.disable_saving(oracle)
        oracle.hyperparameters.Float("x", 0.0, 1.0)
    metrics = {"loss": 1.5, metric: 0.5, "val_loss": 0.25}
    ended = Outcome("0", "completed", {}, Span(1, 4, 4), seed=7, seconds=1.0, score=0.25)
    told, updated = ours.create_trial("a"), stock.create_trial("a")

    seam.tell(ours, told, ended, metrics)
    stock.update_trial(updated.trial_id, metrics, step=4)

    assert told.metrics.get_config() == updated.metrics.get_config()


@pytest.mark.parametrize(
    ("given", "failures"), [({}, 3), ({"max_consecutive_failed_trials": 2}, 2)]
)
def test_a_limit_of_failed_trials_that_the_user_sets_is_kept(given, failures, tmp_path):
    search = Search(tmp_path / "run", failed, trials=3, **given)
    error = SearchError if failures == 3 else RuntimeError
    with pytest.raises(error):
        search.run()
    assert len(search.oracle.end_order) == failures
