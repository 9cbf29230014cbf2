"""Picture: Hyperband's funnel, how many trials each rung of each bracket had and who went on."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, NamedTuple

from matplotlib.patches import Patch

from lrtune.errors import ArgumentError
from lrtune.plots.scales import count_axis
from lrtune.plots.theme import canvas, legend, looks, text
from lrtune.stats.trials import family_of

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes

    from lrtune.plots.theme import Look
    from lrtune.records.reader import RunRecords
    from lrtune.records.schema import Outcome


class Rung(NamedTuple):
    """One rung of one bracket.

    Attributes:
        bracket: int >= 0, Keras Tuner's number: the rungs it has besides the last.
        epochs: the budget of its trials.
        promoted: family -> trials that another trial continued.
        stopped: family -> completed ones that none continued.
        lost: family -> those that diverged or failed.
    """

    bracket: int
    epochs: int
    promoted: Counter[str]
    stopped: Counter[str]
    lost: Counter[str]

    @property
    def trials(self) -> int:
        """How many trials it had."""
        return self.promoted.total() + self.stopped.total() + self.lost.total()


def funnel(records: RunRecords, *, ax: Axes | None = None) -> Axes:
    """How many trials each rung of each bracket had, by family, and how many were promoted.

    A bar a rung: solid the trials that were promoted to the next, pale those that ended there,
    hatched those that diverged or failed. Brackets of several iterations are added up.

    Args:
        records: of a Hyperband search.
        ax: to draw into; None for new ones.

    Returns:
        The axes: trials along x, rungs along y, the bracket with most of them first.

    Raises:
        ArgumentError: the search was no Hyperband, or none of its trials has ended.
    """
    found = rungs(records)
    style = looks(records)
    places, headings = _places(found)
    with canvas(ax, height=min(1.7 + 0.3 * (places[-1] + 1), 14)) as drawn:
        most = max(one.trials for one in found)
        drawn.set_xlim(0, most * 1.22)
        drawn.set_ylim(places[-1] + 0.7, -1.2)
        drawn.grid(visible=False, axis="y")
        for place, rung in zip(places, found, strict=True):
            _bar(drawn, place, rung, style, most)
            drawn.text(rung.trials + 0.012 * most, place, _count(rung), va="center", fontsize=8.5)
        for place, bracket in headings:
            drawn.text(0, place, f"bracket {bracket}", va="center", fontweight="bold", fontsize=8.5)
        drawn.set_yticks(
            places, [f"{one.epochs:,} {'epoch' if one.epochs == 1 else 'epochs'}" for one in found]
        )
        drawn.tick_params(axis="y", length=0)
        count_axis(drawn)
        drawn.set_xlabel("trials")
        drawn.set_title("Hyperband's funnel: trials of each rung, and who was promoted")
        legend(drawn, _handles(found, style))
    return drawn


def rungs(records: RunRecords) -> list[Rung]:
    """The rungs of a Hyperband search that had a trial that ended, in the picture's order.

    Raises:
        ArgumentError: the search was no Hyperband, or none of its trials has ended.
    """
    if records.manifest.algo != "hyperband":
        raise ArgumentError(
            "A funnel needs the rungs of Hyperband. Received: a run of algorithm "
            f"{records.manifest.algo!r}."
        )
    parents = {one.parent for one in records.outcomes}
    groups: dict[tuple[int, int], list[Outcome]] = {}
    for one in records.outcomes:
        groups.setdefault((_bracket(one), one.epochs.planned), []).append(one)
    if not groups:
        raise ArgumentError(f"No trial of the run {str(records.folder)!r} has ended.")
    return [
        Rung(
            bracket,
            epochs,
            promoted=Counter(family_of(one) for one in own if one.trial_id in parents),
            stopped=Counter(
                family_of(one)
                for one in own
                if one.trial_id not in parents and one.status == "completed"
            ),
            lost=Counter(
                family_of(one)
                for one in own
                if one.trial_id not in parents and one.status != "completed"
            ),
        )
        for (bracket, epochs), own in sorted(groups.items(), key=lambda it: (-it[0][0], it[0][1]))
    ]


def _bracket(trial: Outcome) -> int:
    found: Any = trial.values.get("tuner/bracket")
    return found if isinstance(found, int) and found >= 0 else 0


def _places(found: list[Rung]) -> tuple[list[float], list[tuple[float, int]]]:
    """Where each rung's bar is, and where each bracket's heading: above the first of its rungs."""
    places: list[float] = []
    headings: list[tuple[float, int]] = []
    place = -1.0
    for index, rung in enumerate(found):
        place += 1
        if index == 0 or rung.bracket != found[index - 1].bracket:
            place += 0.0 if index == 0 else 1.15
            headings.append((place - 0.8, rung.bracket))
        places.append(place)
    return places, headings


def _bar(ax: Axes, place: float, rung: Rung, style: dict[str, Look], most: int) -> None:
    left = 0
    parts = ((rung.promoted, 1.0, ""), (rung.stopped, 0.3, ""), (rung.lost, 0.12, "/////"))
    for counts, alpha, hatch in parts:
        for family in (name for name in style if counts[name]):
            number = counts[family]
            ax.barh(
                place, number, left=left, height=0.78, alpha=alpha, facecolor=style[family].colour,
                edgecolor="white",
                linewidth=0.7 if most < 150 else 0.0,
            )  # fmt: skip
            if hatch:
                ax.barh(
                    place, number, left=left, height=0.78, color="none", hatch=hatch,
                    edgecolor=style[family].colour, linewidth=0,
                )  # fmt: skip
            left += number


def _count(rung: Rung) -> str:
    promoted = rung.promoted.total()
    return f"{rung.trials:,}, {promoted:,} promoted" if promoted else f"{rung.trials:,}"


def _handles(found: list[Rung], style: dict[str, Look]) -> list[Artist]:
    whole: Counter[str] = Counter()
    for one in found:
        whole += one.promoted + one.stopped + one.lost
    grey = "#555555"
    handles: list[Artist] = [
        Patch(facecolor=look.colour, label=text(name, 28))
        for name, look in style.items()
        if whole[name]
    ]
    if any(one.promoted for one in found):
        handles.append(Patch(facecolor=grey, label="solid: promoted"))
    if any(one.stopped for one in found):
        handles.append(Patch(facecolor=grey, alpha=0.3, label="pale: ended there"))
    if any(one.lost for one in found):
        handles.append(
            Patch(facecolor="white", edgecolor=grey, hatch="/////", linewidth=0,
                  label="hatched: diverged or failed")
        )  # fmt: skip
    return handles
