"""Everything a report says, as one value; `sections` describes it, terminal and page lay it out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lrtune._util.printable import printable
from lrtune.errors import ArgumentError, LrtuneError
from lrtune.records.schema import STATUSES
from lrtune.report.confirmation import best_confirmed, judge_confirmed
from lrtune.report.verdict import judge
from lrtune.report.words import count, decimals
from lrtune.stats.baseline import measure_baseline
from lrtune.stats.confirmation import measure_confirmation
from lrtune.stats.cost import measure_cost, times_to_target
from lrtune.stats.importance import measure_importance
from lrtune.stats.ranking import RUNNING, rank
from lrtune.stats.tuning_curves import best_so_far, family_curves
from lrtune.stats.winner import Direction, best_trial

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from lrtune.records.reader import RunRecords
    from lrtune.records.schema import Manifest
    from lrtune.stats.baseline import Baseline
    from lrtune.stats.confirmation import Confirmed
    from lrtune.stats.cost import Cost, TimeToTarget
    from lrtune.stats.importance import Importances
    from lrtune.stats.tuning_curves import BestSoFar, TuningCurve

TARGETS = 5
"""For how many of the best trials the report says when they matched the baseline."""

SYNTHETIC = (
    "SYNTHETIC DATA: the images were drawn by lrtune, not photographed. These scores say nothing "
    "about real cats and dogs."
)


@dataclass(frozen=True)
class Report:
    """A run's report: its statistics, and the sentences that need more than one of them.

    Text may hold whatever the run folder holds: print it through `lrtune.printable`, as terminal
    and page do with every line.

    Attributes:
        records: of the run.
        header: what was searched, how and on what, a line each.
        warning: what everybody must see; None if there is nothing of the kind.
        baseline: as measured; None before any arm has a score.
        trials: as `lrtune.stats.ranking.rank` returns them.
        top: int >= 1, how many of the ranked trials to list.
        places: int >= 0, decimals of all scores.
        cost: of the run.
        best_so_far: the best score against the epochs spent.
        times: when the best trials matched the baseline; empty without one.
        importances: of hyperparameters; None unless details were asked for.
        curves: tuning curves by family; empty unless details of a random search were asked for.
        confirmation: the comparison on test images; None without one.
        headline: the verdict of the confirmation, or without one of the search, in a sentence.
        reasons: what supports it, in plain sentences.
        usage: lines of Python that use what the verdict names; none without a winner.
        notes: files that could not be read, a sentence each.
    """

    records: RunRecords
    header: tuple[str, ...]
    warning: str | None
    baseline: Baseline | None
    trials: pd.DataFrame
    top: int
    places: int
    cost: Cost
    best_so_far: BestSoFar
    times: tuple[TimeToTarget, ...]
    importances: Importances | None
    curves: Mapping[str, TuningCurve]
    confirmation: Confirmed | None
    headline: str
    reasons: str
    usage: tuple[str, ...]
    notes: tuple[str, ...]

    @property
    def ranked(self) -> pd.DataFrame:
        """The trials that have a rank, the best first."""
        return self.trials[self.trials["rank"].notna()]

    @property
    def verdict(self) -> str:
        """The headline and the reasons, printable, in one line."""
        return printable(f"{self.headline} {self.reasons}".strip())


def build_report(records: RunRecords, top: int = 10, *, details: bool = False) -> Report:
    """The report of a run as it is now.

    Args:
        records: of the run.
        top: int >= 1, how many trials of the full budget to list.
        details: whether to compute importance and tuning curves, which takes a second more.

    Raises:
        ArgumentError: `top` is below 1.
    """
    if top < 1:
        raise ArgumentError(f"top must be >= 1. Received: top={top!r}.")
    manifest = records.manifest
    frame = rank(records)
    baseline = measure_baseline(records)
    confirmed, unusable = _confirmed(records)
    places = decimals(_scores(frame, baseline, confirmed))
    if confirmed is None:
        headline, reasons = judge(records, frame, baseline, places)
    else:
        headline, reasons = judge_confirmed(confirmed, best_trial(records), manifest, places)
    return Report(
        records=records,
        header=_header(manifest, frame),
        warning=SYNTHETIC if manifest.data.synthetic else None,
        baseline=baseline,
        trials=frame,
        top=top,
        places=places,
        cost=measure_cost(records),
        best_so_far=best_so_far(records),
        times=times_to_target(records, min(top, TARGETS)),
        importances=measure_importance(records) if details else None,
        curves=family_curves(records) if details and manifest.algo == "random" else {},
        confirmation=confirmed,
        headline=headline,
        reasons=reasons,
        usage=_usage(records, confirmed),
        notes=(*records.notices, *unusable),
    )


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
        if sizes.get(part)
    )
    return (
        f"{manifest.algo} search of {length} for {manifest.objective} ({better} is better{best})",
        f"{count(len(frame), 'trial')}: {counted}" if len(frame) else "no trials",
        f"data: {manifest.data.source}" + (f", {images}" if images else ""),
    )


def _scores(
    frame: pd.DataFrame, baseline: Baseline | None, confirmed: Confirmed | None
) -> list[float]:
    """All scores that the report shows beside one another."""
    scores: list[float] = frame["score"][frame["rank"].notna()].tolist()
    if baseline:
        scores += [arm.mean for arm in baseline.arms]
    if confirmed:
        scores += [arm.mean for arm in confirmed.comparison.arms]
    return scores


def _confirmed(records: RunRecords) -> tuple[Confirmed | None, tuple[str, ...]]:
    """The confirmation, and why there is none where one was started."""
    try:
        return measure_confirmation(records), ()
    except LrtuneError as error:
        return None, (f"The confirmation is left out: {error}",)


def _usage(records: RunRecords, confirmed: Confirmed | None) -> tuple[str, ...]:
    best = best_trial(records)
    if best is None:
        return ()
    schedule, momentum = "run.best_schedule()", "run.best_momentum()"
    if confirmed is not None:
        arm = best_confirmed(confirmed)
        if arm is not None and confirmed.manifest.trials.get(arm) != best.trial_id:
            schedule, momentum = f"run.schedule({arm!r})", f"run.momentum({arm!r})"
    return (
        f"run = lrtune.load_run({str(records.folder)!r})",
        f"schedule = {schedule}.to_keras(steps_per_epoch)",
        f"optimizer = keras.optimizers.SGD(schedule, momentum={momentum})",
    )
