"""Trains what a confirmation compares, with paired seeds, and tests it.

The search has chosen among many on the validation images, so its scores flatter. Here the choice
is made again among few, with fresh seeds on the validation images, and then tested with other fresh
seeds, each the same for every arm (initial weights, image order, dropout). The test images, which
nothing has touched, are looked at once for each training, after its end.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from lrtune.confirmation.plan import continued, refuse_other_confirmation
from lrtune.display.observer import Observer
from lrtune.errors import RunFolderError, SearchError
from lrtune.records.ids import CHOICE, CONFIRM
from lrtune.records.reader import read_run
from lrtune.records.schema import now
from lrtune.records.task import TrainingJob
from lrtune.records.writer import RunWriter
from lrtune.runner import RunOptions, make_runner
from lrtune.search.deadline import NEVER
from lrtune.search.loop import TaskLoop
from lrtune.search.plan import AllSeeds, Arms, PairsPlan, RacePlan
from lrtune.stats.confirmation import choice_race, sequential_evidence

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from lrtune.confirmation.material import Material
    from lrtune.records.reader import RunRecords
    from lrtune.records.schema import ConfirmManifest, Outcome
    from lrtune.search.plan import Plan


class Confirmation:
    """One session of a confirmation; `run` trains what earlier sessions have not.

    Args:
        folder: the run folder.
        manifest: what to train.
        hypermodel: `keras_tuner.HyperModel` of the search.
        material: what to train and test on.
        options: how trainings are run.
        observer: watches.

    Attributes:
        deadline: from then on, no new training is begun.
        stopped: whether it came before the answer.
    """

    def __init__(
        self,
        folder: Path,
        manifest: ConfirmManifest,
        hypermodel: Any,
        material: Material,
        options: RunOptions,
        observer: Observer | None = None,
    ) -> None:
        self._folder = folder
        self._manifest = manifest
        self._hypermodel = hypermodel
        self._material = material
        self._options = options
        self._observer = observer or Observer()
        self._known: tuple[Outcome, ...] = ()
        self.deadline = NEVER
        self.stopped = False

    def run(self, *, overwrite: bool = False) -> None:
        """Chooses and tests.

        Args:
            overwrite: whether to erase a confirmation that is there; otherwise it is resumed.

        Raises:
            RunFolderError: another confirmation is there; a folder that cannot be written.
            SearchError: every candidate failed.
            KeyboardInterrupt: Ctrl-C; all that has ended is recorded.
        """
        with RunWriter(self._folder) as writer:
            if overwrite:
                writer.erase_confirmation()
            found = read_run(self._folder)
            if found.confirmation is not None:
                before = found.confirmation.manifest
                refuse_other_confirmation(self._folder, before, self._manifest)
                self._manifest = continued(before, self._manifest)
                self._known = found.confirmation.all
            writer.confirmation(self._manifest)
            for notice in found.outcome_notices:
                self._observer.noticed(notice)
            for outcome in self._known:
                self._observer.trial_found(outcome)
            if self._choose(writer, found) and self._test(writer):
                writer.confirmation(dataclasses.replace(self._manifest, finished=now()))

    def _choose(self, writer: RunWriter, found: RunRecords) -> bool:
        """Chooses the arm to test, if there is a choice; whether the test can begin."""
        manifest, choice = self._manifest, self._material.choice
        if manifest.design == "fixed" or manifest.tested is not None:
            return True
        if choice is None:
            raise RunFolderError(
                f"the confirmation in {self._folder} chooses among {len(manifest.candidates)} "
                "candidates, for which it needs validation data"
            )
        race, judge = choice_race(manifest, found.manifest)
        arms = Arms(CHOICE, manifest.candidates, manifest.epochs, self._known)
        plan = RacePlan(arms, race, judge)
        once = {"validation_freq": manifest.epochs}
        job = TrainingJob(self._hypermodel, choice.fit_args, {**choice.fit_kwargs, **once})
        if not self._train(job, writer, plan):
            return False
        tested = race.winner(plan.results)
        if tested is None:
            raise SearchError("every candidate of the confirmation failed in every training")
        self._manifest = dataclasses.replace(manifest, tested=tested)
        writer.confirmation(self._manifest)
        return True

    def _test(self, writer: RunWriter) -> bool:
        """Tests on the test data; whether the test is over."""
        manifest, material = self._manifest, self._material
        # Keras measures on the validation data, here the test data: once, after the last epoch.
        once = {"validation_data": material.test_data, "validation_freq": manifest.epochs}
        kwargs = {**material.fit_kwargs, **once}
        job = TrainingJob(
            self._hypermodel,
            material.fit_args,
            kwargs,
            held_out=True,
            objective=manifest.objective,
        )
        arms = Arms(CONFIRM, manifest.compared, manifest.epochs, self._known)
        if manifest.design == "fixed":
            return self._train(job, writer, AllSeeds(arms, manifest.seeds))

        def is_known(ended: Mapping[str, Mapping[int, Outcome]]) -> bool:
            return bool(sequential_evidence(manifest, ended)[0].reason)

        return self._train(job, writer, PairsPlan(arms, manifest.seeds, is_known))

    def _train(self, job: TrainingJob, writer: RunWriter, plan: Plan) -> bool:
        """Trains what a plan asks for; whether all of it: the next session trains the rest."""
        with make_runner(job, self._options, self._observer.noticed) as runner:
            retries = self._options.max_retries
            loop = TaskLoop(runner, writer, self._manifest, retries, self._observer, self.deadline)
            loop.run(plan)
        self.stopped = loop.stopped
        return not (loop.lost or loop.stopped)
