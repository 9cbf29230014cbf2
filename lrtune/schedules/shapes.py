"""Pieces of formulas that several families share; `xp` is `numpy` or `keras.ops`."""

from __future__ import annotations

import math
import sys
from typing import Any

ROUNDING = 1.0 + 2.0**-50
"""Factor for a quotient of times before it is rounded down.

t, a length in epochs and their quotient are each off by at most half a unit in the last place
(2**-53). A quotient that should be a whole number can therefore fall below it: 0.3 / 0.1 is
2.9999999999999996, and the third drop would come a step late. 2**-50 outweighs the three errors.
"""

MOST = 1e308
"""A number of cycles is at most this: the difference of two infinite ones is not a number."""


def in_units_of(epochs: float, t: Any) -> Any:
    """The time t as a multiple of some epochs > 0, though TensorFlow takes 1e-308 for 0."""
    return t / max(epochs, sys.float_info.min)


def fraction_of(t: Any, epochs: float, xp: Any) -> Any:
    """u: how much of the epochs has passed, 0 to 1, and 1 from then on."""
    return xp.clip(in_units_of(epochs, t), 0.0, 1.0)


def blend(height: Any, end: float) -> Any:
    """1 where height is 1, `end` where it is 0, exactly; never above 1."""
    return height + end * (1.0 - height)


def half_cosine(u: Any, xp: Any) -> Any:
    """(1 + cos(pi u)) / 2: from 1 to 0.

    It is computed as the square of a sine, which keeps its digits where it is nearly 0: there
    1 + cos is the difference of nearly equal numbers.
    """
    root = xp.sin(0.5 * math.pi * (1.0 - u))
    return root * root
