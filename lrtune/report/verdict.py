"""The verdict of a search: what it found and how certain that is, in plain sentences."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from lrtune.report.baseline import rival, rival_in_full
from lrtune.report.constants import (
    CONSTANT,
    as_good,
    better_than_reference,
    constants_as_good,
)
from lrtune.report.recipes import whole_recipes
from lrtune.report.words import count, fixed
from lrtune.stats.ranking import RUNNING

if TYPE_CHECKING:
    import pandas as pd

    from lrtune.records.reader import RunRecords
    from lrtune.stats.baseline import Baseline

NO_BASELINE = (
    "This run has no baseline, so it cannot show whether any schedule beats a constant rate."
)
CONSTANT_WON = (
    "The winner is a constant rate itself, so the gain comes from its learning rate and momentum."
)
UNTUNED = (
    "Its rate and momentum were searched, but the constant rate's were not: part of the gain may "
    "come from that."
)


def judge(
    records: RunRecords, frame: pd.DataFrame, baseline: Baseline | None, places: int
) -> tuple[str, str]:
    """The verdict of a search: who won, by how much, and whether chance alone could explain it.

    Args:
        records: of the run.
        frame: as `lrtune.stats.ranking.rank` returns it.
        baseline: of the run, None if it has none.
        places: int >= 0, decimals of scores.

    Returns:
        (headline, reasons): the verdict in a sentence, and the sentences that support it, which
        are empty if there is no winner.
    """
    manifest = records.manifest
    ranked = frame[frame["rank"].notna()]
    if ranked.empty:
        yet = " yet" if (frame["status"] == RUNNING).any() else ""
        length = count(manifest.max_epochs, "epoch")
        return f"No trial has completed {length}{yet}, so there is no winner.", ""
    tied = int((ranked["rank"] == 1).sum()) - 1
    tie = f" (tied with {count(tied, 'other')})" if tied else ""
    score, delta = float(ranked["score"].iloc[0]), float(ranked["delta"].iloc[0])
    recipe = records.by_id[ranked["trial_id"].iloc[0]].recipe
    winner = f"Winner: {recipe}: {manifest.objective} {fixed(score, places)}{tie}"
    if baseline is None:
        return NO_BASELINE, f"{winner}."
    compared = f"{_gap(delta, places)} {rival_in_full(baseline, manifest, places)}"
    headline, certainty = _compared(delta, baseline, frame, places)
    rivals = constants_as_good(baseline, score, manifest.direction)
    if rivals and baseline.beaten_by_best(delta, len(ranked)):
        headline = "No evidence that any schedule beats every constant rate here."
        certainty = f"{certainty} But {as_good(rivals, places)}."
    gain = _whose_gain(records, ranked, baseline, places)
    arm = baseline.reference
    recipes = whole_recipes({"the winner": recipe}, arm.name, arm.recipe)
    better = better_than_reference(baseline, manifest.direction, places)
    parts = f"{winner}, {compared}; {certainty}", recipes, gain, better
    return headline, " ".join(filter(None, parts))


def _compared(
    delta: float, baseline: Baseline, frame: pd.DataFrame, places: int
) -> tuple[str, str]:
    """The headline, and how certain the difference is."""
    constant, full = rival(baseline), int(frame["rank"].notna().sum())
    noise = f"the noise of a single run (±{fixed(baseline.spread, places)})"
    within = baseline.within_noise(delta)
    if within is None:
        headline = f"There is not enough data to tell whether any schedule beats {constant}."
        return headline, f"{_why_unknown(baseline)}, so this may be noise."
    if within:
        headline = f"No evidence that any schedule beats {constant} here."
        return headline, f"that is within {noise}."
    if delta < 0:
        headline = f"{constant[0].upper()}{constant[1:]} beats every schedule tried here."
        return headline, f"that is outside {noise}."
    best = f"the best of {full:,} runs (+{fixed(baseline.spread_of_best(full), places)})"
    if not baseline.beaten_by_best(delta, full):
        headline = f"No evidence that any schedule beats {constant} here."
        return headline, f"that is outside {noise}, but not outside that of {best}."
    headline = f"The best schedule beats {constant} by more than noise, but is not confirmed yet."
    beyond = f"the noise of {best}" if full > 1 else noise
    return (
        headline,
        f"that is outside {beyond}, but {_chosen(frame, full)}. Confirm it with fresh seeds.",
    )


def _gap(delta: float, places: int) -> str:
    if delta == 0:
        return "exactly as good as"
    return f"{fixed(abs(delta), places)} {'better' if delta > 0 else 'worse'} than"


def _why_unknown(baseline: Baseline) -> str:
    if baseline.reference.diverged:
        return "that rate diverged with some seeds"
    if baseline.reference.n == 1:
        return "with one seed the spread is unknown"
    return "all its seeds scored the same"


def _chosen(frame: pd.DataFrame, full: int) -> str:
    """How many trials the winner is the best of: with more trials, more of its lead is luck."""
    tried = int((frame["parent"].isna() & (frame["status"] != RUNNING)).sum())
    if full == 1 and tried <= 1:
        return "it is one trial with one seed"
    out_of = count(full, "trial")
    if tried > full:
        out_of = f"{out_of} that finished, out of {tried:,} tried"
    return f"it is the best of {out_of}, and the best of many is partly lucky"


def _whose_gain(records: RunRecords, ranked: pd.DataFrame, baseline: Baseline, places: int) -> str:
    """What other than the schedule may have made the winner better than the baseline."""
    delta = float(ranked["delta"].iloc[0])
    if not baseline.beaten_by_best(delta, len(ranked)):
        return ""
    if ranked["schedule"].iloc[0] == CONSTANT:
        return CONSTANT_WON
    constant = ranked[ranked["schedule"] == CONSTANT]
    if len(constant) and not math.isnan(constant["score"].iloc[0]):
        recipe = records.by_id[constant["trial_id"].iloc[0]].recipe
        score = fixed(constant["score"].iloc[0], places)
        return f"The best constant rate among the trials, {recipe}, reached {score}."
    return "" if baseline.was_searched else UNTUNED
