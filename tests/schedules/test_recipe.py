from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lrtune.errors import ArgumentError
from lrtune.schedules import (
    Constant,
    CosineDecay,
    ExponentialDecay,
    MultiStepDecay,
    SineCycles,
    StepDecay,
    TimeDecay,
    Warmup,
)
from lrtune.schedules.recipe import Recipe

STEP = {"schedule": "step", "lr0": 0.1, "momentum": 0.5, "step.drop": 0.5, "step.epochs_drop": 10}
WARMED = {
    "schedule": "warmup+cosine", "lr0": 0.1, "momentum": 0.9, "warmup.epochs": 5.0,
    "warmup.start": 0.1, "cosine.epochs": 50.0, "cosine.end": 0.0,
}  # fmt: skip


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
        (
            {"schedule": "warmup+theirs", "warmup.epochs": 5.0, "theirs.a": 1.5},
            "warmup+theirs(warmup.epochs=5, a=1.5)",
        ),
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
            {name: one for name, one in WARMED.items() if name != "warmup.start"},
            (
                "values must hold the hyperparameters of a schedule. Missing: warmup.start. "
                "Received: schedule, lr0, warmup.epochs, cosine.epochs, cosine.end, momentum."
            ),
        ),
        (
            {**WARMED, "warmup.epochs": 60},
            (
                "epochs of a warmup must be fewer than those of the whole schedule, 50. "
                "Received: epochs=60.0."
            ),
        ),
        (
            {
                "schedule": "multi_step",
                "lr0": 0.1,
                "multi_step.first": -1,
                "multi_step.gap_2": 1,
                "multi_step.gap_3": 1,
                "multi_step.gamma": 0.1,
            },
            "first must be a finite number > 0. Received: first=-1.",
        ),
        (
            {
                "schedule": "piecewise_linear",
                "lr0": 0.1,
                "piecewise_linear.epochs": 50,
                **{f"piecewise_linear.knot_{number}": 2 for number in range(1, 6)},
            },
            "knot_1 must be a number > 0 and <= 1. Received: knot_1=2.",
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


CONSTANT = {"schedule": "constant", "lr0": 0.1}


@pytest.mark.parametrize(
    ("settings", "needed", "message"),
    [
        (
            {},
            ["momentum"],
            (
                "values must hold the hyperparameters of a schedule. Missing: momentum. "
                "Received: schedule, lr0."
            ),
        ),
        (
            {"beta_1": 0.9},
            ["beta_1", "weight_decay"],
            (
                "values must hold the hyperparameters of a schedule. Missing: weight_decay. "
                "Received: schedule, lr0, beta_1."
            ),
        ),
        (
            {"momentum": 2},
            ["momentum"],
            "values['momentum'] must be a number >= 0 and < 1. Received: values['momentum']=2.",
        ),
        (
            {"momentum": 0.9, "weight_decay": -1},
            ["momentum"],
            (
                "values['weight_decay'] must be a finite number >= 0. "
                "Received: values['weight_decay']=-1."
            ),
        ),
    ],
)
def test_check_refuses_missing_and_invalid_settings(settings, needed, message):
    with pytest.raises(ArgumentError) as error:
        Recipe.from_values(CONSTANT | settings).check(*needed)
    assert str(error.value) == message


def test_check_accepts_what_a_model_can_be_trained_with():
    for settings in ({}, {"momentum": 0}, {"beta_1": 0.9, "weight_decay": 0.01}):
        Recipe.from_values(CONSTANT | settings).check(*settings)
    with pytest.raises(ArgumentError, match="Missing: schedule"):
        Recipe.from_values({"lr0": 0.1}).check()


def test_beta_1_and_weight_decay_are_the_optimizers_settings():
    recipe = Recipe.from_values({**CONSTANT, "beta_1": 0.9, "weight_decay": 0.01})
    assert recipe.settings == {"beta_1": 0.9, "weight_decay": 0.01}
    assert recipe.momentum == 0.9
    assert recipe.own == {}
    assert str(recipe) == "constant(lr0=0.1), beta_1 0.9, weight_decay 0.01"


def test_a_warmup_is_part_of_its_schedule():
    recipe = Recipe.from_values({**WARMED, "width": 32, "step.drop": 0.5, "tuner/epochs": 9})
    assert recipe.family == "warmup+cosine"
    assert recipe.parameters == {
        "lr0": 0.1, "warmup.epochs": 5, "warmup.start": 0.1, "epochs": 50, "end": 0
    }  # fmt: skip
    assert recipe.own == {"width": 32, "step.drop": 0.5}
    assert recipe.schedule == Warmup(CosineDecay(0.1, 45), 5, 0.1)
    assert recipe.parameter_names == (
        "warmup.epochs", "warmup.start", "cosine.epochs", "cosine.end"
    )  # fmt: skip
    assert recipe.schedule_text == (
        "warmup+cosine(lr0=0.1, warmup.epochs=5, warmup.start=0.1, epochs=50, end=0)"
    )
    assert Recipe.from_values(WARMED).values == WARMED


def test_without_a_warmup_its_parameters_are_the_users_own():
    recipe = Recipe.from_values({**WARMED, "schedule": "cosine"})
    assert recipe.schedule == CosineDecay(0.1, 50)
    assert recipe.own == {"warmup.epochs": 5, "warmup.start": 0.1}


def test_a_family_with_parameters_of_a_search_is_built_from_them():
    values = {
        "schedule": "multi_step", "lr0": 0.1, "multi_step.first": 20.0, "multi_step.gap_2": 10.0,
        "multi_step.gap_3": 5.0, "multi_step.gamma": 0.1,
    }  # fmt: skip
    assert Recipe.from_values(values).schedule == MultiStepDecay(0.1, (20, 30, 35), 0.1)
    warmed = values | {"schedule": "warmup+multi_step", "warmup.epochs": 5, "warmup.start": 0}
    assert Recipe.from_values(warmed).schedule == Warmup(MultiStepDecay(0.1, (20, 30, 35), 0.1), 5)


def test_a_parameter_that_a_mode_does_not_have_is_not_missed():
    values = {"schedule": "sine", "lr0": 0.1, "sine.half_cycle": 4.0, "sine.ratio": 6.0}
    even = Recipe.from_values(values | {"sine.mode": "even"})
    assert even.schedule == SineCycles(0.1, 4, 6)
    with pytest.raises(ArgumentError, match=r"Missing: sine\.gamma\."):
        _ = Recipe.from_values(values | {"sine.mode": "exponential"}).schedule
    with pytest.raises(ArgumentError, match=r"Missing: sine\.mode\."):
        _ = Recipe.from_values(values).schedule


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
        (TimeDecay(0.1, 0.3, power=0.5), "time(lr0=0.1, k=0.3, power=0.5)"),
        (MultiStepDecay(0.1, (25, 37.54321), 0.1),
         "multi_step(lr0=0.1, boundaries=(25, 37.5), gamma=0.1)"),
        (Warmup(StepDecay(0.1, 0.3, 5), 2.55555),
         "warmup(epochs=2.56, start=0) then step(lr0=0.1, drop=0.3, epochs_drop=5)"),
    ],
)  # fmt: skip
def test_a_schedule_as_text(schedule, text):
    assert str(schedule) == text
