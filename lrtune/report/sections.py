"""The parts of a report, described once: the terminal and the page only lay them out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lrtune.report.confirmation import arm_columns, arm_verdicts, describe, legend, remarks
from lrtune.report.costs import TIME, cost_columns, cost_remark, progress
from lrtune.report.details import LEGEND, curve_columns, importance_pairs
from lrtune.report.trials import listed, trial_columns
from lrtune.report.words import count

if TYPE_CHECKING:
    from lrtune.report.build import Report
    from lrtune.report.grid import Column

    Pairs = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Section:
    """One part of a report; all of its parts may be empty.

    Attributes:
        title: its heading.
        about: sentences that introduce it.
        columns: a table.
        best: numbers of the table's rows, from 0, that stand out.
        legend: how to read the table, a line each.
        pairs: names, and words about each.
        notes: what else to know, a line each.
    """

    title: str
    about: tuple[str, ...] = ()
    columns: tuple[Column, ...] = ()
    best: frozenset[int] = frozenset()
    legend: tuple[str, ...] = ()
    pairs: Pairs = ()
    notes: tuple[str, ...] = ()


def build_sections(report: Report) -> dict[str, Section]:
    """The sections of a report by name, in their order in the terminal.

    Returns:
        Those that have something to say: "baseline" always; "trials", "unranked", "cost",
        "progress", "importance", "curves" and "confirmation" where there is any of it.
    """
    found = {
        "baseline": _baseline(report),
        "trials": _trials(report),
        "unranked": Section("Not in the ranking", pairs=report.unranked),
        "cost": _cost(report),
        "progress": _progress(report),
        "importance": _importance(report),
        "curves": Section(
            "Tuning curve: the best of n trials",
            columns=curve_columns(report.curves, report.places),
        ),
        "confirmation": _confirmation(report),
    }
    return {
        name: section
        for name, section in found.items()
        if section.about or section.columns or section.pairs
    }


def _baseline(report: Report) -> Section:
    if not report.arms:
        nothing = "None: this run has no constant learning rate to compare with."
        return Section("Baseline", about=(nothing,))
    return Section("Baseline", pairs=report.arms, notes=(report.tuning,))


def _trials(report: Report) -> Section:
    title = f"Trials of {count(report.manifest.max_epochs, 'epoch')}"
    trials, hidden = listed(report)
    if trials.empty:
        return Section(title)
    columns = trial_columns(report, trials)
    explained = [columns[name] for name in ("delta", "noise") if name in columns]
    more = f"and {count(hidden, 'more trial')}" if hidden else ""
    meanings = "; ".join(f"{column.name}: {column.about}" for column in explained)
    return Section(
        title,
        columns=tuple(column for name, column in columns.items() if name != "status"),
        best=frozenset(number for number, rank in enumerate(trials["rank"]) if rank == 1),
        legend=tuple(line for line in (more, meanings) if line),
    )


def _cost(report: Report) -> Section:
    if not report.cost.total.trials:
        return Section("Cost")
    remark = cost_remark(report.cost)
    legend = (TIME, remark) if remark else (TIME,)
    return Section("Cost", columns=cost_columns(report.cost), legend=legend)


def _progress(report: Report) -> Section:
    hint = "`lrtune report --details` adds which hyperparameters mattered, and tuning curves"
    notes = () if report.importances else (hint,)
    return Section("Progress", pairs=progress(report), notes=notes)


def _importance(report: Report) -> Section:
    found = report.importances
    if found is None:
        return Section("Importance")
    return Section(
        f"Importance (trials of {count(found.budget, 'epoch')})",
        pairs=importance_pairs(found),
        notes=(LEGEND,) if found.overall.shares else (),
    )


def _confirmation(report: Report) -> Section:
    confirmed = report.confirmation
    if confirmed is None:
        return Section("Confirmation")
    return Section(
        "Confirmation",
        about=describe(confirmed),
        columns=arm_columns(confirmed, report.places),
        legend=(legend(confirmed, report.manifest),),
        pairs=arm_verdicts(confirmed, report.places),
        notes=remarks(confirmed),
    )
