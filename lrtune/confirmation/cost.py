"""What a confirmation will cost, in words; needs no TensorFlow."""

from __future__ import annotations

import math
import statistics
from typing import TYPE_CHECKING

from lrtune.display.stages import USUAL_PAIRS
from lrtune.report.words import count
from lrtune.stats.power import fewest_seeds
from lrtune.stats.sequential import FEWEST_TO_SHOW

if TYPE_CHECKING:
    from lrtune.records.reader import RunRecords
    from lrtune.records.schema import ConfirmManifest


def cost_in_words(records: RunRecords, manifest: ConfirmManifest, workers: int | None) -> str:
    """How much a confirmation trains, and how long that takes.

    Args:
        records: of the search.
        manifest: of the confirmation; trainings that have already ended are not counted.
        workers: as for a search; None means one worker per physical core.
    """
    found = records.confirmation
    done = len(found.all) if found and found.manifest.attempt == manifest.attempt else 0
    left = max(manifest.planned[0] - done, 0)
    epochs = left * manifest.epochs
    samples, kind = manifest.data.sizes.get("train"), manifest.data.kind
    on = f" on {samples:,} {kind} ({manifest.train_on})" if samples else ""
    pace = _seconds_an_epoch(records, samples, workers)
    if manifest.design == "fixed":
        arms, seeds = len(manifest.arms), len(manifest.seeds)
        return (
            f"{arms} arms x {seeds} seeds x {manifest.epochs} epochs, trained{on}: {epochs:,} "
            f"epochs to train{_minutes(epochs * pace)}."
        )
    choice = manifest.planned[0] - 2 * len(manifest.seeds)
    first = f"{count(choice, 'training')} to choose among {len(manifest.candidates)} candidates, "
    usual = max((choice + 2 * USUAL_PAIRS - done) * manifest.epochs, 0)
    about = f"; usually about {usual:,}{_minutes(usual * pace)}" if usual < epochs else ""
    return (
        f"{first if choice else ''}then pairs of trainings until the answer is known, at most "
        f"{len(manifest.seeds)}, {manifest.epochs} epochs each{on}: at most {epochs:,} epochs to "
        f"train{_minutes(epochs * pace)}{about}."
    )


def too_few_seeds(manifest: ConfirmManifest) -> str:
    """What to know before anything is trained: no verdict is possible; empty if one is."""
    seeds, comparisons = len(manifest.seeds), len(manifest.arms) - 1
    if manifest.design != "fixed":
        if seeds >= FEWEST_TO_SHOW:
            return ""
        return (
            f"NOTE: with {count(seeds, 'pair')} no gain can be shown, however large: it takes "
            f"{FEWEST_TO_SHOW} pairs."
        )
    fewest = fewest_seeds(comparisons) if comparisons else 0
    if seeds >= fewest:
        return ""
    return (
        f"NOTE: with {seeds} seeds and {count(comparisons, 'comparison')} no verdict is possible, "
        f"however large the difference: it takes {fewest} seeds."
    )


def _seconds_an_epoch(records: RunRecords, samples: int | None, workers: int | None) -> float:
    """The pace of the search's baseline, for all workers together; NaN if unknown."""
    seconds = [
        epoch["seconds"]
        for arm in records.baseline.values()
        for outcome in arm
        for epoch in records.epochs(outcome.trial_id)
        if math.isfinite(epoch.get("seconds", math.nan))
    ]
    searched = records.manifest.data.sizes.get("train")
    if not (seconds and searched and samples):
        return math.nan
    from lrtune.runner.local import physical_cores

    pace = float(statistics.median(seconds)) * samples / searched
    return pace / (workers or physical_cores())


def _minutes(seconds: float) -> str:
    if math.isnan(seconds):
        return ""
    return f", about {max(1, round(seconds / 60))} min at the search's pace"
