"""Trains the best of a search and the constant rates again, with paired seeds, and tests them.

The search has chosen among many on the validation images, so its scores flatter. Here the choice
is made: few arms, fresh seeds, each the same for every arm (initial weights, image order, dropout),
and the test images, which nothing has touched, looked at once for each training, after its end.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from lrtune.confirmation.plan import refuse_other_confirmation
from lrtune.display.observer import Observer
from lrtune.records.ids import CONFIRM
from lrtune.records.reader import read_run
from lrtune.records.schema import now
from lrtune.records.task import TrainingJob
from lrtune.records.writer import RunWriter
from lrtune.runner import RunOptions, make_runner
from lrtune.search.loop import TaskLoop
from lrtune.search.plan import AllSeeds, Arms

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
    """Trains every arm with every seed, except what an earlier session has trained.

    Args:
        folder: the run folder.
        manifest: what to train.
        hypermodel: `keras_tuner.HyperModel` of the search.
        material: what to train and test on.
        options: how trainings are run.
        overwrite: whether to erase a confirmation that is there; otherwise it is resumed.
        observer: watches.

    Raises:
        RunFolderError: another confirmation is there; a folder that cannot be written.
        KeyboardInterrupt: Ctrl-C; all that has ended is recorded.
    """
    # Keras measures on the validation data, here the test data: once, after the last epoch.
    measured = {"validation_data": material.test_data, "validation_freq": manifest.epochs}
    kwargs = {**material.fit_kwargs, **measured}
    objective = manifest.objective
    job = TrainingJob(hypermodel, material.fit_args, kwargs, held_out=True, objective=objective)
    observer = observer or Observer()
    with make_runner(job, options, observer.noticed) as runner, RunWriter(folder) as writer:
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
        loop = TaskLoop(runner, writer, manifest, options.max_retries, observer)
        arms = Arms(CONFIRM, manifest.arms, manifest.epochs, done.values())
        loop.run(AllSeeds(arms, manifest.seeds))
        if not loop.lost:  # the next session trains them again
            writer.confirmation(dataclasses.replace(manifest, finished=now()))


def ended(records: RunRecords) -> dict[str, Any]:
    """Outcomes of a confirmation by their ids."""
    arms = records.confirmation.outcomes.values() if records.confirmation else ()
    return {outcome.trial_id: outcome for arm in arms for outcome in arm}
