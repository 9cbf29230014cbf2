"""The feeds of a job whose trials have batch sizes of their own: the same arrays, other batches."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lrtune.model.batch_size import searched_sizes, trial_size

if TYPE_CHECKING:
    from lrtune.records.task import TrainingJob, TrialTask
    from lrtune.runner.feed import Feed


class Feeds:
    """One feed for each batch size that is searched, or one for all tasks.

    Args:
        job: hypermodel and data.
        feed: of the job.
    """

    def __init__(self, job: TrainingJob, feed: Feed) -> None:
        self._sizes = searched_sizes(job.hypermodel)
        self._feed = feed
        self._by_size: dict[int, Feed] = {}

    def of(self, task: TrialTask) -> Feed:
        """The feed of a task.

        Raises:
            ArgumentError: the task has no batch size, although it is searched.
        """
        if not self._sizes:
            return self._feed
        size = trial_size(task.recipe.own, self._sizes)
        if size not in self._by_size:
            self._by_size[size] = self._feed.with_batch_size(size)
        return self._by_size[size]
