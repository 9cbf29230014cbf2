"""The pictures of `lrtune.plots` for the page: each as a data URI, and in words."""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lrtune._util.printable import printable
from lrtune.errors import ArgumentError
from lrtune.plots.gallery import draw_all, image
from lrtune.plots.select import best_trials, full_trials
from lrtune.report.words import count
from lrtune.stats.trials import families_of, family_of, score_of
from lrtune.stats.winner import Direction

if TYPE_CHECKING:
    from collections.abc import Callable

    from matplotlib.figure import Figure

    from lrtune.records.reader import RunRecords

LARGE = 150_000
"""Bytes from which on an SVG gives way to a PNG, where that is smaller: many points make it so."""

SHOWN = {
    "schedules": ("Schedules of the best trials", "Learning rates over the epochs, log scale."),
    "learning-curves": (
        "Learning curves of the best trials",
        "Above, the objective after each epoch; beneath, the learning rate.",
    ),
    "family-scores": (
        "Scores by family",
        "Each point is a trial of the full budget; the band is the noise of the constant rate.",
    ),
    "hyperparameters": (
        "Scores against rate and momentum",
        "Each point is a trial of the full budget, against its initial learning rate and momentum.",
    ),
    "parallel-coordinates": (
        "Parameters and scores",
        "Each line is a trial of the family, through its parameters to its score.",
    ),
    "funnel": ("Hyperband's rungs", "Which trials of each rung were promoted to the next."),
    "best-so-far": ("Best score so far", "The best score against the epochs all trials had spent."),
    "tuning-curves": (
        "Tuning curves",
        "The best score to expect of so many random trials of a family, with 95 % bands.",
    ),
    "forest": (
        "Differences from the baseline",
        "Mean difference of each arm on the test images, with 95 % intervals; points are seeds.",
    ),
    "importance": ("Importance", "Which hyperparameters the variance of scores goes with."),
}
"""Name of a picture -> its title and what one sees in it."""


@dataclass(frozen=True)
class PagePicture:
    """One picture.

    Attributes:
        name: as `draw_all` names it.
        title: of it.
        about: how to read it.
        alt: what it shows, for who does not see it.
        uri: the picture itself.
        width: its own, in CSS pixels.
        height: likewise.
    """

    name: str
    title: str
    about: str
    alt: str
    uri: str
    width: int
    height: int


def draw_pictures(records: RunRecords) -> list[PagePicture]:
    """Every picture that this run has data for, in the order of a report.

    Args:
        records: of the run.
    """
    return [_picture(name, figure, records) for name, figure in draw_all(records)]


def _picture(name: str, figure: Figure, records: RunRecords) -> PagePicture:
    kind = name if name in SHOWN else "parallel-coordinates"
    title, about = SHOWN[kind]
    own = ", ".join(dict.fromkeys(printable(one) for one in _titles(figure)))
    if kind != name:
        title = own or title
    alt = " ".join(part for part in (f"{own or title}.", about, _facts(kind, records)) if part)
    width, height = figure.get_size_inches()
    return PagePicture(name, title, about, alt, _uri(figure), round(width * 96), round(height * 96))


def _titles(figure: Figure) -> list[str]:
    titles = [figure.get_suptitle(), *(ax.get_title(loc="left") for ax in figure.axes)]
    return [title.replace(r"\$", "$") for title in titles if title]


def _uri(figure: Figure) -> str:
    svg = _rounded(image(figure, "svg"))
    kind, content = "svg+xml", svg
    if len(svg) > LARGE:
        png = image(figure, "png")
        if len(png) < len(svg):
            kind, content = "png", png
    return f"data:image/{kind};base64,{base64.b64encode(content).decode()}"


def _rounded(svg: bytes) -> bytes:
    """The SVG with two decimals in its coordinates, not six: a third smaller, the same to see."""

    def fewer(found: re.Match[bytes]) -> bytes:
        return re.sub(rb"(\.\d\d)\d+", rb"\1", found[0]).replace(b" \n", b"\n")

    return re.sub(rb'\s(d|x|y|x1|x2|y1|y2|points)="[^"]*"', fewer, svg)


def _facts(kind: str, records: RunRecords) -> str:
    """What the picture shows of this run, in a sentence; empty where there is no short one."""
    tell: dict[str, Callable[[RunRecords], str]] = {
        "schedules": _best,
        "learning-curves": _best,
        "hyperparameters": _best,
        "best-so-far": _best,
        "family-scores": _families,
        "tuning-curves": _families,
    }
    try:
        return printable(tell[kind](records)) if kind in tell else ""
    except ArgumentError:
        return ""


def _best(records: RunRecords) -> str:
    trial = best_trials(records, 1)[0]
    objective = records.manifest.objective
    return (
        f"The best trial, {trial.trial_id}, is {trial.recipe}: {objective} {score_of(trial):.4g}."
    )


def _families(records: RunRecords) -> str:
    trials = full_trials(records)
    direction = Direction(records.manifest.direction)
    parts = []
    for family in families_of(records.manifest):
        scores = [score_of(one) for one in trials if family_of(one) == family]
        if scores:
            best = direction.best(scores, lambda score: score)
            parts.append(f"{family} {best:.4g} of {count(len(scores), 'trial')}")
    return f"The best of each family: {', '.join(parts)}." if parts else ""
