"""Seeds of a confirmation that learned nothing, by arm, and what so few seeds cannot exclude."""

from __future__ import annotations

import math
import statistics
from typing import TYPE_CHECKING

from lrtune.report.words import NO_BREAK, count, fixed
from lrtune.stats.collapse import has_collapsed
from lrtune.stats.samples import by_seed
from lrtune.stats.share import share_not_excluded
from lrtune.stats.winner import Direction

if TYPE_CHECKING:
    from lrtune.records.reader import RunRecords
    from lrtune.stats.confirmation import Confirmed


def collapses(confirmed: Confirmed) -> str:
    """How many seeds of each arm ended where an untrained model is, a sentence."""
    arms = [arm for arm in confirmed.comparison.arms if arm.n]
    parts = []
    for arm in arms:
        number = confirmed.collapsed[arm.name]
        share = f"{share_not_excluded(number, arm.n):.0%}".replace("%", f"{NO_BREAK}%")
        parts.append(f"{arm.name} {number} of {arm.n} (up to {share} is not excluded)")
        seeds = count(arm.n, "seed")
        none = f"No seed ended at chance; with {seeds} an arm, up to {share} is not excluded."
    if not parts:
        return ""
    if not any(confirmed.collapsed.values()) and len({arm.n for arm in arms}) == 1:
        return none
    return f"Seeds that ended at chance: {', '.join(parts)}."


def of_seeds_that_train(records: RunRecords, confirmed: Confirmed, places: int) -> str:
    """What holds for seeds that train, where one of a few did not; empty where all or none did.

    A seed at chance moves a mean, and widens its interval, far more than any schedule does.
    """
    manifest, confirmation = confirmed.manifest, records.confirmation
    if confirmation is None or not any(confirmed.collapsed.values()):
        return ""
    lost = {
        arm: {
            seed for seed, one in by_seed(confirmation, arm).items() if has_collapsed(one, manifest)
        }
        for arm in confirmed.scores
    }
    sentences = []
    base = confirmed.scores[manifest.baseline]
    for one in confirmed.comparison.differences:
        gone = lost[one.arm] | lost[manifest.baseline]
        own = confirmed.scores[one.arm]
        gain = Direction(manifest.direction).gain
        gains = [gain(own[seed], base[seed]) for seed in own if seed in base and seed not in gone]
        gains = [one for one in gains if not math.isnan(one)]  # of seeds that failed
        if gone & set(own) and gains:
            mean = fixed(statistics.mean(gains), places, sign=True)
            sentences.append(f"{one.arm} {mean} ({count(len(gains), 'pair')})")
    if not sentences:
        return ""
    return (
        "Seeds at chance dominate these means and intervals. Among seeds that train in both arms, "
        f"the difference from {manifest.baseline} is: {', '.join(sentences)}."
    )
