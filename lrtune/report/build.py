"""Everything a report says, as one value; the terminal and other forms only lay it out."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import TYPE_CHECKING, Any

from lrtune._util.printable import printable
from lrtune.errors import ArgumentError, LrtuneError
from lrtune.records.schema import STATUSES
from lrtune.report.apart import list_apart
from lrtune.report.baseline import arm_lines, tuning
from lrtune.report.costs import build_costs
from lrtune.report.verdict import judge
from lrtune.report.words import NOTHING, count, decimals
from lrtune.stats.baseline import measure_baseline
from lrtune.stats.cost import measure_cost
from lrtune.stats.ranking import RUNNING, rank
from lrtune.stats.winner import Direction, best_trial

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping

    import pandas as pd

    from lrtune.records.reader import RunRecords
    from lrtune.records.schema import Manifest
    from lrtune.report.confirmation import Confirmation
    from lrtune.report.costs import Costs
    from lrtune.report.details import Details
    from lrtune.stats.baseline import Baseline
    from lrtune.stats.confirmation import Confirmed

TARGETS = 5
"""How many of the best trials are told about by when they reached the baseline."""

SYNTHETIC = (
    "SYNTHETIC DATA: the images were drawn by lrtune, not photographed. These scores say nothing "
    "about real cats and dogs."
)


@dataclass(frozen=True)
class Row:
    """One trial of the full budget.

    Attributes:
        rank: int >= 1, ties share the better one.
        trial_id, schedule, lr0, momentum, parameters, score, delta, epochs: as in
            `lrtune.stats.ranking.rank`; NaN where unknown.
        within_noise: None where unknown.
        seconds: wall time, its ancestors' included.
    """

    rank: int
    trial_id: str
    schedule: str
    lr0: float
    momentum: float
    parameters: str
    score: float
    delta: float
    within_noise: bool | None
    epochs: int
    seconds: float


@dataclass(frozen=True)
class Report:
    """A run's report, in words and numbers without any layout.

    Whatever the run folder holds, its strings are printable and each is one line: see
    `lrtune.printable`.

    Attributes:
        header: what was searched, how and on what, a line each.
        warning: what must not be missed; None if there is nothing of the kind.
        baseline: an arm's name and what it scored; empty if the run has no baseline.
        tuning: whether the constant rate was tuned, and with which budget; empty without any.
        compared_with: name of the arm that `delta` is against; None without a baseline.
        rows: the best trials of the full budget, best first, `top` at most.
        hidden: how many more trials of the full budget there are.
        budget: int >= 1, the full budget in epochs.
        places: int >= 0, decimals to show scores with.
        spread: half the width of what is within noise, NaN if unknown.
        apart: trials that are not in the ranking: a kind and who is of it.
        costs: what the run cost and when it had what.
        details: what takes a second more; None unless asked for.
        confirmation: the comparison on test images; None without one.
        headline: what follows from the confirmation, or without one from the search, in a
            sentence.
        reasons: what it follows from, in plain sentences.
        usage: lines of Python that use what the verdict names; none without a winner.
        notes: files that could not be read, a sentence each.
    """

    header: tuple[str, ...]
    warning: str | None
    baseline: tuple[tuple[str, str], ...]
    tuning: str
    compared_with: str | None
    rows: tuple[Row, ...]
    hidden: int
    budget: int
    places: int
    spread: float
    apart: tuple[tuple[str, str], ...]
    costs: Costs
    details: Details | None
    confirmation: Confirmation | None
    headline: str
    reasons: str
    usage: tuple[str, ...]
    notes: tuple[str, ...]

    @property
    def verdict(self) -> str:
        """The headline and the reasons."""
        return f"{self.headline} {self.reasons}".strip()


def build_report(records: RunRecords, top: int = 10, *, details: bool = False) -> Report:
    """The report of a run as it is now.

    Args:
        records: of the run.
        top: int >= 1, how many trials of the full budget to list.
        details: whether to have importance and tuning curves, too.
    """
    if top < 1:
        raise ArgumentError(f"top must be >= 1. Received: top={top!r}.")
    manifest = records.manifest
    frame = rank(records)
    baseline = measure_baseline(records)
    ranked = frame[frame["rank"].notna()]
    rows = tuple(_row(cells) for cells in ranked.head(top).to_dict("records"))
    confirmed, unusable = _confirmed(records)
    places = decimals(_scores(ranked, baseline, confirmed))
    cost = measure_cost(records)
    headline, reasons = _verdict(frame, manifest, baseline, confirmed, places)
    report = Report(
        header=_header(manifest, frame),
        warning=SYNTHETIC if manifest.data.synthetic else None,
        baseline=arm_lines(records, baseline, places),
        tuning=tuning(records, cost),
        compared_with=baseline.reference.name if baseline else None,
        rows=rows,
        hidden=len(ranked) - len(rows),
        budget=manifest.max_epochs,
        places=places,
        spread=baseline.spread if baseline else math.nan,
        apart=list_apart(frame, manifest, places),
        costs=build_costs(records, cost, places, min(top, TARGETS)),
        details=_details(records) if details else None,
        confirmation=_confirmation(confirmed, manifest, places),
        headline=headline,
        reasons=reasons,
        usage=_usage(records, confirmed) if rows else (),
        notes=(*records.notices, *unusable),
    )
    shown: Report = _printable(report)
    return shown


def _printable(value: Any) -> Any:
    """The same with all text in it made printable, in one place, so that none is forgotten."""
    if isinstance(value, str):
        return printable(value)
    if isinstance(value, tuple):
        return tuple(_printable(item) for item in value)
    if is_dataclass(value) and not isinstance(value, type):
        return replace(value, **{f.name: _printable(getattr(value, f.name)) for f in fields(value)})
    return value


def _header(manifest: Manifest, frame: pd.DataFrame) -> tuple[str, ...]:
    better = Direction(manifest.direction).word
    best = ", the best epoch counts" if manifest.score == "best" else ""
    length = count(manifest.max_epochs, "epoch")
    statuses = frame["status"].value_counts()
    counted = ", ".join(
        f"{statuses[status]:,} {status}"
        for status in (*STATUSES, RUNNING)
        if statuses.get(status, 0)
    )
    sizes = manifest.data.sizes
    images = " and ".join(
        f"{sizes[part]:,} {name} images"
        for part, name in (("train", "training"), ("validation", "validation"))
        if isinstance(sizes.get(part), int) and sizes[part]
    )
    return (
        f"{manifest.algo} search of {length} for {manifest.objective} ({better} is better{best})",
        f"{count(len(frame), 'trial')}: {counted}" if len(frame) else "no trials",
        f"data: {manifest.data.source}" + (f", {images}" if images else ""),
    )


def _scores(
    ranked: pd.DataFrame, baseline: Baseline | None, confirmed: Confirmed | None
) -> list[float]:
    """All scores that the report shows beside one another."""
    scores = [float(score) for score in ranked["score"]]
    if baseline:
        scores += [arm.mean for arm in baseline.arms]
    if confirmed:
        scores += [arm.mean for arm in confirmed.comparison.arms]
    return scores


def _confirmed(records: RunRecords) -> tuple[Confirmed | None, tuple[str, ...]]:
    """The confirmation, and why there is none where one was begun."""
    if records.confirmation is None:
        return None, ()
    # Imported late: what compares arms takes .3 s to import, and a search alone has none.
    from lrtune.stats.confirmation import measure_confirmation

    try:
        return measure_confirmation(records), ()
    except LrtuneError as error:
        return None, (f"The confirmation cannot be compared: {error}",)


def _confirmation(
    confirmed: Confirmed | None, manifest: Manifest, places: int
) -> Confirmation | None:
    if confirmed is None:
        return None
    from lrtune.report.confirmation import build_confirmation

    return build_confirmation(confirmed, manifest, places)


def _details(records: RunRecords) -> Details:
    from lrtune.report.details import build_details

    return build_details(records)


def _verdict(
    frame: pd.DataFrame,
    manifest: Manifest,
    baseline: Baseline | None,
    confirmed: Confirmed | None,
    places: int,
) -> tuple[str, str]:
    if confirmed is None:
        return judge(frame, manifest, baseline, places)
    from lrtune.report.confirmed_verdict import judge_confirmed

    first = frame[frame["rank"] == 1].head(1).to_dict("records")
    return judge_confirmed(confirmed, first[0] if first else None, manifest, places)


def _row(cells: Mapping[Hashable, Any]) -> Row:
    within = cells["within_noise"]
    return Row(
        rank=int(cells["rank"]),
        trial_id=cells["trial_id"],
        schedule=cells["schedule"] if isinstance(cells["schedule"], str) else NOTHING,
        lr0=cells["lr0"],
        momentum=cells["momentum"],
        parameters=cells["parameters"],
        score=cells["score"],
        delta=cells["delta"],
        within_noise=within if isinstance(within, bool) else None,
        epochs=int(cells["epochs"]),
        seconds=cells["total_seconds"],
    )


def _usage(records: RunRecords, confirmed: Confirmed | None) -> tuple[str, ...]:
    folder = f"run = lrtune.load_run({str(records.folder)!r})"
    schedule, momentum = "run.best_schedule()", "run.best_momentum()"
    if confirmed is not None:
        from lrtune.report.confirmed_verdict import best_confirmed

        arm, trial_of = best_confirmed(confirmed), confirmed.manifest.trials
        best = best_trial(records)
        if arm is not None and best is not None and trial_of.get(arm) != best.trial_id:
            schedule, momentum = f"run.schedule({arm!r})", f"run.momentum({arm!r})"
    return (
        folder,
        f"schedule = {schedule}.to_keras(steps_per_epoch)",
        f"optimizer = keras.optimizers.SGD(schedule, momentum={momentum})",
    )
