"""The verdict of a confirmation: what it confirms, and how it compares with the search's score."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from lrtune.records.schema import TUNED
from lrtune.report.baseline import share_text
from lrtune.report.confirmation import arm_text, differences, metric, too_few
from lrtune.report.verdict import CONSTANT, CONSTANT_WON, UNTUNED
from lrtune.report.words import count, fixed
from lrtune.stats.trials import score_of
from lrtune.stats.winner import Direction
from lrtune.stats.wording import sentence

if TYPE_CHECKING:
    from lrtune.records.schema import ConfirmManifest, Manifest, Outcome
    from lrtune.stats.comparison import ArmSummary
    from lrtune.stats.confirmation import Confirmed


def judge_confirmed(
    confirmed: Confirmed, winner: Outcome | None, searched: Manifest, places: int
) -> tuple[str, str]:
    """What the confirmation shows, and what the search had reported.

    Args:
        confirmed: as `measure_confirmation` returns it.
        winner: the search's best trial; None if there is none.
        searched: manifest of the search.
        places: int >= 0, decimals of scores.

    Returns:
        (headline, reasons): the verdict in a sentence, and what else there is to know.
    """
    manifest = confirmed.manifest
    confirmed_arms = _winners(confirmed)
    if confirmed_arms:
        headline, *parts = _confirmed(confirmed, confirmed_arms, places)
    else:
        headline = f"Not confirmed: no arm was shown to beat {_rival(manifest)}."
        parts = [too_few(confirmed)]
    if manifest.baseline == TUNED and searched.baseline_budget:
        parts.append(f"The constant rate was tuned with {share_text(searched)}.")
    if winner is not None:
        first = confirmed_arms[0] if confirmed_arms else None
        parts.append(_reported(confirmed, winner, first, searched.objective, places))
    if confirmed.ended < confirmed.planned:
        parts.append(
            f"The confirmation is not finished ({confirmed.ended:,} of {confirmed.planned:,} "
            "trainings have ended), so all of this may change."
        )
    return headline, " ".join(part for part in parts if part)


def best_confirmed(confirmed: Confirmed) -> str | None:
    """The arm to use: the best of those that beat the baseline, else the best mean.

    Returns:
        Name of an arm; only arms with the most scores count. None before there is any score.
    """
    winners = _winners(confirmed)
    arms = confirmed.comparison.arms
    most = max(arm.n for arm in arms)
    if winners or not most:
        return winners[0] if winners else None
    return _by_mean(confirmed, [arm for arm in arms if arm.n == most])[0]


def _winners(confirmed: Confirmed) -> list[str]:
    """The arms that beat the baseline, the best mean first."""
    better = {one.arm for one in confirmed.comparison.differences if one.verdict == "better"}
    return _by_mean(confirmed, [arm for arm in confirmed.comparison.arms if arm.name in better])


def _by_mean(confirmed: Confirmed, arms: list[ArmSummary]) -> list[str]:
    sign = Direction(confirmed.comparison.direction).sign
    return [arm.name for arm in sorted(arms, key=lambda arm: -sign * arm.mean)]


def _summary(confirmed: Confirmed, name: str) -> ArmSummary:
    return next(arm for arm in confirmed.comparison.arms if arm.name == name)


def _confirmed(confirmed: Confirmed, winners: list[str], places: int) -> list[str]:
    manifest, first = confirmed.manifest, winners[0]
    score = f"{metric(manifest)} {fixed(_summary(confirmed, first).mean, places)}"
    gain = sentence(differences(confirmed)[first], places, _rival(manifest))
    winner = f"{arm_text(manifest, first)} ({first})"
    parts = [f"Confirmed: {winner}, with {score} on the test images, {gain}."]
    if len(winners) > 1:
        parts.append(
            f"{count(len(winners), 'arm')} beat it. This one has the best mean, but the arms were "
            "not tested against each other."
        )
    if manifest.arms[first].get("schedule") == CONSTANT:
        parts.append(CONSTANT_WON)
    elif manifest.baseline != TUNED:
        parts.append(UNTUNED)
    return parts


def _reported(
    confirmed: Confirmed, winner: Outcome, first: str | None, objective: str, places: int
) -> str:
    """What the search reported of its winner, and how that trial did in the confirmation."""
    reported = f"The search reported {objective} {fixed(score_of(winner), places)}"
    arm = _arm_of(confirmed.manifest, winner.trial_id)
    if arm is None:
        return f"{reported} for {winner.recipe}, but that trial was not part of this confirmation."
    compared = _bias(confirmed, arm, places)
    against = differences(confirmed).get(arm)
    if against is None or arm == first:
        return f"{reported}{compared}."
    return (
        f"{reported} for {winner.recipe} ({arm}){compared}. In the confirmation, {arm}: "
        f"{sentence(against, places, _rival(confirmed.manifest))}."
    )


def _bias(confirmed: Confirmed, arm: str, places: int) -> str:
    bias = _summary(confirmed, arm).selection_bias
    if math.isnan(bias):
        return ""
    if not bias:
        return ", exactly what fresh seeds score on the test images"
    better = "better" if bias > 0 else "worse"
    return f", {fixed(abs(bias), places)} {better} than fresh seeds score on the test images"


def _arm_of(manifest: ConfirmManifest, trial_id: str) -> str | None:
    trials = manifest.trials.items()
    return next((arm for arm, one in trials if one == trial_id and arm in manifest.arms), None)


def _rival(manifest: ConfirmManifest) -> str:
    if manifest.baseline == TUNED:
        return "the tuned constant rate"
    if manifest.arms[manifest.baseline].get("schedule") == CONSTANT:
        return f"the untuned constant rate {manifest.baseline}"
    return manifest.baseline
