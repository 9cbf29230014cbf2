"""The table of trials, whose columns terminal and page share, and the trials without a rank."""

from __future__ import annotations

import math
import shlex
from typing import TYPE_CHECKING

import pandas as pd

from lrtune._util.listing import some
from lrtune.report.grid import Column, Section, numbers
from lrtune.report.majority import majority
from lrtune.report.words import NOTHING, brief, count, duration, fixed, reason
from lrtune.schedules.optimizers import MOMENTUM, OPTIMIZERS
from lrtune.stats.ranking import RUNNING

if TYPE_CHECKING:
    from lrtune.records.reader import RunRecords
    from lrtune.report.build import Report
    from lrtune.stats.baseline import Baseline

UNKNOWN = "unknown"
"""The family of a trial that does not name one."""

UNSURE = "unsure"
"""Said of a lead outside the noise of one training, but not outside that of the best of all."""

MOST = 8
"""How many trials a line names."""

MOST_REASONS = 3
"""How many different reasons a line names."""


TOP = 10
"""How many of the best trials a report lists at most, unless it was asked for another number."""


EXPLAINED = ("momentum", "score", "delta", "noise")
"""Columns whose meaning stands below the table, where it is more than the name says."""


def trials_section(report: Report, top: int | None = None) -> Section:
    """The best trials of the full budget; `top` is how many, unless the report says it."""
    top = report.top or top or TOP
    title = f"Trials of {count(report.records.manifest.max_epochs, 'epoch')}"
    ranked = report.ranked
    trials, hidden = ranked.head(top), len(ranked) - top
    if trials.empty:
        return Section(title)
    columns = trial_columns(report, trials)
    del columns["status"]
    if report.confirmation and not report.details:  # it says more about noise than one run does
        columns.pop("noise", None)
    more = f"and {count(hidden, 'more trial')}" if hidden > 0 else ""
    explained = [columns[name] for name in EXPLAINED if name in columns]
    about = (f"{column.name}: {column.about}" for column in explained if column.about)
    legend = more, "; ".join(about)
    return Section(
        title,
        columns=tuple(columns.values()),
        best=frozenset(number for number, rank in enumerate(trials["rank"]) if rank == 1),
        legend=tuple(filter(None, legend)),
    )


def unranked_section(report: Report) -> Section:
    """The trials without a rank: a kind and which these are, ("diverged", "0006: a reason")."""
    unranked = report.trials[report.trials["rank"].isna()]
    by_status = dict(list(unranked.groupby("status", sort=False)))
    shorter = by_status.pop("completed", unranked[:0]).groupby("budget", sort=False)
    pairs = [
        (count(int(budget), "epoch"), _best_of(trials, report.records, report.places))
        for budget, trials in shorter
    ]
    for status, trials in by_status.items():  # diverged, failed, running: the ranking's order
        if status == RUNNING:
            pairs.append(("unfinished", f"{_ids(trials)} (still running or stopped)"))
        else:
            pairs.append((status, _reasons(trials)))
    notes = []
    if "failed" in by_status:
        first = by_status["failed"]["trial_id"].iloc[0]
        command = f"lrtune show {shlex.quote(str(report.records.folder))} {first} --as error"
        notes.append(f"`{command}` prints the whole traceback")
    return Section("Not in the ranking", pairs=tuple(pairs), notes=tuple(notes))


def families(trials: pd.DataFrame) -> list[str]:
    """The schedule family of each trial; `UNKNOWN` where it names none."""
    named: list[str] = trials["schedule"].fillna("").replace("", UNKNOWN).tolist()
    return named


