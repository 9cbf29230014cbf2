"""What a search tries, on real Keras Tuner hyperparameters and oracles."""

from __future__ import annotations

import math

import numpy as np
import pytest

from lrtune import schedules
from lrtune.schedules import (
    Constant,
    ExponentialDecay,
    Range,
    StepDecay,
    TimeDecay,
)
from lrtune.schedules.recipe import Recipe
from lrtune.schedules.space import Space, exists, own_ranges

keras_tuner = pytest.importorskip("keras_tuner")

FAMILIES = ["time", "constant", "step", "exponential"]
OWN = {
    "constant": set(),
    "time": {"time.k"},
    "step": {"step.drop", "step.epochs_drop"},
    "exponential": {"exponential.k"},
}
EPOCHS = 50


def declared(families=FAMILIES, epochs=EPOCHS, **arguments):
    hp = keras_tuner.HyperParameters()
    Space(families, epochs, **arguments).declare(hp)
    return hp


def sample(hp, count, seed=1):
    """Values a random search proposes."""
    oracle = keras_tuner.oracles.RandomSearchOracle(
        objective="val_loss", max_trials=count, seed=seed, hyperparameters=hp
    )
    proposals = [oracle.populate_space(str(number)) for number in range(count)]
    return [proposal["values"] for proposal in proposals]


@pytest.fixture(scope="module")
def sampled():
    return sample(declared(), 300)


def test_names_and_default_values():
    hp = declared()
    assert [parameter.name for parameter in hp.space] == [
        "schedule", "lr0", "momentum", "time.k", "step.drop", "step.epochs_drop", "exponential.k"
    ]  # fmt: skip
    assert hp.values == {"schedule": "time", "lr0": 0.1, "momentum": 0.5, "time.k": 0.314}
    assert Recipe.from_values(hp.values).schedule == TimeDecay(0.1, 0.314)
    # The reading's settings, at its 50 epochs.
    for family, schedule in {
        "constant": Constant(0.1),
        "step": StepDecay(0.1, 0.5, 10),
        "exponential": ExponentialDecay(0.1, 0.1),
    }.items():
        assert Recipe.from_values(declared([family]).values).schedule == schedule


def test_samples_have_only_the_active_familys_parameters(sampled):
    for values in sampled:
        assert set(values) == {"schedule", "lr0", "momentum"} | OWN[values["schedule"]]
    counts = [sum(values["schedule"] == family for values in sampled) for family in FAMILIES]
    assert min(counts) > 45  # 75 expected, standard deviation 7.5


def test_samples_are_within_their_ranges(sampled):
    bounds = {
        "lr0": (1e-3, 0.3),
        "momentum": (0.01, 0.99),
        "time.k": (1 / 50, 999 / 50),
        "step.drop": (0.1, 0.8),
        "step.epochs_drop": (5, 25),
        "exponential.k": (math.log(2) / 50, math.log(1e4) / 50),
    }
    for name, (low, high) in bounds.items():
        found = [values[name] for values in sampled if name in values]
        assert low * (1 - 1e-12) <= min(found) <= max(found) <= high * (1 + 1e-12)
        # They reach most of it too.
        assert min(found) < low + 0.15 * (high - low)
        assert max(found) > low + 0.75 * (high - low)
    assert all(
        isinstance(values["step.epochs_drop"], int)
        for values in sampled
        if values["schedule"] == "step"
    )


def test_samples_are_spread_as_declared(sampled):
    # 300 log-uniform values: the median's standard error is 13 % of it.
    assert np.median([1 - values["momentum"] for values in sampled]) == pytest.approx(0.1, rel=0.3)
    assert np.median([values["lr0"] for values in sampled]) == pytest.approx(0.0173, rel=0.4)
    ratios = [
        Recipe.from_values(values).schedule(EPOCHS) / values["lr0"]
        for values in sampled
        if values["schedule"] in ("time", "exponential")
    ]
    assert min(ratios) > 0.99e-4
    assert max(ratios) < 0.501


def test_every_sample_can_be_read_back_as_a_schedule(sampled):
    for values in sampled:
        schedule = Recipe.from_values(values).schedule
        assert schedule.name == values["schedule"]
        assert schedule.lr0 == values["lr0"]
        for name, value in Recipe.from_values(values).parameters.items():
            assert getattr(schedule, name) == value
        assert Recipe.from_values(values).momentum == values["momentum"]


def test_momentum_can_be_fixed():
    hp = declared(fixed={"momentum": 0.9})
    assert hp.values["momentum"] == 0.9
    assert {values["momentum"] for values in sample(hp, 20)} == {0.9}
    assert next(own for own in hp.space if own.name == "lr0").max_value == 0.3


def test_without_momentum_larger_rates_are_tried():
    hp = declared(fixed={"momentum": 0})
    assert type(hp.values["momentum"]) is float  # Keras' SGD takes no int
    assert next(own for own in hp.space if own.name == "lr0").max_value == 0.5


