"""The verdict of a confirmation: what was confirmed, and what had been promised."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from lrtune.records.schema import TUNED
from lrtune.report.baseline import share_text
from lrtune.report.confirmation import call_arm, measured, too_few
from lrtune.report.verdict import CONSTANT, GIVEN
from lrtune.report.words import call_in_full, count, fixed
from lrtune.stats.winner import Direction
from lrtune.stats.wording import sentence

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lrtune.records.schema import ConfirmManifest, Manifest
    from lrtune.stats.comparison import ArmSummary, Difference
    from lrtune.stats.confirmation import Confirmed


def judge_confirmed(
    confirmed: Confirmed, promised: Mapping[Any, Any] | None, searched: Manifest, places: int
) -> tuple[str, str]:
    """What the confirmation says, and what the search had promised.

    Args:
        confirmed: as `measure_confirmation` returns it.
        promised: row of the search's winner as `lrtune.stats.ranking.rank` returns it; None if
            there is none.
        searched: manifest of the search.
        places: decimals to show scores with.

    Returns:
        (headline, reasons): what follows, in a sentence, and what else there is to know.
    """
    manifest = confirmed.manifest
    named = {one.arm: one for one in confirmed.comparison.differences}
    winners = _winners(confirmed)
    own = _arm_of(manifest, promised)
    if winners:
        parts = _confirmed(confirmed, winners, places)
    else:
        nothing = f"Not confirmed: no arm was shown to be better than {_rival(manifest)}."
        parts = [nothing, too_few(confirmed)]
    if manifest.baseline == TUNED and searched.baseline_budget:
        parts.append(f"The constant rate was tuned with {share_text(searched)}.")
    if promised is not None:
        told = winners[:1] == [own]
        against = None if told or own is None else named.get(own)
        parts.append(_promise(confirmed, promised, own, against, searched.objective, places))
    if confirmed.ended < confirmed.planned:
        parts.append(
            f"The confirmation is not finished ({confirmed.ended:,} of {confirmed.planned:,} "
            "trainings have ended): all this may change."
        )
    return parts[0], " ".join(part for part in parts[1:] if part)


def best_confirmed(confirmed: Confirmed) -> str | None:
    """The arm to use: the best of those that beat the baseline, else the best mean.

    Returns:
        Name of an arm with as many scores as any; None before there are any.
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


def _confirmed(confirmed: Confirmed, winners: list[str], places: int) -> list[str]:
    manifest = confirmed.manifest
    first = winners[0]
    (against,) = (one for one in confirmed.comparison.differences if one.arm == first)
    (arm,) = (one for one in confirmed.comparison.arms if one.name == first)
    parts = [_beats(confirmed, arm, against, places)]
    if len(winners) > 1:
        parts.append(
            f"{count(len(winners), 'arm')} beat it; this one has the best mean, but they were not "
            "tested against each other."
        )
    if manifest.arms[first].get("schedule") == CONSTANT:
        parts.append("It is a constant rate itself: the gain is that of its rate and momentum.")
    elif manifest.baseline != TUNED:
        parts.append(GIVEN)
    return parts


def _beats(confirmed: Confirmed, arm: ArmSummary, against: Difference, places: int) -> str:
    manifest = confirmed.manifest
    return (
        f"Confirmed: {call_arm(manifest, arm.name)} ({arm.name}), {measured(manifest)} "
        f"{fixed(arm.mean, places)}, {sentence(against, places, _rival(manifest))}."
    )


def _promise(
    confirmed: Confirmed,
    promised: Mapping[Any, Any],
    own: str | None,
    against: Difference | None,
    objective: str,
    places: int,
) -> str:
    """What the search had promised of its winner, and what became of it."""
    score = f"{objective} {fixed(promised['score'], places)}"
    if own is None:
        return (
            f"The search promised {score} of {call_in_full(promised)}, which was not confirmed: it "
            "is none of the arms."
        )
    became = _flattery(confirmed, own, places)
    if against is None:
        return f"The search had promised {score}{became}."
    return (
        f"The search had promised {score} of {call_in_full(promised)} ({own}){became}. On these, "
        f"{own}: {sentence(against, places, _rival(confirmed.manifest))}."
    )


def _flattery(confirmed: Confirmed, own: str, places: int) -> str:
    (arm,) = (one for one in confirmed.comparison.arms if one.name == own)
    if math.isnan(arm.flattery):
        return ""
    size = fixed(abs(arm.flattery), places)
    than = f"{size} {'better' if arm.flattery > 0 else 'worse'} than" if arm.flattery else "just"
    return f", {than} what fresh seeds score on the test images"


def _arm_of(manifest: ConfirmManifest, promised: Mapping[Any, Any] | None) -> str | None:
    if promised is None:
        return None
    trials = manifest.trials.items()
    return next(
        (arm for arm, one in trials if one == promised["trial_id"] and arm in manifest.arms), None
    )


def _rival(manifest: ConfirmManifest) -> str:
    if manifest.baseline == TUNED:
        return "the tuned constant rate"
    if manifest.arms[manifest.baseline].get("schedule") == CONSTANT:
        return f"the untuned constant rate {manifest.baseline}"
    return manifest.baseline
