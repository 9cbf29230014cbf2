"""All pictures of a run at once: `run.plot.NAME()` in a notebook, `save_figures` into a folder."""

from __future__ import annotations

import io
import re
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from lrtune.errors import ArgumentError
from lrtune.plots.best_so_far import best_so_far
from lrtune.plots.family_scores import family_scores
from lrtune.plots.forest import forest
from lrtune.plots.funnel import funnel
from lrtune.plots.hyperparameters import hyperparameters
from lrtune.plots.importance import importance
from lrtune.plots.learning_curves import learning_curves
from lrtune.plots.parallel import families_with_trials, parallel_coordinates
from lrtune.plots.schedules import schedules
from lrtune.plots.tuning_curves import tuning_curves

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterator, Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from lrtune.records.reader import RunRecords

    Drawn = Axes | tuple[Axes, ...]

_DPI = 144
"""Of PNG files: twice what screens count on, for text that stays sharp."""


class Plots:
    """The pictures of one run; each method draws one and returns its figure.

    A notebook shows the figure where a cell ends with it. Where a picture makes no sense for this
    run, an ArgumentError says why.

    Args:
        records: of the run.
    """

    def __init__(self, records: RunRecords) -> None:
        self._records = records

    def schedules(self, *, top: int = 5, ax: Axes | None = None) -> Figure:
        """The learning rates of the best trials over the horizon, against the baseline's."""
        return _figure(schedules(self._records, top=top, ax=ax))

    def learning_curves(self, *, top: int = 5, axes: Sequence[Axes] | None = None) -> Figure:
        """What the best trials scored after each epoch, and the rate beneath."""
        return _figure(learning_curves(self._records, top=top, axes=axes))

    def family_scores(self, *, ax: Axes | None = None) -> Figure:
        """The score of every trial of the full budget, by family, beside the baseline's noise."""
        return _figure(family_scores(self._records, ax=ax))

    def hyperparameters(self, *, axes: Sequence[Axes] | None = None) -> Figure:
        """The score against the initial learning rate and against momentum."""
        return _figure(hyperparameters(self._records, axes=axes))

    def parallel_coordinates(self, *, family: str | None = None, ax: Axes | None = None) -> Figure:
        """Parameters and score of the trials of one family; None for that of the best trial."""
        return _figure(parallel_coordinates(self._records, family=family, ax=ax))

    def funnel(self, *, ax: Axes | None = None) -> Figure:
        """Hyperband's trials of each rung of each bracket, and who was promoted."""
        return _figure(funnel(self._records, ax=ax))

    def best_so_far(self, *, ax: Axes | None = None) -> Figure:
        """The best score against the epochs that all trials had spent."""
        return _figure(best_so_far(self._records, ax=ax))

    def tuning_curves(
        self, *, confidence: float = 0.95, axes: Sequence[Axes] | None = None
    ) -> Figure:
        """The best score to expect of so many random trials of each family, with bands."""
        return _figure(tuning_curves(self._records, confidence=confidence, axes=axes))

    def forest(self, *, ax: Axes | None = None) -> Figure:
        """The confirmed arms' paired differences from the baseline, with intervals."""
        return _figure(forest(self._records, ax=ax))

    def importance(self, *, seed: int = 0, ax: Axes | None = None) -> Figure:
        """Which hyperparameters decided the score."""
        return _figure(importance(self._records, seed=seed, ax=ax))

    def save(self, folder: str | os.PathLike[str]) -> list[Path]:
        """Writes every picture this run has data for: see `save_figures`."""
        return save_figures(self._records, folder)


def save_figures(records: RunRecords, folder: str | os.PathLike[str]) -> list[Path]:
    """Write every picture that this run has data for, as SVG and as PNG.

    The same run gives the same bytes. Pictures that make no sense for it are left out.

    Args:
        records: of the run.
        folder: made where it is missing; files of these names are replaced.

    Returns:
        The files written, "schedules.svg" and "schedules.png" first.

    Raises:
        ArgumentError: the folder cannot be written to.
    """
    into = Path(folder)
    written: list[Path] = []
    try:
        into.mkdir(parents=True, exist_ok=True)
        for name, figure in draw_all(records):
            for kind in ("svg", "png"):
                path = into / f"{name}.{kind}"
                path.write_bytes(image(figure, kind))
                written.append(path)
    except OSError as error:
        raise ArgumentError(
            f"The figures cannot be written to {str(into)!r} ({error.strerror}): give a folder "
            "that can be written to."
        ) from error
    return written


def draw_all(records: RunRecords) -> Iterator[tuple[str, Figure]]:
    """(name, figure) of every picture that this run has data for, in the order of a report."""
    draw: dict[str, Callable[[RunRecords], Drawn]] = {
        "schedules": schedules,
        "learning-curves": learning_curves,
        "family-scores": family_scores,
        "hyperparameters": hyperparameters,
        **{
            f"parallel-coordinates-{name}": partial(parallel_coordinates, family=family)
            for name, family in _file_names(families_with_trials(records)).items()
        },
        "funnel": funnel,
        "best-so-far": best_so_far,
        "tuning-curves": tuning_curves,
        "forest": forest,
        "importance": importance,
    }
    for name, function in draw.items():
        try:
            drawn = function(records)
        except ArgumentError:
            continue
        yield name, _figure(drawn)


def image(figure: Figure, kind: str) -> bytes:
    """A figure as the bytes of a file.

    Args:
        figure: one of ours.
        kind: "svg" or "png".
    """
    buffer = io.BytesIO()
    titles = [figure.get_suptitle(), *(ax.get_title(loc="left") for ax in figure.axes)]
    title = ", ".join(one for one in titles if one)
    metadata = {"Title": title.replace(r"\$", "$")}
    figure.savefig(buffer, format=kind, dpi=_DPI, metadata=metadata)
    return buffer.getvalue()


def _file_names(families: list[str]) -> dict[str, str]:
    """A part of a file's name -> the family; names come from a file, and may hold anything."""
    named: dict[str, str] = {}
    for place, family in enumerate(families, start=1):
        safe = re.fullmatch(r"[A-Za-z][A-Za-z0-9_]{0,60}", family) is not None
        named[family if safe else f"family-{place}"] = family
    return named


def _figure(drawn: Drawn) -> Figure:
    ax = drawn[0] if isinstance(drawn, tuple) else drawn
    figure = ax.get_figure(root=True)
    if figure is None:
        raise ArgumentError("ax must belong to a figure.")
    return figure
