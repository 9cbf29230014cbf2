"""A sequential confirmation in words: how it chose, what it found, and how to go on."""

from __future__ import annotations

import math
import shlex
from typing import TYPE_CHECKING

from lrtune.records.ids import parse_id
from lrtune.report.verdict import gap
from lrtune.report.words import NO_BREAK, count, fixed
from lrtune.stats.confirmation import choice_race
from lrtune.stats.sequential import BETTER
from lrtune.stats.trials import score_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from lrtune.records.reader import RunRecords
    from lrtune.records.schema import Outcome
    from lrtune.stats.comparison import Difference
    from lrtune.stats.confirmation import Confirmed

_WHY = {
    "unlikely": "A gain had become unlikely, so the test stopped there",
    "no trend": "After so many seeds there was no trend to a gain, so the test stopped there",
    "all seeds": "The test ends after so many pairs",
}


def certainty(confirmed: Confirmed, one: Difference, places: int) -> str:
    """How sure the answer is, in a sentence or two.

    Args:
        confirmed: of sequential design.
        one: the difference of the tested arm.
        places: int >= 0, decimals of scores.
    """
    manifest, found = confirmed.manifest, confirmed.evidence
    where, seeds = f"on the test {manifest.data.kind}", f"with {count(one.n, 'fresh seed')}"
    if not one.n:
        return "No schedule was shown to beat it: no seed has a score in both arms yet."
    if one.verdict == "better":
        gain, least = fixed(one.mean, places), fixed(one.lower, places)
        return (
            f"Confirmed: {seeds}, it beats {manifest.baseline} by {gain} {where} (by at least "
            f"{least} with 95 % confidence)."
        )
    so_far = " so far" if found is not None and not found.reason else ""
    lead = f"{seeds}, the best schedule {gap(one.mean, places)} {where}"
    why = f" {_WHY[found.reason]}." if found is not None and found.reason else ""
    return f"No schedule was shown to beat it{so_far}: {lead}.{why}"


def how_to_go_on(confirmed: Confirmed, folder: Path) -> str:
    """The command that trains more pairs; empty where the answer is a clear one."""
    found = confirmed.evidence
    if found is None or found.verdict == "better":
        return ""
    command = f"lrtune confirm {shlex.quote(str(folder))}"
    if found.reason:
        more = found.n + 8
        limit = f" --max-seeds {more}" if more > len(confirmed.manifest.seeds) else ""
        gave_up = "" if found.reason == "all seeds" else f" --min-seeds {more}"
        command = f"{command}{gave_up}{limit}"
        what = f"trains up to {more:,} pairs; going on does not make a false answer more likely"
    else:
        what = f"goes on, up to {len(confirmed.manifest.seeds):,} pairs"
    return f"`{command}`".replace(" ", NO_BREAK) + f" {what}."


def choice_in_words(records: RunRecords, places: int) -> str:
    """Which candidates raced and how they did, a sentence; empty if there was no race."""
    confirmation = records.confirmation
    if confirmation is None or not confirmation.choice:
        return ""
    manifest = confirmation.manifest
    race, judge = choice_race(manifest, records.manifest)
    results = {
        arm: {parse_id(one.trial_id).seed: judge(one) for one in of_arm}
        for arm, of_arm in confirmation.choice.items()
    }
    arms = sorted(race.ranked(results), key=lambda arm: -len(results[arm]))
    scores = ", ".join(_mean(arm, confirmation.choice, places) for arm in arms)
    kind = manifest.data.kind
    if manifest.tested is None:
        ended, planned = sum(map(len, results.values())), manifest.planned[0]
        planned -= 2 * len(manifest.seeds)
        return (
            f"The confirmation is choosing what to test, on the validation {kind}: {ended} of "
            f"{planned} trainings have ended."
        )
    return f"Chosen on the validation {kind}, with other fresh seeds: {scores}."


def evidence_in_words() -> str:
    """What evidence is, for a legend."""
    return (
        f"evidence: {BETTER:g} shows that the arm is better, which chance alone reaches in at most "
        f"{1 / BETTER:.0%} of tests, whenever they stop".replace("%", f"{NO_BREAK}%")
    )


def _mean(arm: str, choice: Mapping[str, tuple[Outcome, ...]], places: int) -> str:
    scores = [score for one in choice[arm] if not math.isnan(score := score_of(one))]
    if not scores:
        return f"{arm} failed"
    return f"{arm} {fixed(sum(scores) / len(scores), places)} ({count(len(scores), 'seed')})"
