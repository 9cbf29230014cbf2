"""Schedules that the user wants tried first, and an even share for every family."""

from __future__ import annotations

import collections

import keras
import keras_tuner
import pytest

import lrtune
from lrtune.errors import ArgumentError, RunFolderError
from lrtune.schedules.space import Space
from lrtune.search.tries import parse_tries
from tests.runner import tiny

FAMILIES = ("step", "cosine", "rex", "warmup+linear", "triangular", "plateau", "constant")


def tuner_of(kind, folder, **more):
    def build(hp):
        hp.Int("width", 1, 8, default=4)
        return tiny.build(hp)

    hypermodel = lrtune.ScheduleHyperModel(build, epochs=9, families=FAMILIES)
    size = {"max_epochs": 9} if kind is lrtune.Hyperband else {"max_trials": 30}
    where = {"directory": folder, "project_name": "run"}
    settings = {"objective": "val_loss", "seed": 5, "baseline_budget": 0}
    return kind(hypermodel, **settings, **where, **size, **more)


def proposed(tuner, count):
    found = []
    for _ in range(count):
        trial = tuner._algorithm.ask(tuner.seed)
        found.append(trial.hyperparameters.values)
    return found


@pytest.mark.parametrize("kind", [lrtune.RandomSearch, lrtune.Hyperband])
def test_each_family_has_its_turn_before_any_has_another(kind, tmp_path):
    families = [one["schedule"] for one in proposed(tuner_of(kind, tmp_path), 9)]
    assert set(families[:7]) == set(FAMILIES)
    more = [one["schedule"] for one in proposed(tuner_of(kind, tmp_path / "b"), 8)]
    assert more == families[:8]  # the seed decides the order


def test_rounds_are_in_different_orders(tmp_path):
    families = [one["schedule"] for one in proposed(tuner_of(lrtune.RandomSearch, tmp_path), 28)]
    assert collections.Counter(families) == dict.fromkeys(FAMILIES, 4)
    assert len({tuple(families[start : start + 7]) for start in (0, 7, 14, 21)}) > 1


@pytest.mark.parametrize(
    "kind",
    [lrtune.RandomSearch, lrtune.Hyperband, lrtune.BayesianOptimization, lrtune.ShapeSearch],
)
def test_the_users_schedules_come_first_in_every_algorithm(kind, tmp_path):
    tries = ["cosine lr0=0.02 momentum=0.9 width=7", {"schedule": "step", "step.drop": 0.25}]
    first, second, third = proposed(tuner_of(kind, tmp_path, tries=tries), 3)
    first, second = (
        {name: one[name] for name in one if not name.startswith("tuner/")}
        for one in (first, second)
    )
    assert first == {
        "schedule": "cosine", "lr0": 0.02, "momentum": 0.9, "width": 7, "cosine.epochs": 9.0,
        "cosine.end": 0.0,
    }  # fmt: skip
    assert second == {
        "schedule": "step", "lr0": 0.1, "momentum": 0.5, "width": 4, "step.drop": 0.25,
        "step.epochs_drop": 2,
    }  # fmt: skip
    assert third["lr0"] not in (0.02, 0.1)


def test_more_tries_than_random_points_are_all_made(tmp_path):
    tries = [f"constant lr0={lr0}" for lr0 in (0.1, 0.2, 0.3, 0.4)]
    tuner = tuner_of(lrtune.BayesianOptimization, tmp_path, tries=tries, num_initial_points=1)
    assert [one["lr0"] for one in proposed(tuner, 4)] == [0.1, 0.2, 0.3, 0.4]


@pytest.mark.parametrize(
    ("tries", "message"),
    [
        (["exponential lr0=1"], "a schedule to try must begin with a family of the search"),
        ([""], "a schedule to try must begin with a family of the search"),
        (["step lr0"], "a schedule to try must be a family and NAME=VALUE pairs."),
        (["step drop=2"], r"tries\['step.drop'\] must be a number > 0 and <= 1."),
        (["step gamma=0.1"], "tries must name hyperparameters of this search: "),
        (["step drop=0.1", "step drop=0.1"], "tries must differ from each other."),
        ([{"lr0": 0.1}], "tries must be texts, or hyperparameter values with a 'schedule'"),
        (["constant width=wide"], "tries must give width a value of type int."),
    ],
)
def test_a_schedule_that_cannot_be_tried_is_refused(tries, message):
    space = Space(("step", "constant"), 9)
    with pytest.raises(ArgumentError, match=f"^{message}"):
        parse_tries(tries, space, {"width": 4})


