"""Numbers and messages as text, the same in every kind of report."""

from __future__ import annotations

import math
import re
import statistics
from typing import TYPE_CHECKING

from lrtune._util.failures import summary_of
from lrtune._util.printable import printable

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lrtune.stats.baseline import Arm

DIGITS = 4
"""Significant digits of a typical score: 0.7125, 2.041, 153.8."""

NOTHING = "-"
"""Shown for an unknown number."""

NO_BREAK = "\N{NO-BREAK SPACE}"
"""Keeps words on one line; printed as a normal space."""


def unbroken(text: str) -> str:
    """Printable text whose unbreakable blanks still keep words on one line, as does "95 %"."""
    words = NO_BREAK.join(map(printable, text.split(NO_BREAK)))
    return re.sub(r"(\d) %", rf"\1{NO_BREAK}%", words)


def decimals(scores: Iterable[float]) -> int:
    """How many decimals show a run's scores with about `DIGITS` significant digits, 0 to 12.

    A whole report uses one number of decimals, so that its scores line up and compare at a glance.
    """
    sizes = [abs(score) for score in scores if math.isfinite(score) and score]
    if not sizes:
        return DIGITS
    # NOTE: the median, so that one trial with a loss of 1e30 does not change the decimals of all.
    size = statistics.median(sizes)
    return min(max(DIGITS - 1 - math.floor(math.log10(size)), 0), 12)


def fixed(number: float, places: int, *, sign: bool = False) -> str:
    """The number with `places` decimals; with an exponent if too long; `NOTHING` for NaN."""
    if math.isnan(number):
        return NOTHING
    plus = "+" if sign else ""
    text = f"{number:{plus}.{places}f}"
    return text if len(text) <= 12 else f"{number:{plus}.3g}"


def brief(number: float) -> str:
    """The number to three significant digits; `NOTHING` for NaN."""
    return NOTHING if math.isnan(number) else f"{number:.3g}"


def duration(seconds: float) -> str:
    """Seconds in six characters or fewer, in the usual unit: "4.2 s", "17 min", "2.5 h"."""
    if math.isnan(seconds):
        return NOTHING
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    if seconds < 999.5:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 100 * 60 else f"{seconds / 3600:.1f} h"


def mean_and_std(arm: Arm, places: int) -> str:
    """An arm's score in words: "0.6810 ± 0.0042 over 3 seeds", or "0.6810 with 1 seed"."""
    mean = fixed(arm.mean, places)
    if arm.n == 1:
        return f"{mean} with 1 seed"
    return f"{mean} ± {fixed(arm.std, places)} over {arm.n} seeds"


def interval(lower: float, upper: float, places: int) -> str:
    """An interval as "[0.7064, 0.7132]", which stays on one line."""
    return f"[{fixed(lower, places)},{NO_BREAK}{fixed(upper, places)}]"


def p_text(p: float) -> str:
    """A p-value to two significant digits; `NOTHING` for NaN."""
    if math.isnan(p):
        return NOTHING
    return "<0.001" if p < 0.001 else f"{p:.2g}"


def count(number: int, noun: str) -> str:
    """A number and its noun: "1 trial", "1,000 trials"."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def reason(message: str | None, most: int = 160) -> str:
    """What a recorded message says in one line, `most` characters long at most."""
    line = summary_of(message) or "no message"
    return line if len(line) <= most else f"{line[: most - 3].rstrip()}..."
