from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lrtune.errors import ArgumentError
from lrtune.schedules import Constant, ExponentialDecay, StepDecay, TimeDecay
from lrtune.schedules.recipe import Recipe

STEP = {"schedule": "step", "lr0": 0.1, "momentum": 0.5, "step.drop": 0.5, "step.epochs_drop": 10}


def test_values_are_split_into_schedule_settings_and_the_users_own():
    recipe = Recipe.from_values({**STEP, "width": 32, "time.k": 3.0, "tuner/epochs": 9})

    assert recipe.family == "step"
    assert recipe.parameters == {"lr0": 0.1, "drop": 0.5, "epochs_drop": 10}
    assert recipe.settings == {"momentum": 0.5}
    # Another family's parameter is no part of the schedule; Keras Tuner's own entries are left out.
    assert recipe.own == {"width": 32, "time.k": 3.0}
    assert recipe.schedule == StepDecay(0.1, 0.5, 10)
    assert (recipe.lr0, recipe.momentum) == (0.1, 0.5)


NAMES = st.sampled_from(["lr0", "momentum", "step.drop", "time.k", "width", "a.b"])


@given(st.dictionaries(NAMES, st.floats(allow_nan=False)), st.sampled_from([None, "step", "time"]))
def test_a_recipe_gives_back_all_its_values(values, family):
    values = values if family is None else {"schedule": family, **values}

    assert Recipe.from_values(values).values == values
    assert Recipe.from_values({**values, "tuner/round": 1}) == Recipe.from_values(values)


@pytest.mark.parametrize(
    ("values", "text"),
    [
        (STEP, "step(lr0=0.1, drop=0.5, epochs_drop=10), momentum 0.5"),
        ({"schedule": "constant", "lr0": 0.012345}, "constant(lr0=0.0123)"),
        ({"schedule": "theirs", "theirs.a": 1.5}, "theirs(a=1.5)"),
        ({"schedule": "\x1b[2J", "lr0": 0.1}, "\\x1b[2J(lr0=0.1)"),
        ({"lr0": "large"}, "unknown schedule()"),
        ({}, "unknown schedule()"),
    ],
)
def test_a_recipe_has_a_text_form_even_if_damaged(values, text):
    assert str(Recipe.from_values(values)) == text


def test_unknown_numbers_are_nan():
    recipe = Recipe.from_values({"schedule": 3, "lr0": "large"})

    assert recipe.family is None
    assert math.isnan(recipe.lr0)
    assert math.isnan(recipe.momentum)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (
            {},
            (
                "values must hold the hyperparameters of a schedule. Missing: schedule. "
                "Received: none at all."
            ),
        ),
        (
            {"schedule": "step", "lr0": 0.1, "step.epochs_drop": 10},
            (
                "values must hold the hyperparameters of a schedule. Missing: step.drop. "
                "Received: schedule, lr0, step.epochs_drop."
            ),
        ),
        (
            {"schedule": "step", "step.drop": 0.1, "step.epochs_drop": 10},
            (
                "values must hold the hyperparameters of a schedule. Missing: lr0. "
                "Received: schedule, step.drop, step.epochs_drop."
            ),
        ),
        (
            {"schedule": "time", "lr0": 0.1, "time.k": -1},
            "k must be a finite number >= 0. Received: k=-1.",
        ),
    ],
)
def test_incomplete_or_invalid_values_are_refused(values, message):
    with pytest.raises(ArgumentError) as error:
        Recipe.from_values(values).schedule  # noqa: B018 - the access is what raises
    assert str(error.value) == message


def test_check_refuses_a_missing_or_invalid_momentum():
    for values, message in [
        (
            {"lr0": 0.1},
            "values must hold the hyperparameters of a schedule. Missing: momentum. Received: lr0.",
        ),
        (
            {"momentum": 2},
            "values['momentum'] must be a number >= 0 and < 1. Received: values['momentum']=2.",
        ),
    ]:
        with pytest.raises(ArgumentError) as error:
            Recipe.from_values(values).check_momentum()
        assert str(error.value) == message


@pytest.mark.parametrize(
    ("schedule", "text"),
    [
        (Constant(0.01), "constant(lr0=0.01)"),
        (StepDecay(0.1, 0.5, 10), "step(lr0=0.1, drop=0.5, epochs_drop=10)"),
        (StepDecay(0.1, 0.5, 2.5, per_step=True),
         "step(lr0=0.1, drop=0.5, epochs_drop=2.5, per_step=True)"),
        (TimeDecay(0.0123456, 0.31415), "time(lr0=0.0123, k=0.314)"),
        (TimeDecay(0.1, 0.3, per_step=False), "time(lr0=0.1, k=0.3, per_step=False)"),
        (ExponentialDecay(0.00012345, 1e-7), "exponential(lr0=0.000123, k=1e-07)"),
    ],
)  # fmt: skip
def test_a_schedule_as_text(schedule, text):
    assert str(schedule) == text
