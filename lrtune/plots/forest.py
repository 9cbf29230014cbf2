"""Picture: the arms of a confirmation against the baseline, seed by seed."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.lines import Line2D

from lrtune.errors import ArgumentError
from lrtune.plots.scales import objective_label
from lrtune.plots.select import confirmed_scores
from lrtune.plots.theme import MUTED, canvas, legend, looks, note, text
from lrtune.schedules.recipe import Recipe
from lrtune.stats.confirmation import measure_confirmation
from lrtune.stats.winner import Direction

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes

    from lrtune.plots.theme import Look
    from lrtune.records.reader import RunRecords
    from lrtune.records.schema import ConfirmManifest
    from lrtune.stats.comparison import Comparison, Difference

_VERDICTS = {
    "better": (">", True, "better than the baseline"),
    "worse": ("<", True, "worse than the baseline"),
    "none": ("o", False, "no evidence of a difference"),
    "untested": ("s", False, "too few seeds for a test"),
}
"""Verdict -> marker, whether it is filled, and what the legend says."""


def forest(records: RunRecords, *, ax: Axes | None = None) -> Axes:
    """The paired difference of every confirmed arm from the baseline, with its interval.

    Above 0 is always better. The marker tells the verdict (Holm's correction over all arms), the
    line the 95 % interval of the mean difference (of this comparison alone), pale points are the
    seeds.

    Args:
        records: of a run with a confirmation.
        ax: to draw into; None for new ones.

    Returns:
        The axes: differences along x, arms along y, the best first.

    Raises:
        ArgumentError: there is no confirmation, or no seed that pairs an arm with the baseline.
    """
    manifest, scores, comparison = _compared(records)
    shown = sorted(
        (one for one in comparison.differences if one.n),
        key=lambda one: -one.mean,
    )
    arms = manifest.arms
    style = looks(records)
    with canvas(ax, width=8.2, height=2.2 + 0.55 * len(shown)) as drawn:
        drawn.grid(visible=False, axis="y")
        drawn.axvline(0, color="#333333", linewidth=1.4, zorder=1.5)
        labels = []
        for row, one in enumerate(shown):
            look = style[str(arms[one.arm].get("schedule"))]
            _draw(drawn, row, one, _pairs(scores, one.arm, comparison), look)
            labels.append(
                f"{text(one.arm, 30)}\n{text(Recipe.from_values(arms[one.arm]).schedule_text, 44)}"
            )
        drawn.set_xlim(*_limits(shown, scores, comparison))
        drawn.set_ylim(len(shown) - 0.4, -0.6)
        drawn.set_yticks(range(len(shown)), labels)
        drawn.tick_params(axis="y", length=0)
        baseline = text(comparison.baseline, 30)
        what = objective_label(manifest.objective).removeprefix("validation ")
        drawn.set_xlabel(f"difference in test {what} from {baseline} (right of 0 is better)")
        seeds = len(comparison.seeds)
        drawn.set_title(f"Better than {baseline}? Differences over {seeds} fresh seeds")
        legend(drawn, _handles(shown, comparison))
    return drawn


def _compared(
    records: RunRecords,
) -> tuple[ConfirmManifest, dict[str, dict[int, float]], Comparison]:
    confirmed = measure_confirmation(records)
    confirmation = records.confirmation
    if confirmed is None or confirmation is None:
        raise ArgumentError(
            f"The run {str(records.folder)!r} has no confirmation, which trains the best "
            "schedules and the baseline anew with fresh seeds."
        )
    if not any(one.n for one in confirmed.comparison.differences):
        raise ArgumentError(
            f"The confirmation of the run {str(records.folder)!r} has no seed yet with a score of "
            "both an arm and the baseline."
        )
    return confirmed.manifest, confirmed_scores(confirmation), confirmed.comparison


def _pairs(scores: dict[str, dict[int, float]], arm: str, comparison: Comparison) -> list[float]:
    """The arm's differences, a seed each; above 0 is better."""
    sign = Direction(comparison.direction).sign
    base = scores[comparison.baseline]
    return [sign * (score - base[seed]) for seed, score in scores[arm].items() if seed in base]


def _limits(
    shown: list[Difference], scores: dict[str, dict[int, float]], comparison: Comparison
) -> tuple[float, float]:
    ends = [0.0]
    for one in shown:
        ends += [bound for bound in (one.lower, one.upper) if math.isfinite(bound)]
        ends += _pairs(scores, one.arm, comparison)
    room = 0.06 * (max(ends) - min(ends)) or 0.01
    # Room on the right for the words.
    return min(ends) - room, max(ends) + room


def _draw(ax: Axes, row: int, one: Difference, pairs: list[float], look: Look) -> None:
    marker, filled, _ = _VERDICTS[one.verdict]
    ax.scatter(
        pairs, np.full(len(pairs), row + 0.17), s=11, color=look.colour, alpha=0.35, linewidths=0,
        zorder=2,
    )  # fmt: skip
    if math.isfinite(one.lower) and math.isfinite(one.upper):
        ax.plot([one.lower, one.upper], [row, row], color=look.colour, linewidth=2, zorder=2.5)
    ax.plot(
        one.mean, row, marker=marker, markersize=9, color=look.colour, zorder=3,
        markerfacecolor=look.colour if filled else "white", markeredgewidth=1.6,
    )  # fmt: skip
    words = f"{one.mean:+.2g}".replace("-", "\u2212")
    if not math.isnan(one.p_holm):
        words += ", p < 0.001" if one.p_holm < 0.001 else f", p = {one.p_holm:.2g}"
    ax.annotate(
        words, (1, row), xytext=(8, 0), xycoords=ax.get_yaxis_transform(),
        textcoords="offset points", va="center", fontsize=8.5, annotation_clip=False,
    )  # fmt: skip


def _handles(shown: list[Difference], comparison: Comparison) -> list[Artist]:
    grey = "#555555"
    handles: list[Artist] = [
        Line2D(
            [], [], color=grey, marker=marker, linestyle="none", markersize=8, label=label,
            markerfacecolor=grey if filled else "white", markeredgewidth=1.6,
        )
        for verdict, (marker, filled, label) in _VERDICTS.items()
        if any(one.verdict == verdict for one in shown)
    ]  # fmt: skip
    level = f"{100 * comparison.confidence:.3g} % interval of the mean difference"
    handles.append(Line2D([], [], color=grey, linewidth=2, label=level))
    handles.append(
        Line2D([], [], color=MUTED, marker="o", linestyle="none", markersize=4, label="one seed")
    )
    tested = sum(one.verdict != "untested" for one in shown)
    if tested > 1:
        handles.append(note(f"p: after Holm's correction for {tested} comparisons"))
    return handles
