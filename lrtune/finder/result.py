"""What a range test found: the range to search, the losses behind it, a picture."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import os

    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from lrtune.stats.range_test import Reading


@dataclass(frozen=True, eq=False)
class RangeTest:
    """The result of `lrtune.range_test`; `str` of it says in words what was found.

    Attributes:
        seeds: ints >= 0, of the trainings.
        rates: float64 [steps], the learning rate of each weight update.
        losses: float64 [seeds, steps], the training loss of each batch; NaN after a training was
            stopped because it had diverged.
        reading: what was read off them.
    """

    seeds: tuple[int, ...]
    rates: NDArray[np.float64]
    losses: NDArray[np.float64]
    reading: Reading

    @property
    def suggested(self) -> tuple[float, float] | None:
        """(low, high), the range to search for `lr0`; None if the test gives no reason for one."""
        return self.reading.suggested

    @property
    def steepest(self) -> float | None:
        """The rate at which the loss falls fastest; None if it does not fall."""
        return self.reading.steepest

    @property
    def diverged(self) -> float | None:
        """The rate at which the loss begins to rise; None if it does not rise."""
        return self.reading.rises

    def curves(self) -> pd.DataFrame:
        """A row a seed and weight update.

        Columns seed, step (from 0), rate, loss (of that batch; NaN once a training was stopped) and
        smoothed (of all seeds together).
        """
        import pandas as pd

        count, steps = self.losses.shape
        return pd.DataFrame(
            {
                "seed": np.repeat(self.seeds, steps),
                "step": np.tile(np.arange(steps), count),
                "rate": np.tile(self.rates, count),
                "loss": self.losses.ravel(),
                "smoothed": np.tile(self.reading.smoothed, count),
            }
        )

    def plot(self, ax: Axes | None = None) -> Figure:
        """Draw the losses against the rate, with the suggested range.

        Args:
            ax: to draw into; None for new ones.
        """
        from lrtune.plots.range_test import draw_range_test

        return draw_range_test(self.curves(), self.reading, ax)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Saves the picture.

        Args:
            path: a file whose name ends in .png, .svg or .pdf.

        Raises:
            ArgumentError: the file cannot be written, or its name has another ending.
        """
        from lrtune._util.checks import writable

        figure = self.plot()
        with writable(
            "path", "a .png, .svg or .pdf file that can be written", path, also=ValueError
        ):
            figure.savefig(path, dpi=150)

    def __str__(self) -> str:
        """What was found, in a few sentences."""
        return " ".join([self._conclusion(), self._evidence(), self._test()])

    def _conclusion(self) -> str:
        if self.suggested is not None:
            return "Suggested range for lr0: {:g} to {:g}.".format(*self.suggested)
        return "No range for lr0 can be suggested."

    def _evidence(self) -> str:
        low, high = self.rates[[0, -1]]
        if self.diverged is None and self.steepest is None:
            return (
                "The loss neither fell nor rose by more than the noise at rates from "
                f"{low:.2g} to {high:.2g}: try more epochs or seeds."
            )
        if self.suggested is None:
            return (
                f"The loss rose from the rate {self.diverged:.2g} on, and the test began at "
                f"{low:.2g}: begin lower."
            )
        if self.diverged is None and self.reading.lowest == high:
            return (
                f"The loss fell fastest at {self.steepest:.2g} and did not rise up to {high:.2g}: "
                "the upper end is the end of the test."
            )
        if self.diverged is None:
            return (
                f"The loss fell fastest at {self.steepest:.2g}, was lowest up to "
                f"{self.reading.lowest:.2g}, and rose by no more than the noise up to {high:.2g}."
            )
        if self.steepest is None:
            return (
                f"The loss rose from {self.diverged:.2g} on, but did not fall by more than the "
                "noise before: the range is a guess from where it rose."
            )
        return f"The loss fell fastest at {self.steepest:.2g} and rose from {self.diverged:.2g} on."

    def _test(self) -> str:
        count, steps = self.losses.shape
        seeds = "1 seed" if count == 1 else f"{count} seeds"
        low, high = self.rates[[0, -1]]
        return f"({seeds}, {steps:,} steps each, rates from {low:.2g} to {high:.2g}.)"
