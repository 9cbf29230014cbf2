"""Keras Tuner's tuners with lrtune's search loop inside: same arguments, exact continuation.

    tuner = lrtune.Hyperband(hypermodel, objective="val_accuracy", max_epochs=50, seed=1)
    tuner.search(x, y, validation_data=(xv, yv), batch_size=64)

The run folder is `directory/project_name`; stock Keras Tuner can load it too.
"""

from __future__ import annotations

import platform
import warnings
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import keras_tuner
from typing_extensions import override

from lrtune._version import __version__
from lrtune.errors import ArgumentError, RunFolderError
from lrtune.hypermodel import ScheduleHyperModel
from lrtune.loop import LoopSettings, SearchLoop
from lrtune.oracles import hyperband_plan, initial_points, oracle_seed, resolve_seed
from lrtune.records.schema import BASELINE, DataRecord, Manifest
from lrtune.records.writer import RunWriter
from lrtune.runner import check_workers, make_runner
from lrtune.runner.base import TrainingJob, TrialTask
from lrtune.runner.callbacks import acting_on_batches

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import keras

    from lrtune.observer import Observer

READING_CONSTANTS: Mapping[str, Mapping[str, Any]] = {
    f"constant-{lr0}": {"schedule": "constant", "lr0": lr0, "momentum": 0.0} for lr0 in (0.1, 0.01)
}
"""The baseline: the reading's two constant rates, .1 from its code and .01 from its table."""

_NOT_OURS = {
    "distribution_strategy",
    "executions_per_trial",
    "loss",
    "max_model_size",
    "metrics",
    "optimizer",
}
"""Arguments of Keras Tuner's tuners that its own `search` heeds and ours would not."""

_NEVER = 10**9
"""Failed trials in a row before Keras Tuner may end a search: that is our loop's decision."""


