from __future__ import annotations

import keras_tuner
import pytest

from lrtune.export.space import fitted, parameters, plain_value, searched
from lrtune.schedules import space as declared
from tests.export.runs import SPACE, parameter


def test_what_keras_tuner_writes_of_our_space_is_understood():
    hp = keras_tuner.HyperParameters()
    declared.declare(hp, ["constant", "step", "exponential"], epochs=50)
    known = parameters(hp.get_config()["space"])

    assert list(known) == [
        *("schedule", "lr0", "momentum"),
        *("step.drop", "step.epochs_drop", "exponential.k"),
    ]
    assert known["schedule"].choices == ("constant", "step", "exponential")
    lr0, momentum, epochs = known["lr0"], known["momentum"], known["step.epochs_drop"]
    assert (lr0.low, lr0.high, lr0.log, lr0.default) == (0.001, 0.3, True, 0.1)
    assert (momentum.low, momentum.high, momentum.log, momentum.reverse_log) == (
        *(0.01, 0.99),
        *(False, True),
    )
    assert (epochs.kind, epochs.low, epochs.high, epochs.step) == ("int", 5, 25, 1)
    assert epochs.scopes == ((("schedule", ("step",)),),)


@pytest.mark.parametrize(
    ("class_name", "config", "choices"),
    [
        ("Fixed", {"value": 0.9}, (0.9,)),
        ("Boolean", {"default": True}, (True, False)),
        ("Choice", {"values": [16, 32]}, (16, 32)),
    ],
)
def test_other_kinds_are_choices(class_name, config, choices):
    known = parameters([parameter(class_name, "x", **config)])
    assert known["x"].choices == choices
    assert known["x"].default in choices


@pytest.mark.parametrize(
    "raw",
    [
        {},
        {"class_name": "Float", "config": {"name": "lr0"}},
        {"class_name": "Float", "config": []},
        {"class_name": "Float", "config": {"name": 3, "min_value": 0, "max_value": 1}},
        parameter("Float", "x", min_value=2, max_value=1),
        parameter("Float", "x", min_value="low", max_value=1),
        parameter("Choice", "x", values=[]),
        parameter("Complex", "x"),
        {
            "class_name": "Fixed",
            "config": {"name": "x", "value": 1, "conditions": [{"class_name": "Odd"}]},
        },
    ],
)
def test_what_cannot_be_understood_is_left_out(raw):
    assert list(parameters([raw, *SPACE[:1]])) == ["schedule"]


def test_a_name_in_two_scopes_has_the_bounds_of_both_and_exists_in_both():
    known = parameters(
        [
            parameter("Int", "n", "step", min_value=1, max_value=5, sampling="linear"),
            parameter("Int", "n", "time", min_value=3, max_value=9, sampling="linear"),
        ]
    )
    assert (known["n"].low, known["n"].high) == (1, 9)
    assert [
        "n" in searched({"schedule": one, "n": 4}, known) for one in ("step", "time", "constant")
    ] == [True, True, False]


def test_a_trial_has_what_exists_in_its_family_and_nothing_of_keras_tuners_own():
    values = {"schedule": "constant", "lr0": 0.1, "step.drop": 0.5, "width": 3, "tuner/epochs": 9}
    assert searched(values, parameters(SPACE)) == {"schedule": "constant", "lr0": 0.1, "width": 3}


def test_bounds_are_widened_to_what_was_tried():
    known = fitted(
        parameters(SPACE), [{"lr0": 0.5, "schedule": "mine", "step.epochs_drop": 3}, {"lr0": "x"}]
    )
    assert (known["lr0"].low, known["lr0"].high, known["lr0"].log) == (0.001, 0.5, True)
    assert known["schedule"].choices[-1] == "mine"
    assert known["step.epochs_drop"].low == 3


@pytest.mark.parametrize(
    ("value", "plain"),
    [
        (None, None),
        (True, True),
        (3, 3),
        (2**70, str(2**70)),
        (float("nan"), "nan"),
        ("a\x1b[2Jb\udc80", "a\\x1b[2Jb\\udc80"),
        ([1, 2], "[1, 2]"),
    ],
)
def test_values_become_what_every_format_can_hold(value, plain):
    assert plain_value(value) == plain
