"""What a confirmation found: arms trained with fresh seeds and measured on the test data."""

from __future__ import annotations

import math
import shlex
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from lrtune._util.printable import printable
from lrtune.errors import RunFolderError
from lrtune.schedules.recipe import Recipe
from lrtune.stats.collapse import has_collapsed, ran
from lrtune.stats.comparison import compare
from lrtune.stats.frames import comparison_frame
from lrtune.stats.race import Race
from lrtune.stats.ranking import described
from lrtune.stats.samples import by_seed, paired_samples
from lrtune.stats.sequential import evidence
from lrtune.stats.trials import score_of
from lrtune.stats.two_way import two_way_interval
from lrtune.stats.winner import Direction

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import pandas as pd

    from lrtune.records.reader import RunRecords
    from lrtune.records.schema import ConfirmManifest, Manifest, Outcome
    from lrtune.stats.comparison import Comparison, Verdict
    from lrtune.stats.race import Ran
    from lrtune.stats.sequential import Evidence
    from lrtune.stats.two_way import TwoWayInterval


@dataclass(frozen=True)
class Confirmed:
    """A confirmation, as far as it has come.

    Attributes:
        manifest: what is compared.
        comparison: of the seeds that have ended and count.
        scores: arm -> seed -> score, NaN for none.
        ended: number of trainings that have ended, whatever their status.
        diverged: arm -> how many of its seeds diverged; each counts with the score it ended with.
        failed: arm -> how many of its seeds failed; they have no score.
        collapsed: arm -> how many of its seeds ended where an untrained model is, the diverged ones
            among them.
        evidence: of a sequential test; None in the fixed design.
        other_samples: arm -> interval of its mean difference from the baseline that holds for other
            test samples of the same kind as well as for other seeds; none for an arm of which it
            is not known how it did on each sample.
    """

    manifest: ConfirmManifest
    comparison: Comparison
    scores: Mapping[str, Mapping[int, float]]
    ended: int
    diverged: Mapping[str, int]
    failed: Mapping[str, int]
    collapsed: Mapping[str, int]
    evidence: Evidence | None = None
    other_samples: Mapping[str, TwoWayInterval] = field(default_factory=dict)

    @property
    def planned(self) -> int:
        """Number of trainings when it is finished, at most."""
        return self.manifest.planned[0]


def measure_confirmation(records: RunRecords) -> Confirmed | None:
    """Compare the arms of a run's confirmation over the seeds that have ended so far.

    A training counts only if its number of epochs and its seed are those of the confirmation; in a
    sequential test, only if the pair of its seed comes before the test's end.

    Returns:
        The comparison; None for a run without a confirmation, or while it chooses what to test.

    Raises:
        ArgumentError: the confirmation has no arm but the baseline.
    """
    confirmation = records.confirmation
    if confirmation is None:
        return None
    manifest = confirmation.manifest
    if manifest.design == "sequential" and manifest.tested is None:
        return None
    outcomes = {arm: by_seed(confirmation, arm) for arm in manifest.compared}
    ended = len(confirmation.all)
    found = None
    if manifest.design == "sequential":
        found, seeds = sequential_evidence(manifest, outcomes)
        outcomes = {arm: {seed: of_arm[seed] for seed in seeds} for arm, of_arm in outcomes.items()}
    scores = {
        arm: {seed: score_of(one) for seed, one in of_arm.items()}
        for arm, of_arm in outcomes.items()
    }
    searched = manifest.search_scores
    comparison = compare(scores, manifest.baseline, manifest.direction, search_scores=searched)
    return Confirmed(
        manifest,
        comparison if found is None else _sequential(comparison, found),
        scores,
        ended=ended if found else sum(map(len, outcomes.values())),
        diverged=_counted(outcomes, "diverged"),
        failed=_counted(outcomes, "failed"),
        collapsed={
            arm: sum(has_collapsed(one, manifest) for one in of_arm.values())
            for arm, of_arm in outcomes.items()
        },
        evidence=found,
        other_samples=_on_other_samples(records, manifest, outcomes),
    )


