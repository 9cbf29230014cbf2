"""The sections of the terminal's report that are tables of their own: cost, details, comparison."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from lrtune.report.grid import Column, numbers
from lrtune.report.words import NOTHING, count, duration, fixed

if TYPE_CHECKING:
    from lrtune.report.build import Report
    from lrtune.report.confirmation import ArmRow, Confirmation
    from lrtune.report.costs import CostRow, Costs
    from lrtune.report.details import Details
    from lrtune.report.text_page import Page

NO_BREAK = "\N{NO-BREAK SPACE}"
"""Keeps an interval on one line; printed as a plain blank."""


def print_costs(report: Report, page: Page) -> None:
    """What the run cost, what it had when, and when its best trials were as good as the baseline.

    Args:
        report: whose costs to print.
        page: where to.
    """
    costs = report.costs
    if costs.rows:
        page.heading("Cost")
        page.table(cost_columns(costs.rows))
        page.legend("time: of all trainings one by one; with several workers the clock shows less")
        if costs.remark:
            page.legend(costs.remark)
    pace = soon_pairs(costs, report.compared_with, report.places)
    if pace:
        page.heading("How soon")
        page.pairs(pace)
        if report.details is None:
            page.legend("lrtune report --details: what mattered (importance), and tuning curves")


def print_details(details: Details, places: int, page: Page) -> None:
    """Importance and tuning curves.

    Args:
        details: to print.
        places: decimals to show scores with.
        page: where to.
    """
    page.heading(f"Importance, in trials of {count(details.budget, 'epoch')}")
    page.pairs(details.importance)
    if details.legend:
        page.legend(details.legend)
    if not details.curves:
        return
    page.heading("Tuning curve: the best of n trials")
    points = details.curves
    firsts = [
        number == 0 or point.schedule != points[number - 1].schedule
        for number, point in enumerate(points)
    ]
    page.table(
        [
            Column(
                "schedule",
                tuple(
                    point.schedule if first else ""
                    for first, point in zip(firsts, points, strict=True)
                ),
            ),
            numbers("n", [str(point.n) for point in points]),
            numbers("expected", [fixed(point.expected, places) for point in points]),
            numbers("median", [fixed(point.median, places) for point in points]),
            Column(
                "95 % band of the median",
                tuple(_interval(point.lower, point.upper, places) for point in points),
            ),
        ]
    )


def print_confirmation(confirmation: Confirmation, places: int, page: Page) -> None:
    """The comparison on test images.

    Args:
        confirmation: to print.
        places: decimals to show scores with.
        page: where to.
    """
    page.heading("Confirmation")
    for line in confirmation.about:
        page.prose(line, indent=2)
    page.table(arm_columns(confirmation.rows, places))
    page.legend(
        f"difference: how much better than {confirmation.baseline}, seed by seed; []: 95 % "
        "intervals; p: sign-flip test after Holm's correction; best: probability of the best mean; "
        "search: how much better the search's score was"
    )
    page.gap()
    page.pairs(confirmation.verdicts)
    page.gap()
    for remark in confirmation.remarks:
        page.legend(remark)


def cost_columns(rows: tuple[CostRow, ...]) -> list[Column]:
    """What was spent on what, a row a kind of training."""
    return [
        Column("", tuple(f"  {row.what}" if row.part else row.what for row in rows)),
        numbers("trainings", [f"{row.trials:,}" for row in rows]),
        numbers("epochs", [f"{row.epochs:,}" for row in rows]),
        numbers("time", [duration(row.seconds) for row in rows]),
        numbers(
            "share", [NOTHING if math.isnan(row.share) else f"{row.share:.0%}" for row in rows]
        ),
    ]


def soon_pairs(costs: Costs, compared_with: str | None, places: int) -> tuple[tuple[str, str], ...]:
    """How soon the search and its best schedules got where: a name and a sentence each."""
    pairs = [("best so far", costs.so_far)] if costs.so_far else []
    if costs.reached:
        target = f"as good as {compared_with} at its end ({fixed(costs.target, places)})"
        first = ", ".join(
            f"{one.trial_id} {'never' if one.epoch is None else f'in epoch {one.epoch}'}"
            for one in costs.reached
        )
        pairs.append(("time to target", f"{target} for the first time: trial {first}"))
    return tuple(pairs)


def arm_columns(rows: tuple[ArmRow, ...], places: int) -> list[Column]:
    """The arms of a confirmation, a row each."""
    return [
        Column("arm", tuple(row.arm for row in rows)),
        numbers("n", [str(row.n) for row in rows]),
        _breakable(f"mean{NO_BREAK}±{NO_BREAK}std", [_mean(row, places) for row in rows]),
        _breakable("difference", [_difference(row, places) for row in rows]),
        numbers("p", [p_text(row.p) for row in rows]),
        numbers("best", [NOTHING if math.isnan(row.best) else f"{row.best:.2f}" for row in rows]),
        numbers("search", [fixed(row.flattery, places, sign=True) for row in rows]),
    ]


def _breakable(name: str, cells: list[str]) -> Column:
    words = [word for cell in (name, *cells) for word in cell.split(" ")]
    return Column(name, tuple(cells), least=max(map(len, words)))


def _mean(row: ArmRow, places: int) -> str:
    std = "" if math.isnan(row.std) else f"{NO_BREAK}±{NO_BREAK}{fixed(row.std, places)}"
    return _with_interval(f"{fixed(row.mean, places)}{std}", row.lower, row.upper, places)


def _difference(row: ArmRow, places: int) -> str:
    mean = fixed(row.difference, places, sign=True)
    return _with_interval(mean, row.difference_lower, row.difference_upper, places)


def _with_interval(text: str, lower: float, upper: float, places: int) -> str:
    return text if math.isnan(lower) else f"{text} {_interval(lower, upper, places)}"


def _interval(lower: float, upper: float, places: int) -> str:
    return f"[{fixed(lower, places)},{NO_BREAK}{fixed(upper, places)}]"


def p_text(p: float) -> str:
    """A p-value to two digits; a dash where there is none."""
    if math.isnan(p):
        return NOTHING
    return "<0.001" if p < 0.001 else f"{p:.2g}"
