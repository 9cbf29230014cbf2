"""Every bad value of every parameter of every family gets an error that says what is wrong."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest

from lrtune.errors import ArgumentError
from lrtune.schedules import Constant, Warmup
from tests.schedules.cases import SAMPLE

INF, NAN = math.inf, math.nan
ABOVE_1 = math.nextafter(1, 2)
# No numbers, or none that a parameter could be. True is an int in Python, and no rate of 1.
NO_NUMBERS = [
    NAN, INF, -INF, "", "0.5", b"1", None, True, False, np.bool_(1), [], [0.5], (), (0.5,), {},
    {"a": 1}, 1j, np.array([0.5]), np.array(0.5), object, 10**400, -(10**400), np.float64("nan"),
]  # fmt: skip
NEGATIVE = [-1, -0.5, -5e-324, -1e308, np.float32(-1)]

# What an error says would be right, and values that are wrong beside those without a number.
DOMAINS = {
    "rate": (
        "a number > 0 that float32 can hold (1.2e-38 to 3.4e38)",
        [0, -0.0, 5e-324, 1e-40, 1e39, *NEGATIVE],
    ),
    "positive": ("a finite number > 0", [0, 0.0, -0.0, *NEGATIVE]),
    "negative": ("a finite number < 0", [0, 0.0, -0.0, 5e-324, 1]),
    "non-negative": ("a finite number >= 0", NEGATIVE),
    "fraction": ("a number > 0 and <= 1", [0, -0.0, ABOVE_1, 2, *NEGATIVE]),
    "proper fraction": ("a number > 0 and < 1", [0, -0.0, 1, 1.0, 2, *NEGATIVE]),
    "share": ("a number from 0 to 1", [ABOVE_1, 2, *NEGATIVE]),
    "at least 1": ("a finite number >= 1", [0, 0.5, math.nextafter(1, 0), *NEGATIVE]),
    "multiple": ("a number from 1 to 10,000", [0, 0.5, math.nextafter(1, 0), 10_001, *NEGATIVE]),
    "count": ("an integer >= 1", [0, 1.0, 2.5, np.float64(2), *NEGATIVE]),
    "boolean": ("True or False", [0, 1, 0.0, np.int64(1), *NEGATIVE]),
    "mode": ("one of even, halving, exponential", ["Even", "even ", "linear", 0, 1]),
    "shape": ("one of linear, sqrt, cosine", ["1-sqrt", "Linear", "even", 0, 1]),
    "annealing": ("one of cosine, linear", ["cos", "sqrt", 0, 1]),
    "boundaries": (
        "a tuple of finite numbers > 0, each greater than the one before",
        [5, 0.5, (0,), (1, 1), (2, 1), (1, NAN), (1, INF), (-1, 2), ("1",), (1, None), (True,),
         {1, 2}, ((1, 2),)],
    ),
    "knots": (
        "a tuple of at least two numbers > 0 and <= 1",
        [5, (1,), (0, 1), (1, ABOVE_1), (1, NAN), (0.5, -0.5), ("a", "b"), (True, True), "11",
         {0.5, 1}],
    ),
}  # fmt: skip
ALSO_RIGHT = {
    "boolean": [True, False, np.bool_(1)],
    "boundaries": [[0.5], (0.5,)],
    "count": [10**400],
}
DOMAIN_OF = {
    "lr0": "rate",
    "per_step": "boolean",
    **dict.fromkeys(["k", "min_delta"], "non-negative"),
    **dict.fromkeys(
        ["power", "epochs", "epochs_drop", "first_cycle", "half_cycle", "steepness", "upper"],
        "positive",
    ),
    "lower": "negative",
    **dict.fromkeys(["drop", "gamma", "peak_decay", "factor"], "fraction"),
    "peak": "proper fraction",
    **dict.fromkeys(["end", "center", "dip", "decay", "start"], "share"),
    **dict.fromkeys(["multiplier", "ratio", "div", "final", "stretch"], "at least 1"),
    "patience": "count",
    **{name: name for name in ("mode", "shape", "annealing", "boundaries", "knots")},
    ("warmup", "epochs"): "non-negative",
    ("compressed", "factor"): "multiple",
    ("inverse_sqrt", "warmup"): "positive",
    ("warmup_stable_decay", "warmup"): "share",
}
PARAMETERS = [
    (family, field.name)
    for family, schedule in SAMPLE.items()
    for field in dataclasses.fields(schedule)
    if field.init and field.name != "then"
]


@pytest.mark.parametrize(("family", "parameter"), PARAMETERS)
def test_a_bad_value_is_refused_by_name_with_its_domain(family, parameter):
    domain = DOMAIN_OF.get((family, parameter)) or DOMAIN_OF[parameter]
    right, wrong = DOMAINS[domain]
    fine = ALSO_RIGHT.get(domain, [])
    for value in [*NO_NUMBERS, *wrong]:
        if any(value is one or (type(value) is type(one) and value == one) for one in fine):
            continue
        with pytest.raises(ArgumentError) as error:
            dataclasses.replace(SAMPLE[family], **{parameter: value})
        assert str(error.value) == f"{parameter} must be {right}. Received: {parameter}={value!r}."


EDGES = {
    "rate": [1, 2.0**-126, 3.4e38, np.float32(0.1)],
    "positive": [1, 5e-324, 1e308, np.float64(2)],
    "negative": [-1, -5e-324, -1e308],
    "non-negative": [0, -0.0, 1, 5e-324, 1e308],
    "fraction": [1, 1.0, 5e-324, np.float32(0.5)],
    "proper fraction": [5e-324, math.nextafter(1, 0)],
    "share": [0, 1, -0.0, 5e-324],
    "at least 1": [1, 1.0, 1e308],
    "multiple": [1, 1.0, 10_000, np.float64(27 / 17)],
    "count": [1, np.int64(7), 10**9],
    "boolean": [True, False, np.bool_(0)],
    "mode": ["even", "halving", "exponential"],
    "shape": ["linear", "sqrt", "cosine"],
    "annealing": ["cosine", "linear"],
    "boundaries": [(1,), [1, 2.5], (5e-324, 1e308)],
    "knots": [(1, 1), [0.5, 5e-324], (np.float32(0.5), 1)],
}


@pytest.mark.parametrize(("family", "parameter"), PARAMETERS)
def test_the_edges_of_a_domain_belong_to_it(family, parameter):
    for value in EDGES[DOMAIN_OF.get((family, parameter)) or DOMAIN_OF[parameter]]:
        schedule = dataclasses.replace(SAMPLE[family], **{parameter: value})
        stored = getattr(schedule, parameter)
        assert stored == (tuple(value) if isinstance(value, list) else value)
        # Plain values of Python, so that a config is JSON and a schedule can be hashed.
        for one in stored if isinstance(stored, tuple) else (stored,):
            assert type(one) in (float, int, bool, str)


def test_every_parameter_has_a_domain_in_its_class():
    for family, parameter in PARAMETERS:
        assert parameter in {"lr0", "per_step"} | set(type(SAMPLE[family]).domains)


@pytest.mark.parametrize("then", [None, 0.1, "cosine", True, [], Constant])
def test_what_follows_a_warmup_must_be_a_schedule(then):
    with pytest.raises(ArgumentError) as error:
        Warmup(then, 5)
    assert str(error.value) == (
        "then must be a schedule without a warmup of this kind, or its config. "
        f"Received: then={then!r}."
    )


@pytest.mark.parametrize("lr0", [NAN, -1, 1e39])
def test_the_rate_of_what_follows_a_warmup_is_checked_too(lr0):
    with pytest.raises(ArgumentError, match=r"^lr0 must be a number > 0 "):
        Warmup({"name": "constant", "lr0": lr0}, 5)
