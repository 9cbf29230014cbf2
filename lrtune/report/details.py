"""What `--details` adds: which hyperparameters mattered, and tuning curves."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from lrtune.report.grid import Column, Section, numbers
from lrtune.report.words import count, fixed, interval
from lrtune.stats.frames import curves_frame
from lrtune.stats.importance import FEWEST, measure_importance
from lrtune.stats.tuning_curves import family_curves

if TYPE_CHECKING:
    from lrtune.report.build import Report
    from lrtune.stats.importance import Importance

LEGEND = (
    "share of the variance of scores that goes with each hyperparameter, alone or together with "
    "others; the joint share is measured on held-out trials"
)

TRIALS = (1, 2, 5, 10, 20, 50)
"""Numbers of trials whose expected best score is shown."""


def importance_section(report: Report) -> Section:
    """Which hyperparameters mattered, over all trials and within each family's."""
    if not report.details:
        return Section("Importance")
    found = measure_importance(report.records)
    title = f"Importance (trials of {count(found.budget, 'epoch')})"
    pairs = [("all families", _words(found.overall))]
    if not found.overall.shares:  # too few trials of all families are too few of each
        return Section(title, pairs=tuple(pairs))
    families = {family: one for family, one in found.families.items() if one.trials}
    pairs += [(name, _words(one)) for name, one in families.items() if one.trials >= FEWEST]
    if few := [name for name, one in families.items() if one.trials < FEWEST]:
        pairs.append(("other families", f"fewer than {FEWEST} trials each: {', '.join(few)}"))
    return Section(title, pairs=tuple(pairs), notes=(LEGEND,))


def curves_section(report: Report) -> Section:
    """The best score to expect from n random trials, a row for each family and n."""
    title = "Tuning curve: the best of n trials"
    if not report.details or report.records.manifest.algo != "random":
        return Section(title)
    frame = curves_frame(family_curves(report.records))
    frame = frame[frame["n"].isin(TRIALS)]
    if frame.empty:
        return Section(title)
    places = report.places
    bounds = zip(frame["lower"], frame["upper"], strict=True)
    columns = (
        Column("schedule", tuple(frame["schedule"].where(frame["n"] == 1, ""))),
        numbers("n", map(str, frame["n"])),
        numbers("expected", (fixed(score, places) for score in frame["expected"])),
        numbers("median", (fixed(score, places) for score in frame["median"])),
        Column("95 % band of the median", tuple(interval(*both, places) for both in bounds)),
    )
    return Section(title, columns=columns)


def _words(one: Importance) -> str:
    if not one.shares:
        return one.reason
    shares = ", ".join(f"{name} {_share(share)}" for name, share in one.shares.items())
    if one.reason:
        return f"{one.reason} {shares}"
    return f"{shares}; all together {_share(one.explained)} ({count(one.trials, 'trial')})"


def _share(share: float) -> str:
    # An estimate: it can be -.01 for a parameter without effect, and 1.11 for one that alone
    # decides everything (seen with 60 trials).
    return f"{min(max(share, 0.0), 1.0):.2f}" if math.isfinite(share) else "unknown"
