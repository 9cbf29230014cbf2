"""What a confirmation found: arms trained with fresh seeds and measured on the test data."""

from __future__ import annotations

import math
import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lrtune._util.printable import printable
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
        scores: arm -> seed -> score, NaN for none.
        ended: number of trainings that have ended, whatever their status.
        diverged: arm -> how many of its seeds diverged; each counts with the score it ended with.
        failed: arm -> how many of its seeds failed; they have no score.
    """

    manifest: ConfirmManifest
    comparison: Comparison
    scores: Mapping[str, Mapping[int, float]]
    ended: int
    diverged: Mapping[str, int]
    failed: Mapping[str, int]

    @property
    def planned(self) -> int:
        """Number of trainings when it is finished, arms times seeds."""
        return self.manifest.planned[0]


def measure_confirmation(records: RunRecords) -> Confirmed | None:
    """Compare the arms of a run's confirmation over the seeds that have ended so far.

    A training counts only if its number of epochs and its seed are those of the confirmation.

    Returns:
        The comparison; None for a run without a confirmation.

    Raises:
        ArgumentError: the confirmation has no arm but the baseline.
    """
    confirmation = records.confirmation
    if confirmation is None:
        return None
    manifest = confirmation.manifest
    outcomes = {arm: by_seed(confirmation, arm) for arm in manifest.arms}
    scores = {
        arm: {seed: score_of(one) for seed, one in of_arm.items()}
        for arm, of_arm in outcomes.items()
    }
    searched = manifest.search_scores
    return Confirmed(
        manifest,
        compare(scores, manifest.baseline, manifest.direction, search_scores=searched),
        scores,
        ended=sum(map(len, outcomes.values())),
        diverged=_counted(outcomes, "diverged"),
        failed=_counted(outcomes, "failed"),
    )


def confirmation_frame(records: RunRecords) -> pd.DataFrame:
    """A run's confirmation as a frame.

    Returns:
        One row per arm: `lrtune.stats.frames.comparison_frame` with the columns schedule, lr0,
        momentum, parameters, own (as in `lrtune.stats.ranking.rank`) and trial_id (of the search's
        trial that the arm comes from, NA for a constant rate of the baseline) inserted after its
        second column.

    Raises:
        RunFolderError: the run has no confirmation.
    """
    confirmed = measure_confirmation(records)
    if confirmed is None:
        folder = str(records.folder)
        raise RunFolderError(
            f"The run {folder!r} has no confirmation: `lrtune confirm {shlex.quote(folder)}` "
            "trains its best trials and the constant rate with fresh seeds and compares them on "
            "the test data."
        )
    manifest = confirmed.manifest
    frame = comparison_frame(confirmed.comparison)
    recipes = [described(Recipe.from_values(values)) for values in manifest.arms.values()]
    for place, name in enumerate(recipes[0], start=2):
        frame.insert(place, name, [one[name] for one in recipes])
    trials = manifest.trials
    ids = [printable(trials[arm]) if arm in trials else None for arm in manifest.arms]
    frame.insert(2 + len(recipes[0]), "trial_id", ids)
    return frame


def by_seed(confirmation: Confirmation, arm: str) -> dict[int, Outcome]:
    """Seed -> outcome of one arm's trainings, as far as they are part of the confirmation."""
    # The seed in the folder's name counts: it is the one that pairs the arms.
    found = {
        parse_id(one.trial_id).seed: one
        for one in confirmation.outcomes[arm]
        if one.epochs.planned == confirmation.manifest.epochs
    }
    return {seed: one for seed, one in found.items() if seed in confirmation.manifest.seeds}


def _counted(outcomes: Mapping[str, Mapping[int, Outcome]], status: str) -> dict[str, int]:
    return {
        arm: sum(
            one.status == status and (status == "failed" or not math.isnan(score_of(one)))
            for one in of_arm.values()
        )
        for arm, of_arm in outcomes.items()
    }
