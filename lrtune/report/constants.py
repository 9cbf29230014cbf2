"""Constant rates that did as well as a schedule: every verdict names them.

A verdict compares with one constant rate, the reference. Where another one has as good a mean as
the best schedule, nothing is gained by a schedule, whatever the reference scored.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lrtune.records.schema import TUNED_ARMS
from lrtune.report.words import fixed
from lrtune.schedules.constant import CONSTANT
from lrtune.stats.winner import Direction

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lrtune.stats.baseline import Arm, Baseline
    from lrtune.stats.comparison import ArmSummary
    from lrtune.stats.confirmation import Confirmed


def is_tuned(arm: str) -> bool:
    """Whether a constant rate was searched for: "constant-tuned", or another one of that search."""
    return arm in TUNED_ARMS


def constants_as_good(baseline: Baseline, score: float, direction: str) -> list[Arm]:
    """The arms of a baseline whose mean is at least as good as a score, the best first.

    Args:
        baseline: of the search.
        score: of a trial; a NaN is as good as nothing.
        direction: "max" if higher scores are better, "min" if lower ones are.
    """
    found = Direction(direction)
    good = [arm for arm in baseline.arms if found.gain(arm.mean, score) >= 0]
    return sorted(good, key=lambda arm: -found.sign * arm.mean)


def better_than_reference(baseline: Baseline, direction: str, places: int) -> str:
    """A sentence that names the other constant rates with a better mean; else empty."""
    mean = baseline.reference.mean
    better = [one for one in constants_as_good(baseline, mean, direction) if one.mean != mean]
    if not better:
        return ""
    rates = "Another constant rate" if len(better) == 1 else "Other constant rates"
    fewer = all(one.n < baseline.reference.n for one in better)
    seeds = ", with fewer seeds" if fewer else ""
    name = baseline.reference.name
    return f"{rates} did better than {name}{seeds}: {_named(better, places)}."


def confirmed_as_good(confirmed: Confirmed, arm: str) -> list[ArmSummary]:
    """The other constant rates of a confirmation with at least as good a mean, the best first.

    Args:
        confirmed: as `measure_confirmation` returns it.
        arm: name of the arm to compare with; a constant rate has no such rivals.

    Returns:
        Only arms that were tested, not the one that all are compared with.
    """
    if _is_constant(confirmed, arm):
        return []
    direction = Direction(confirmed.comparison.direction)
    means = {one.name: one.mean for one in confirmed.comparison.arms}
    good = [one for one in _constants(confirmed) if direction.gain(one.mean, means[arm]) >= 0]
    return sorted(good, key=lambda one: -direction.sign * one.mean)


def confirmed_too(confirmed: Confirmed, arm: str, rival: str, places: int) -> str:
    """A sentence that names the constant rates that beat the baseline as the arm does."""
    better = {one.arm for one in confirmed.comparison.differences if one.verdict == "better"}
    if _is_constant(confirmed, arm):
        return ""
    found = [one for one in _constants(confirmed) if one.name in better]
    if not found:
        return ""
    beat = "rate {} beats" if len(found) == 1 else "rates {} beat"
    return f"The constant {beat.format(_named(found, places))} {rival}, too."


def _constants(confirmed: Confirmed) -> list[ArmSummary]:
    tested = {one.arm for one in confirmed.comparison.differences if one.verdict != "untested"}
    return [
        one
        for one in confirmed.comparison.arms
        if one.name in tested and _is_constant(confirmed, one.name)
    ]


def _is_constant(confirmed: Confirmed, arm: str) -> bool:
    return confirmed.manifest.arms[arm].get("schedule") == CONSTANT


def _named(arms: Iterable[Arm | ArmSummary], places: int) -> str:
    return " and ".join(f"{one.name} ({fixed(one.mean, places)})" for one in arms)
