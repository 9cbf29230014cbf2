"""What a search says to use and how sure that is, in plain sentences."""

from __future__ import annotations

import math
import shlex
from typing import TYPE_CHECKING

from lrtune.report.constants import better_than_reference, constants_as_good
from lrtune.report.recipes import whole_recipes
from lrtune.report.recommendation import Answer, in_words
from lrtune.report.words import NO_BREAK, count, fixed, mean_and_std
from lrtune.schedules.constant import CONSTANT
from lrtune.stats.ranking import RUNNING

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pandas as pd

    from lrtune.records.reader import RunRecords
    from lrtune.stats.baseline import Arm, Baseline

NO_BASELINE = (
    "This run has no baseline, so it cannot show whether any schedule beats a constant rate."
)
UNTUNED = (
    "Its rate and momentum were searched, but the constant rate's were not: part of the gain may "
    "come from that."
)


def answer_searched(
    records: RunRecords, frame: pd.DataFrame, baseline: Baseline | None, places: int
) -> Answer:
    """The best trial if its lead is more than chance gives, else the constant rate.

    Args:
        records: of the run.
        frame: as `lrtune.stats.ranking.rank` returns it, with at least one rank.
        baseline: of the run, None if it has none.
        places: int >= 0, decimals of scores.
    """
    ranked = frame[frame["rank"].notna()]
    name, full = str(ranked["trial_id"].iloc[0]), len(ranked)
    recipe = records.by_id[name].recipe
    delta, score = float(ranked["delta"].iloc[0]), float(ranked["score"].iloc[0])

    what = f"Use {in_words(recipe)}"
    if baseline is None:
        best = f"the best of {full:,} trials" if full > 1 else "the only trial"
        answer = Answer(f"{what}, {best}.", NO_BASELINE, _tie(ranked))
        return answer.choosing(name, recipe, records.manifest, shown=False)
    arm, direction = baseline.reference, records.manifest.direction
    recipes = whole_recipes({"the best trial": recipe}, arm.name, arm.recipe)
    better = better_than_reference(baseline, direction, places)
    if not baseline.beaten_by_best(delta, full):
        why, caveats = _not_shown(baseline, delta, full, places), [recipes, better]
        answer = Answer(f"Use {in_words(arm.recipe)}.", why, sentences(caveats))
        return answer.choosing(arm.name, arm.recipe, records.manifest, shown=False)
    if rivals := constants_as_good(baseline, score, direction):
        answer = Answer(f"Use {in_words(rivals[0].recipe)}.", _as_good(rivals[0], score, places))
        return answer.choosing(rivals[0].name, rivals[0].recipe, records.manifest, shown=False)
    command = f"`lrtune confirm {shlex.quote(str(records.folder))}`".replace(" ", NO_BREAK)
    chance = _chance(baseline, delta, full, places)
    why = f"It leads {arm.name} by {fixed(delta, places)} in the search, and {chance}."
    gain = _whose_gain(records, ranked, baseline, places)
    caveats = [_tie(ranked), _chosen(frame, full), recipes, gain, better]
    answer = Answer(f"{what}, but confirm it: {command}.", why, sentences(caveats))
    return answer.choosing(name, recipe, records.manifest, shown=True)


def _not_shown(baseline: Baseline, delta: float, full: int, places: int) -> str:
    """Why a constant rate is the choice."""
    lead = f"the best trial {gap(delta, places)} in the search"
    within = baseline.within_noise(delta)
    if within is None:
        return (
            f"There is not enough data to tell whether any schedule beats it: {lead}, and what "
            f"chance alone can give is unknown, because this rate {_why_unknown(baseline)}."
        )
    chance = _chance(baseline, delta, full, places)
    if not within and delta < 0:
        return f"It beats every schedule tried: {lead}, and {chance}."
    return f"No schedule was shown to beat it: {lead}, and {chance}."


def _as_good(arm: Arm, score: float, places: int) -> str:
    """That another constant rate than the reference is as good as the best trial."""
    return (
        f"No schedule was shown to beat it: it scored {mean_and_std(arm, places)}, and the best "
        f"trial {fixed(score, places)}."
    )


def gap(delta: float, places: int) -> str:
    """A difference as a predicate: "leads by 0.0075", "trails by 0.0075"."""
    if delta == 0:
        return "scored exactly the same"
    return f"{'leads' if delta > 0 else 'trails'} by {fixed(abs(delta), places)}"


def chance_of(baseline: Baseline, delta: float, full: int) -> tuple[int, float]:
    """What chance alone can give the best trial: of how many trials, and how much.

    A lead within the noise of one training needs no more to explain it; a larger one is that of
    the best of all trials with a rank.
    """
    k = 1 if baseline.within_noise(delta) or delta < 0 else full
    return k, baseline.spread if k == 1 else baseline.spread_of_best(k)


def _chance(baseline: Baseline, delta: float, full: int, places: int) -> str:
    k, size = chance_of(baseline, delta, full)
    of = f" the best of {k:,} trials" if k > 1 else ""
    return f"chance alone can give{of} as much as {fixed(size, places)}"


def _why_unknown(baseline: Baseline) -> str:
    arm = baseline.reference
    if arm.diverged:
        return f"diverged with {arm.diverged} of {count(arm.n, 'seed')}"
    return "was trained with one seed" if arm.n == 1 else "scored the same with every seed"


def sentences(parts: Iterable[str]) -> str:
    """The sentences that say anything."""
    return " ".join(filter(None, parts))


def _tie(ranked: pd.DataFrame) -> str:
    tied = int((ranked["rank"] == 1).sum()) - 1
    return f"{count(tied, 'other trial')} scored exactly the same." if tied else ""


def _chosen(frame: pd.DataFrame, full: int) -> str:
    """That the ranked trials were chosen from more: then more of the lead is luck."""
    tried = int((frame["parent"].isna() & (frame["status"] != RUNNING)).sum())
    if tried <= full:
        return ""
    return (
        f"It was chosen from {count(tried, 'trial')}, not only the {full:,} that finished, so luck "
        "may give a little more."
    )


def _whose_gain(records: RunRecords, ranked: pd.DataFrame, baseline: Baseline, places: int) -> str:
    """What other than the schedule may have made the best trial better than the baseline."""
    if baseline.was_searched or ranked["schedule"].iloc[0] == CONSTANT:
        return ""
    constant = ranked[ranked["schedule"] == CONSTANT]
    if len(constant) and not math.isnan(constant["score"].iloc[0]):
        recipe = records.by_id[constant["trial_id"].iloc[0]].recipe
        score = fixed(constant["score"].iloc[0], places)
        return f"Among the trials, {in_words(recipe)} scored {score}."
    return UNTUNED
