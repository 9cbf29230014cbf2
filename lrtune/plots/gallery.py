"""All pictures of a run: `run.plot.NAME()` in a notebook, `save_figures` into a folder."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from lrtune._util import checks
from lrtune.errors import ArgumentError
from lrtune.plots.best_so_far import BestSoFar
from lrtune.plots.family_scores import FamilyScores
from lrtune.plots.forest import Forest
from lrtune.plots.funnel import Funnel
from lrtune.plots.hyperparameters import Hyperparameters
from lrtune.plots.importance import Importance
from lrtune.plots.learning_curves import LearningCurves
from lrtune.plots.parallel import ParallelCoordinates
from lrtune.plots.schedules import Schedules
from lrtune.plots.tuning_curves import TuningCurves

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator

    from matplotlib.figure import Figure

    from lrtune.plots.picture import Picture
    from lrtune.records.reader import RunRecords

_DPI = 144
"""Of PNG files: twice what screens count on, for text that stays sharp."""


class Drawn(NamedTuple):
    """A picture that was drawn: its name in files, what it is, and the figure."""

    name: str
    picture: Picture
    figure: Figure


class Plots:
    """The pictures of one run.

    `plot.NAME()` draws a picture and returns its figure, which a notebook shows where a cell ends
    with it; `plot.NAME.data()` returns the table that is drawn, a pandas frame. Both raise
    ArgumentError, with the reason, where a picture makes no sense for the run.

    Args:
        records: of the run.

    Attributes:
        schedules: the learning rate of the best schedule, against the constant rate.
        learning_curves: what the best trials scored after each epoch, and their learning rates.
        family_scores: the score of every trial, by family, beside the baseline's noise.
        hyperparameters: the score against the initial learning rate and against momentum.
        parallel_coordinates: parameters and score of each trial of a family of 8 or more trials.
        funnel: Hyperband's trials of each rung of each bracket, and who was promoted.
        best_so_far: the best score against the epochs that all trials had spent.
        tuning_curves: the best score to expect from a number of random trials of each family.
        forest: the confirmed arms' paired differences from the baseline, with intervals.
        importance: which hyperparameters decided the score.
    """

    def __init__(self, records: RunRecords) -> None:
        self.schedules = Schedules(records)
        self.learning_curves = LearningCurves(records)
        self.family_scores = FamilyScores(records)
        self.hyperparameters = Hyperparameters(records)
        self.parallel_coordinates = ParallelCoordinates(records)
        self.funnel = Funnel(records)
        self.best_so_far = BestSoFar(records)
        self.tuning_curves = TuningCurves(records)
        self.forest = Forest(records)
        self.importance = Importance(records)

    def save(self, folder: str | os.PathLike[str]) -> list[Path]:
        """Write every picture that this run has data for: see `save_figures`."""
        into = Path(folder)
        written: list[Path] = []
        with checks.writable("folder (--figures)", "a folder that can be written to", into):
            into.mkdir(parents=True, exist_ok=True)
            for name, _, figure in self.draw_all():
                for kind in ("svg", "png"):
                    path = into / f"{name}.{kind}"
                    path.write_bytes(image(figure, kind))
                    written.append(path)
        return written

    def draw_all(self) -> Iterator[Drawn]:
        """Every picture that this run has data for, in the order of a report."""
        pictures: dict[str, Picture] = vars(self)
        for name, picture in pictures.items():
            for suffix, options in picture.variants().items():
                try:
                    figure = picture(**options)
                except ArgumentError:
                    continue
                yield Drawn(name.replace("_", "-") + suffix, picture, figure)


def save_figures(records: RunRecords, folder: str | os.PathLike[str]) -> list[Path]:
    """Write every picture that this run has data for, as SVG and as PNG.

    The same run gives the same bytes. Pictures that make no sense for it are left out.

    Args:
        records: of the run.
        folder: created if missing; files of these names are replaced.

    Returns:
        The files written, "schedules.svg" and "schedules.png" first.

    Raises:
        ArgumentError: the folder cannot be written to.
    """
    return Plots(records).save(folder)


def image(figure: Figure, kind: str) -> bytes:
    """A figure as the bytes of a file.

    Args:
        figure: one of ours.
        kind: "svg" or "png".
    """
    buffer = io.BytesIO()
    metadata = {"Title": ", ".join(titles(figure))}
    figure.savefig(buffer, format=kind, dpi=_DPI, metadata=metadata)
    return buffer.getvalue()


def titles(figure: Figure) -> list[str]:
    """The titles of a figure and of its axes."""
    found = [figure.get_suptitle(), *(ax.get_title(loc="left") for ax in figure.axes)]
    return [title.replace(r"\$", "$") for title in found if title]
