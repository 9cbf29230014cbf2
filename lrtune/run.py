"""A finished or running search as an object: `load_run(path)`, without TensorFlow."""

from __future__ import annotations

import html
import os
from typing import TYPE_CHECKING

from lrtune.errors import ArgumentError, RunFolderError
from lrtune.printable import printable
from lrtune.records.reader import RunRecords, read_run
from lrtune.space import momentum_from_values, schedule_from_values
from lrtune.stats.baseline import measure_baseline
from lrtune.stats.ranking import RUNNING, rank

if TYPE_CHECKING:
    import pandas as pd

    from lrtune.records.schema import Manifest, Outcome
    from lrtune.schedules import Schedule


def load_run(path: str | os.PathLike[str]) -> Run:
    """Load the run that a search wrote.

    Args:
        path: the run folder, `--run-dir` of the search.

    Returns:
        The run as it is now: a search that goes on is seen further by loading again.

    Raises:
        RunFolderError: there is no run at this path, or it cannot be read.
    """
    if not isinstance(path, str | os.PathLike):
        raise ArgumentError(f"path must be a string or a path. Received: path={path!r}.")
    return Run(read_run(path))


class Run:
    """What a search found.

    Attributes:
        records: the run folder as read.
    """

    def __init__(self, records: RunRecords) -> None:
        self.records = records

    @property
    def manifest(self) -> Manifest:
        """What was asked of the search."""
        return self.records.manifest

    def ranking(self) -> pd.DataFrame:
        """All trials, the best first, ranked within their budget: see `lrtune.stats.ranking.rank`.

        Returns:
            One row a trial; columns rank, trial_id, schedule, lr0, momentum, parameters, epochs,
            score, delta, within_noise, status, seconds, total_seconds, budget, rank_in_budget,
            parent, message.
        """
        return rank(self.records)

    def baseline(self) -> pd.DataFrame:
        """The constant learning rates that trials are compared with.

        Returns:
            One row an arm that has a score; columns arm, lr0, momentum, mean, std (n - 1), n,
            diverged (how many of the n), failed (not among the n), scores (a tuple).
        """
        import pandas as pd

        measured = measure_baseline(self.records)
        arms = measured.arms if measured else ()
        values = [arm.values for arm in arms]  # noqa: PD011 - mappings, not frames
        columns = {
            "arm": [arm.name for arm in arms],
            "lr0": [one.get("lr0") for one in values],
            "momentum": [one.get("momentum") for one in values],
            "mean": [arm.mean for arm in arms],
            "std": [arm.std for arm in arms],
            "n": [arm.n for arm in arms],
            "diverged": [arm.diverged for arm in arms],
            "failed": [arm.failed for arm in arms],
            "scores": [arm.scores for arm in arms],
        }
        frame: pd.DataFrame = pd.DataFrame(columns)
        return frame

    def epochs(self, trial_id: str, *, lineage: bool = False) -> pd.DataFrame:
        """The epochs of one trial.

        Args:
            trial_id: of a trial, finished or not, or "baseline/ARM/seed-N".
            lineage: True to have the epochs of the trials it continued before its own, so that
                they begin with epoch 1.

        Returns:
            One row an epoch; columns epoch (from 1), lr, loss, accuracy, val_loss, val_accuracy,
            seconds, as far as they were recorded, and any other metric.
        """
        import pandas as pd

        rows = self.records.epochs(trial_id)
        if lineage:
            for ancestor in reversed(self.records.lineage(trial_id)[:-1]):
                rows = self.records.epochs(ancestor.trial_id) + rows
        first = ["epoch", "lr", "loss", "accuracy", "val_loss", "val_accuracy", "seconds"]
        recorded = dict.fromkeys(key for row in rows for key in row)
        columns = [key for key in first if key in recorded] if rows else first
        columns += [key for key in recorded if key not in first]
        frame: pd.DataFrame = pd.DataFrame(rows, columns=columns)
        return frame

    @property
    def best_trial_id(self) -> str:
        """Id of the trial of rank 1; of several, the first tried.

        Raises:
            RunFolderError: no trial completed the full budget.
        """
        return self._best().trial_id

    def best_schedule(self) -> Schedule:
        """The schedule of the trial of rank 1: `best_schedule().to_keras(steps_per_epoch)`."""
        return schedule_from_values(self._best().values)

    def best_momentum(self) -> float:
        """The momentum of the trial of rank 1, >= 0 and < 1."""
        return momentum_from_values(self._best().values)

    def _best(self) -> Outcome:
        full = [
            outcome
            for outcome in self.records.outcomes
            if outcome.status == "completed"
            and outcome.score is not None
            and outcome.epochs.planned == self.manifest.max_epochs
        ]
        if not full:
            raise RunFolderError(
                f"The run {str(self.records.folder)!r} has no best trial: none completed "
                f"{self.manifest.max_epochs} epochs. It has {self._counted()}."
            )
        better = 1 if self.manifest.direction == "max" else -1
        return max(full, key=lambda outcome: better * (outcome.score or 0.0))

    def _counted(self) -> str:
        statuses: list[str] = [outcome.status for outcome in self.records.outcomes]
        counts = {status: statuses.count(status) for status in dict.fromkeys(statuses)}
        if self.records.unfinished:
            counts[RUNNING] = len(self.records.unfinished)
        return ", ".join(f"{count:,} {status}" for status, count in counts.items()) or "no trials"

    def __repr__(self) -> str:
        return printable(
            f"<lrtune run {str(self.records.folder)!r}: {self.manifest.algo}, "
            f"{self.manifest.objective}, {self.manifest.max_epochs} epochs; {self._counted()}>"
        )

    def _repr_html_(self) -> str:
        title = html.escape(repr(self).strip("<>"))
        columns = ["rank", "trial_id", "schedule", "lr0", "momentum", "parameters", "score"]
        table = self.ranking().head(5)[[*columns, "delta", "status"]]
        text = table.select_dtypes("object")
        table = table.assign(**{name: text[name].map(_shown, na_action="ignore") for name in text})
        cells = table.to_html(index=False, na_rep="", escape=True)
        # These classes keep MathJax, which a notebook runs over its outputs, from taking a name
        # with $ or \( in it for a formula, in which it knows links.
        return f'<div class="tex2jax_ignore mathjax_ignore"><p>{title}</p>{cells}</div>'


def _shown(value: object) -> str:
    return printable(str(value))
