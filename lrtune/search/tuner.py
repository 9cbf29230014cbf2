"""What lrtune's tuners have in common: Keras Tuner's, with lrtune's search loop inside."""

from __future__ import annotations

import dataclasses
import math
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import keras_tuner
import numpy as np
from typing_extensions import override

from lrtune.display.observer import Observer, PrefixedObserver
from lrtune.display.script import watching
from lrtune.errors import ArgumentError, RunFolderError
from lrtune.model.hypermodel import ScheduleHyperModel
from lrtune.records.data_record import describe_given
from lrtune.records.identity import continued, identity, installed, refuse_other_search
from lrtune.records.ids import BASELINE_SEARCH, arm_id
from lrtune.records.reader import read_run, read_state
from lrtune.records.schema import TUNED, DataRecord, Manifest, Rung, now, total
from lrtune.records.task import TrainingJob, TrialTask
from lrtune.records.writer import RunWriter, erase_run, holds_run, refuse_foreign_folder
from lrtune.runner import check_workers, make_runner
from lrtune.runner.callbacks import acting_on_batches
from lrtune.schedules.recipe import Recipe
from lrtune.search.arguments import check_arguments
from lrtune.search.kept_states import KeptStates
from lrtune.search.loop import LoopSettings, SearchLoop
from lrtune.search.oracle import keep_from_writing, oracle_seed, resolve_seed
from lrtune.search.resume import mend, refuse_foreign_trials, restore

if TYPE_CHECKING:
    from collections.abc import Mapping

    import keras

    from lrtune.records.reader import RunRecords
    from lrtune.runner.base import Runner

READING_CONSTANTS: Mapping[str, Mapping[str, Any]] = {
    f"constant-{lr0}": {"schedule": "constant", "lr0": lr0, "momentum": 0.0} for lr0 in (0.1, 0.01)
}
"""The baseline: the reading's two constant rates, .1 from its code and .01 from its table."""

_NEVER = 10**9
"""Failed trials in a row before Keras Tuner may end a search: that is our loop's decision."""


