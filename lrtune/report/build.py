"""Everything a report says, as one value and as sections, which terminal and page lay out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lrtune._util.printable import printable
from lrtune.errors import ArgumentError, LrtuneError
from lrtune.records.schema import STATUSES
from lrtune.report.answer import find_answer
from lrtune.report.baseline import baseline_section
from lrtune.report.code import usage
from lrtune.report.confirmation import confirmation_section
from lrtune.report.costs import cost_section, progress_section
from lrtune.report.details import curves_section, importance_section
from lrtune.report.trials import trials_section, unranked_section
from lrtune.report.words import count, decimals
from lrtune.stats.baseline import measure_baseline
from lrtune.stats.confirmation import measure_confirmation
from lrtune.stats.cost import measure_cost
from lrtune.stats.ranking import RUNNING, rank
from lrtune.stats.score import score_words
from lrtune.stats.winner import Direction

if TYPE_CHECKING:
    import pandas as pd

    from lrtune.records.reader import RunRecords
    from lrtune.records.schema import Manifest
    from lrtune.report.grid import Section
    from lrtune.report.recommendation import Answer
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
        top: int >= 1, how many of the ranked trials to list; None for as many as fit.
        details: whether to include importance and tuning curves, which take a second to compute.
        header: what was searched, how and on what, a line each.
        warning: what everybody must see; None if there is no such warning.
        baseline: as measured; None before any arm has a score.
        trials: as `lrtune.stats.ranking.rank` returns them.
        places: int >= 0, decimals of all scores.
        cost: of the run.
        confirmation: the comparison on test data; None without one.
        answer: what to use and how sure that is.
        usage: lines of Python that use it; none where nothing is recommended.
        notes: files that could not be read, a sentence each.
    """

    records: RunRecords
    top: int | None
    details: bool
    header: tuple[str, ...]
    warning: str | None
    baseline: Baseline | None
    trials: pd.DataFrame
    places: int
    cost: Cost
    confirmation: Confirmed | None
    answer: Answer
    usage: tuple[str, ...]
    notes: tuple[str, ...]

    @property
    def ranked(self) -> pd.DataFrame:
        """The trials that have a rank, the best first."""
        return self.trials[self.trials["rank"].notna()]

    @property
    def verdict(self) -> str:
        """The answer and its caveats, printable, in one line."""
        return printable(f"{self.answer.text} {self.answer.caveats}".strip())


def build_report(records: RunRecords, top: int | None = None, *, details: bool = False) -> Report:
    """The report of a run as it is now.

    Args:
        records: of the run.
        top: int >= 1, how many trials of the full budget to list; None for as many as fit.
        details: whether to include importance and tuning curves, which take a second to compute.

    Raises:
        ArgumentError: `top` is below 1.
    """
    if top is not None and top < 1:
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
    answer = find_answer(records, frame, baseline, confirmed, places)
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
        answer=answer,
        usage=usage(answer.choice, records.folder) if answer.choice else (),
        notes=(*filter(None, [records.lost_notice]), *records.notices, *unusable),
    )


def build_sections(report: Report) -> dict[str, Section]:
    """The sections of a report by name, in their order in the terminal.

    Returns:
        "confirmation", "trials", "unranked", "cost", "progress", "importance" and "curves" if they
        are not empty; "baseline" always.
    """
    found = {
        "confirmation": confirmation_section(report),
        "trials": trials_section(report),
        "baseline": baseline_section(report),
        "unranked": unranked_section(report),
        "cost": cost_section(report),
        "progress": progress_section(report),
        "importance": importance_section(report),
        "curves": curves_section(report),
    }
    return {name: section for name, section in found.items() if not section.is_empty}


def _header(manifest: Manifest, frame: pd.DataFrame) -> tuple[str, ...]:
    better = Direction(manifest.direction).word
    counted = score_words(manifest.score, manifest.max_epochs)
    counts = "" if counted == "the last epoch" else f", {counted} counts"
    rescaled = " (short ones rescaled)" if manifest.horizon == "rescaled" else ""
    length, ended = count(manifest.max_epochs, "epoch"), frame["status"].value_counts()
    order = [status for status in (*STATUSES, RUNNING) if status in ended]
    statuses = ", ".join(f"{ended[status]:,} {status}" for status in order)
    data, named = manifest.data, {"train": "training", "validation": "validation"}
    sizes = [f"{data.sizes[part]:,} {name}" for part, name in named.items() if data.sizes.get(part)]
    parts = f", {' and '.join(sizes)} {data.kind}" if sizes else ""
    return (
        f"{manifest.algo} search of {length} for {manifest.objective} ({better} is better{counts})",
        f"{count(len(frame), 'trial')}{rescaled}: {statuses}" if len(frame) else "no trials",
        f"data: {data.source}{parts}",
    )


def _confirmed(records: RunRecords) -> tuple[Confirmed | None, tuple[str, ...]]:
    """The confirmation, and a sentence if one was started but cannot be used."""
    try:
        return measure_confirmation(records), ()
    except LrtuneError as error:
        return None, (f"The confirmation is left out: {error}",)
