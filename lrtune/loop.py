"""The search loop: asks the oracle, hands tasks to the runner, records and tells the results.

The only caller of the oracle. It keeps every worker busy: a free one gets a trial of the baseline
while there are any left, then whatever the oracle proposes.
"""

from __future__ import annotations

import itertools
import math
import warnings
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from keras_tuner.engine.trial import TrialStatus

from lrtune.errors import SearchError
from lrtune.observer import Observer
from lrtune.oracles import rung
from lrtune.records.schema import BASELINE, Outcome, Span
from lrtune.runner.base import EpochRecord, Runner, TrialOutcome, TrialTask

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from lrtune.records.schema import Status
    from lrtune.records.writer import RunWriter


_NO_METRICS = ("epoch", "lr", "lr_last", "seconds")
"""What an epoch's record has besides the metrics of the model."""


@dataclass(frozen=True)
class LoopSettings:
    """What the loop needs to know of a search.

    Attributes:
        objective: name of the metric that is searched for.
        direction: "max" or "min".
        score: "last" or "best", which epoch's objective is a trial's score.
        horizon: epochs of a trial of any algorithm but Hyperband, and of the baseline.
        seed: the search's seed; a trial's seed follows from it and the trial's id.
    """

    objective: str
    direction: str
    score: str
    horizon: int
    seed: int


