"""Trains the best of a search and the constant rates again, with paired seeds, and tests them.

The search chose among many trials by their scores on the validation images, so the best scores are
too optimistic. A confirmation chooses nothing: a few arms, fresh seeds that are the same for every
arm (initial weights, image order, dropout), and the test images, which the search never used. They
are used once per training, after the last epoch.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from lrtune.confirmation.plan import refuse_other_confirmation
from lrtune.display.observer import Observer
from lrtune.records.ids import arm_id
from lrtune.records.reader import read_run
from lrtune.records.schema import now
from lrtune.records.task import TrainingJob, TrialTask
from lrtune.records.writer import RunWriter
from lrtune.runner import RunOptions, make_runner
from lrtune.schedules.recipe import Recipe
from lrtune.search.loop import LoopSettings, TaskLoop

if TYPE_CHECKING:
    from pathlib import Path

    from lrtune.confirmation.material import Material
    from lrtune.records.reader import RunRecords
    from lrtune.records.schema import ConfirmManifest


def train_arms(
    folder: Path,
    manifest: ConfirmManifest,
    hypermodel: Any,
    material: Material,
    options: RunOptions,
    *,
    overwrite: bool = False,
    observer: Observer | None = None,
) -> None:
    """Trains every arm with every seed, except trainings that have already ended.

    Args:
        folder: the run folder.
        manifest: what to train.
        hypermodel: `keras_tuner.HyperModel` of the search.
        material: what to train and test on.
        options: how trainings are run.
        overwrite: whether to erase an existing confirmation; otherwise it is resumed.
        observer: is notified of every event; None for no observer.

    Raises:
        RunFolderError: the folder has a different confirmation, or cannot be written.
        KeyboardInterrupt: Ctrl-C; trainings that have ended are recorded.
    """
    # Keras measures on the validation data, here the test data: once, after the last epoch.
    measured = {"validation_data": material.test_data, "validation_freq": manifest.epochs}
    kwargs = {**material.fit_kwargs, **measured}
    job = TrainingJob(hypermodel, material.fit_args, kwargs, held_out=True)
    observer = observer or Observer()
    with make_runner(job, options) as runner, RunWriter(folder) as writer:
        if overwrite:
            writer.erase_confirmation()
        found = read_run(folder)
        if found.confirmation is not None:
            refuse_other_confirmation(folder, found.confirmation.manifest, manifest)
            manifest = dataclasses.replace(manifest, created=found.confirmation.manifest.created)
        writer.confirmation(manifest)
        done = ended(found)
        for notice in found.outcome_notices:
            observer.noticed(notice)
        for outcome in done.values():
            observer.trial_found(outcome)
        settings = LoopSettings(
            manifest.objective,
            manifest.direction,
            "last",
            manifest.epochs,
            manifest.seeds[0],
            options.max_retries,
        )
        loop = TaskLoop(runner, writer, settings, observer)
        loop.run(task for task in tasks(manifest) if task.trial_id not in done)
        writer.confirmation(dataclasses.replace(manifest, finished=now()))


def tasks(manifest: ConfirmManifest) -> list[TrialTask]:
    """All trainings, seed by seed, so that an interrupted confirmation has complete pairs."""
    return [
        TrialTask(
            arm_id("confirm", arm, seed), Recipe.from_values(values), seed, 0, manifest.epochs
        )
        for seed in manifest.seeds
        for arm, values in manifest.arms.items()
    ]


def ended(records: RunRecords) -> dict[str, Any]:
    """Outcomes of a confirmation by their ids."""
    arms = records.confirmation.outcomes.values() if records.confirmation else ()
    return {outcome.trial_id: outcome for arm in arms for outcome in arm}