class LoopTuner(keras_tuner.Tuner):  # type: ignore[misc] # Keras Tuner has no types
    """`search` through `SearchLoop`, in place of Keras Tuner's own.

    Args:
        workers: int >= 1, worker processes; 1 trains in this process; None takes one process a
            GPU, or a physical core where there is no GPU.
        score: "last" or "best", which epoch's objective ranks a trial.
        baseline_seeds: int >= 0, how many seeds each constant rate of the baseline is trained with
            at the full budget; 0 leaves the baseline out.
        baseline_budget: float >= 0, epochs of the search for the best constant rate, as a share of
            this search's; 0 leaves the baseline at the reading's two constant rates.
        seed: int >= 0 or None for a fresh one.
        max_retries: int >= 0, how often a trial is begun again whose worker process was killed,
            crashed or hung, before it counts as failed.
        trial_timeout: seconds > 0 that a worker process may take for an epoch before it counts as
            hung.
        overwrite: whether to erase the run that is in the folder; otherwise it is continued.
        directory, project_name: the run folder is `directory/project_name`.
        **kwargs: as the Keras Tuner tuner of the same name takes them.

    Raises:
        ArgumentError: an argument outside its domain.
        RunFolderError: the folder holds another search, or something else.
    """

    algo: str

    def __init__(
        self,
        *args: Any,
        workers: int | None = None,
        score: str = "last",
        baseline_seeds: int = 3,
        baseline_budget: float = 0.5,
        seed: int | None = None,
        max_retries: int = 2,
        trial_timeout: float = 3600.0,
        overwrite: bool = False,
        _share: float = 1.0,
        **kwargs: Any,
    ) -> None:
        check_arguments(score, baseline_seeds, baseline_budget, max_retries, trial_timeout, kwargs)
        check_workers(workers)
        self._arguments = (args, dict(kwargs))
        self.seed = resolve_seed(seed)
        self.workers = workers
        self.score = score
        self.baseline_seeds = baseline_seeds
        self.max_retries = max_retries
        self.trial_timeout = trial_timeout
        kwargs.setdefault("max_consecutive_failed_trials", _NEVER)
        super().__init__(*args, seed=oracle_seed(self.seed), **kwargs)
        if type(self.oracle.objective) is not keras_tuner.Objective:
            raise ArgumentError(
                "objective must be the name of one metric (or one keras_tuner.Objective). "
                f"Received: {self.oracle.objective}."
            )
        # Keras Tuner prints a table a trial; the loop's observer shows what is worth showing.
        self.oracle.verbose = 0
        keep_from_writing(self.oracle)
        self._set_up_oracle(_share)
        self.baseline_budget = (
            float(baseline_budget) if self._arms() and self._families() != ("constant",) else 0.0
        )
        self._space = tuple(self.oracle.get_space().get_config()["space"])
        refuse_foreign_folder(self._folder)
        if overwrite:
            erase_run(self._folder)
        self.reload()

    @override
    def search(
        self,
        *fit_args: Any,
        observer: Observer | None = None,
        data: DataRecord | None = None,
        verbose: int | str = "auto",
        **fit_kwargs: Any,
    ) -> None:
        """Searches: trains the baseline, then trial after trial.

        Args:
            *fit_args: as `keras.Model.fit` takes them: images, labels, ...
            observer: watches the search, in place of what is printed.
            data: what to record about the images.
            verbose: 0 to print nothing; otherwise a live display in a terminal, a line a finished
                trial elsewhere.
            **fit_kwargs: as `keras.Model.fit` takes them; `epochs` is the horizon where the
                hypermodel has none.
        """
        epochs = fit_kwargs.pop("epochs", None)
        horizon = self._horizon(epochs)
        if slow := acting_on_batches(fit_kwargs.get("callbacks")):
            warnings.warn(
                f"callbacks that act on every batch ({', '.join(slow)}): each step now starts from "
                "Python, which takes about twice as long.",
                stacklevel=2,
            )
        manifest = dataclasses.replace(
            self._manifest(
                horizon, data or describe_given(fit_args, fit_kwargs), fit_kwargs.get("batch_size")
            ),
            plan=self._plan(horizon),
        )
        job = TrainingJob(self.hypermodel, fit_args, fit_kwargs)
        with (
            watching(observer, verbose, self._folder, manifest) as observer,
            make_runner(job, self.workers, self.trial_timeout) as runner,
            RunWriter(self._folder) as writer,
        ):
            found = self._found(manifest, identity(manifest))
            if found is not None:
                manifest = continued(manifest, found.manifest)
            tuner = self._constant_tuner()
            if tuner is not None:
                writer.manifest(manifest)
                tuner._tune_constant(runner, manifest, observer)
                manifest = dataclasses.replace(
                    manifest, baseline_arms={**tuner._tuned_arm(), **manifest.baseline_arms}
                )
            writer.manifest(manifest)
            self._train(runner, writer, manifest, found, observer)
            writer.finished(manifest, now())

    def _train(
        self,
        runner: Runner,
        writer: RunWriter,
        manifest: Manifest,
        found: RunRecords | None,
        observer: Observer,
    ) -> None:
        unfinished = restore(self.oracle, found, self.seed) if found else []
        ended = list(found.by_id.values()) if found else []
        for notice in found.notices if found else ():
            observer.noticed(notice)
        for outcome in ended:
            observer.trial_found(outcome)
        mend(self.oracle, writer)
        settings = LoopSettings(
            manifest.objective,
            manifest.direction,
            manifest.score,
            manifest.max_epochs,
            self.seed,
            self.max_retries,
        )
        searched = found.outcomes if found else ()
        states = KeptStates(writer, manifest.direction, manifest.max_epochs, searched)
        loop = SearchLoop(self.oracle, runner, writer, states, settings, observer, self._promotable)
        done = {outcome.trial_id for outcome in ended}
        baseline = [
            TrialTask(
                arm_id("baseline", arm, seed),
                Recipe.from_values(values),
                seed,
                0,
                manifest.max_epochs,
            )
            for seed in manifest.baseline_seeds
            for arm, values in manifest.baseline_arms.items()
        ]
        loop.run([task for task in baseline if task.trial_id not in done], unfinished)

    def _constant_tuner(self) -> LoopTuner | None:
        """A tuner like this one that searches constant rates only, for the baseline; or None."""
        if not self.baseline_budget:
            return None
        args, kwargs = self._arguments
        hypermodel = self.hypermodel.with_families(("constant",))
        if args:
            args = (hypermodel, *args[1:])
        else:
            kwargs = {**kwargs, "hypermodel": hypermodel}
        # Draws of its own: with this search's seed its trials would be this one's constant trials.
        seed = int(np.random.SeedSequence([self.seed, 2]).generate_state(1)[0]) >> 1
        return type(self)(
            *args,
            **{
                **kwargs,
                "directory": str((self._folder / BASELINE_SEARCH).parent),
                "project_name": (self._folder / BASELINE_SEARCH).name,
                "seed": seed,
                "score": self.score,
                "baseline_seeds": 0,
                "max_retries": self.max_retries,
                "_share": self.baseline_budget,
            },
        )

    def _tune_constant(self, runner: Runner, whole: Manifest, observer: Observer) -> None:
        """Searches the constant rates for the baseline of the search that `whole` describes."""
        manifest = dataclasses.replace(
            self._manifest(whole.max_epochs, whole.data, whole.batch_size),
            plan=self._plan(whole.max_epochs),
        )
        with RunWriter(self._folder) as writer:
            found = self._found(manifest, identity(manifest))
            if found is not None:
                manifest = continued(manifest, found.manifest)
            writer.manifest(manifest)
            within = PrefixedObserver(observer, f"{BASELINE_SEARCH}/")
            self._train(runner, writer, manifest, found, within)
            writer.finished(manifest, now())

    def _tuned_arm(self) -> dict[str, dict[str, Any]]:
        """The best constant rate that was found at the full budget, as an arm; none if none was."""
        horizon = self._horizon(None)
        for trial in self._best_trials(1):
            values = trial.hyperparameters.values
            full = values.get("tuner/epochs", horizon) >= horizon
            if full and trial.message is None:
                return {TUNED: Recipe.from_values(values).values}
        return {}

    @override
    def save(self) -> None:
        """Does nothing: what is found is written as it is found."""

    @override
    def reload(self) -> None:
        """Takes up what the run folder holds, if it holds a run.

        Raises:
            RunFolderError: of another search; its first difference is named.
        """
        horizon = self._budget(0)
        asked = identity(self._manifest(horizon, DataRecord("", "", {}), None))
        unknown = {"batch_size"} if horizon else {"batch_size", "max_epochs"}
        found = self._found(
            self._manifest(horizon or 1, DataRecord("", "", {}), None),
            {name: value for name, value in asked.items() if name not in unknown},
        )
        if found is not None:
            restore(self.oracle, found, self.seed)

    @override
    def _get_tuner_fname(self) -> str:
        # A file that is never there: Keras Tuner would reload by itself, from its own files, which
        # a kill of stock Keras Tuner may have torn.
        return str(self._folder / ".reloaded-by-lrtune")

    @property
    def _folder(self) -> Path:
        return Path(str(self.directory), str(self.project_name))

    def _found(self, manifest: Manifest, asked: Mapping[str, Any]) -> RunRecords | None:
        """What the folder holds of this search; raises RunFolderError where it is of another."""
        if not holds_run(self._folder):
            return None
        records = read_run(self._folder, instead=manifest)
        refuse_other_search(self._folder, records.manifest, asked)
        if records.manifest is manifest:  # run.json was damaged or is gone
            refuse_foreign_trials(records, self.seed)
        return records

    def plan(self) -> tuple[int, int]:
        """How many trials and epochs `search` will train at most, the baseline included.

        Returns:
            (trials, epochs).
        """
        return total(self._plan(self._horizon(None)))

    def _plan(self, horizon: int) -> tuple[Rung, ...]:
        tuner = self._constant_tuner()
        arms = len(self._arms()) + (tuner is not None)
        nested = tuner._rungs(horizon) if tuner else []
        return (
            *(Rung(BASELINE_SEARCH, *one) for one in nested),
            Rung("baseline", arms * self.baseline_seeds, 0, horizon),
            *(Rung("search", *one) for one in self._rungs(horizon)),
        )

    @override
    def get_best_hyperparameters(self, num_trials: int = 1) -> list[Any]:
        """Hyperparameters of the best trials, those of the largest budget before all others.

        Trials that diverged come last.
        """
        return [trial.hyperparameters for trial in self._best_trials(num_trials)]

    @override
    def get_best_models(self, num_models: int = 1) -> list[keras.Model]:
        """The best trials' models with the weights of their last epoch.

        Raises:
            RunFolderError: more models than the run kept; it keeps the winner's.
        """
        return [self.load_model(trial) for trial in self._best_trials(num_models)]

    @override
    def load_model(self, trial: Any) -> keras.Model:
        """The model of a trial whose state was kept, compiled, with its weights."""
        from lrtune.runner.worker import restore

        state = read_state(self._folder, trial.trial_id)
        if state is None:
            raise RunFolderError(
                f"the weights of trial {trial.trial_id} were not kept, only the winner's are (or "
                "its state.npz is damaged)"
            )
        model = self.hypermodel.build(trial.hyperparameters)
        restore(model, state)
        return model

    def _best_trials(self, count: int) -> list[Any]:
        done = [t for t in self.oracle.trials.values() if t.score is not None]
        sign = -1.0 if self.oracle.objective.direction == "max" else 1.0

        def order(trial: Any) -> tuple[bool, int, float]:
            # A score with a message is the untrained model's, of a trial that diverged.
            budget = trial.hyperparameters.values.get("tuner/epochs", 0)
            return trial.message is not None, -budget, sign * trial.score

        return sorted(done, key=order)[:count]

    def _horizon(self, epochs: int | None) -> int:
        laid_out = getattr(self.hypermodel, "epochs", None)
        horizon = int(self._budget(epochs or laid_out or 1))
        if laid_out not in (None, horizon):
            warnings.warn(
                f"the hypermodel lays its schedules out over epochs={laid_out}, but the search "
                f"trains {horizon}: every schedule is cut off or overrun. Give both the same "
                "number.",
                stacklevel=3,
            )
        return horizon

    def _budget(self, epochs: int) -> int:
        """Epochs of a full training, `epochs` being what was asked of `search`."""
        return epochs

    def _rungs(self, horizon: int) -> list[tuple[int, int, int]]:
        """The search's trials as (how many, first epoch, last epoch)."""
        return [(self.oracle.max_trials, 0, horizon)]

    def _set_up_oracle(self, share: float) -> None:
        """Sets what Keras Tuner gets wrong, and scales the search to a share of its trials."""
        if share != 1:
            self.oracle.max_trials = math.ceil(share * self.oracle.max_trials)

    def _promotable(self) -> set[str]:
        """Ids of trials that a later rung may continue."""
        return set()

    def _arms(self) -> Mapping[str, Mapping[str, Any]]:
        if self.baseline_seeds and isinstance(self.hypermodel, ScheduleHyperModel):
            return READING_CONSTANTS
        return {}

    def _families(self) -> tuple[str, ...]:
        return tuple(getattr(self.hypermodel, "families", ()))

    def _baseline_seeds(self) -> tuple[int, ...]:
        return tuple(range(self.seed, self.seed + self.baseline_seeds))

    def _manifest(self, horizon: int, data: DataRecord, batch_size: int | None) -> Manifest:
        return Manifest(
            algo=self.algo,
            objective=self.oracle.objective.name,
            direction=self.oracle.objective.direction,
            score=self.score,
            max_epochs=horizon,
            factor=getattr(self.oracle, "factor", None),
            max_trials=self.oracle.max_trials,
            seed=self.seed,
            batch_size=batch_size,
            families=self._families(),
            space=self._space,
            baseline_budget=self.baseline_budget,
            baseline_arms=self._arms(),
            baseline_seeds=self._baseline_seeds() if self._arms() else (),
            data=data,
            versions=installed(),
            created=now(),
        )
