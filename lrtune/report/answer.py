"""The answer that every report begins with: what to use, and how sure that is.

A run is in one of these states. `report.verdict` words those of a search, `report.confirmed` those
of a confirmation, and this module those in which nothing can be recommended.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

from lrtune.report.confirmed import answer_confirmed, unfinished
from lrtune.report.recommendation import Answer
from lrtune.report.sequential import choice_in_words
from lrtune.report.verdict import answer_searched, sentences
from lrtune.report.words import count, fixed
from lrtune.stats.chance import measure_chance
from lrtune.stats.winner import Direction

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from lrtune.records.reader import RunRecords
    from lrtune.stats.baseline import Baseline
    from lrtune.stats.chance import Chance
    from lrtune.stats.confirmation import Confirmed


def find_answer(
    records: RunRecords,
    frame: pd.DataFrame,
    baseline: Baseline | None,
    confirmed: Confirmed | None,
    places: int,
) -> Answer:
    """What to use and how sure that is.

    Args:
        records: of the run.
        frame: as `lrtune.stats.ranking.rank` returns it.
        baseline: as measured; None before any arm has a score.
        confirmed: the confirmation, which decides where it has a score.
        places: int >= 0, decimals of scores.
    """
    if confirmed is not None and any(arm.n for arm in confirmed.comparison.arms):
        nothing = _unlearned_test(records, confirmed, places)
        return nothing or answer_confirmed(records, confirmed, places)
    ranked = frame[frame["rank"].notna()]
    if ranked.empty:
        return _no_trial(records, frame)
    if math.isnan(ranked["score"].iloc[0]):
        return Answer("Nothing to recommend: no trial has a finite score.")
    if nothing := _unlearned_search(records, ranked, baseline, places):
        return nothing
    found = answer_searched(records, frame, baseline, places)
    more = choice_in_words(records, places) if confirmed is None else unfinished(confirmed)
    return replace(found, caveats=sentences([found.caveats, more]))


def _no_trial(records: RunRecords, frame: pd.DataFrame) -> Answer:
    """Why there is no best trial: nothing has ended yet, or nothing trains."""
    length, ended = count(records.manifest.max_epochs, "epoch"), frame["status"].value_counts()
    lost = {one: int(ended[one]) for one in ("diverged", "failed") if one in ended}
    if not lost or sum(lost.values()) < len(frame):
        return Answer(f"No answer yet: no trial has completed {length}.")
    kinds = " and ".join(f"{number:,} {what}" for what, number in lost.items())
    advice = "Search lower learning rates: `lrtune range-test` suggests a range."
    return Answer(
        f"Nothing to recommend: no trial has completed {length}, {kinds}.",
        advice if "diverged" in lost else "",
    )


def _unlearned_search(
    records: RunRecords, ranked: pd.DataFrame, baseline: Baseline | None, places: int
) -> Answer | None:
    """That the constant rate, or without one the best trial, has learned nothing."""
    manifest = records.manifest
    seeds = [one for arm in records.baseline.values() for one in arm]
    chance = measure_chance(
        manifest.data, manifest.objective, manifest.direction, [*records.outcomes, *seeds]
    )
    arms = baseline.arms if baseline else ()
    scores = [float(ranked["score"].iloc[0]), *(arm.mean for arm in arms)]
    reference = (baseline.reference.name, baseline.reference.scores) if baseline else None
    return _unlearned(chance, reference, scores, manifest.max_epochs, places)


def _unlearned_test(records: RunRecords, confirmed: Confirmed, places: int) -> Answer | None:
    """The same of a confirmation's baseline, on the test data."""
    manifest, found = confirmed.manifest, records.confirmation
    outcomes = [one for arm in found.outcomes.values() for one in arm] if found else []
    chance = measure_chance(manifest.data, manifest.objective, manifest.direction, outcomes)
    reference = manifest.baseline, tuple(confirmed.scores[manifest.baseline].values())
    means = [arm.mean for arm in confirmed.comparison.arms if arm.n]
    return _unlearned(chance, reference, means, manifest.epochs, places)


def _unlearned(
    chance: Chance | None,
    reference: tuple[str, Sequence[float]] | None,
    scores: list[float],
    epochs: int,
    places: int,
) -> Answer | None:
    """Nothing to use, because the reference (its name and scores) has learned nothing."""
    if chance is None or not chance.explains(reference[1] if reference else scores[:1]):
        return None
    best = (max if Direction(chance.direction) is Direction.MAX else min)(scores)
    what = "the share of the largest class" if chance.is_share else "the untrained model's score"
    level = f"{fixed(chance.score, places)}, {what}"
    few = f"{count(epochs, 'epoch')} {'is' if epochs == 1 else 'are'} too few to compare anything."
    advice = "Train longer, or check the model, the data and the learning rates."
    if reference is None or chance.explains([best]):
        return Answer(
            f"Nothing here has learned yet: {few}", f"No score is better than {level}. {advice}"
        )
    why = (
        f"The baseline has not learned yet: {reference[0]} is no better than {level}, so there is "
        f"nothing to compare the best score with, {fixed(best, places)}. {advice}"
    )
    return Answer(f"Nothing to recommend: {few}", why)