def trial_columns(report: Report, trials: pd.DataFrame) -> dict[str, Column]:
    """The columns that have something to say, by name, in the terminal's order.

    Args:
        report: of the run.
        trials: rows of `report.trials` to show.

    Returns:
        "rank", "trial", "schedule" (the family; its parameters are the remarks), "lr0", "score",
        "status" and "time" always; "momentum" and "own values" where a trial has any; "epochs"
        where a trial did not train the full budget; "delta" with a baseline, and "noise" where the
        baseline's spread is known.
    """
    places, baseline, manifest = report.places, report.baseline, report.records.manifest
    order = tuple("" if math.isnan(one) else f"{one:.4g}" for one in trials["total_seconds"])
    parameters = tuple(trials["parameters"].fillna(""))
    columns = [
        numbers("rank", _whole(trials["rank"]), "among trials of the full budget"),
        Column("trial", tuple(trials["trial_id"])),
        Column("schedule", tuple(families(trials)), least=20, remarks=parameters),
        numbers("lr0", map(brief, trials["lr0"]), "initial learning rate"),
    ]
    if trials["momentum"].notna().any():
        about = _momentum(manifest.optimizer)
        columns.append(numbers("momentum", map(brief, trials["momentum"]), about))
    if (own := tuple(trials["own"].fillna(""))) and any(own):
        about = "the model's own hyperparameters and the batch size, where these are searched"
        columns.append(Column("own values", own, least=16, optional=True, about=about))
    if (trials["epochs"].dropna() != manifest.max_epochs).any():
        about = "including those of the trials it continues"
        columns.append(numbers("epochs", _whole(trials["epochs"]), about))
    same = majority(trials["score"], manifest.data, manifest.objective, places)
    columns.append(numbers("score", (fixed(score, places) for score in trials["score"]), same))
    if baseline is not None:
        deltas = (fixed(delta, places, sign=True) for delta in trials["delta"])
        about = f"how much better than {baseline.reference.name}"
        columns.append(numbers("delta", deltas, about))
    if baseline is not None and not math.isnan(baseline.spread):
        columns.append(_noise_column(trials, baseline, len(report.ranked), places))
    times = tuple(map(duration, trials["total_seconds"]))
    columns.append(Column("status", tuple(trials["status"])))
    columns.append(Column("time", times, right=True, optional=True, order=order))
    return {column.name: column for column in columns}


def _momentum(optimizer: str) -> str:
    """What an optimizer calls its momentum, if it is not that."""
    kind = OPTIMIZERS.get(optimizer)
    called = [one.parameter for one in kind.searched if one.parameter in MOMENTUM] if kind else []
    return f"{called[0]} of {optimizer}" if called and called != ["momentum"] else ""


def _noise_column(trials: pd.DataFrame, baseline: Baseline, full: int, places: int) -> Column:
    """Whether each trial lies within the noise of one baseline run, or of the best of as many."""
    cells = []
    for delta, within in zip(trials["delta"], trials["within_noise"], strict=True):
        if pd.isna(within):
            cells.append(NOTHING)
        elif within:
            cells.append("within")
        else:
            lucky = delta > 0 and not baseline.beaten_by_best(delta, full)
            cells.append(UNSURE if lucky else "outside")
    about = f"95 % of single baseline runs fall within ±{fixed(baseline.spread, places)}"
    if UNSURE in cells:
        bound = fixed(baseline.spread_of_best(full), places)
        about += f"; {UNSURE}: outside, but chance alone can give the best of {full:,} +{bound}"
    return Column("noise", tuple(cells), least=len("outside"), about=about)


def _whole(column: pd.Series[int]) -> list[str]:
    cells: list[str] = column.astype("string").fillna(NOTHING).tolist()
    return cells


def _best_of(trials: pd.DataFrame, records: RunRecords, places: int) -> str:
    best = records.by_id[trials["trial_id"].iloc[0]]
    score = f"{records.manifest.objective} {fixed(trials['score'].iloc[0], places)}"
    only = "" if len(trials) == 1 else ", best"
    schedule = best.recipe.schedule_text
    return f"{count(len(trials), 'trial')}{only}: {best.trial_id} {schedule}, {score}"


def _reasons(trials: pd.DataFrame) -> str:
    """The trials by reason, the most common one first."""
    reasons = trials["message"].map(reason, na_action=None)
    common = reasons.value_counts()
    named = [f"{_ids(trials[reasons == one])}: {one}" for one in common.index[:MOST_REASONS]]
    others = int(common[MOST_REASONS:].sum())
    if others:
        named.append(f"{count(others, 'trial')} for other reasons")
    return "; ".join(named)


def _ids(trials: pd.DataFrame) -> str:
    return some(trials["trial_id"], MOST)
