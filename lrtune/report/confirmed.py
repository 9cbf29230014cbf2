"""What a confirmation says to use and how sure that is, in plain sentences."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

from lrtune.report import sequential
from lrtune.report.constants import confirmed_as_good, confirmed_too, is_tuned
from lrtune.report.recipes import whole_recipes
from lrtune.report.recommendation import Answer, in_words
from lrtune.report.verdict import UNTUNED, gap, sentences
from lrtune.report.words import count, fixed, interval
from lrtune.schedules.constant import CONSTANT
from lrtune.schedules.recipe import Recipe
from lrtune.stats.power import fewest_seeds
from lrtune.stats.winner import Direction

if TYPE_CHECKING:
    from lrtune.records.reader import RunRecords
    from lrtune.records.schema import ConfirmManifest
    from lrtune.stats.comparison import ArmSummary, Difference
    from lrtune.stats.confirmation import Confirmed


def answer_confirmed(records: RunRecords, confirmed: Confirmed, places: int) -> Answer:
    """The arm that was shown to beat every constant rate, else a constant rate.

    Args:
        records: of the run.
        confirmed: a confirmation with at least one score.
        places: int >= 0, decimals of scores.
    """
    manifest, beating, decides = confirmed.manifest, winners(confirmed), deciding(confirmed)
    arm, why, caveats = manifest.baseline, "", [too_few(confirmed)]
    if beating and (rivals := confirmed_as_good(confirmed, beating[0].name)):
        arm, why = rivals[0].name, _as_good(rivals[0], beating[0], manifest, places)
    elif decides is not None:
        why = certainty(confirmed, decides, places)
        if beating:
            arm, caveats = decides.arm, _about_winner(records, confirmed, beating, places)
        else:
            caveats.append(recipes_differ(manifest, decides.arm))
    recipe = Recipe.from_values(manifest.arms[arm])
    if decides is not None:
        caveats.append(on_other_samples(confirmed, decides.arm, places))
    caveats += [unfinished(confirmed), sequential.how_to_go_on(confirmed, records.folder)]
    name = manifest.trials.get(arm, arm)
    answer = Answer(f"Use {in_words(recipe)}.", why, sentences(caveats))
    # The code is for the data that the confirmation trained on.
    trained = dict(manifest.data.sizes) or records.manifest.data.sizes
    data = replace(records.manifest.data, sizes=trained)
    return answer.choosing(
        name if name in records.by_id else arm,
        recipe,
        replace(records.manifest, data=data),
        shown=bool(beating) and arm == beating[0].name,
    )


def certainty(confirmed: Confirmed, one: Difference, places: int) -> str:
    """How sure the answer is, in a sentence: the one place that words the verdict of a comparison.

    Args:
        confirmed: the confirmation.
        one: the difference that decides: of the arm to use if its verdict is "better", else of
            the best schedule that was not shown to beat the constant rate.
        places: int >= 0, decimals of scores.
    """
    manifest = confirmed.manifest
    if confirmed.evidence is not None:
        return sequential.certainty(confirmed, one, places)
    where = f"on the test {manifest.data.kind}"
    seeds, size = f"with {count(one.n, 'fresh seed')}", ""
    if not math.isnan(one.lower):
        ends = one.lower, one.upper
        if one.mean < 0:
            ends = -one.upper, -one.lower
        lower, upper = (fixed(end + 0.0, places) for end in ends)
        size = f" (95 % interval {lower} to {upper})"
    if one.verdict == "better":
        gain = fixed(one.mean, places)
        return f"Confirmed: {seeds}, it beats {manifest.baseline} by {gain}{size} {where}."
    if not one.n:
        return "No schedule was shown to beat it: no seed has a score in both arms yet."
    lead = f"{seeds}, the best schedule {gap(one.mean, places)}{size} {where}"
    if one.verdict == "worse":
        return f"It beats every schedule confirmed: {lead}."
    return f"No schedule was shown to beat it: {lead}."


def on_other_samples(confirmed: Confirmed, arm: str, places: int) -> str:
    """How an arm differs from the baseline on other samples of the same kind, a sentence.

    Args:
        confirmed: the confirmation.
        arm: that is compared with the baseline.
        places: int >= 0, decimals of scores.

    Returns:
        Empty where it is not known how the arms did on each sample.
    """
    found, kind = confirmed.other_samples.get(arm), confirmed.manifest.data.kind
    if found is None:
        return ""
    one, lower, upper = differences(confirmed)[arm], found.lower, found.upper
    if confirmed.evidence is not None:
        # The interval for these samples holds whenever the test stops, which makes it wider. What
        # is said of more samples must not sound more certain than what is said of these.
        lower, upper = min(lower, one.lower), max(upper, one.upper)
        if not math.isfinite(lower + upper):
            return ""
    shown = fixed(found.mean, places, sign=True), interval(lower, upper, places)
    alas = (
        f", so on other {kind} it may be no better"
        if one.verdict == "better" and lower <= 0
        else ""
    )
    return (
        f"For other {kind} of this kind, and other seeds, the difference is {' '.join(shown)} "
        f"(95 % interval){alas}."
    )


def deciding(confirmed: Confirmed) -> Difference | None:
    """The difference that decides: of the best arm that beats the baseline, else the best schedule.

    Returns:
        None if only constant rates were confirmed and none beats the baseline.
    """
    arms, beating = confirmed.manifest.arms, winners(confirmed)
    if beating:
        return differences(confirmed)[beating[0].name]
    schedules = [
        one
        for one in confirmed.comparison.differences
        if arms[one.arm].get("schedule") != CONSTANT or one.arm in confirmed.manifest.trials
    ]
    return max(
        schedules, key=lambda one: -math.inf if math.isnan(one.mean) else one.mean, default=None
    )


def best_confirmed(confirmed: Confirmed) -> str | None:
    """The best of the arms that beat the baseline, else the one with the best mean.

    Returns:
        Name of an arm; without a winner only arms with the most scores count. None before there is
        any score.
    """
    arms = confirmed.comparison.arms
    most = max(arm.n for arm in arms)
    candidates = winners(confirmed) or [arm for arm in arms if arm.n == most]
    best = Direction(confirmed.comparison.direction).best(candidates, lambda arm: arm.mean)
    return best.name if best else None


def winners(confirmed: Confirmed) -> list[ArmSummary]:
    """The arms that beat the baseline, the best mean first."""
    better = {one.arm for one in confirmed.comparison.differences if one.verdict == "better"}
    arms = [arm for arm in confirmed.comparison.arms if arm.name in better]
    return sorted(arms, key=lambda arm: -Direction(confirmed.comparison.direction).sign * arm.mean)


def differences(confirmed: Confirmed) -> dict[str, Difference]:
    """Arm -> its difference from the baseline, which is not among them."""
    return {one.arm: one for one in confirmed.comparison.differences}


def recipes_differ(manifest: ConfirmManifest, *arms: str) -> str:
    """Whether these arms (all of the search, if none are named) differ in more than schedules."""
    recipes = {arm: Recipe.from_values(values) for arm, values in manifest.arms.items()}
    compared = {arm: recipes[arm] for arm in arms or manifest.trials if arm in recipes}
    return whole_recipes(compared, manifest.baseline, recipes[manifest.baseline])


def too_few(confirmed: Confirmed) -> str:
    """Why no verdict is possible with so few seeds; empty if there are enough."""
    if confirmed.evidence is not None:
        return ""
    tested = [one for one in confirmed.comparison.differences if one.verdict != "untested"]
    comparisons, most = len(tested), max((one.n for one in tested), default=0)
    fewest = fewest_seeds(comparisons, tested[0].alpha) if tested else 0
    if most >= fewest:
        return ""
    return (
        f"No verdict is possible with {count(most, 'seed')}: corrected for "
        f"{count(comparisons, 'comparison')}, it takes at least {fewest}, however large the "
        "difference."
    )


def unfinished(confirmed: Confirmed) -> str:
    """How many trainings have ended; empty if all have."""
    ended, planned = confirmed.ended, confirmed.planned
    if ended >= planned or confirmed.evidence is not None:
        return ""
    return (
        f"The confirmation is not finished: {ended:,} of {planned:,} trainings have ended, so the "
        "results may still change."
    )


def _as_good(rival: ArmSummary, best: ArmSummary, manifest: ConfirmManifest, places: int) -> str:
    """That a constant rate is as good as the best schedule."""
    scored, against = fixed(rival.mean, places), fixed(best.mean, places)
    return (
        f"No schedule was shown to beat it: on the test {manifest.data.kind} it scored {scored}, "
        f"and the best schedule {against}."
    )


def _about_winner(
    records: RunRecords, confirmed: Confirmed, beating: list[ArmSummary], places: int
) -> list[str]:
    """What else there is to know about the best of the arms that beat the baseline."""
    manifest, first = confirmed.manifest, beating[0].name
    caveats = [confirmed_too(confirmed, first, manifest.baseline, places)]
    if len(beating) > 1:
        caveats.append(
            f"{count(len(beating), 'arm')} beat it. This one has the best mean, but the arms were "
            "not tested against each other."
        )
    if (tested := _tested(confirmed)) > 1 and first in manifest.trials:
        caveats.append(
            f"It is the best of {tested} schedules tested, so its gain is probably a little too "
            "high."
        )
    tuned = is_tuned(manifest.baseline) or records.manifest.baseline_budget
    if not tuned and manifest.arms[first].get("schedule") != CONSTANT:
        caveats.append(UNTUNED)
    return [*caveats, recipes_differ(manifest, first)]


def _tested(confirmed: Confirmed) -> int:
    """How many arms of the search were tested against the baseline."""
    tested = (one.arm for one in confirmed.comparison.differences if one.verdict != "untested")
    return sum(arm in confirmed.manifest.trials for arm in tested)
