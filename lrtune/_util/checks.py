"""Checks of arguments: each returns the plain value or raises an ArgumentError.

The message names the argument, says which values are right and shows the value received. An option
of the command line is an argument too: `checks.integer("--workers", workers, at_least=1)`.
"""

from __future__ import annotations

import math
import os
from contextlib import contextmanager
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any, NoReturn

from lrtune.errors import ArgumentError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

FLOAT32_TINY = 2.0**-126
"""The smallest normal float32."""

FLOAT32_MAX = (2.0 - 2.0**-23) * 2.0**127


def learning_rate(argument: str, value: Any) -> float:
    """A learning rate > 0 that float32, the type optimizers compute in, can hold."""
    number = _number(value)
    valid = FLOAT32_TINY <= number <= FLOAT32_MAX
    right = "a number > 0 that float32 can hold (1.2e-38 to 3.4e38)"
    return number if valid else _refuse(argument, value, right)


def finite(argument: str, value: Any) -> float:
    """A finite number."""
    number = _number(value)
    return number if math.isfinite(number) else _refuse(argument, value, "a finite number")


def positive(argument: str, value: Any) -> float:
    """A finite number > 0."""
    number = _number(value)
    return number if 0 < number < math.inf else _refuse(argument, value, "a finite number > 0")


def non_negative(argument: str, value: Any) -> float:
    """A finite number >= 0."""
    number = _number(value)
    return number if 0 <= number < math.inf else _refuse(argument, value, "a finite number >= 0")


def fraction(argument: str, value: Any) -> float:
    """A number > 0 and <= 1."""
    number = _number(value)
    return number if 0 < number <= 1 else _refuse(argument, value, "a number > 0 and <= 1")


def negative(argument: str, value: Any) -> float:
    """A finite number < 0."""
    number = _number(value)
    return number if -math.inf < number < 0 else _refuse(argument, value, "a finite number < 0")


def at_least_one(argument: str, value: Any) -> float:
    """A finite number >= 1."""
    number = _number(value)
    return number if 1 <= number < math.inf else _refuse(argument, value, "a finite number >= 1")


def multiple(argument: str, value: Any) -> float:
    """A number from 1 to 10,000."""
    number = _number(value)
    return number if 1 <= number <= 1e4 else _refuse(argument, value, "a number from 1 to 10,000")


def share(argument: str, value: Any) -> float:
    """A number from 0 to 1."""
    number = _number(value)
    return number if 0 <= number <= 1 else _refuse(argument, value, "a number from 0 to 1")


def fractions(argument: str, value: Any) -> tuple[float, ...]:
    """At least two numbers > 0 and <= 1."""
    numbers = _numbers(value)
    valid = len(numbers) > 1 and all(0 < number <= 1 for number in numbers)
    right = "a tuple of at least two numbers > 0 and <= 1"
    return numbers if valid else _refuse(argument, value, right)


def rising(argument: str, value: Any) -> tuple[float, ...]:
    """At least one finite number > 0, each greater than the one before."""
    numbers = _numbers(value)
    pairs = zip((0.0, *numbers), (*numbers, math.inf), strict=True)
    valid = len(numbers) > 0 and all(left < right for left, right in pairs)
    right = "a tuple of finite numbers > 0, each greater than the one before"
    return numbers if valid else _refuse(argument, value, right)


def proper_fraction(argument: str, value: Any) -> float:
    """A number > 0 and < 1."""
    number = _number(value)
    return number if 0 < number < 1 else _refuse(argument, value, "a number > 0 and < 1")


def below_one(argument: str, value: Any) -> float:
    """A number >= 0 and < 1."""
    number = _number(value)
    return number if 0 <= number < 1 else _refuse(argument, value, "a number >= 0 and < 1")


def boolean(argument: str, value: Any) -> bool:
    """True or False; nothing else, even if Python would convert it."""
    if _is_boolean(value):
        return bool(value)
    return _refuse(argument, value, "True or False")


def integer(argument: str, value: Any, *, at_least: int, at_most: int | None = None) -> int:
    """An int (Python's or NumPy's, no bool, no float) within these bounds, both included."""
    is_int = isinstance(value, Integral) and not isinstance(value, bool)
    if is_int and value >= at_least and (at_most is None or value <= at_most):
        return int(value)
    bounds = f">= {at_least}" if at_most is None else f"from {at_least} to {at_most}"
    return _refuse(argument, value, f"an integer {bounds}")


def one_of(argument: str, value: Any, choices: Collection[str]) -> str:
    """One of these names."""
    known = isinstance(value, str) and value in choices
    return str(value) if known else _refuse(argument, value, f"one of {', '.join(choices)}")


def _number(value: Any) -> float:
    """`value` as a float; NaN, which fails every comparison, if it is not a real number."""
    # NOTE: a bool is an int in Python, but lr0=True is a mistake, not a rate of 1.
    if _is_boolean(value) or not isinstance(value, Real):
        return math.nan
    try:
        return float(value)
    except OverflowError:  # an int past float64's range
        return math.nan


def _numbers(value: Any) -> tuple[float, ...]:
    """`value` as a tuple of floats, NaN for what is no real number; empty if it is no sequence."""
    return tuple(map(_number, value)) if isinstance(value, list | tuple) else ()


def _is_boolean(value: Any) -> bool:
    # NOTE: by its name, because importing NumPy would slow `--help` down.
    return isinstance(value, bool) or type(value).__name__ in ("bool", "bool_")


def _refuse(argument: str, value: Any, right: str) -> NoReturn:
    # After a flag of the command line the value alone is clearer.
    named = argument.isidentifier() or "[" in argument
    received = f"{argument}={value!r}" if named else f"{value}"
    raise ArgumentError(f"{argument} must be {right}. Received: {received}.")


@contextmanager
def writable(
    name: str, what: str, path: str | os.PathLike[str], *, also: type[Exception] = OSError
) -> Iterator[None]:
    """Within the block, a file or folder that cannot be written is an error of this argument.

    Args:
        name: of the argument.
        what: it should be: "a file that can be written".
        path: what it is.
        also: an error of the block that means the same as OSError: ValueError, which Python raises
            for a name with a zero byte in it.

    Raises:
        ArgumentError: the block raised one of these.
    """
    try:
        yield
    except (OSError, also) as error:
        raise ArgumentError(
            f"{name} must be {what}. Received: {os.fspath(path)!r} "
            f"({getattr(error, 'strerror', None) or error})."
        ) from error
