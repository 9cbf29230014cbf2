"""What a confirmation found: its table, its arms in words, and how it compares with the search."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from lrtune.report.baseline import share_text
from lrtune.report.collapses import collapses, of_seeds_that_train
from lrtune.report.confirmed import (
    differences,
    on_other_samples,
    recipes_differ,
    too_few,
    unfinished,
)
from lrtune.report.constants import is_tuned
from lrtune.report.grid import Column, Section, numbers
from lrtune.report.majority import majority
from lrtune.report.samples import reach, trained
from lrtune.report.sequential import choice_in_words, evidence_in_words
from lrtune.report.words import NO_BREAK, brief, count, fixed, interval, p_text
from lrtune.schedules.recipe import Recipe
from lrtune.stats.frames import comparison_frame
from lrtune.stats.trials import score_of
from lrtune.stats.winner import best_trial
from lrtune.stats.wording import sentence

if TYPE_CHECKING:
    import pandas as pd

    from lrtune.records.schema import ConfirmManifest, Manifest, Outcome
    from lrtune.report.build import Report
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
    notes = (
        recipes_differ(manifest),
        too_few(confirmed),
        f"{same}." if same else "",
        _reported(confirmed, best_trial(report.records), places),
        collapses(confirmed),
        of_seeds_that_train(report.records, confirmed, places),
        *_on_other_samples(confirmed, places),
    )
    return Section(
        "Confirmation",
        about=tuple(
            filter(
                None,
                (
                    trained(manifest, len(confirmed.comparison.seeds)),
                    choice_in_words(report.records, places),
                    unfinished(confirmed),
                ),
            )
        ),
        columns=_columns(confirmed, places),
        legend=(_legend(confirmed, report.records.manifest),),
        pairs=tuple((arm.name, _verdict(confirmed, arm.name, places)) for arm in arms),
        notes=tuple(filter(None, notes)),
    )


def confirmation_summary(report: Report) -> Section:
    """The same in a line for each arm, for a report that must be short."""
    confirmed, places = report.confirmation, report.places
    if confirmed is None:
        return Section("Confirmation")
    manifest = confirmed.manifest
    columns = {one.name: one for one in _columns(confirmed, places, of_means=False)}
    del columns["bias"]
    seeds = count(len(confirmed.comparison.seeds), "fresh seed")
    legend = (
        f"difference: from {manifest.baseline}, paired by seed, with its unadjusted 95 % interval; "
        "p: sign-flip test with Holm's adjustment"
    )
    if confirmed.evidence is not None:
        legend = f"difference: from {manifest.baseline}, paired by seed; {evidence_in_words()}"
    title = f"Confirmation with {seeds} on the test {manifest.data.kind}"
    return Section(title, columns=tuple(columns.values()), legend=(legend,))


def _arm_text(manifest: ConfirmManifest, arm: str) -> str:
    """An arm's schedule and momentum."""
    return str(Recipe.from_values(manifest.arms[arm]))


def _columns(confirmed: Confirmed, places: int, *, of_means: bool = True) -> tuple[Column, ...]:
    """The table of the arms; `of_means` says whether the means have intervals."""
    frame = comparison_frame(confirmed.comparison)
    # The bootstrap does not know that an accuracy is at least 0 and at most 1.
    bounds = (0, 1) if "accuracy" in confirmed.manifest.objective else (None, None)
    unknown = frame["lower"] * math.nan
    ends = frame["lower"].clip(*bounds), frame["upper"].clip(*bounds)
    ends = ends if of_means else (unknown, unknown)
    stds = [f"{PLUS_MINUS}{fixed(std, places)}" if std >= 0 else "" for std in frame["std"]]
    means = [fixed(mean, places) + std for mean, std in zip(frame["mean"], stds, strict=True)]
    gains = [fixed(gain, places, sign=True) for gain in frame["difference"]]
    gain_ends = frame["difference_lower"], frame["difference_upper"]
    certain = numbers("p", map(p_text, frame["p_holm"]))
    if confirmed.evidence is not None:
        certain = numbers("evidence", map(brief, frame["evidence"].astype(float)))
    return (
        Column("arm", tuple(frame["arm"])),
        numbers("n", map(str, frame["n"])),
        _wrapping(f"mean{PLUS_MINUS}std", means, *ends, places),
        _wrapping("difference", gains, *gain_ends, places),
        certain,
        numbers("bias", (fixed(bias, places, sign=True) for bias in frame["selection_bias"])),
    )


def _legend(confirmed: Confirmed, searched: Manifest) -> str:
    name, how = confirmed.manifest.baseline, ", not tuned"
    if searched.baseline_budget:
        how = ""
    if is_tuned(name):
        how = f", found with {share_text(searched)}" if searched.baseline_budget else ""
    bias = "bias: how much better the search's score was (selection bias)"
    difference = f"difference: how much better than {name}{how}, paired by seed"
    if confirmed.evidence is not None:
        return (
            f"{difference}; [] of it: each end holds with 95 % confidence, whenever the test stops "
            f"(from 5 pairs on); {evidence_in_words()}; {bias}"
        )
    return (
        f"{difference}; []: 95 % intervals, not adjusted for the number of arms; p: sign-flip test "
        f"with Holm's adjustment; {bias}"
    )


def _wrapping(
    name: str, values: list[str], lower: pd.Series[float], upper: pd.Series[float], places: int
) -> Column:
    """Numbers and their intervals; lines may break only before an interval."""
    cells = tuple(
        value if not math.isfinite(low) else f"{value} {interval(low, high, places)}"
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


def _reported(confirmed: Confirmed, best: Outcome | None, places: int) -> str:
    """What the search reported for its best trial, and how much of that was luck."""
    if best is None:
        return ""
    manifest = confirmed.manifest
    reported = f"The search reported {manifest.objective} {fixed(score_of(best), places)} for "
    of_trial = (arm for arm, trial in manifest.trials.items() if trial == best.trial_id)
    arm = next((one for one in of_trial if one in manifest.arms), None)
    if arm is None:
        return f"{reported}{best.recipe}, but that trial was not part of this confirmation."
    means = {one.name: one.selection_bias for one in confirmed.comparison.arms}
    if arm not in means:
        return f"{reported}{best.recipe} ({arm}), which was a candidate, but not chosen."
    bias = means[arm]
    return f"{reported}{best.recipe} ({arm}){_bias(bias, places, manifest.data.kind)}."


def _on_other_samples(confirmed: Confirmed, places: int) -> list[str]:
    """What the results say about other test samples; that they say nothing, where it is unknown."""
    found = {arm: on_other_samples(confirmed, arm, places) for arm in differences(confirmed)}
    known = {arm: text for arm, text in found.items() if text}
    if not confirmed.other_samples:
        return [reach(confirmed.manifest.data)]
    if len(found) == 1:
        return list(known.values())
    return [f"{arm}: {text[0].lower()}{text[1:]}" for arm, text in known.items()]


def _bias(bias: float, places: int, kind: str) -> str:
    if math.isnan(bias):
        return ""
    if not bias:
        return f", exactly what fresh seeds score on the test {kind}"
    better = "better" if bias > 0 else "worse"
    return f", {fixed(abs(bias), places)} {better} than fresh seeds score on the test {kind}"
