"""What a run found and how sure it is, in plain sentences: what follows first, then from what."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from lrtune.report.baseline import rival, rival_in_full
from lrtune.report.words import brief, call_in_full, count, fixed
from lrtune.stats.ranking import RUNNING
from lrtune.stats.winner import Direction

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from lrtune.records.schema import Manifest
    from lrtune.stats.baseline import Baseline

CONSTANT = "constant"
NOTHING_TO_COMPARE = (
    "This run has no baseline, so nothing tells whether any schedule is better than a constant "
    "rate."
)
GIVEN = (
    "Its rate and momentum were searched, the constant rate's were not: part of the gain may be "
    "theirs."
)


def judge(
    frame: pd.DataFrame, manifest: Manifest, baseline: Baseline | None, places: int
) -> tuple[str, str]:
    """The verdict of a search: who won, by how much, and whether chance alone could have done it.

    Args:
        frame: as `lrtune.stats.ranking.rank` returns it.
        manifest: of the run.
        baseline: of the run, None if it has none.
        places: decimals to show scores with.

    Returns:
        (headline, reasons): what follows, in a sentence, and the sentences that it follows from;
        these are empty where there is no winner.
    """
    ranked = frame[frame["rank"].notna()]
    if ranked.empty:
        yet = " yet" if (frame["status"] == RUNNING).any() else ""
        return f"No trial has completed {count(manifest.max_epochs, 'epoch')}{yet}: no winner.", ""
    best = ranked.iloc[0].to_dict()
    tied = int((ranked["rank"] == 1).sum()) - 1
    tie = f" (tied with {count(tied, 'other')})" if tied else ""
    score = f"{manifest.objective} {fixed(best['score'], places)}{tie}"
    winner = f"Winner: {call_in_full(best)}: {score}"
    if baseline is None:
        return NOTHING_TO_COMPARE, f"{winner}."
    compared = f"{_gap(best['delta'], places)} {rival_in_full(baseline, manifest, places)}"
    certainty = _certainty(best["delta"], baseline, _chosen(frame, ranked), places)
    return _headline(best["delta"], baseline), (
        f"{winner}, {compared}; {certainty}{_whose_gain(best, ranked, baseline, places)}"
        f"{_better_still(manifest, baseline, places)}"
    )


def _headline(delta: float, baseline: Baseline) -> str:
    constant = rival(baseline)
    within = baseline.within_noise(delta)
    if within is None:
        return f"Nothing tells whether any schedule is better than {constant}."
    if within:
        return f"No evidence that any schedule beats {constant} here."
    if delta < 0:
        return f"{constant[0].upper()}{constant[1:]} beats every schedule tried here."
    return f"Better than {constant} by more than noise, but not confirmed yet."


def _gap(delta: float, places: int) -> str:
    if delta == 0:
        return "exactly as good as"
    return f"{fixed(abs(delta), places)} {'better' if delta > 0 else 'worse'} than"


def _certainty(delta: float, baseline: Baseline, chosen: str, places: int) -> str:
    noise = f"the noise of a single run (±{fixed(baseline.spread, places)})"
    within = baseline.within_noise(delta)
    if within is None:
        return f"{_why_unknown(baseline)}, so that may be noise or not."
    if within:
        return f"that is within {noise}."
    if delta < 0:
        return f"that is outside {noise}."
    return f"that is outside {noise}, but {chosen}. Confirm it with fresh seeds."


def _why_unknown(baseline: Baseline) -> str:
    if baseline.reference.diverged:
        return "that rate diverged with some seeds"
    if baseline.reference.n == 1:
        return "one seed shows no spread"
    return "the baseline's seeds tell no spread"


def _chosen(frame: pd.DataFrame, ranked: pd.DataFrame) -> str:
    """How much choice the winner comes from: the more, the more of its lead is luck."""
    tried = int((frame["parent"].isna() & (frame["status"] != RUNNING)).sum())
    if len(ranked) == 1 and tried <= 1:
        return "it is one trial with one seed"
    out_of = f"{count(len(ranked), 'trial')}"
    if tried > len(ranked):
        out_of = f"{out_of} that finished, out of {tried:,} tried"
    return f"it is the best of {out_of}, and the best of many owes part of its lead to luck"


def _whose_gain(
    best: Mapping[str, Any], ranked: pd.DataFrame, baseline: Baseline, places: int
) -> str:
    """What else than the schedule may have made the winner better than the baseline."""
    if not (best["delta"] > 0 and baseline.within_noise(best["delta"]) is False):
        return ""
    if best["schedule"] == CONSTANT:
        return " It is a constant rate itself: the gain is that of its rate and momentum."
    constant = ranked[ranked["schedule"] == CONSTANT]
    if len(constant) and not math.isnan(constant.iloc[0]["score"]):
        first = constant.iloc[0]
        return (
            f" The best constant rate among the trials, lr0 {brief(first['lr0'])} with momentum "
            f"{brief(first['momentum'])}, reached {fixed(first['score'], places)}."
        )
    if baseline.is_tuned:
        return ""
    return f" {GIVEN}"


def _better_still(manifest: Manifest, baseline: Baseline, places: int) -> str:
    """That a constant rate that nobody searched for did better than the tuned one, if one did."""
    direction = Direction(manifest.direction)
    first = direction.best(baseline.arms, lambda arm: arm.mean)
    if first is None or not direction.better(first.mean, baseline.reference.mean):
        return ""
    return (
        f" {first.name}, a constant rate that was given, did better than the tuned one: "
        f"{fixed(first.mean, places)}."
    )