class SearchLoop:
    """One search, from the first trial to the last.

    Args:
        oracle: `keras_tuner.Oracle`, proposes trials and is told their scores.
        runner: trains them.
        writer: records them.
        settings: objective, horizon and seed.
        observer: watches.
        promotable: which trials' states a later promotion may need; others are deleted, but the
            best full-budget trial's.
    """

    def __init__(
        self,
        oracle: Any,
        runner: Runner,
        writer: RunWriter,
        settings: LoopSettings,
        observer: Observer | None = None,
        promotable: Callable[[], set[str]] = set,
    ) -> None:
        self._oracle = oracle
        self._runner = runner
        self._writer = writer
        self._settings = settings
        self._observer = observer or Observer()
        self._promotable = promotable
        self._kept: set[str] = set()
        self._best: tuple[tuple[float, int], str] | None = None
        self._asks = itertools.count()
        self._succeeded = False

    def run(self, baseline: Iterable[TrialTask] = ()) -> None:
        """Trains the baseline and then the search, until the oracle has no more trials.

        Raises:
            SearchError: every trial failed; the message is the last one's.
        """
        waiting = deque(baseline)
        last_failure = None
        while True:
            while self._runner.running < self._runner.slots:
                task = waiting.popleft() if waiting else self._ask()
                if task is None:
                    break
                self._begin(task)
            if not self._runner.running:
                break
            for outcome in self._runner.wait(self._epoch_ended):
                recorded = self._record(outcome)
                self._tell(recorded, outcome)
                if recorded.status == "failed":
                    last_failure = recorded.message
                elif not _is_baseline(recorded):
                    self._succeeded = True
        self._prune(set())
        if last_failure is not None and not self._succeeded:
            raise SearchError(f"every trial failed, the last one with: {last_line(last_failure)}")

    def _ask(self) -> TrialTask | None:
        """The oracle's next trial as a task, or None while (or because) it has none."""
        while True:
            # A name of its own for every question: to an oracle a name it knows is a worker that
            # asks for its running trial again.
            with warnings.catch_warnings():
                # What scikit-learn says about fitting its Gaussian process is nothing a person who
                # searches schedules can act on.
                warnings.filterwarnings("ignore", module=r"sklearn\.gaussian_process")
                trial = self._oracle.create_trial(f"lrtune{next(self._asks)}")
            if trial.status != TrialStatus.RUNNING:
                return None
            values = dict(trial.hyperparameters.values)
            first, last, parent = rung(values, self._settings.horizon)
            state = self._writer.read_state(parent) if parent is not None else None
            seed = trial_seed(self._settings.seed, self._root(trial.trial_id))
            task = TrialTask(trial.trial_id, values, seed, first, last, state)
            if parent is None or state is not None:
                return task
            self._promote_diverged(task, parent)

    def _promote_diverged(self, task: TrialTask, parent: str) -> None:
        """Records the promotion of a trial that diverged: nothing is left to train."""
        self._begin_record(task)
        before = self._oracle.get_trial(parent)
        untrained = {self._settings.objective: float(before.score)}
        message = f"continues trial {parent}, which diverged"
        outcome = TrialOutcome(task, "diverged", untrained=untrained, message=message)
        self._tell(self._record(outcome), outcome)

    def _root(self, trial_id: str) -> str:
        """The trial whose first epoch this one continues in the end."""
        values = self._oracle.get_trial(trial_id).hyperparameters.values
        parent = values.get("tuner/trial_id")
        return trial_id if parent is None else self._root(parent)

    def _begin(self, task: TrialTask) -> None:
        self._begin_record(task)
        self._runner.submit(task)

    def _begin_record(self, task: TrialTask) -> None:
        self._writer.begin_trial(task.trial_id)
        self._observer.trial_began(task)

    def _epoch_ended(self, trial_id: str, record: EpochRecord) -> None:
        self._writer.epoch(trial_id, record)
        self._observer.epoch_ended(trial_id, record)

    def _record(self, outcome: TrialOutcome) -> Outcome:
        task = outcome.task
        done = task.first_epoch + len(outcome.epochs)
        status, score, message = self._judge(outcome)
        recorded = Outcome(
            trial_id=task.trial_id,
            status=status,
            values=task.values,
            epochs=Span(task.first_epoch + 1, done, task.last_epoch),
            seed=task.seed,
            seconds=round(outcome.seconds, 3),
            score=score,
            parent=task.values.get("tuner/trial_id"),
            message=message,
        )
        self._writer.outcome(recorded)
        self._observer.trial_ended(recorded)
        return recorded

    def _judge(self, outcome: TrialOutcome) -> tuple[Status, float | None, str | None]:
        """Status, score and message of a trial; a score is finite, or there is none."""
        status, message = outcome.status, outcome.message
        if status == "completed":
            epoch, score = self._score(outcome.epochs)
            if math.isfinite(score):
                return status, score, message
            status, message = "diverged", f"epoch {epoch}: {self._settings.objective} is {score}"
        untrained = outcome.untrained.get(self._settings.objective, math.nan)
        if status == "diverged" and math.isfinite(untrained):
            return status, untrained, message
        return "failed", None, message

    def _score(self, epochs: Sequence[EpochRecord]) -> tuple[int, float]:
        """The epoch whose objective is the trial's score, and that objective."""
        objective = self._settings.objective
        # Keras' validation_freq leaves epochs without validation metrics.
        scores = [(int(one["epoch"]), one[objective]) for one in epochs if objective in one]
        if not scores:
            logged = [name for name in (epochs[-1] if epochs else ()) if name not in _NO_METRICS]
            raise SearchError(
                f"objective {objective!r} is not among what training logs: "
                f"{', '.join(logged) or 'nothing'}. Choose one of these (val_... need "
                "validation_data)."
            )
        if self._settings.score == "last":
            return scores[-1]
        better = max if self._settings.direction == "max" else min
        finite = [one for one in scores if math.isfinite(one[1])]
        return better(finite or scores, key=lambda one: one[1])

    def _tell(self, recorded: Outcome, outcome: TrialOutcome) -> None:
        if _is_baseline(recorded):
            return
        trial = self._oracle.get_trial(recorded.trial_id)
        trial.message = recorded.message
        if recorded.score is None:
            trial.status = TrialStatus.FAILED
        else:
            trial.status = TrialStatus.COMPLETED
            # Diverged trials too: their score, the untrained model's, is finite and poor. Failed
            # ones are no result, and Hyperband promotes nothing from a rung with too many.
            metrics: Mapping[str, float] = (
                {**outcome.epochs[-1], self._settings.objective: recorded.score}
                if outcome.epochs
                else {self._settings.objective: recorded.score}
            )
            metrics = {
                name: value
                for name, value in metrics.items()
                if name not in _NO_METRICS and np.isfinite(value)
            }
            self._oracle.update_trial(recorded.trial_id, metrics, step=recorded.epochs.last)
        self._oracle.end_trial(trial)
        self._keep_state(recorded, outcome)

    def _keep_state(self, recorded: Outcome, outcome: TrialOutcome) -> None:
        """Keeps the states a promotion may still need and the winner's; deletes the others."""
        score = recorded.score if recorded.status == "completed" else None
        if outcome.state is not None and score is not None:
            self._writer.state(recorded.trial_id, outcome.state)
            self._kept.add(recorded.trial_id)
            # Of equal trials the one tried first wins, as in every ranking, whichever ends first.
            signed = score if self._settings.direction == "max" else -score
            rank = (signed, -int(recorded.trial_id))
            full = recorded.epochs.planned >= self._settings.horizon
            if full and (self._best is None or rank > self._best[0]):
                self._best = (rank, recorded.trial_id)
        self._prune(self._promotable())

    def _prune(self, promotable: set[str]) -> None:
        needed = promotable | ({self._best[1]} if self._best else set())
        for trial_id in self._kept - needed:
            self._writer.drop_state(trial_id)
        self._kept &= needed


def _is_baseline(recorded: Outcome) -> bool:
    return recorded.trial_id.startswith(f"{BASELINE}/")


def trial_seed(seed: int, trial_id: str) -> int:
    """The seed of a trial: an int in [0, 2**32), set by the search's seed and the trial's id."""
    entropy = [seed, int(trial_id)]
    return int(np.random.SeedSequence(entropy).generate_state(1)[0])


def last_line(message: str) -> str:
    """The line of a traceback that says what went wrong."""
    return message.strip().splitlines()[-1] if message.strip() else "no message"
