"""What a run says to train with: the schedule that was shown to be better, or the constant rate."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lrtune.report.confirmation import best_confirmed
from lrtune.report.constants import confirmed_as_good, constants_as_good
from lrtune.schedules.recipe import Recipe
from lrtune.stats.winner import best_trial

if TYPE_CHECKING:
    import pandas as pd

    from lrtune.records.reader import RunRecords
    from lrtune.stats.baseline import Baseline
    from lrtune.stats.confirmation import Confirmed


@dataclass(frozen=True)
class Recommended:
    """The choice that a run's verdict supports.

    Attributes:
        name: of a trial or an arm.
        recipe: its schedule and settings.
        best: of the best trial or arm, which may be another one.
        shown: whether the best was shown to be better than the constant rate, and no other constant
            rate is as good; or there is no constant rate.
    """

    name: str
    recipe: Recipe
    best: str
    shown: bool


def recommend(
    records: RunRecords,
    ranked: pd.DataFrame,
    baseline: Baseline | None,
    confirmed: Confirmed | None,
) -> Recommended | None:
    """The best of a run if it is better than the constant rate by more than noise, else that rate.

    Args:
        records: of the run.
        ranked: its trials that have a rank, the best first.
        baseline: as measured.
        confirmed: the confirmation, which decides where there is one with a score.

    Returns:
        None without a trial of the full budget.
    """
    best = best_trial(records)
    if best is None:
        return None
    arm = best_confirmed(confirmed) if confirmed else None
    if confirmed is not None and arm is not None:
        manifest, differences = confirmed.manifest, confirmed.comparison.differences
        better = arm in [one.arm for one in differences if one.verdict == "better"]
        rivals = [one.name for one in confirmed_as_good(confirmed, arm)] if better else []
        shown = better and not rivals
        chosen = arm if shown else next(iter(rivals), manifest.baseline)
        recipe = Recipe.from_values(manifest.arms[chosen])
        known = {
            one: best.trial_id for one, trial in manifest.trials.items() if trial == best.trial_id
        }
        return Recommended(known.get(chosen, chosen), recipe, known.get(arm, arm), shown)
    delta = float(ranked["delta"].iloc[0])
    if baseline is None:
        return Recommended(best.trial_id, best.recipe, best.trial_id, shown=True)
    constant = baseline.reference
    if baseline.beaten_by_best(delta, len(ranked)):
        score, direction = float(ranked["score"].iloc[0]), records.manifest.direction
        constants = constants_as_good(baseline, score, direction)
        if not constants:
            return Recommended(best.trial_id, best.recipe, best.trial_id, shown=True)
        constant = constants[0]
    return Recommended(constant.name, constant.recipe, best.trial_id, shown=False)