class _LoopTuner(keras_tuner.Tuner):  # type: ignore[misc] # Keras Tuner has no types
    """`search` through `SearchLoop`, in place of Keras Tuner's own.

    Args:
        workers: int >= 1, worker processes; 1 trains in this process; None takes one a GPU, or a
            physical core where there is no GPU.
        score: "last" or "best", which epoch's objective ranks a trial.
        baseline_seeds: int >= 0, how many seeds each of the reading's constant rates is trained
            with at the full budget; 0 leaves the baseline out.
        seed: int >= 0 or None for a fresh one.
        **kwargs: as the Keras Tuner tuner of the same name takes them.
    """

    algo: str

    def __init__(
        self,
        *args: Any,
        workers: int | None = None,
        score: str = "last",
        baseline_seeds: int = 3,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        if score not in ("last", "best"):
            raise ArgumentError(f"score must be 'last' or 'best'. Received: score={score!r}.")
        if type(baseline_seeds) is not int or baseline_seeds < 0:
            raise ArgumentError(
                f"baseline_seeds must be an int >= 0. Received: baseline_seeds={baseline_seeds!r}."
            )
        check_workers(workers)
        for name in _NOT_OURS & kwargs.keys():
            raise ArgumentError(
                f"{name} is not taken by lrtune's tuners, which train each trial once, compiled by "
                f"its hypermodel: give loss= and metrics= to that. Received: {name}="
                f"{kwargs[name]!r}."
            )
        self.seed = resolve_seed(seed)
        self.workers = workers
        self.score = score
        self.baseline_seeds = baseline_seeds
        kwargs.setdefault("max_consecutive_failed_trials", _NEVER)
        super().__init__(*args, seed=oracle_seed(self.seed), **kwargs)
        if type(self.oracle.objective) is not keras_tuner.Objective:
            raise ArgumentError(
                "objective must be the name of one metric (or one keras_tuner.Objective). "
                f"Received: {self.oracle.objective}."
            )
        # Keras Tuner prints a table a trial; the loop's observer shows what is worth showing.
        self.oracle.verbose = 0

    @override
    def search(
        self,
        *fit_args: Any,
        observer: Observer | None = None,
        data: DataRecord | None = None,
        **fit_kwargs: Any,
    ) -> None:
        """Searches: trains the baseline, then trial after trial.

        Args:
            *fit_args: as `keras.Model.fit` takes them: images, labels, ...
            observer: watches the search.
            data: what to record about the images.
            **fit_kwargs: as `keras.Model.fit` takes them; `epochs` is the horizon where the
                hypermodel has none.
        """
        epochs = fit_kwargs.pop("epochs", None)
        horizon = self._horizon(epochs)
        fit_kwargs.pop("verbose", None)
        if slow := acting_on_batches(fit_kwargs.get("callbacks")):
            warnings.warn(
                f"callbacks that act on every batch ({', '.join(slow)}): each step now starts from "
                "Python, which takes about twice as long.",
                stacklevel=2,
            )
        job = TrainingJob(self.hypermodel, fit_args, fit_kwargs)
        objective = self.oracle.objective
        settings = LoopSettings(objective.name, objective.direction, self.score, horizon, self.seed)
        try:
            # First of all, for it fails where the hypermodel cannot be sent to workers.
            with make_runner(job, self.workers) as runner:
                writer = RunWriter(Path(self.project_dir))
                writer.manifest(self._manifest(horizon, data, fit_kwargs.get("batch_size")))
                self.save()
                loop = SearchLoop(self.oracle, runner, writer, settings, observer, self._promotable)
                loop.run(self._baseline(horizon))
        finally:
            # Keras Tuner saves before it takes a trial off the list of those that run.
            self.save()

    def plan(self) -> tuple[int, int]:
        """How many trials and epochs `search` will train at most, the baseline included.

        Returns:
            (trials, epochs).
        """
        horizon = self._horizon(None)
        trials = len(self._arms()) * self.baseline_seeds
        rungs = self._rungs(horizon)
        return (
            trials + sum(count for count, _, _ in rungs),
            trials * horizon + sum(count * (last - first) for count, first, last in rungs),
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

        state = RunWriter(Path(self.project_dir)).read_state(trial.trial_id)
        if state is None:
            raise RunFolderError(
                f"the weights of trial {trial.trial_id} were not kept, only the winner's are"
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

    def _promotable(self) -> set[str]:
        """Ids of trials that a later rung may continue."""
        return set()

    def _arms(self) -> Mapping[str, Mapping[str, Any]]:
        if self.baseline_seeds and isinstance(self.hypermodel, ScheduleHyperModel):
            return READING_CONSTANTS
        return {}

    def _baseline(self, horizon: int) -> list[TrialTask]:
        return [
            TrialTask(f"{BASELINE}/{arm}/seed-{seed}", values, seed, 0, horizon)
            for seed in self._baseline_seeds()
            for arm, values in self._arms().items()
        ]

    def _baseline_seeds(self) -> tuple[int, ...]:
        return tuple(range(self.seed, self.seed + self.baseline_seeds))

    def _manifest(self, horizon: int, data: DataRecord | None, batch_size: int | None) -> Manifest:
        packages = ("keras", "keras-tuner", "numpy", "tensorflow")
        families: Sequence[str] = getattr(self.hypermodel, "families", ())
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
            families=tuple(families),
            baseline_arms=self._arms(),
            baseline_seeds=self._baseline_seeds() if self._arms() else (),
            data=data or DataRecord("given to search()", "", {}),
            versions={
                "lrtune": __version__,
                "python": platform.python_version(),
                **{name: version(name) for name in packages},
            },
            created=datetime.now().astimezone().isoformat(timespec="seconds"),
        )


class Hyperband(_LoopTuner, keras_tuner.Hyperband):  # type: ignore[misc]
    """`keras_tuner.Hyperband` whose promoted trials continue exactly where they stopped.

    Args:
        hypermodel, objective, max_epochs, ...: as `keras_tuner.Hyperband` takes them.
        workers, score, baseline_seeds, seed: see `_LoopTuner`.
    """

    algo = "hyperband"

    @override
    def _budget(self, epochs: int) -> int:
        return int(self.oracle.max_epochs)

    @override
    def _rungs(self, horizon: int) -> list[tuple[int, int, int]]:
        return hyperband_plan(self.oracle)

    @override
    def _promotable(self) -> set[str]:
        return {
            info["id"]
            for bracket in self.oracle._brackets
            for rung in bracket["rounds"][:-1]
            for info in rung
        }


class BayesianOptimization(_LoopTuner, keras_tuner.BayesianOptimization):  # type: ignore[misc]
    """`keras_tuner.BayesianOptimization` that models after at most a third of its trials.

    Args:
        hypermodel, objective, max_trials, ...: as `keras_tuner.BayesianOptimization` takes them.
        workers, score, baseline_seeds, seed: see `_LoopTuner`.
    """

    algo = "bayesian"

    def __init__(self, *args: Any, num_initial_points: int | None = None, **kwargs: Any) -> None:
        super().__init__(*args, num_initial_points=num_initial_points, **kwargs)
        if num_initial_points is None:
            self.oracle.num_initial_points = initial_points(
                self.oracle.max_trials, len(self.oracle.get_space().space)
            )


class RandomSearch(_LoopTuner, keras_tuner.RandomSearch):  # type: ignore[misc]
    """`keras_tuner.RandomSearch` with lrtune's search loop.

    Args:
        hypermodel, objective, max_trials, ...: as `keras_tuner.RandomSearch` takes them.
        workers, score, baseline_seeds, seed: see `_LoopTuner`.
    """

    algo = "random"