def test_tries_need_a_schedule_to_try(tmp_path):
    with pytest.raises(ArgumentError, match="tries are schedules"):
        lrtune.RandomSearch(
            tiny.AdamModel(), objective="val_loss", max_trials=2, directory=tmp_path, tries=["step"]
        )


def test_a_users_hyperparameter_with_one_of_our_names_is_refused():
    def build(hp):
        hp.Float("lr0", 0.1, 1.0)
        return tiny.build(hp)

    hypermodel = lrtune.ScheduleHyperModel(build, epochs=3)
    with pytest.raises(ArgumentError, match="must give its hyperparameter 'lr0' another name"):
        keras_tuner.RandomSearch(hypermodel, objective="val_loss", max_trials=1)


def test_the_optimizer_and_what_was_asked_are_recorded_and_belong_to_the_search(tmp_path):
    def searched(**more):
        hypermodel = lrtune.ScheduleHyperModel(
            tiny.build, epochs=2, families=["constant"], **more
        )  # fmt: skip
        tuner = lrtune.RandomSearch(
            hypermodel, objective="val_loss", max_trials=1, seed=1, directory=tmp_path,
            project_name="run", baseline_seeds=1,
        )  # fmt: skip
        tuner.search(*tiny.points(), **tiny.fit_kwargs(), verbose=0)
        return lrtune.load_run(tmp_path / "run")

    asked = {"optimizer": "adamw", "optimizer_options": {"clipnorm": 1.0}, "fixed": {"beta_1": 0.8}}
    run = searched(**asked)
    assert run.manifest.optimizer == "adamw"
    assert run.manifest.optimizer_options == {"clipnorm": 1.0}
    assert list(run.manifest.baseline_arms) == ["constant-0.001", "constant-0.0001"]
    assert {one["beta_1"] for one in run.manifest.baseline_arms.values()} == {0.8}
    assert "keras.optimizers.AdamW(" in run.code("constant-0.001")
    assert searched(**asked).ranking().equals(run.ranking())
    with pytest.raises(RunFolderError, match="another search: optimizer adamw, now lion"):
        searched(optimizer="lion", fixed={"beta_1": 0.8})
    with pytest.raises(RunFolderError, match=r"optimizer_options clipnorm=1\.0, now none"):
        searched(optimizer="adamw", fixed={"beta_1": 0.8})


@pytest.mark.parametrize(
    ("optimizer", "message"),
    [
        ("sgdd", "optimizer must be one of sgd, adam, adamw, rmsprop, lion, or a function"),
        (keras.optimizers.SGD(), "optimizer must be one of sgd, adam, adamw, rmsprop, lion, or a"),
    ],
)
def test_an_unknown_optimizer_is_refused(optimizer, message):
    with pytest.raises(ArgumentError, match=f"^{message}"):
        lrtune.ScheduleHyperModel(tiny.build, epochs=2, optimizer=optimizer)


def test_a_setting_is_given_once():
    with pytest.raises(ArgumentError, match="optimizer_options must not hold 'weight_decay'"):
        lrtune.ScheduleHyperModel(
            tiny.build,
            epochs=2,
            optimizer_options={"weight_decay": 0.1},
            fixed={"weight_decay": 0.2},
        )


def test_a_function_must_use_the_rate_that_it_is_given():
    hypermodel = lrtune.ScheduleHyperModel(
        tiny.build, epochs=2, optimizer=lambda rate: keras.optimizers.SGD(0.1)
    )
    with pytest.raises(ArgumentError, match="gives the learning rate that it is called with"):
        hypermodel.build(keras_tuner.HyperParameters())