@pytest.mark.parametrize("epochs", [1, 2, 3, 9, 81, 1000])
def test_ranges_scale_with_the_horizon(epochs):
    for family in (*schedules.names(), "warmup"):
        for own in schedules.get(family).ranges:
            if isinstance(own, Range):
                low, high, default = own.bounds(epochs)
                assert low <= default <= high
                assert low > 0 or own.sampling == "linear"
    hp = declared(epochs=epochs)
    for values in sample(hp, 30):
        schedule = Recipe.from_values(values).schedule
        if values["schedule"] in ("time", "exponential"):
            assert 0.99e-4 < schedule(epochs) / schedule.lr0 < 0.501
        if values["schedule"] == "step":
            assert 1 <= values["step.epochs_drop"] <= max(1, round(0.5 * epochs))


def test_a_single_family_is_still_a_hyperparameter():
    hp = declared(["step"])
    assert hp.values == {
        "schedule": "step", "lr0": 0.1, "momentum": 0.5, "step.drop": 0.5, "step.epochs_drop": 10
    }  # fmt: skip


def test_keras_tuner_discovers_the_whole_space_in_one_build(tmp_path):
    builds = []

    class Tuner(keras_tuner.engine.base_tuner.BaseTuner):
        def run_trial(self, trial, *args, **kwargs):
            raise NotImplementedError

    def build(hp):
        builds.append(dict(hp.values))
        Space(FAMILIES, EPOCHS).declare(hp)
        # A scope of the user's own, explored as ever.
        with hp.conditional_scope("schedule", ["step"]):
            hp.Boolean("mine")

    oracle = keras_tuner.oracles.BayesianOptimizationOracle(objective="val_loss", max_trials=9)
    tuner = Tuner(oracle, build, directory=tmp_path)
    assert {own.name for own in tuner.oracle.get_space().space} == {
        "schedule", "lr0", "momentum", "mine", *set().union(*OWN.values())
    }  # fmt: skip
    # One for our four families, one for the user's scope.
    assert len(builds) == 2


def test_declaring_again_keeps_a_trials_values(sampled):
    for values in sampled[:20]:
        hp = keras_tuner.HyperParameters()
        hp.values = dict(values)
        Space(FAMILIES, EPOCHS).declare(hp)
        assert hp.values == values


EVERYTHING = (*schedules.names(), *(f"warmup+{name}" for name in schedules.names()))


@pytest.fixture(scope="module")
def sampled_from_all():
    return sample(declared(EVERYTHING), 500)


def test_every_sample_has_exactly_the_parameters_that_exist(sampled_from_all):
    assert {values["schedule"] for values in sampled_from_all} == set(EVERYTHING)
    modes = set()
    for values in sampled_from_all:
        wanted = {
            name
            for name, own in own_ranges(values["schedule"]).items()
            if exists(name, own, values)
        }
        assert set(values) == {"schedule", "lr0", "momentum"} | wanted
        assert ("warmup.epochs" in values) == values["schedule"].startswith("warmup+")
        for family in ("triangular", "sine"):
            if f"{family}.mode" in values:
                modes.add(values[f"{family}.mode"])
                exponential = values[f"{family}.mode"] == "exponential"
                assert (f"{family}.gamma" in values) == exponential
    assert modes == {"even", "halving", "exponential"}


def test_every_sample_of_every_family_can_be_trained_with(sampled_from_all):
    for values in sampled_from_all:
        recipe = Recipe.from_values(values)
        recipe.check("momentum")
        schedule = recipe.schedule
        family = values["schedule"].removeprefix("warmup+")
        assert getattr(schedule, "then", schedule).name == family
        assert schedule.lr0 == values["lr0"]
        assert recipe.own == {}
        table = schedule.table(EPOCHS, 5)
        assert np.isfinite(table).all()
        assert table.max() > 0.1 * np.float32(values["lr0"])


def test_a_warmup_and_what_follows_fit_into_the_horizon(sampled_from_all):
    warmed = [values for values in sampled_from_all if "warmup.epochs" in values]
    for values in warmed:
        schedule = Recipe.from_values(values).schedule
        assert 0 <= schedule.epochs <= 0.2 * EPOCHS
        if hasattr(schedule.then, "epochs"):
            assert schedule.epochs + schedule.then.epochs == pytest.approx(EPOCHS, rel=1e-12)


def test_the_default_trial_of_every_family_can_be_trained_with():
    space = Space(EVERYTHING, EPOCHS)
    for family in EVERYTHING:
        values = space.default(family)
        assert Recipe.from_values(values).schedule.lr0 == 0.1
        # The first trial of a search of this family alone is the same.
        assert values == declared([family]).values


@pytest.mark.parametrize("epochs", [1, 2, 7, 300])
def test_every_family_can_be_searched_over_any_horizon(epochs):
    for values in sample(declared(EVERYTHING, epochs), 60):
        recipe = Recipe.from_values(values)
        recipe.check("momentum")
        assert np.isfinite(recipe.schedule.table(epochs, 2)).all()


def test_the_scopes_of_a_users_own_stay_open():
    hp = keras_tuner.HyperParameters()
    hp.Choice("mine", ["a", "b"])
    with hp.conditional_scope("mine", ["b"]):
        hp.Boolean("inner")
    before = list(hp.inactive_scopes)
    Space(EVERYTHING, EPOCHS).declare(hp)
    assert hp.inactive_scopes == before
