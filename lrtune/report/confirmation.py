"""What a confirmation found, in words and as a table."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from lrtune.records.schema import TUNED
from lrtune.report.baseline import share_text
from lrtune.report.grid import Column, numbers
from lrtune.report.words import NO_BREAK, count, fixed, interval, p_text
from lrtune.schedules.recipe import Recipe
from lrtune.stats.power import fewest_seeds
from lrtune.stats.wording import sentence

if TYPE_CHECKING:
    import pandas as pd

    from lrtune.records.schema import ConfirmManifest, Manifest
    from lrtune.stats.comparison import Difference
    from lrtune.stats.confirmation import Confirmed

PLUS_MINUS = f"{NO_BREAK}±{NO_BREAK}"
THESE_IMAGES = (
    "Intervals and p-values describe how results vary over seeds on these test images only. Other "
    "images may favour other arms, and more seeds cannot show that: of arms that are equally good "
    "on all images, 11 % (not 5 %) differ with p <= .05 on 2,000 fixed images (simulated with 8 "
    "seeds)."
)


def describe(confirmed: Confirmed) -> tuple[str, ...]:
    """What was trained on what, and how much of it is done, a sentence each."""
    manifest = confirmed.manifest
    sizes = manifest.data.sizes
    trained = (
        f"Each arm was trained from scratch for {count(manifest.epochs, 'epoch')} on "
        f"{_images(sizes.get('train'))} ({manifest.train_on}) with "
        f"{count(len(set(manifest.seeds)), 'fresh seed')}. The {metric(manifest)} was measured "
        f"once, after the last epoch, on {_images(sizes.get('test'), 'test ')}."
    )
    if confirmed.ended >= confirmed.planned:
        return (trained,)
    unfinished = (
        f"Not finished: {confirmed.ended:,} of {confirmed.planned:,} trainings have ended, so the "
        "numbers below may still change."
    )
    return trained, unfinished


def arm_columns(confirmed: Confirmed, places: int) -> tuple[Column, ...]:
    """The arms in the order of the confirmation, a row each.

    Args:
        confirmed: as `measure_confirmation` returns it.
        places: int >= 0, decimals of scores.
    """
    from lrtune.stats.comparison import comparison_frame  # imported already, with `confirmed`

    frame = comparison_frame(confirmed.comparison)
    # The bootstrap does not know that no accuracy is below 0 or above 1.
    bounds = (0, 1) if "accuracy" in confirmed.manifest.objective else (None, None)
    low, high = frame["lower"].clip(*bounds), frame["upper"].clip(*bounds)
    stds = [f"{PLUS_MINUS}{fixed(std, places)}" if std >= 0 else "" for std in frame["std"]]
    means = [fixed(mean, places) + std for mean, std in zip(frame["mean"], stds, strict=True)]
    gains = [fixed(gain, places, sign=True) for gain in frame["difference"]]
    limits = frame["difference_lower"], frame["difference_upper"]
    return (
        Column("arm", tuple(frame["arm"])),
        numbers("n", map(str, frame["n"])),
        _wrapping(f"mean{PLUS_MINUS}std", means, low, high, places),
        _wrapping("difference", gains, *limits, places),
        numbers("p", map(p_text, frame["p_holm"])),
        numbers("best", (fixed(best, 2) for best in frame["best"])),
        numbers("bias", (fixed(bias, places, sign=True) for bias in frame["selection_bias"])),
    )


def legend(confirmed: Confirmed, searched: Manifest) -> str:
    """What the columns of `arm_columns` mean.

    Args:
        confirmed: as `measure_confirmation` returns it.
        searched: manifest of the search.
    """
    name, how = confirmed.manifest.baseline, ", not tuned"
    if name == TUNED:
        how = f", found with {share_text(searched)}" if searched.baseline_budget else ""
    return (
        f"difference: how much better than {name}{how}, paired by seed; []: 95 % intervals; p: "
        "sign-flip test with Holm's correction; best: probability of the best mean; bias: how much "
        "better the search's score was (selection bias)"
    )


def arm_verdicts(confirmed: Confirmed, places: int) -> tuple[tuple[str, str], ...]:
    """Each arm's name, and what it is and whether it beats the baseline."""
    against, arms = differences(confirmed), confirmed.comparison.arms
    return tuple(
        (arm.name, _verdict(confirmed, arm.name, against.get(arm.name), places)) for arm in arms
    )


def remarks(confirmed: Confirmed) -> tuple[str, ...]:
    """How far the results reach, a sentence each."""
    few = too_few(confirmed)
    return (few, THESE_IMAGES) if few else (THESE_IMAGES,)


def too_few(confirmed: Confirmed) -> str:
    """Why there can be no verdict, where that is for the number of seeds; else empty."""
    tested = [one for one in confirmed.comparison.differences if one.verdict != "untested"]
    if not tested:
        return ""
    comparisons, most = tested[0].comparisons, max(one.n for one in tested)
    fewest = fewest_seeds(comparisons, tested[0].alpha)
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


def arm_text(manifest: ConfirmManifest, arm: str) -> str:
    """An arm's schedule and momentum."""
    return str(Recipe.from_values(manifest.arms[arm]))


def metric(manifest: ConfirmManifest) -> str:
    """What was measured on the test images: "accuracy"."""
    return manifest.objective.removeprefix("val_")


def _images(number: int | None, kind: str = "") -> str:
    return f"{kind}images" if number is None else f"{number:,} {kind}images"


def _wrapping(
    name: str, values: list[str], lower: pd.Series[float], upper: pd.Series[float], places: int
) -> Column:
    """Numbers and their intervals, which may be wrapped only before an interval."""
    cells = tuple(
        value if math.isnan(low) else f"{value} {interval(low, high, places)}"
        for value, low, high in zip(values, lower, upper, strict=True)
    )
    words = [word for cell in (name, *cells) for word in cell.split(" ")]
    return Column(name, cells, least=max(map(len, words)))


def _verdict(confirmed: Confirmed, arm: str, against: Difference | None, places: int) -> str:
    diverged, failed = confirmed.diverged[arm], confirmed.failed[arm]
    words = "the baseline" if against is None else sentence(against, places)
    if diverged:
        words += f"; {count(diverged, 'seed')} diverged (counted)"
    if failed:
        words += f"; {count(failed, 'seed')} failed"
    return f"{arm_text(confirmed.manifest, arm)}: {words}"
