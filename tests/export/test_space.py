from __future__ import annotations

import pytest

from lrtune.export.space import plain_value, scopes, searched
from tests.runs.build_run import SPACE, parameter


def test_a_name_in_two_scopes_exists_in_both():
    known = scopes(
        [
            parameter("Int", "n", "step", min_value=1, max_value=5, sampling="linear"),
            parameter("Int", "n", "time", min_value=3, max_value=9, sampling="linear"),
        ]
    )
    assert [
        "n" in searched({"schedule": one, "n": 4}, known) for one in ("step", "time", "constant")
    ] == [True, True, False]


def test_a_trial_has_the_hyperparameters_of_its_family_without_keras_tuners_own():
    values = {"schedule": "constant", "lr0": 0.1, "step.drop": 0.5, "width": 3, "tuner/epochs": 9}
    assert searched(values, scopes(SPACE)) == {"schedule": "constant", "lr0": 0.1, "width": 3}


@pytest.mark.parametrize("conditions", [None, 3, [{"class_name": "Odd"}], [{"config": []}], ["x"]])
def test_a_hyperparameter_whose_conditions_cannot_be_read_exists_everywhere(conditions):
    raw = {"class_name": "Fixed", "config": {"name": "x", "value": 1, "conditions": conditions}}
    assert searched({"x": 1}, scopes([raw])) == {"x": 1}


@pytest.mark.parametrize("raw", [{}, {"config": []}, {"config": {}}, {"config": {"name": 3}}])
def test_an_entry_without_a_name_is_left_out(raw):
    assert list(scopes([raw, *SPACE[:1]])) == ["schedule"]


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
