"""What a confirmation found: arms trained with fresh seeds and measured on the test images."""

from __future__ import annotations

import math
import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lrtune.errors import RunFolderError
from lrtune.records.ids import parse_id
from lrtune.schedules.recipe import Recipe
from lrtune.stats.comparison import compare
from lrtune.stats.frames import comparison_frame
from lrtune.stats.ranking import described
from lrtune.stats.trials import score_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from lrtune.records.reader import Confirmation, RunRecords
    from lrtune.records.schema import ConfirmManifest, Outcome
    from lrtune.stats.comparison import Comparison


@dataclass(frozen=True)
class Confirmed:
    """A confirmation, as far as it has come.

    Attributes:
        manifest: what is compared.
        comparison: of the seeds that have ended.
        ended: trainings that have ended, whatever became of them.
        planned: trainings in all, arms times seeds.
        diverged: arm -> how many of its seeds diverged; each counts with the score it ended with.
        failed: arm -> how many of its seeds failed; they have no score.
    """

    manifest: ConfirmManifest
    comparison: Comparison
    ended: int
    planned: int
    diverged: Mapping[str, int]
    failed: Mapping[str, int]


def measure_confirmation(records: RunRecords) -> Confirmed | None:
    """Compare the arms of a run's confirmation over the seeds that have ended so far.

    Trainings of another number of epochs or of a seed that the confirmation does not name do not
    count.

    Returns:
        The comparison; None for a run without a confirmation.

    Raises:
        ArgumentError: the confirmation has no arm but the baseline.
    """
    confirmation = records.confirmation
    if confirmation is None:
        return None
    manifest = confirmation.manifest
    outcomes = {arm: _own(confirmation, arm) for arm in manifest.arms}
    comparison = compare(
        {
            arm: {seed: score_of(one) for seed, one in of_arm.items()}
            for arm, of_arm in outcomes.items()
        },
        manifest.baseline,
        manifest.direction,
        search_scores={
            arm: score for arm, score in manifest.search_scores.items() if arm in manifest.arms
        },
        allow_untested=True,
    )
    return Confirmed(
        manifest=manifest,
        comparison=comparison,
        ended=sum(map(len, outcomes.values())),
        planned=len(manifest.arms) * len(set(manifest.seeds)),
        diverged=_counted(outcomes, "diverged"),
        failed=_counted(outcomes, "failed"),
    )


def confirmation_frame(records: RunRecords) -> pd.DataFrame:
    """A run's confirmation as a frame.

    Returns:
        One row an arm: `lrtune.stats.comparison.comparison_frame` with schedule, lr0, momentum,
        parameters (as in `lrtune.stats.ranking.rank`) and trial_id (of the search's trial that the
        arm comes from, NA for a constant rate of the baseline) after its second column.

    Raises:
        RunFolderError: the run has no confirmation.
    """
    confirmed = measure_confirmation(records)
    if confirmed is None:
        folder = str(records.folder)
        raise RunFolderError(
            f"The run {folder!r} has no confirmation: `lrtune confirm {shlex.quote(folder)}` "
            "trains its best trials and the constant rate with fresh seeds and compares them on "
            "the test images."
        )
    manifest = confirmed.manifest
    frame = comparison_frame(confirmed.comparison)
    values = [described(Recipe.from_values(manifest.arms[arm])) for arm in frame["arm"]]
    for place, name in enumerate(("schedule", "lr0", "momentum", "parameters"), start=2):
        frame.insert(place, name, [one[name] for one in values])
    frame.insert(6, "trial_id", [manifest.trials.get(arm) for arm in frame["arm"]])
    return frame


def _own(confirmation: Confirmation, arm: str) -> dict[int, Outcome]:
    # The seed is that of the folder: it is what pairs the arms.
    planned = set(confirmation.manifest.seeds)
    by_seed = {
        parse_id(one.trial_id).seed: one
        for one in confirmation.outcomes[arm]
        if one.epochs.planned == confirmation.manifest.epochs
    }
    return {seed: one for seed, one in by_seed.items() if seed in planned}


def _counted(outcomes: Mapping[str, Mapping[int, Outcome]], status: str) -> dict[str, int]:
    return {
        arm: sum(
            one.status == status and (status == "failed" or not math.isnan(score_of(one)))
            for one in of_arm.values()
        )
        for arm, of_arm in outcomes.items()
    }
