"""Everything a report says, as one value and as sections, which terminal and page lay out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lrtune._util.printable import printable
from lrtune.errors import ArgumentError, LrtuneError
from lrtune.records.schema import STATUSES
from lrtune.report.baseline import baseline_section
from lrtune.report.confirmation import confirmation_section, judge_confirmed
from lrtune.report.costs import cost_section, progress_section
from lrtune.report.details import curves_section, importance_section
from lrtune.report.recommended import Recommended, recommend
from lrtune.report.samples import counted
from lrtune.report.trials import trials_section, unranked_section
from lrtune.report.verdict import judge
from lrtune.report.words import count, decimals
from lrtune.schedules.optimizers import OPTIMIZERS
from lrtune.stats.baseline import measure_baseline
from lrtune.stats.confirmation import measure_confirmation
from lrtune.stats.cost import measure_cost
from lrtune.stats.ranking import RUNNING, rank
from lrtune.stats.winner import Direction, best_trial

if TYPE_CHECKING:
    import pandas as pd

    from lrtune.records.reader import RunRecords
    from lrtune.records.schema import Manifest
    from lrtune.report.grid import Section
    from lrtune.stats.baseline import Baseline
    from lrtune.stats.confirmation import Confirmed
    from lrtune.stats.cost import Cost

SYNTHETIC = (
    "SYNTHETIC DATA: the images were drawn by lrtune, not photographed. These scores say nothing "
    "about real cats and dogs."
)


@dataclass(frozen=True)
class Report:
    """A run's report: its statistics, and the sentences that need several of them.

    Text may contain anything that the run folder contains: print it through `lrtune.printable`, as
    terminal and page do with every line.

    Attributes:
        records: of the run.
        top: int >= 1, how many of the ranked trials to list.
        details: whether to include importance and tuning curves, which take a second to compute.
        header: what was searched, how and on what, a line each.
        warning: what everybody must see; None if there is no such warning.
        baseline: as measured; None before any arm has a score.
        trials: as `lrtune.stats.ranking.rank` returns them.
        places: int >= 0, decimals of all scores.
        cost: of the run.
        confirmation: the comparison on test data; None without one.
        headline: the verdict in a sentence: of the confirmation, or without one of the search.
        reasons: what supports it, in plain sentences.
        recommended: what to train with; None without a winner.
        usage: lines of Python that use it.
        notes: files that could not be read, a sentence each.
    """

    records: RunRecords
    top: int
    details: bool
    header: tuple[str, ...]
    warning: str | None
    baseline: Baseline | None
    trials: pd.DataFrame
    places: int
    cost: Cost
    confirmation: Confirmed | None
    headline: str
    reasons: str
    recommended: Recommended | None
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
        details: whether to include importance and tuning curves, which take a second to compute.

    Raises:
        ArgumentError: `top` is below 1.
    """
    if top < 1:
        raise ArgumentError(f"top must be >= 1. Received: top={top!r}.")
    manifest = records.manifest
    frame = rank(records)
    baseline = measure_baseline(records)
    confirmed, unusable = _confirmed(records)
    # All scores that the report shows side by side.
    scores = frame["score"][frame["rank"].notna()].tolist()
    scores += [arm.mean for arm in baseline.arms] if baseline else []
    scores += [arm.mean for arm in confirmed.comparison.arms] if confirmed else []
    places = decimals(scores)
    if confirmed is None:
        headline, reasons = judge(records, frame, baseline, places)
    else:
        headline, reasons = judge_confirmed(confirmed, best_trial(records), manifest, places)
    ranked = frame[frame["rank"].notna()]
    recommended = recommend(records, ranked, baseline, confirmed)
    return Report(
        records=records,
        top=top,
        details=details,
        header=_header(manifest, frame),
        warning=SYNTHETIC if manifest.data.synthetic else None,
        baseline=baseline,
        trials=frame,
        places=places,
        cost=measure_cost(records),
        confirmation=confirmed,
        headline=headline,
        reasons=reasons,
        recommended=recommended,
        usage=_usage(records, recommended),
        notes=(*filter(None, [records.lost_notice]), *records.notices, *unusable),
    )


def build_sections(report: Report) -> dict[str, Section]:
    """The sections of a report by name, in their order in the terminal.

    Returns:
        "baseline" always; "trials", "unranked", "cost", "progress", "importance", "curves" and
        "confirmation" if they are not empty.
    """
    found = {
        "baseline": baseline_section(report),
        "trials": trials_section(report),
        "unranked": unranked_section(report),
        "cost": cost_section(report),
        "progress": progress_section(report),
        "importance": importance_section(report),
        "curves": curves_section(report),
        "confirmation": confirmation_section(report),
    }
    return {name: section for name, section in found.items() if not section.is_empty}


def _header(manifest: Manifest, frame: pd.DataFrame) -> tuple[str, ...]:
    better = Direction(manifest.direction).word
    best = ", the best epoch counts" if manifest.score == "best" else ""
    length, ended = count(manifest.max_epochs, "epoch"), frame["status"].value_counts()
    order = [status for status in (*STATUSES, RUNNING) if status in ended]
    statuses = ", ".join(f"{ended[status]:,} {status}" for status in order)
    data, named = manifest.data, {"train": "training", "validation": "validation"}
    parts = [counted(data, part, name) for part, name in named.items() if data.sizes.get(part)]
    return (
        f"{manifest.algo} search of {length} for {manifest.objective} ({better} is better{best})",
        f"{count(len(frame), 'trial')}: {statuses}" if len(frame) else "no trials",
        f"data: {data.source}" + (f", {' and '.join(parts)}" if parts else ""),
    )


def _confirmed(records: RunRecords) -> tuple[Confirmed | None, tuple[str, ...]]:
    """The confirmation, and a sentence if one was started but cannot be used."""
    try:
        return measure_confirmation(records), ()
    except LrtuneError as error:
        return None, (f"The confirmation is left out: {error}",)


def _usage(records: RunRecords, choice: Recommended | None) -> tuple[str, ...]:
    if choice is None:
        return ()
    best = best_trial(records)
    alone = best is not None and choice.name == best.trial_id
    schedule = "run.best_schedule()" if alone else f"run.schedule({choice.name!r})"
    kind = OPTIMIZERS.get(records.manifest.optimizer)
    if kind is None:
        optimizer = f"...  # {records.manifest.optimizer} with this schedule"
    else:
        momentum = "run.best_momentum()" if alone else f"run.momentum({choice.name!r})"
        settings = [f"momentum={momentum}"]
        if list(choice.recipe.settings) != ["momentum"]:
            settings = [f"**run.settings({choice.name!r})"]
        given = records.manifest.optimizer_options.items()
        arguments = ", ".join([*settings, *(f"{name}={value!r}" for name, value in given)])
        optimizer = f"keras.optimizers.{kind.keras_name}(schedule, {arguments})"
    own = choice.recipe.own_text
    return (
        f"run = lrtune.load_run({str(records.folder)!r})",
        f"schedule = {schedule}.to_keras(steps_per_epoch)",
        f"optimizer = {optimizer}",
        *([f"# with {own}, see run.hyperparameters({choice.name!r})"] if own else []),
    )
