from __future__ import annotations

import keras_tuner
import pytest

from lrtune.schedules.space import Space
from tests.runs.build_run import SPACE, parameter

optuna = pytest.importorskip("optuna")

from optuna.distributions import (  # noqa: E402 - skipped where Optuna is missing
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)

from lrtune.export.optuna_space import distributions  # noqa: E402


def test_the_space_as_keras_tuner_writes_it_is_understood():
    hp = keras_tuner.HyperParameters()
    Space(("constant", "step", "exponential"), 50).declare(hp)
    known = distributions(hp.get_config()["space"], [])

    assert list(known) == [
        *("schedule", "lr0", "momentum"),
        *("step.drop", "step.epochs_drop", "exponential.k"),
    ]
    assert known["schedule"] == CategoricalDistribution(("constant", "step", "exponential"))
    assert known["lr0"] == FloatDistribution(0.001, 0.3, log=True)
    assert known["momentum"] == FloatDistribution(0.01, 0.99)
    assert known["step.epochs_drop"] == IntDistribution(5, 25)


@pytest.mark.parametrize(
    ("class_name", "config", "choices"),
    [
        ("Fixed", {"value": 0.9}, (0.9,)),
        ("Boolean", {"default": True}, (True, False)),
        ("Choice", {"values": [16, 32]}, (16, 32)),
    ],
)
def test_fixed_boolean_and_choice_are_categorical(class_name, config, choices):
    known = distributions([parameter(class_name, "x", **config)], [])
    assert known["x"].choices == choices


@pytest.mark.parametrize(
    "raw",
    [
        {},
        {"class_name": "Float", "config": {"name": "lr0"}},
        {"class_name": "Float", "config": []},
        {"class_name": "Float", "config": {"name": 3, "min_value": 0, "max_value": 1}},
        parameter("Float", "x", min_value=2, max_value=1),
        parameter("Float", "x", min_value="low", max_value=1),
        parameter("Float", "x", min_value="nan", max_value=1),
        parameter("Float", "x", min_value=0, max_value=1, sampling="log"),
        parameter("Choice", "x", values=[]),
        parameter("Choice", "x", values=3),
        parameter("Int", "x", min_value=1, max_value=5, sampling="linear", step=-2),
        parameter("Complex", "x"),
    ],
)
def test_a_hyperparameter_that_cannot_be_read_is_left_out(raw):
    assert list(distributions([raw, *SPACE[:1]], [])) == ["schedule"]


def test_a_name_in_two_scopes_has_the_bounds_of_both():
    known = distributions(
        [
            parameter("Int", "n", "step", min_value=1, max_value=5, sampling="linear"),
            parameter("Int", "n", "time", min_value=3, max_value=9, sampling="linear"),
        ],
        [],
    )
    assert known["n"] == IntDistribution(1, 9)


def test_ranges_are_widened_to_the_values_that_were_tried():
    tried = [{"lr0": 0.5, "schedule": "mine", "step.epochs_drop": 3}, {"lr0": "x"}]
    known = distributions(SPACE, tried)
    assert known["lr0"] == FloatDistribution(0.001, 0.5, log=True)
    assert known["schedule"].choices[-1] == "mine"
    assert known["step.epochs_drop"].low == 3


def test_a_step_is_kept_only_if_it_reaches_every_value():
    space = [parameter("Int", "n", min_value=2, max_value=8, sampling="linear", step=2)]
    assert distributions(space, [{"n": 12}])["n"] == IntDistribution(2, 12, step=2)
    assert distributions(space, [{"n": 3}])["n"] == IntDistribution(2, 8)
