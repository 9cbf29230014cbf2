"""What a confirmation found: its table, its verdict, and how it compares with the search."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from lrtune.records.schema import TUNED
from lrtune.report.baseline import share_text
from lrtune.report.constants import CONSTANT, as_good, confirmed_as_good, confirmed_too
from lrtune.report.grid import Column, Section, numbers
from lrtune.report.majority import majority
from lrtune.report.recipes import whole_recipes
from lrtune.report.samples import metric, reach, trained
from lrtune.report.verdict import CONSTANT_WON, UNTUNED
from lrtune.report.words import NO_BREAK, count, fixed, interval, p_text
from lrtune.schedules.recipe import Recipe
from lrtune.stats.frames import comparison_frame
from lrtune.stats.power import fewest_seeds
from lrtune.stats.trials import score_of
from lrtune.stats.winner import Direction
from lrtune.stats.wording import sentence

if TYPE_CHECKING:
    import pandas as pd

    from lrtune.records.schema import ConfirmManifest, Manifest, Outcome
    from lrtune.report.build import Report
    from lrtune.stats.comparison import ArmSummary, Difference
    from lrtune.stats.confirmation import Confirmed

PLUS_MINUS = f"{NO_BREAK}±{NO_BREAK}"


def confirmation_section(report: Report) -> Section:
    """What was trained, the arms as a table and in words, and how far the results reach."""
    confirmed, places = report.confirmation, report.places
    if confirmed is None:
        return Section("Confirmation")
    arms, manifest = confirmed.comparison.arms, confirmed.manifest
    scores = [score for of_arm in confirmed.scores.values() for score in of_arm.values()]
    same = majority(scores, manifest.data, manifest.objective, places)
    return Section(
        "Confirmation",
        about=tuple(filter(None, (trained(manifest), _unfinished(confirmed)))),
        columns=_columns(confirmed, places),
        legend=(_legend(confirmed, report.records.manifest),),
        pairs=tuple((arm.name, _verdict(confirmed, arm.name, places)) for arm in arms),
        notes=tuple(
            filter(
                None,
                (
                    _recipes(manifest),
                    _too_few(confirmed),
                    f"{same}." if same else "",
                    reach(manifest.data),
                ),
            )
        ),
    )


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
    winners = _winners(confirmed)
    if winners:
        headline, *parts = _confirmed(confirmed, winners, places)
    else:
        headline = f"Not confirmed: no arm was shown to beat {_rival(manifest)}."
        parts = [_too_few(confirmed)]
    told = [one.name for one in winners[:1]] or _arms_of(manifest, winner)
    parts.append(_recipes(manifest, *told) if told else "")
    if manifest.baseline == TUNED and searched.baseline_budget:
        parts.append(f"The constant rate was tuned with {share_text(searched)}.")
    if winner is not None:
        first = winners[0].name if winners else None
        parts.append(_reported(confirmed, winner, first, searched.objective, places))
    parts.append(_unfinished(confirmed))
    return headline, " ".join(filter(None, parts))


def best_confirmed(confirmed: Confirmed) -> str | None:
    """The arm to use: the best of those that beat the baseline, else the one with the best mean.

    Returns:
        Name of an arm; without a winner only arms with the most scores count. None before there is
        any score.
    """
    arms = confirmed.comparison.arms
    most = max(arm.n for arm in arms)
    candidates = _winners(confirmed) or [arm for arm in arms if arm.n == most]
    best = Direction(confirmed.comparison.direction).best(candidates, lambda arm: arm.mean)
    return best.name if best else None


def _too_few(confirmed: Confirmed) -> str:
    """Why no verdict is possible with so few seeds; empty if there are enough."""
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


def differences(confirmed: Confirmed) -> dict[str, Difference]:
    """Arm -> its difference from the baseline, which is not among them."""
    return {one.arm: one for one in confirmed.comparison.differences}


def _arm_text(manifest: ConfirmManifest, arm: str) -> str:
    """An arm's schedule and momentum."""
    return str(Recipe.from_values(manifest.arms[arm]))


def _arms_of(manifest: ConfirmManifest, trial: Outcome | None) -> list[str]:
    """The arms that are this trial of the search."""
    if trial is None:
        return []
    return [arm for arm in manifest.arms if manifest.trials.get(arm) == trial.trial_id]


def _recipes(manifest: ConfirmManifest, *arms: str) -> str:
    """Whether these arms (all of the search, if none are named) differ in more than schedules."""
    recipes = {arm: Recipe.from_values(values) for arm, values in manifest.arms.items()}
    compared = {arm: recipes[arm] for arm in arms or manifest.trials if arm in recipes}
    return whole_recipes(compared, manifest.baseline, recipes[manifest.baseline])


def _unfinished(confirmed: Confirmed) -> str:
    """How many trainings have ended; empty if all have."""
    ended, planned = confirmed.ended, confirmed.planned
    if ended >= planned:
        return ""
    return (
        f"The confirmation is not finished: {ended:,} of {planned:,} trainings have ended, so the "
        "results may still change."
    )


