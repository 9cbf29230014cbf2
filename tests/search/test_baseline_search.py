"""The search for the best constant rate beside the main one; what continues a tuner's search."""

from __future__ import annotations

import shutil

import keras_tuner
import pytest

import lrtune
from lrtune.errors import ArgumentError, RunFolderError
from lrtune.records.reader import read_run
from tests.runner import tiny
from tests.runs import build_run
from tests.search.test_tuners import (
    EPOCHS,
    hyperband,
    hypermodel,
    random_search,
    records,
    train,
    values,
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("hyperband")


@pytest.fixture(scope="module")
def seed_0(folder):
    return train(hyperband(folder, 0))


def nested(folder):
    return lrtune.load_run(folder / "run" / "baseline" / "search")


def test_the_baseline_is_searched_among_constant_rates_alone_with_draws_of_its_own(seed_0, folder):
    constants = nested(folder)
    assert set(constants.ranking()["schedule"]) == {"constant"}
    assert constants.manifest.families == ("constant",)
    assert constants.manifest.max_epochs == seed_0.oracle.max_epochs
    spans = sorted((one.epochs.first, one.epochs.last) for one in constants.records.outcomes)
    assert spans == [(1, 1), (1, 1), (1, 3), (2, 3)]
    rates = {hp["lr0"] for hp in values(seed_0).values()}
    assert not rates & {one.values["lr0"] for one in constants.records.outcomes}


def test_the_tuned_arms_are_the_best_constant_rates_of_the_full_budget(seed_0, folder):
    full = [one for one in nested(folder).records.outcomes if one.epochs.planned == EPOCHS]
    best = sorted(full, key=lambda one: one.score)
    arms = lrtune.load_run(folder / "run").manifest.baseline_arms
    names = [name for name in arms if "tuned" in name]
    assert names == ["constant-tuned", "constant-tuned-2"][: len(full)]
    assert [arms[name] for name in names] == [
        {name: one.values[name] for name in ("schedule", "lr0", "momentum")} for one in best
    ]


@pytest.mark.parametrize(("budget", "trials"), [(0, 0), (0.5, 2), (1.0, 3), (2, 6)])
def test_the_budget_of_the_baseline_is_a_share_of_the_trials(tmp_path, budget, trials):
    tuner = random_search(tmp_path, hypermodel(), baseline_seeds=1, baseline_budget=budget)
    arms = 2 + min(3, trials)  # of the best three, and two more rates, one seed each
    assert tuner.plan() == (3 + trials + arms, (3 + trials + arms) * EPOCHS)


@pytest.mark.parametrize(
    ("asked", "searched"),
    [
        ({}, ("time", "step", "exponential")),
        ({"baseline_budget": 0}, ("constant", "time", "step", "exponential")),
        ({"baseline_seeds": 0}, ("constant", "time", "step", "exponential")),
        ({"tries": ["constant lr0=0.1"]}, ("constant", "time", "step", "exponential")),
        (
            {"tries": [{"schedule": "constant", "lr0": 0.1}]},
            ("constant", "time", "step", "exponential"),
        ),
        ({"tries": ["step lr0=0.1"]}, ("time", "step", "exponential")),
    ],
)
def test_constant_rates_with_a_search_of_their_own_are_left_out_of_the_main_one(
    tmp_path, asked, searched
):
    tuner = random_search(tmp_path, hypermodel(), **{"baseline_seeds": 1, **asked})
    assert tuner.hypermodel.families == searched
    (schedule,) = [hp for hp in tuner.oracle.get_space().space if hp.name == "schedule"]
    assert tuple(schedule.values) == searched


def test_a_search_of_constant_rates_has_no_baseline_search(tmp_path):
    tuner = random_search(tmp_path, hypermodel(families=["constant"]), baseline_seeds=1)
    assert tuner.baseline_budget == 0
    assert tuner.plan() == (3 + 2, 5 * EPOCHS)


@pytest.mark.parametrize("budget", [-0.1, float("nan"), float("inf"), "half", None])
def test_an_invalid_budget_is_refused(tmp_path, budget):
    with pytest.raises(ArgumentError, match=r"^baseline_budget must be a finite number >= 0"):
        random_search(tmp_path, hypermodel(), baseline_budget=budget)


def test_the_baselines_search_is_continued_too(seed_0, folder, tmp_path):
    shutil.copytree(folder / "run", tmp_path / "run")
    lost = sorted((tmp_path / "run" / "baseline" / "search").glob("trial_*"))[-1]
    shutil.rmtree(lost)
    shutil.rmtree(tmp_path / "run" / "baseline" / "constant-tuned")
    with pytest.warns(UserWarning, match="is finished, but results are missing: "):
        train(hyperband(tmp_path, 0))
    assert records(tmp_path / "run") == records(folder / "run")


def test_with_families_does_not_change_the_hypermodel():
    first = hypermodel()
    second = first.with_families(("constant",))
    for model, families in ((first, first.families), (second, ("constant",))):
        hp = keras_tuner.HyperParameters()
        model.build(hp)
        (choice,) = [one for one in hp.space if one.name == "schedule"]
        assert tuple(choice.values) == tuple(families)


def test_data_other_than_before_are_refused(seed_0, folder):
    again = hyperband(folder, 0)
    x, y = tiny.points()
    with pytest.raises(RunFolderError, match=r"the data are others .fingerprint [0-9a-f]{16}"):
        again.search(x + 1, y, verbose=0, **tiny.fit_kwargs())


def test_another_seed_or_space_is_refused_when_the_tuner_is_created(seed_0, folder):
    with pytest.raises(RunFolderError, match="another search: seed 0, now 7"):
        hyperband(folder, 7)
    with pytest.raises(
        RunFolderError, match="another search: families time,step,exponential, now step"
    ):
        lrtune.Hyperband(
            hypermodel(families=["step"]),
            objective="val_loss",
            max_epochs=EPOCHS,
            directory=folder,
            project_name="run",
            seed=0,
        )


def test_damage_in_the_search_for_the_baseline_is_named(tmp_path):
    run = build_run.small_run(tmp_path / "run")
    nested = build_run.small_run(run / "baseline" / "search")
    assert read_run(run).notices == ()
    (nested / "trial_0" / "outcome.json").write_text("{")
    (notice,) = read_run(run).notices
    assert notice.startswith(
        "baseline/search/trial_0/outcome.json cannot be read (it is not complete"
    )
    (nested / "run.json").write_text("{")
    records = read_run(run)
    assert records.baseline_search is None
    (notice,) = records.notices
    assert notice.startswith("baseline/search/run.json cannot be read (it is not complete JSON): ")
