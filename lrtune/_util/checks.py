"""What an argument may be: each function returns the plain value, or raises an ArgumentError."""

from __future__ import annotations

import math
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any

from lrtune.errors import ArgumentError

if TYPE_CHECKING:
    from collections.abc import Sequence

FLOAT32_TINY = 2.0**-126
"""The smallest normal float32."""

FLOAT32_MAX = (2.0 - 2.0**-23) * 2.0**127


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
    if _is_boolean(value):
        return bool(value)
    raise _error(argument, value, "True or False")


def integer(argument: str, value: Any, *, at_least: int, at_most: int | None = None) -> int:
    """An int (Python's or NumPy's, no bool, no float) from `at_least` to `at_most`."""
    whole = isinstance(value, Integral) and not isinstance(value, bool)
    if whole and value >= at_least and (at_most is None or value <= at_most):
        return int(value)
    domain = f">= {at_least}" if at_most is None else f"from {at_least} to {at_most}"
    raise _error(argument, value, f"an integer {domain}")


def one_of(argument: str, value: Any, choices: Sequence[str]) -> str:
    """One of these strings."""
    if isinstance(value, str) and value in choices:
        return value
    raise _error(argument, value, f"one of {', '.join(choices)}")


def _number(value: Any) -> float:
    """`value` as a float; NaN, which no comparison accepts, if it is no real number."""
    # NOTE: bool is an int to Python, but lr0=True is a slip of the user's, not a rate of 1.
    if _is_boolean(value) or not isinstance(value, Real):
        return math.nan
    try:
        return float(value)
    except OverflowError:  # an int past float64's range
        return math.nan


def _is_boolean(value: Any) -> bool:
    # NOTE: NumPy's own is not imported for it: `--help` need not wait for NumPy.
    return isinstance(value, bool) or type(value).__name__ in ("bool", "bool_")


def _error(argument: str, value: Any, right: str) -> ArgumentError:
    # A flag of the command line, or words: its value alone says it.
    plain = argument.isidentifier() or "[" in argument
    received = f"{argument}={value!r}" if plain else f"{value}"
    return ArgumentError(f"{argument} must be {right}. Received: {received}.")
