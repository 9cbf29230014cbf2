"""What lrtune's tuners have in common: Keras Tuner's, with lrtune's search loop inside.

    tuner = lrtune.Hyperband(hypermodel, objective="val_accuracy", max_epochs=50, seed=1)
    tuner.search(x, y, validation_data=(xv, yv), batch_size=64)

The run folder is `directory/project_name`; stock Keras Tuner can load it too. The same lines run
again resume a search that was stopped.
"""

from __future__ import annotations

import dataclasses
import warnings
from functools import cached_property
from typing import TYPE_CHECKING, Any

import keras_tuner
from typing_extensions import override

from lrtune._util import checks
from lrtune._util.interrupts import Interrupts
from lrtune.display.observer import Observer, PrefixedObserver
from lrtune.display.script import watching
from lrtune.errors import ArgumentError, LrtuneError
from lrtune.model.batch_size import check_batch_size
from lrtune.model.gpus import prepare_gpus
from lrtune.model.hypermodel import ScheduleHyperModel
from lrtune.records.identity import continued, identity, installed, refuse_other_search
from lrtune.records.ids import BASELINE_SEARCH
from lrtune.records.reader import read_run
from lrtune.records.schema import TUNED_ARMS, DataRecord, Manifest, Rung, now, total
from lrtune.records.task import TrainingJob
from lrtune.records.writer import RunWriter, erase_run, holds_run, refuse_foreign_folder
from lrtune.runner import make_runner
from lrtune.runner.callbacks import acting_on_batches
from lrtune.runner.fit_arguments import fit_arguments
from lrtune.runner.options import RunOptions
from lrtune.schedules.recipe import Recipe
from lrtune.search import seeds
from lrtune.search.algorithm import Algorithm
from lrtune.search.arguments import as_searched, refuse_no_schedules, refuse_unsupported
from lrtune.search.baseline import baseline_plan, plain_arms
from lrtune.search.deadline import NEVER as NO_DEADLINE
from lrtune.search.deadline import PAST
from lrtune.search.folder_tuner import FolderTuner
from lrtune.search.kept_states import KeptStates
from lrtune.search.limit import measure_speed, recorded_share
from lrtune.search.loop import SearchLoop
from lrtune.search.manifest import searched_by, trained_on, trained_with
from lrtune.search.oracle import (
    NEVER,
    keras_tuner_seed,
    own_defaults,
    set_first_rung,
)
from lrtune.search.preflight import check_search
from lrtune.search.resume import refuse_foreign_trials, repair, restore
from lrtune.search.rungs import begun_search, rungs_of
from lrtune.search.tries import parse_tries
from lrtune.stats.race import places_of_baseline
from lrtune.stats.score import SCORES
from lrtune.stats.winner import full_trials

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import keras

    from lrtune.display.stages import Speed
    from lrtune.records.reader import RunRecords
    from lrtune.runner.base import Runner
    from lrtune.runner.ray import RayRunner


