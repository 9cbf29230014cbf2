"""What an argument may be: each function returns the plain value, or raises an ArgumentError."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from lrtune.errors import ArgumentError

FLOAT32_TINY = float(np.finfo(np.float32).tiny)
FLOAT32_MAX = float(np.finfo(np.float32).max)


def learning_rate(argument: str, value: Any) -> float:
    """A learning rate > 0 that float32, the type optimizers compute in, can hold."""
    number = _number(value)
    if FLOAT32_TINY <= number <= FLOAT32_MAX:
        return number
    raise _error(argument, value, "a number > 0 that float32 can hold (1.2e-38 to 3.4e38)")


def positive(argument: str, value: Any) -> float:
    """A finite number > 0."""
    number = _number(value)
    if 0 < number < math.inf:
        return number
    raise _error(argument, value, "a finite number > 0")


def non_negative(argument: str, value: Any) -> float:
    """A finite number >= 0."""
    number = _number(value)
    if 0 <= number < math.inf:
        return number
    raise _error(argument, value, "a finite number >= 0")


def fraction(argument: str, value: Any) -> float:
    """A number > 0 and <= 1."""
    number = _number(value)
    if 0 < number <= 1:
        return number
    raise _error(argument, value, "a number > 0 and <= 1")


def below_one(argument: str, value: Any) -> float:
    """A number >= 0 and < 1."""
    number = _number(value)
    if 0 <= number < 1:
        return number
    raise _error(argument, value, "a number >= 0 and < 1")


def boolean(argument: str, value: Any) -> bool:
    """True or False, and nothing that merely counts as one of them."""
    if isinstance(value, (bool, np.bool_)):
        return bool(value)
    raise _error(argument, value, "True or False")


def integer(argument: str, value: Any, *, at_least: int) -> int:
    """An int (Python's or NumPy's, no bool, no float) >= `at_least`."""
    if isinstance(value, (int, np.integer)) and not isinstance(value, bool) and value >= at_least:
        return int(value)
    raise _error(argument, value, f"an integer >= {at_least}")


def _number(value: Any) -> float:
    """`value` as a float; NaN, which no comparison accepts, if it is no real number."""
    # NOTE: bool is an int to Python, but lr0=True is a slip of the user's, not a rate of 1.
    if isinstance(value, (bool, np.bool_)) or not isinstance(
        value, (int, float, np.integer, np.floating)
    ):
        return math.nan
    try:
        return float(value)
    except OverflowError:  # an int past float64's range
        return math.nan


def _error(argument: str, value: Any, right: str) -> ArgumentError:
    return ArgumentError(f"{argument} must be {right}. Received: {argument}={value!r}.")
