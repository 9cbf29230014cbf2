"""Everything a report says, as one value; the terminal and other forms only lay it out."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import TYPE_CHECKING, Any

from lrtune.errors import ArgumentError
from lrtune.printable import printable
from lrtune.records.schema import STATUSES
from lrtune.report.apart import list_apart
from lrtune.report.verdict import judge
from lrtune.report.words import NOTHING, count, decimals, mean_and_std
from lrtune.stats.baseline import measure_baseline
from lrtune.stats.ranking import RUNNING

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping

    import pandas as pd

    from lrtune.records.schema import Manifest
    from lrtune.run import Run
    from lrtune.stats.baseline import Arm

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
        compared_with: name of the arm that `delta` is against; None without a baseline.
        rows: the best trials of the full budget, best first, `top` at most.
        hidden: how many more trials of the full budget there are.
        budget: int >= 1, the full budget in epochs.
        places: int >= 0, decimals to show scores with.
        spread: half the width of what is within noise, NaN if unknown.
        apart: trials that are not in the ranking: a kind and who is of it.
        verdict: what was found and how sure it is, in plain sentences.
        usage: lines of Python that use the winner; none without one.
        notes: files that could not be read, a sentence each.
    """

    header: tuple[str, ...]
    warning: str | None
    baseline: tuple[tuple[str, str], ...]
    compared_with: str | None
    rows: tuple[Row, ...]
    hidden: int
    budget: int
    places: int
    spread: float
    apart: tuple[tuple[str, str], ...]
    verdict: str
    usage: tuple[str, ...]
    notes: tuple[str, ...]


def build_report(run: Run, top: int = 10) -> Report:
    """The report of a run as it is now.

    Args:
        run: as `load_run` returns it.
        top: int >= 1, how many trials of the full budget to list.
    """
    if top < 1:
        raise ArgumentError(f"top must be >= 1. Received: top={top!r}.")
    manifest = run.manifest
    frame = run.ranking()
    baseline = measure_baseline(run.records)
    ranked = frame[frame["rank"].notna()]
    rows = tuple(_row(cells) for cells in ranked.head(top).to_dict("records"))
    arms = baseline.arms if baseline else ()
    places = decimals([*ranked["score"], *(arm.mean for arm in arms)])
    report = Report(
        header=_header(manifest, frame),
        warning=SYNTHETIC if manifest.data.synthetic else None,
        baseline=_baseline_lines(run, {arm.name: arm for arm in arms}, places),
        compared_with=baseline.best.name if baseline else None,
        rows=rows,
        hidden=len(ranked) - len(rows),
        budget=manifest.max_epochs,
        places=places,
        spread=baseline.spread if baseline else math.nan,
        apart=list_apart(frame, manifest, places),
        verdict=judge(frame, manifest, baseline, places),
        usage=_usage(run) if rows else (),
        notes=run.records.notices,
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
    better = "higher" if manifest.direction == "max" else "lower"
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


def _baseline_lines(run: Run, arms: Mapping[str, Arm], places: int) -> tuple[tuple[str, str], ...]:
    planned = len(run.manifest.baseline_seeds)
    return tuple(
        (name, _arm_text(arms.get(name), len(outcomes), planned, places))
        for name, outcomes in run.records.baseline.items()
    )


def _arm_text(arm: Arm | None, ended: int, planned: int, places: int) -> str:
    if arm is None:
        return f"no score: {count(ended, 'seed')} failed" if ended else "not trained yet"
    text = mean_and_std(arm, places)
    missing = max(planned - arm.n - arm.failed, 0)
    apart = ((arm.diverged, "diverged"), (arm.failed, "failed"), (missing, "not trained yet"))
    return text + "".join(f", {number} {what}" for number, what in apart if number)


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


def _usage(run: Run) -> tuple[str, ...]:
    return (
        f"run = lrtune.load_run({str(run.records.folder)!r})",
        "schedule = run.best_schedule().to_keras(steps_per_epoch)",
        "optimizer = keras.optimizers.SGD(schedule, momentum=run.best_momentum())",
    )
