"""What every picture is: a table of one run, a drawing of that table, and words about it."""

from __future__ import annotations

import functools
import math
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import seaborn as sns

from lrtune.errors import ArgumentError
from lrtune.plots.scales import Scale, clip, score_label, score_scale
from lrtune.plots.theme import BASELINE, BASELINE_LINE, INK, looks, text
from lrtune.stats.baseline import measure_baseline

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from lrtune.records.reader import RunRecords
    from lrtune.records.schema import Manifest
    from lrtune.stats.baseline import Baseline

CLOUD = 400
"""More points than this are an image inside an SVG, which they would make large otherwise."""


class Picture(ABC):
    """One picture of one run: `picture.data()` is its table, `picture()` draws that.

    A new picture is a subclass in a file of its own, and a line in `gallery.Plots`. Both methods
    raise ArgumentError, with the reason, where the picture makes no sense for the run.

    Args:
        records: of the run.

    Attributes:
        title: a few words.
        about: how to read it, a sentence.
    """

    title: ClassVar[str]
    about: ClassVar[str]

    def __init__(self, records: RunRecords) -> None:
        self._records = records

    @abstractmethod
    def data(self) -> pd.DataFrame:
        """The table that is drawn."""

    @abstractmethod
    def __call__(self) -> Figure:
        """The picture; a notebook shows it where a cell ends with it."""

    def facts(self) -> str:
        """What it shows of this run, a sentence for readers who cannot see it; may be empty."""
        return ""

    def variants(self) -> Mapping[str, Mapping[str, Any]]:
        """Suffix of the picture's name -> options to draw it with, where a run has several."""
        return {"": {}}

    @property
    def _manifest(self) -> Manifest:
        return self._records.manifest

    @functools.cached_property
    def _baseline(self) -> Baseline | None:
        return measure_baseline(self._records)

    @property
    def _baseline_name(self) -> str:
        return f"baseline {text(self._baseline.reference.name, 24)}" if self._baseline else ""

    @functools.cached_property
    def _looks(self) -> dict[str, Any]:
        return looks(self._records)

    @property
    def _colours(self) -> dict[str, str]:
        return {name: look.colour for name, look in self._looks.items()}

    @property
    def _score_label(self) -> str:
        return score_label(self._manifest.objective, self._manifest.direction)

    def _nothing(self, what: str) -> ArgumentError:
        return ArgumentError(f"No trial of the run {str(self._records.folder)!r} {what}.")

    def _score_scale(self, frame: pd.DataFrame) -> Scale:
        """Of the axis of scores of trials, with the baseline on it.

        If the baseline's band is much wider than the range of the scores, part of it is enough:
        with one seed in three that fails to train it is so wide that all trials would lie on one
        line, and reaches accuracies above 1.
        """
        completed = frame.loc[frame["status"] == "completed", "score"]
        scores = list(completed if len(completed) else frame["score"])
        if self._baseline is not None:
            mean, spread = self._baseline.reference.mean, self._baseline.spread
            band = 0.0 if math.isnan(spread) else spread
            known = [mean, *scores]
            room = 0.5 * (max(known) - min(known)) or band
            scores += [mean, max(mean - band, min(known) - room)]
            scores += [min(mean + band, max(known) + room)]
        return score_scale(scores, self._manifest.direction)

    def _draw_baseline(self, ax: Axes, which: str = "y") -> None:
        """The baseline's mean as a line across the axis of scores, its noise as a band."""
        if self._baseline is None:
            return
        mean, spread = self._baseline.reference.mean, self._baseline.spread
        line, span = (ax.axhline, ax.axhspan) if which == "y" else (ax.axvline, ax.axvspan)
        line(mean, label=f"{self._baseline_name}: {mean:.4g}", **BASELINE_LINE)
        if not math.isnan(spread):
            span(
                mean - spread, mean + spread, color=BASELINE, alpha=0.15, linewidth=0, zorder=0.5,
                label=f"95 % of its single runs: ±{spread:.2g}",
            )  # fmt: skip

    def _draw_trials(
        self, ax: Axes, frame: pd.DataFrame, x: str, limits: tuple[float, float]
    ) -> None:
        """Points of trials: their scores against a column, in the look of their families."""
        sizes = frame["family"].value_counts()
        names = {one: f"{text(one, 28)} ({sizes[one]:,})" for one in self._looks if one in sizes}
        lost = frame["status"] == "diverged"
        area = float(np.clip(5400 / len(frame), 13, 40))
        alpha = float(np.clip(120 / len(frame), 0.4, 0.9))
        shown = frame.assign(
            name=frame["family"].map(names),
            shown=clip(frame["score"], limits),
            # Drawn with the others, a diverged trial would have its family's marker.
            size=np.where(frame["full"], area, 0.4 * area),
        )
        common: dict[str, Any] = {
            "x": x, "y": "shown", "hue": "name", "hue_order": list(names.values()), "ax": ax,
            "palette": {names[one]: self._looks[one].colour for one in names},
            "alpha": alpha, "clip_on": False, "rasterized": len(frame) > CLOUD, "zorder": 3,
        }  # fmt: skip
        if not lost.all():
            sns.scatterplot(
                shown[~lost], style="name", style_order=list(names.values()), size="size",
                sizes=(0.4 * area, area), size_norm=(0.4 * area, area),
                markers={names[one]: self._looks[one].marker for one in names}, linewidth=0.4,
                legend=False, **common,
            )  # fmt: skip
        for one, name in names.items():
            look = self._looks[one]
            ax.scatter([], [], s=30, color=look.colour, marker=look.marker, label=name)
        if lost.any():
            sns.scatterplot(shown[lost], marker="x", s=area, linewidth=1.1, legend=False, **common)
            ax.scatter([], [], s=30, color=INK, marker="x", label=f"diverged ({lost.sum():,})")


def off_axis(scores: Iterable[float], limits: tuple[float, float]) -> str:
    """A legend's words about scores that are outside the axis; empty where there are none."""
    off = sum(not limits[0] <= score <= limits[1] for score in scores)
    return f"{off:,} off the axis, at its edge" if off else ""