def _on_other_samples(
    records: RunRecords,
    manifest: ConfirmManifest,
    outcomes: Mapping[str, Mapping[int, Outcome]],
) -> dict[str, TwoWayInterval]:
    found = {}
    base = outcomes[manifest.baseline]
    for arm, of_arm in outcomes.items():
        seeds = [seed for seed in of_arm if seed in base]
        paired = paired_samples(records, arm, manifest.baseline, seeds)
        if arm == manifest.baseline or paired is None or paired.metric != manifest.objective:
            continue
        if len(paired.seeds) > 1 and paired.one.shape[1] > 1:
            found[arm] = two_way_interval(paired.one, paired.other, manifest.direction)
    return found


def choice_race(
    manifest: ConfirmManifest, searched: Manifest
) -> tuple[Race, Callable[[Outcome], Ran]]:
    """The rules of the race that chooses what to test, and what it counts of a training.

    Args:
        manifest: of the confirmation.
        searched: of the search, on whose validation data the candidates race.
    """
    measured = replace(manifest, data=searched.data)
    race = Race(manifest.choice_seeds, manifest.choice_places, manifest.direction)
    return race, lambda outcome: ran(outcome, measured)


def sequential_evidence(
    manifest: ConfirmManifest, outcomes: Mapping[str, Mapping[int, Outcome]]
) -> tuple[Evidence, tuple[int, ...]]:
    """The evidence of a sequential test: the one rule of when it ends.

    Pairs count in the order of the manifest's seeds, whichever ended first, so that the result does
    not depend on timing. A pair of which a training failed has no difference and does not count.

    Args:
        manifest: of the confirmation, with the arm that is tested.
        outcomes: arm -> seed -> how it ended, of the trainings that have ended.

    Returns:
        (evidence, seeds): and the seeds up to the last pair that counts, without any that follow
        a pair that is still being trained.
    """
    tested, baseline = (outcomes[arm] for arm in manifest.compared)
    direction = Direction(manifest.direction)
    differences, seeds, failed = [], [], 0
    for seed in manifest.seeds:
        if seed not in tested or seed not in baseline:
            break
        seeds.append(seed)
        gain = direction.gain(score_of(tested[seed]), score_of(baseline[seed]))
        if math.isnan(gain):
            failed += 1
        else:
            differences.append(gain)
    most = max(1, len(manifest.seeds) - failed)
    found = evidence(
        differences, manifest.scale, max_seeds=most, min_seeds=min(manifest.min_seeds, most)
    )
    counted, last = 0, 0
    while counted < found.n:
        seed = seeds[last]
        last += 1
        counted += not math.isnan(score_of(tested[seed]) + score_of(baseline[seed]))
    return found, tuple(seeds[:last] if found.reason else seeds)


def _sequential(comparison: Comparison, found: Evidence) -> Comparison:
    """The comparison with the verdict and the interval of its sequential test."""
    verdicts: dict[str, Verdict] = {"better": "better", "not shown": "none"}
    lower, upper = found.interval
    differences = tuple(
        replace(
            one,
            lower=lower,
            upper=upper,
            p=math.nan,
            p_holm=math.nan,
            comparisons=1,
            verdict=verdicts.get(found.verdict, "untested"),
            seeds_to_show=None,
            evidence=found.e,
        )
        for one in comparison.differences
    )
    return replace(comparison, differences=differences)


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
    if confirmed is None and records.confirmation is not None:
        raise RunFolderError(
            f"The confirmation of the run {str(records.folder)!r} has no comparison yet: it is "
            "choosing which arm to test. The same command goes on."
        )
    if confirmed is None:
        folder = str(records.folder)
        raise RunFolderError(
            f"The run {folder!r} has no confirmation: `lrtune confirm {shlex.quote(folder)}` "
            "trains its best trials and the constant rate with fresh seeds and compares them on "
            "the test data."
        )
    manifest = confirmed.manifest
    frame = comparison_frame(confirmed.comparison)
    recipes = [described(Recipe.from_values(values)) for values in manifest.compared.values()]
    for place, name in enumerate(recipes[0], start=2):
        frame.insert(place, name, [one[name] for one in recipes])
    trials = manifest.trials
    ids = [printable(trials[arm]) if arm in trials else None for arm in manifest.compared]
    frame.insert(2 + len(recipes[0]), "trial_id", ids)
    return frame


def _counted(outcomes: Mapping[str, Mapping[int, Outcome]], status: str) -> dict[str, int]:
    return {
        arm: sum(
            one.status == status and (status == "failed" or not math.isnan(score_of(one)))
            for one in of_arm.values()
        )
        for arm, of_arm in outcomes.items()
    }