class LoopTuner(FolderTuner):
    """Searches with `SearchLoop` instead of Keras Tuner's own loop.

    Args:
        workers: int >= 1, worker processes. None means `workers_per_gpu` for each GPU, or one for
            each physical core if there is no GPU; with `runner`, as many as the cluster has room
            for. Where workers train, this process sees no GPU from now on, unless it has started
            TensorFlow's runtime before.
        workers_per_gpu: int >= 1, worker processes for each GPU, which share it.
        in_process: whether to train in this process, one trial at a time, as it is for `workers` 1
            unless this is False; see `lrtune.runner.RunOptions`.
        runner: `lrtune.RayRunner(...)` to train on a Ray cluster in place of this machine.
        score: what ranks a trial: "last" for the objective of its last epoch, "tail" for the mean
            over the last tenth of its epochs, which evens out single epochs, "best" for its best
            epoch. A confirmation always measures once, after the last epoch.
        horizon: what a trial of fewer epochs than the schedule is laid out over is trained with:
            "rescaled", the whole schedule, compressed to the trial's epochs, so that a promoted
            trial starts again with the schedule compressed to its new budget; or "truncated", the
            first epochs of the schedule, after which a promoted trial continues, as in Keras Tuner.
            None for that of the search in the folder, else "rescaled" for Hyperband with a
            `ScheduleHyperModel` and "truncated" otherwise. The search for the best constant rate is
            always truncated: no compression changes a constant.
        min_epochs: int >= 1, epochs that the first rung has at least; of Hyperband only. Keras
            Tuner divides `max_epochs` by `factor` as often as this allows. None for that of the
            search in the folder, else a ninth of `max_epochs` if the horizon is "rescaled", and 1
            otherwise. The same for the search of constant rates.
        baseline_seeds: int >= 0, number of seeds with which the best two constant rates of the
            baseline are trained at the full budget; 0 for no baseline. All rates get one seed, the
            best three of them a second one.
        baseline_budget: float >= 0, epochs of the search for the best constant rate, as a share of
            this search's (of Hyperband's as if truncated); 0 for the reading's two constant rates
            only. With a search of its own, the family "constant" is left out of this one, unless it
            is among `tries`.
        seed: int >= 0 or None for a fresh one.
        tries: schedules to begin with, as text or as hyperparameter values: "cosine lr0=0.1
            momentum=0.9". What is left out has its usual value.
        max_retries: int >= 0, how often a trial whose worker process crashed, hung or was killed
            starts again before it counts as lost. A resumed search trains lost trials again.
        trial_timeout: seconds > 0 that a worker process may take for an epoch before it counts as
            hung.
        keep_models: int >= 0, how many of the best trials of the full budget keep their models, for
            `get_best_models` and `Run.best_model`. Each takes 4 bytes for every weight and as many
            for every slot of the optimizer: twice the weights with a momentum, three times with
            Adam. A resumed search keeps as many of the remaining ones as its own `keep_models`.
        overwrite: whether to erase the run that is in the folder; otherwise it is resumed. Files
            that lrtune did not write stay.
        directory, project_name: the run folder is `directory/project_name`.
        **kwargs: as the Keras Tuner tuner of the same name takes them.

    Raises:
        ArgumentError: an argument outside its domain.
        RunFolderError: the folder holds another search, or something else.
    """

    algo: str
    algorithm_type: type[Algorithm] = Algorithm

    def __init__(
        self,
        *args: Any,
        workers: int | None = None,
        in_process: bool | None = None,
        workers_per_gpu: int = 1,
        runner: RayRunner | None = None,
        score: str = "last",
        horizon: str | None = None,
        min_epochs: int | None = None,
        baseline_seeds: int = 3,
        baseline_budget: float = 0.5,
        seed: int | None = None,
        tries: Sequence[str | Mapping[str, Any]] = (),
        max_retries: int = 2,
        trial_timeout: float = 3600.0,
        keep_models: int = 1,
        overwrite: bool = False,
        _share: float | None = None,
        **kwargs: Any,
    ) -> None:
        self.options = RunOptions(
            workers, trial_timeout, max_retries, in_process, workers_per_gpu, runner
        )
        prepare_gpus(workers=not self.options.trains_here)
        self.score = checks.one_of("score", score, SCORES)
        self.baseline_seeds = checks.integer("baseline_seeds", baseline_seeds, at_least=0)
        self.keep_models = checks.integer("keep_models", keep_models, at_least=0)
        budget = checks.non_negative("baseline_budget", baseline_budget)
        refuse_unsupported(kwargs)
        tunes = bool(budget and self.baseline_seeds)
        args, kwargs = as_searched(args, kwargs, tries, tunes=tunes)
        others = {name: value for name, value in kwargs.items() if name != "hypermodel"}
        self._arguments = (args[1:], others)
        self.seed = seeds.resolve_seed(seed)
        self._interrupts = Interrupts()
        kwargs.setdefault("max_consecutive_failed_trials", NEVER)
        super().__init__(*args, seed=keras_tuner_seed(self.seed), **kwargs)
        if type(self.oracle.objective) is not keras_tuner.Objective:
            raise ArgumentError(
                "objective must be the name of one metric (or one keras_tuner.Objective). "
                f"Received: {self.oracle.objective}."
            )
        self._set_rungs(horizon, min_epochs, resumes=not overwrite)
        self.tries = self._parsed(tries)
        tunes = self._has_baseline() and self._families() != ("constant",)
        self.baseline_budget = budget if tunes else 0.0
        if _share is None:  # a search with a time limit is resumed as it was planned
            _share = 1.0 if overwrite else recorded_share(self._folder, self.baseline_budget)
        self.share = _share
        self.deadline = self.deadline_of_constants = NO_DEADLINE
        self.stopped = False
        self._algorithm = self.algorithm_type(
            self.oracle, _share, self.tries, rescaled=self.horizon == "rescaled"
        )
        self._space = tuple(self.oracle.get_space().get_config()["space"])
        self._restored: tuple[RunRecords, list[Any]] | None = None
        (erase_run if overwrite else refuse_foreign_folder)(self._folder)
        self.reload()

    def _set_rungs(self, horizon: str | None, min_epochs: int | None, *, resumes: bool) -> None:
        """Sets what short trials train; see `rungs_of`."""
        max_epochs = getattr(self.oracle, "max_epochs", None)
        found = begun_search(self._folder, self.algo, max_epochs) if resumes else None
        schedules = isinstance(self.hypermodel, ScheduleHyperModel)
        usual = self.algorithm_type.usual_horizon if schedules else "truncated"
        if horizon == "rescaled":
            refuse_no_schedules(self.hypermodel)
        self.horizon, self.min_epochs = rungs_of(horizon, min_epochs, found, usual, max_epochs)
        if self.min_epochs != 1:
            set_first_rung(self.oracle, self.min_epochs)

    @override
    def search(
        self,
        *fit_args: Any,
        observer: Observer | None = None,
        data: DataRecord | None = None,
        model: str | None = None,
        verbose: int | str = "auto",
        **fit_kwargs: Any,
    ) -> None:
        """Searches the constant rate, then trains the baseline's seeds and runs the trials.

        Args:
            *fit_args: as `keras.Model.fit` takes them: images, labels, ...
            observer: watches the search; replaces the display.
            data: what to record about the images.
            model: how the command line named the model, to be recorded.
            verbose: 0 to print nothing; otherwise a live display in a terminal and a line for each
                finished trial elsewhere.
            **fit_kwargs: as `keras.Model.fit` takes them; `epochs` is the horizon if the hypermodel
                has none.
        """
        # Anywhere in TensorFlow's own code an interrupt can do harm: it was seen to end the process
        # with "free(): invalid next size". So the first waits until the loop is waiting.
        with self._interrupts:
            self._search(fit_args, fit_kwargs, observer, data, model, verbose)

    def _search(
        self,
        fit_args: tuple[Any, ...],
        fit_kwargs: dict[str, Any],
        observer: Observer | None,
        data: DataRecord | None,
        model: str | None,
        verbose: int | str,
    ) -> None:
        """`search`, while an interrupt waits for a safe moment."""
        horizon, given, first = self._checked(fit_args, fit_kwargs)
        if slow := acting_on_batches(given.get("callbacks")):
            warnings.warn(
                f"callbacks that act on every batch ({', '.join(slow)}): each step now starts from "
                "Python, which takes about twice as long.",
                stacklevel=3,
            )
        data = trained_on(self.hypermodel, given, data)
        manifest = dataclasses.replace(
            self._manifest(horizon, data, given.get("batch_size")),
            **trained_with(self.hypermodel, first, self._first_model, given, model),
        )
        job = TrainingJob(self.hypermodel, (), given)
        with (
            watching(observer, verbose, self._folder, manifest) as observer,
            make_runner(job, self.options, observer.noticed) as runner,
            RunWriter(self._folder) as writer,
        ):
            found, manifest = self._resumed(manifest)
            tuned = self._tune_constant_rate(runner, writer, manifest, observer)
            arms = {**tuned, **manifest.baseline_arms}
            manifest = dataclasses.replace(manifest, baseline_arms=arms)
            self.stopped = self._train(runner, writer, manifest, found, observer)

    def speed(self, *fit_args: Any, **fit_kwargs: Any) -> Speed:
        """How fast the workers train a constant rate, from three epochs each; records nothing.

        Args:
            *fit_args: as for `search`.
            **fit_kwargs: likewise.

        Raises:
            SearchError: the constant rate cannot be trained.
        """
        _, given, _ = self._checked(fit_args, fit_kwargs)
        arms = sorted(self._arms().values(), key=lambda values: float(values["lr0"]))
        values = arms[0] if arms else self.oracle.get_space().values
        job = TrainingJob(self.hypermodel, (), given)
        with make_runner(job, self.options) as runner:
            return measure_speed(runner, Recipe.from_values(values), self.seed)

    def _checked(
        self, fit_args: Any, fit_kwargs: dict[str, Any]
    ) -> tuple[int, dict[str, Any], keras.Model | None]:
        """The horizon, all arguments of `fit` by name, and a first model; checked."""
        check_batch_size(self.hypermodel, fit_args, fit_kwargs)
        horizon = self._horizon(fit_kwargs.pop("epochs", None))
        given = fit_arguments(self.hypermodel, fit_args, fit_kwargs)
        first = self._first_model()
        check_search(self.hypermodel, given, self.oracle.objective.name, first)
        return horizon, given, first

    def _first_model(self) -> keras.Model | None:
        """A model with the space's defaults; None if it cannot be built, which each trial tells."""
        try:
            return self.hypermodel.build(self.oracle.get_space())
        except LrtuneError:
            raise
        except Exception:  # noqa: BLE001 - it is the user's
            return None

    def _resumed(self, manifest: Manifest) -> tuple[RunRecords | None, Manifest]:
        """The records of this search in the folder, and the manifest to continue with."""
        found = self._found(manifest, identity(manifest))
        return found, manifest if found is None else continued(manifest, found.manifest)

    def _train(
        self,
        runner: Runner,
        writer: RunWriter,
        manifest: Manifest,
        found: RunRecords | None,
        observer: Observer,
    ) -> bool:
        """Trains the baseline's seeds and all trials, except those of an earlier session.

        Returns:
            Whether the deadline came before all trials were trained.
        """
        writer.manifest(manifest)
        unfinished = self._restore(found) if found else []
        ended = list(found.by_id.values()) if found else []
        for notice in found.notices if found else ():
            observer.noticed(notice)
        for outcome in ended:
            observer.trial_found(outcome)
        repair(self.oracle, writer)
        known = found.outcomes if found else ()
        states = KeptStates(writer, manifest, known, self.keep_models)
        retries = self.options.max_retries
        loop = SearchLoop(
            self._algorithm, runner, writer, states, manifest, retries, observer, self.deadline,
            self._interrupts, getattr(self.hypermodel, "epochs", None),
        )  # fmt: skip
        loop.run(baseline_plan(manifest, ended), unfinished)
        if not (loop.lost or loop.stopped):  # the next session trains what is missing
            writer.manifest(dataclasses.replace(manifest, finished=now()))
        return loop.stopped

    @cached_property
    def _constant_tuner(self) -> LoopTuner | None:
        """A tuner like this one for constant rates only, or None without a baseline to tune."""
        if not self.baseline_budget:
            return None
        folder = self._folder / BASELINE_SEARCH
        # Made once: it restores its own run, which takes seconds after thousands of trials.
        return type(self)(
            self.hypermodel.with_families(("constant",)),
            *self._arguments[0],
            **{
                **self._arguments[1],
                "directory": str(folder.parent),
                "project_name": folder.name,
                "seed": seeds.constant_rates_seed(self.seed),
                "score": self.score,
                "horizon": "truncated",
                "min_epochs": self.min_epochs,
                "baseline_seeds": 0,
                "in_process": self.options.trains_here,
                "max_retries": self.options.max_retries,
                "keep_models": len(TUNED_ARMS) if self.keep_models else 0,
                "_share": self.share * self.baseline_budget,
            },
        )

    def _tune_constant_rate(
        self, runner: Runner, writer: RunWriter, whole: Manifest, observer: Observer
    ) -> dict[str, dict[str, Any]]:
        """Searches the constant rates for the baseline.

        Args:
            runner: of the whole search.
            writer: of the whole search.
            whole: the manifest of the whole search.
            observer: watches the whole search.

        Returns:
            The best rates with the full budget as arms; none if no trial completed it.
        """
        tuner = self._constant_tuner
        if tuner is None:
            return {}
        writer.manifest(whole)
        with RunWriter(tuner._folder) as nested:
            asked = tuner._manifest(whole.max_epochs, whole.data, whole.batch_size)
            asked = dataclasses.replace(asked, model=whole.model, fit=whole.fit)
            found, manifest = tuner._resumed(asked)
            within = PrefixedObserver(observer, f"{BASELINE_SEARCH}/")
            if found is not None and found.manifest.cut_off:
                manifest, tuner.deadline = dataclasses.replace(manifest, cut_off=True), PAST
            else:
                tuner.deadline = self.deadline_of_constants
            tuner._interrupts = self._interrupts
            if tuner._train(runner, nested, manifest, found, within):
                nested.manifest(dataclasses.replace(manifest, cut_off=True, finished=now()))
        outcomes = read_run(tuner._folder).outcomes
        best = full_trials(outcomes, whole.direction, whole.max_epochs)
        return {arm: one.recipe.values for arm, one in zip(TUNED_ARMS, best, strict=False)}

    @override
    def reload(self) -> None:
        """Loads the run in the run folder, if there is one.

        Raises:
            RunFolderError: it holds another search; the message names the first difference.
        """
        horizon = self._algorithm.budget(0)
        manifest = self._asked(horizon or 1, DataRecord("", "", {}), None)
        unknown = {"batch_size"} if horizon else {"batch_size", "max_epochs"}
        unknown |= {"model", "fit"}  # which `search` looks at
        asked = {name: one for name, one in identity(manifest).items() if name not in unknown}
        found = self._found(manifest, asked)
        self._restored = None
        if found is not None:
            self._restored = found, restore(self._algorithm, found, self.seed)

    def _restore(self, found: RunRecords) -> list[Any]:
        """The trials that must run again, from `restore`; `reload` has called it in most cases."""
        before, self._restored = self._restored, None
        if before is not None and before[0] == found:
            return before[1]
        return restore(self._algorithm, found, self.seed)

    def _found(self, manifest: Manifest, asked: Mapping[str, Any]) -> RunRecords | None:
        """The records of this search in the folder; RunFolderError if they are of another one."""
        if not holds_run(self._folder):
            return None
        records = read_run(self._folder, instead=manifest)
        refuse_other_search(self._folder, records.manifest, asked)
        if records.manifest is manifest:  # run.json was damaged or is gone
            refuse_foreign_trials(records, self.seed, self.horizon)
        return records

    def plan(self) -> tuple[int, int]:
        """How many trials and epochs `search` trains at most, including the baseline.

        Returns:
            (trials, epochs).
        """
        return total(self.rungs())

    def rungs(self) -> tuple[Rung, ...]:
        """What `search` trains at most, including the baseline."""
        return self._plan(self._horizon(None))

    def _plan(self, horizon: int) -> tuple[Rung, ...]:
        tuner = self._constant_tuner
        nested = tuner._algorithm.rungs(horizon) if tuner else []
        full = sum(trials for trials, _, last in nested if last == horizon)
        return (
            *(Rung(BASELINE_SEARCH, *one) for one in nested),
            Rung("baseline", sum(self._places(full)), 0, horizon),
            *(Rung("search", *one) for one in self._algorithm.rungs(horizon)),
        )

    def _horizon(self, epochs: int | None) -> int:
        laid_out = getattr(self.hypermodel, "epochs", None)
        horizon = int(self._algorithm.budget(epochs or laid_out or 1))
        compressed = self.horizon == "rescaled" and (laid_out or 0) > horizon
        if laid_out not in (None, horizon) and not compressed:
            warnings.warn(
                f"the hypermodel lays its schedules out over epochs={laid_out}, but the search "
                f"trains {horizon}: every schedule is cut off or overrun. Give both the same "
                "number.",
                stacklevel=5,
            )
        return horizon

    def _has_baseline(self) -> bool:
        return bool(self.baseline_seeds) and isinstance(self.hypermodel, ScheduleHyperModel)

    def _arms(self) -> Mapping[str, Mapping[str, Any]]:
        if not self._has_baseline():
            return {}
        space = self.hypermodel.space
        return plain_arms(space, own_defaults(self.oracle, space))

    def _places(self, found: int = len(TUNED_ARMS)) -> tuple[int, ...]:
        """How many constant rates train with each of the baseline's seeds.

        Args:
            found: how many rates their own search finds at most.
        """
        tuned = min(found, len(TUNED_ARMS)) if self.baseline_budget else 0
        arms = len(self._arms()) + tuned
        return places_of_baseline(arms, self.baseline_seeds if arms else 0)

    def _parsed(self, tries: Sequence[str | Mapping[str, Any]]) -> tuple[dict[str, Any], ...]:
        if not isinstance(self.hypermodel, ScheduleHyperModel):
            if not tries:
                return ()
            raise ArgumentError(
                "tries are schedules, so the hypermodel must be a ScheduleHyperModel. "
                f"Received: tries={tries!r}."
            )
        space = self.hypermodel.space
        theirs = [hp for hp in self.oracle.hyperparameters.space if not space.reserves(hp.name)]
        return parse_tries(tries, space, {hp.name: hp.default for hp in theirs})

    def _families(self) -> tuple[str, ...]:
        return tuple(getattr(self.hypermodel, "families", ()))

    def _manifest(self, horizon: int, data: DataRecord, batch_size: int | None) -> Manifest:
        asked = self._asked(horizon, data, batch_size)
        return dataclasses.replace(asked, plan=self._plan(horizon))

    def _asked(self, horizon: int, data: DataRecord, batch_size: int | None) -> Manifest:
        """The manifest of this tuner's search, without the plan."""
        arms = self._arms()
        return Manifest(
            algo=self.algo,
            objective=self.oracle.objective.name,
            direction=self.oracle.objective.direction,
            score=self.score,
            horizon=self.horizon,
            min_epochs=self.min_epochs,
            max_epochs=horizon,
            factor=getattr(self.oracle, "factor", None),
            max_trials=self.oracle.max_trials,
            seed=self.seed,
            batch_size=batch_size,
            **searched_by(self.hypermodel),
            space=self._space,
            tries=self.tries,
            baseline_budget=self.baseline_budget,
            baseline_arms=arms,
            baseline_seeds=seeds.baseline_seeds(self.seed, self.baseline_seeds)
            if arms or self.baseline_budget
            else (),
            baseline_places=self._places(),
            data=data,
            versions=installed(),
            created=now(),
            share=self.share,
        )
