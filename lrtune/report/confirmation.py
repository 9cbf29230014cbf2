"""What a confirmation found, as the report says it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lrtune.records.schema import TUNED
from lrtune.report.baseline import share_text
from lrtune.report.words import count
from lrtune.schedules.recipe import Recipe
from lrtune.stats.power import fewest_seeds
from lrtune.stats.wording import sentence

if TYPE_CHECKING:
    from lrtune.records.schema import ConfirmManifest, Manifest
    from lrtune.stats.comparison import ArmSummary, Difference
    from lrtune.stats.confirmation import Confirmed

THESE_IMAGES = (
    "Intervals and p-values are about further seeds on these very test images. Other images favour "
    "other arms, and no number of seeds tells: of arms equally good on all images, 11 in 100 "
    "differ with p <= .05 on 2,000 fixed ones, not 5 (simulated, 8 seeds)."
)


@dataclass(frozen=True)
class ArmRow:
    """One arm over its seeds; numbers are NaN where unknown.

    Attributes:
        arm: its name.
        n: int >= 0, seeds with a score.
        mean, std, lower, upper: of its scores on the test images.
        difference, difference_lower, difference_upper: to the baseline, above 0 is better; NaN
            for the baseline itself.
        p: of the difference, corrected for all arms.
        best: 0 to 1, probability that its mean is the best of all.
        flattery: by how much the search's score was better.
    """

    arm: str
    n: int
    mean: float
    std: float
    lower: float
    upper: float
    difference: float
    difference_lower: float
    difference_upper: float
    p: float
    best: float
    flattery: float


@dataclass(frozen=True)
class Confirmation:
    """A confirmation.

    Attributes:
        about: what was trained on what, a sentence each.
        rows: the arms, in the order of the confirmation.
        baseline: name of the arm that the others are compared with, and how it was found.
        verdicts: an arm's name, and what it is and whether it beats the baseline.
        remarks: how far all that carries, a sentence each.
    """

    about: tuple[str, ...]
    rows: tuple[ArmRow, ...]
    baseline: str
    verdicts: tuple[tuple[str, str], ...]
    remarks: tuple[str, ...]


def build_confirmation(confirmed: Confirmed, manifest: Manifest, places: int) -> Confirmation:
    """What the report says of a confirmation.

    Args:
        confirmed: as `measure_confirmation` returns it.
        manifest: of the run.
        places: decimals to show scores with.
    """
    against = {one.arm: one for one in confirmed.comparison.differences}
    arms = confirmed.comparison.arms
    name = confirmed.manifest.baseline
    how = ""
    if name == TUNED and manifest.baseline_budget:
        how = f", found with {share_text(manifest)}"
    return Confirmation(
        about=_about(confirmed),
        rows=tuple(_row(arm, against.get(arm.name), confirmed.manifest.objective) for arm in arms),
        baseline=f"{name}{how}" if name == TUNED else f"{name}, not tuned",
        verdicts=tuple(
            (arm.name, _verdict(confirmed, arm.name, against.get(arm.name), places)) for arm in arms
        ),
        remarks=_remarks(confirmed),
    )


def call_arm(manifest: ConfirmManifest, arm: str) -> str:
    """An arm's schedule as one would write it, with its momentum."""
    return str(Recipe.from_values(manifest.arms[arm]))


def too_few(confirmed: Confirmed) -> str:
    """Why no arm can have a verdict, where the number of seeds is why; else empty."""
    tested = [one for one in confirmed.comparison.differences if one.verdict != "untested"]
    if not tested:
        return ""
    comparisons, most = tested[0].comparisons, max(one.n for one in tested)
    fewest = fewest_seeds(comparisons, tested[0].alpha)
    if most >= fewest:
        return ""
    return (
        f"No verdict was possible with {count(most, 'seed')}: corrected for "
        f"{count(comparisons, 'comparison')} it takes {fewest}, however large the difference."
    )


def measured(manifest: ConfirmManifest) -> str:
    """What a score of the confirmation is: "accuracy on the test images"."""
    return f"{manifest.objective.removeprefix('val_')} on the test images"


def _about(confirmed: Confirmed) -> tuple[str, ...]:
    manifest = confirmed.manifest
    sizes = manifest.data.sizes
    trained = (
        f"Trained anew for {count(manifest.epochs, 'epoch')} on {_images(sizes.get('train'))} "
        f"({manifest.train_on}), {count(len(set(manifest.seeds)), 'fresh seed')} an arm; measured "
        f"once, after the last epoch: {manifest.objective.removeprefix('val_')} on "
        f"{_images(sizes.get('test'), 'test ')}."
    )
    if confirmed.ended >= confirmed.planned:
        return (trained,)
    unfinished = (
        f"Not finished: {confirmed.ended:,} of {confirmed.planned:,} trainings have ended, and "
        "what follows may change with the others."
    )
    return trained, unfinished


def _images(number: Any, kind: str = "") -> str:
    return f"{number:,} {kind}images" if isinstance(number, int) else f"{kind}images"


def _row(arm: ArmSummary, against: Difference | None, objective: str) -> ArmRow:
    # The bootstrap does not know that there is no accuracy below 0 and above 1.
    least, most = (0.0, 1.0) if "accuracy" in objective else (-math.inf, math.inf)
    return ArmRow(
        arm=arm.name,
        n=arm.n,
        mean=arm.mean,
        std=arm.std,
        lower=max(arm.lower, least),
        upper=min(arm.upper, most),
        difference=against.mean if against else math.nan,
        difference_lower=against.lower if against else math.nan,
        difference_upper=against.upper if against else math.nan,
        p=against.p_holm if against else math.nan,
        best=arm.best,
        flattery=arm.flattery,
    )


def _verdict(confirmed: Confirmed, arm: str, against: Difference | None, places: int) -> str:
    words = "the baseline" if against is None else sentence(against, places)
    apart = [
        f"{count(number, 'seed')} {what}"
        for number, what in (
            (confirmed.diverged[arm], "diverged, which counts"),
            (confirmed.failed[arm], "failed"),
        )
        if number
    ]
    return "; ".join([f"{call_arm(confirmed.manifest, arm)}: {words}", *apart])


def _remarks(confirmed: Confirmed) -> tuple[str, ...]:
    few = too_few(confirmed)
    return (*([few] if few else []), THESE_IMAGES)
