"""Each check returns the plain value, or raises one error that says everything about it."""

from __future__ import annotations

import math

import numpy as np
import pytest

from lrtune._util import checks
from lrtune.errors import ArgumentError


@pytest.mark.parametrize(
    ("check", "value", "plain"),
    [
        (checks.learning_rate, np.float32(0.5), 0.5),
        (checks.positive, 1, 1.0),
        (checks.non_negative, 0, 0.0),
        (checks.fraction, 1, 1.0),
        (checks.below_one, 0, 0.0),
        (checks.boolean, np.True_, True),
    ],
)
def test_a_value_in_the_domain_is_returned_as_a_plain_python_value(check, value, plain):
    found = check("x", value)
    assert found == plain
    assert type(found) is type(plain)


@pytest.mark.parametrize(
    ("check", "right", "wrong"),
    [
        (
            checks.learning_rate,
            "a number > 0 that float32 can hold (1.2e-38 to 3.4e38)",
            [0, 1e-39, 1e39, math.nan, "0.1", True],
        ),
        (checks.positive, "a finite number > 0", [0, -1, math.inf, math.nan, 10**400, None, True]),
        (checks.non_negative, "a finite number >= 0", [-1e-9, math.inf, math.nan, [1]]),
        (checks.fraction, "a number > 0 and <= 1", [0, 1.5, math.nan]),
        (checks.below_one, "a number >= 0 and < 1", [1, -0.1, math.nan]),
        (checks.boolean, "True or False", [0, 1, "yes", None]),
    ],
)
def test_any_other_value_is_refused_with_its_name_and_what_would_be_right(check, right, wrong):
    for value in wrong:
        with pytest.raises(ArgumentError) as error:
            check("x", value)
        assert str(error.value) == f"x must be {right}. Received: x={value!r}."


def test_the_bounds_of_an_integer_are_inclusive():
    assert checks.integer("n", np.int64(1), at_least=1) == 1
    assert checks.integer("n", 9, at_least=1, at_most=9) == 9
    assert type(checks.integer("n", np.int64(1), at_least=1)) is int
    for value in (0, 1.0, True, "1"):
        with pytest.raises(ArgumentError) as error:
            checks.integer("n", value, at_least=1)
        assert str(error.value) == f"n must be an integer >= 1. Received: n={value!r}."
    with pytest.raises(ArgumentError) as error:
        checks.integer("seed", 2**32, at_least=0, at_most=2**32 - 1)
    assert str(error.value) == (
        "seed must be an integer from 0 to 4294967295. Received: seed=4294967296."
    )


def test_a_choice_is_one_of_the_names():
    assert checks.one_of("score", "last", ("last", "best")) == "last"
    assert checks.one_of("--to", "csv", {"csv": 1, "optuna": 2}) == "csv"
    for value in ("LAST", "", None, 1, ["last"]):
        with pytest.raises(ArgumentError) as error:
            checks.one_of("score", value, ("last", "best"))
        assert str(error.value) == f"score must be one of last, best. Received: score={value!r}."