def _columns(confirmed: Confirmed, places: int) -> tuple[Column, ...]:
    frame = comparison_frame(confirmed.comparison)
    # The bootstrap does not know that an accuracy is at least 0 and at most 1.
    bounds = (0, 1) if "accuracy" in confirmed.manifest.objective else (None, None)
    ends = frame["lower"].clip(*bounds), frame["upper"].clip(*bounds)
    stds = [f"{PLUS_MINUS}{fixed(std, places)}" if std >= 0 else "" for std in frame["std"]]
    means = [fixed(mean, places) + std for mean, std in zip(frame["mean"], stds, strict=True)]
    gains = [fixed(gain, places, sign=True) for gain in frame["difference"]]
    gain_ends = frame["difference_lower"], frame["difference_upper"]
    return (
        Column("arm", tuple(frame["arm"])),
        numbers("n", map(str, frame["n"])),
        _wrapping(f"mean{PLUS_MINUS}std", means, *ends, places),
        _wrapping("difference", gains, *gain_ends, places),
        numbers("p", map(p_text, frame["p_holm"])),
        numbers("bias", (fixed(bias, places, sign=True) for bias in frame["selection_bias"])),
    )


def _legend(confirmed: Confirmed, searched: Manifest) -> str:
    name, how = confirmed.manifest.baseline, ", not tuned"
    if name == TUNED:
        how = f", found with {share_text(searched)}" if searched.baseline_budget else ""
    return (
        f"difference: how much better than {name}{how}, paired by seed; []: 95 % intervals, not "
        "adjusted for the number of arms; p: sign-flip test with Holm's adjustment; bias: how much "
        "better the search's score was (selection bias)"
    )


def _wrapping(
    name: str, values: list[str], lower: pd.Series[float], upper: pd.Series[float], places: int
) -> Column:
    """Numbers and their intervals; lines may break only before an interval."""
    cells = tuple(
        value if math.isnan(low) else f"{value} {interval(low, high, places)}"
        for value, low, high in zip(values, lower, upper, strict=True)
    )
    words = [word for cell in (name, *cells) for word in cell.split(" ")]
    return Column(name, cells, least=max(map(len, words)))


def _verdict(confirmed: Confirmed, arm: str, places: int) -> str:
    against = differences(confirmed).get(arm)
    words = "the baseline" if against is None else sentence(against, places)
    ended = (confirmed.diverged[arm], "diverged (counted)"), (confirmed.failed[arm], "failed")
    words += "".join(f"; {count(number, 'seed')} {how}" for number, how in ended if number)
    return f"{_arm_text(confirmed.manifest, arm)}: {words}"


def _winners(confirmed: Confirmed) -> list[ArmSummary]:
    """The arms that beat the baseline, the best mean first."""
    better = {one.arm for one in confirmed.comparison.differences if one.verdict == "better"}
    arms = [arm for arm in confirmed.comparison.arms if arm.name in better]
    return sorted(arms, key=lambda arm: -Direction(confirmed.comparison.direction).sign * arm.mean)


def _confirmed(confirmed: Confirmed, winners: list[ArmSummary], places: int) -> list[str]:
    manifest, first = confirmed.manifest, winners[0].name
    score = f"{metric(manifest)} {fixed(winners[0].mean, places)}"
    gain = sentence(differences(confirmed)[first], places, _rival(manifest))
    winner = f"{_arm_text(manifest, first)} ({first})"
    beats = f"{winner}, with {score} on the test {manifest.data.kind}, {gain}"
    rivals = confirmed_as_good(confirmed, first)
    if rivals:
        headline = "Not confirmed: no schedule was shown to beat every constant rate."
        return [headline, f"{beats}, but {as_good(rivals, places)}."]
    parts = [f"Confirmed: {beats}.", confirmed_too(confirmed, first, _rival(manifest), places)]
    if len(winners) > 1:
        parts.append(
            f"{count(len(winners), 'arm')} beat it. This one has the best mean, but the arms were "
            "not tested against each other."
        )
    if (tested := _tested(confirmed)) > 1 and first in manifest.trials:
        parts.append(
            f"It is the best of {tested} schedules tested, so its gain is probably a little too "
            "high: only one chosen before the confirmation has an unbiased gain."
        )
    if manifest.arms[first].get("schedule") == CONSTANT:
        parts.append(CONSTANT_WON)
    elif manifest.baseline != TUNED:
        parts.append(UNTUNED)
    return parts


def _reported(
    confirmed: Confirmed, winner: Outcome, first: str | None, objective: str, places: int
) -> str:
    """What the search reported for its winner, and how that trial did in the confirmation."""
    manifest = confirmed.manifest
    reported = f"The search reported {objective} {fixed(score_of(winner), places)}"
    arm = next(iter(_arms_of(manifest, winner)), None)
    if arm is None:
        return f"{reported} for {winner.recipe}, but that trial was not part of this confirmation."
    bias = next(one.selection_bias for one in confirmed.comparison.arms if one.name == arm)
    compared = _bias(bias, places, manifest.data.kind)
    against = differences(confirmed).get(arm)
    if against is None or arm == first:
        return f"{reported}{compared}."
    return (
        f"{reported} for {winner.recipe} ({arm}){compared}. In the confirmation, {arm}: "
        f"{sentence(against, places, _rival(manifest))}."
    )


def _bias(bias: float, places: int, kind: str) -> str:
    if math.isnan(bias):
        return ""
    if not bias:
        return f", exactly what fresh seeds score on the test {kind}"
    better = "better" if bias > 0 else "worse"
    return f", {fixed(abs(bias), places)} {better} than fresh seeds score on the test {kind}"


def _tested(confirmed: Confirmed) -> int:
    """How many arms of the search were tested against the baseline."""
    tested = (one.arm for one in confirmed.comparison.differences if one.verdict != "untested")
    return sum(arm in confirmed.manifest.trials for arm in tested)


def _rival(manifest: ConfirmManifest) -> str:
    if manifest.baseline == TUNED:
        return "the tuned constant rate"
    if manifest.arms[manifest.baseline].get("schedule") == CONSTANT:
        return f"the untuned constant rate {manifest.baseline}"
    return manifest.baseline
