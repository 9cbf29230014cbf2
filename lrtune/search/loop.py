"""The search loop: asks the oracle, hands tasks to the runner, records and reports the results.

It is the only caller of the oracle and keeps every worker busy: a free worker gets a training of
the baseline while there are any, then the oracle's next trial.
"""

from __future__ import annotations

import dataclasses
import math
import shlex
import time
from collections import Counter, deque
from typing import TYPE_CHECKING, Any

from typing_extensions import override

from lrtune._util.failures import summary_of
from lrtune._util.interrupts import Interrupts
from lrtune.errors import SearchError
from lrtune.records.ids import parse_id
from lrtune.records.schema import Outcome, Span
from lrtune.records.task import EpochRecord, TrialOutcome, TrialTask, metrics_of
from lrtune.schedules.recipe import Recipe
from lrtune.search.deadline import NEVER
from lrtune.search.oracle import rung_of, steering_of, tell
from lrtune.search.oracle_file import OracleFile
from lrtune.search.plan import NoPlan
from lrtune.search.seeds import trial_seed
from lrtune.stats.score import score_of_epochs

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from lrtune.display.observer import Observer
    from lrtune.records.schema import ConfirmManifest, Manifest, Status
    from lrtune.records.writer import RunWriter
    from lrtune.runner.base import Runner
    from lrtune.search.algorithm import Algorithm
    from lrtune.search.deadline import Deadline
    from lrtune.search.kept_states import KeptStates
    from lrtune.search.plan import Plan


_LOST_IN_A_ROW = 12
"""The search gives up after so many lost workers with no training that ended in between."""

_LONGEST_PAUSE = 30.0
"""Seconds. Together the pauses bridge three minutes without memory."""


class TaskLoop:
    """Runs tasks until none are left, and records each.

    Args:
        runner: trains them.
        writer: records them.
        manifest: what the run is asked to do.
        max_retries: how often a task starts again whose worker was lost. Where several tasks lose
            theirs one after another, the loop slows down instead.
        observer: watches.
        deadline: from then on, no new task is asked for; tasks that run, or that start again
            because their workers were lost, are trained to their end.
        interrupts: that the caller has entered already, so that they wait from there on.
    """

    def __init__(
        self,
        runner: Runner,
        writer: RunWriter,
        manifest: Manifest | ConfirmManifest,
        max_retries: int,
        observer: Observer,
        deadline: Deadline = NEVER,
        interrupts: Interrupts | None = None,
    ) -> None:
        self._runner = runner
        self._writer = writer
        self._manifest = manifest
        self._max_retries = max_retries
        self._observer = observer
        self._deadline = deadline
        self._held_back = False
        self._plan: Plan = NoPlan()
        self._running: dict[str, TrialTask] = {}
        self._again: deque[TrialTask] = deque()
        self._tries: Counter[str] = Counter()
        self._lost_in_a_row: list[str] = []
        self._limit: int | None = None
        self._pauses = 0
        self._pause = 0.0
        self.lost = 0
        """How many tasks were given up because their workers were lost again and again."""
        self.stopped = False
        """Whether the deadline came before everything was trained."""
        self._interrupts = interrupts or Interrupts()

    def run(self, plan: Plan) -> None:
        """Trains what a plan asks for, until it has no more tasks or is over.

        Tasks that are still running when it is over are abandoned; closing the runner ends them.

        Raises:
            SearchError: worker after worker dies.
            KeyboardInterrupt: Ctrl-C or SIGTERM; every task that ended is recorded.
        """
        self._plan = plan
        with self._interrupts:
            while not self._plan.is_over and (self._fill() or self._running):
                with self._interrupts.welcome():
                    outcomes = self._runner.wait(self._epoch_ended)
                for outcome in outcomes:
                    self._ended(outcome)
                if self._pause:
                    with self._interrupts.welcome():
                        time.sleep(self._pause)
                    self._pause = 0.0
        self.stopped = self._held_back and not self._plan.is_over and self._has_more()

    @property
    def _slots(self) -> int:
        """How many tasks may run: the runner's number, which may change, or fewer after losses."""
        slots = self._runner.slots
        return slots if self._limit is None else min(self._limit, slots)

    def _fill(self) -> bool:
        """Gives the runner as many tasks as it takes; returns whether anything is running."""
        while len(self._running) < self._slots:
            task = self._again.popleft() if self._again else self._next()
            if task is None:
                break
            self._begin(task)
        return bool(self._running)

    def _next(self) -> TrialTask | None:
        """The next task; None if there is none now."""
        if self._deadline.is_past:
            self._held_back = True
            return None
        return self._plan.take()

    def _has_more(self) -> bool:
        """Whether there is more to train; called at the end, once no task is running."""
        return self._plan.take() is not None

    def _begin(self, task: TrialTask) -> None:
        self._begin_record(task)
        self._running[task.trial_id] = task
        self._runner.submit(task)

    def _begin_record(self, task: TrialTask) -> None:
        self._writer.begin_trial(task.trial_id)
        self._observer.trial_began(task)

    def _ended(self, outcome: TrialOutcome) -> None:
        task = self._running.pop(outcome.task.trial_id)
        if outcome.status != "lost":
            self._lost_in_a_row.clear()
            self._pauses = 0
            self._limit = self._limit and self._limit + 1
            self._finish(outcome)
            return
        if outcome.blameless:
            self._observer.trial_lost(task, f"{outcome.message}; it starts again")
            self._again.append(task)
            return
        self._lost_in_a_row.append(task.trial_id)
        if len(self._lost_in_a_row) >= _LOST_IN_A_ROW:
            raise SearchError(
                f"{_LOST_IN_A_ROW} workers in a row were lost, the last one like this: "
                f"{outcome.message}. Everything saved so far is intact; try fewer workers"
            )
        if len(set(self._lost_in_a_row)) > 1:  # so no single trial is to blame
            self._slow_down(task, outcome)
            return
        self._tries[task.trial_id] += 1
        tried = self._tries[task.trial_id]
        if tried <= self._max_retries:
            self._observer.trial_lost(
                task, f"{outcome.message}; retry {tried} of {self._max_retries}"
            )
            self._again.append(task)
            return
        message = f"{outcome.message}, {tried} times" if tried > 1 else outcome.message
        self.lost += 1
        self._finish(dataclasses.replace(outcome, message=message))

    def _slow_down(self, task: TrialTask, outcome: TrialOutcome) -> None:
        """Goes on with fewer workers; `run` pauses first if even a single one was killed."""
        if outcome.killed and not self._running:
            self._pauses += 1
            self._pause = min(2.0**self._pauses, _LONGEST_PAUSE)
        self._limit = max(1, self._slots // 2)
        how = f" in {self._pause:g} s" if self._pause else ""
        self._observer.trial_lost(
            task,
            f"{outcome.message}; {len(self._lost_in_a_row)} in a row, so the next try{how} has "
            f"{self._slots} of {self._runner.slots} workers",
        )
        self._again.append(task)

    def _epoch_ended(self, trial_id: str, record: EpochRecord) -> None:
        with self._interrupts.deferred():
            self._writer.epoch(trial_id, record)
            self._observer.epoch_ended(trial_id, record)

    def _finish(self, outcome: TrialOutcome) -> None:
        """Records a task that ended."""
        recorded = self._recorded(outcome)
        self._writer.outcome(recorded, outcome.samples)
        self._plan.tell(recorded)
        self._observer.trial_ended(recorded)

    def _recorded(self, outcome: TrialOutcome) -> Outcome:
        task = outcome.task
        done = task.first_epoch + len(outcome.epochs)
        status, score, message = self._judge(outcome)
        untrained = outcome.untrained.get(self._manifest.objective, math.nan)
        return Outcome(
            trial_id=task.trial_id,
            status=status,
            values=task.values,
            epochs=Span(task.first_epoch + 1, done, task.last_epoch),
            seed=task.seed,
            seconds=round(outcome.seconds, 3),
            score=score,
            untrained=untrained if math.isfinite(untrained) else None,
            parent=task.steering.get("tuner/trial_id"),
            message=message,
        )

    def _judge(self, outcome: TrialOutcome) -> tuple[Status, float | None, str | None]:
        """Status, score and message of a trial; a score is finite, or there is none."""
        status, message = outcome.status, outcome.message
        if status == "lost":
            return status, None, message
        if status == "completed":
            epoch, score = self._score(outcome.epochs)
            if math.isfinite(score):
                return status, score, message
            status, message = "diverged", f"epoch {epoch}: {self._manifest.objective} is {score}"
        untrained = outcome.untrained.get(self._manifest.objective, math.nan)
        if status == "diverged" and math.isfinite(untrained):
            return status, untrained, message
        return "failed", None, message

    def _score(self, epochs: Sequence[EpochRecord]) -> tuple[int, float]:
        """The epoch that the trial's score belongs to, and this score."""
        objective = self._manifest.objective
        # Keras' validation_freq leaves epochs without validation metrics.
        scores = [(int(one["epoch"]), one[objective]) for one in epochs if objective in one]
        if not scores:
            logged = list(metrics_of(epochs[-1])) if epochs else []
            raise SearchError(
                f"objective {objective!r} is not among the metrics that training logs: "
                f"{', '.join(logged) or 'none'}. Choose one of these (val_... need "
                "validation_data)."
            )
        return score_of_epochs(scores, self._manifest.score, self._manifest.direction)


class SearchLoop(TaskLoop):
    """A whole search: the trainings of the baseline, then the oracle's trials.

    Args:
        algorithm: its oracle proposes trials and learns their scores.
        runner, writer, manifest, max_retries, observer: as for `TaskLoop`.
        deadline: likewise; the baseline and the trials of an earlier session that start again are
            trained whatever the time, as the comparison needs them.
        states: keeps the states that promotions continue from.
        laid_out: epochs that schedules are laid out over; None for the manifest's `max_epochs`.
    """

    def __init__(
        self,
        algorithm: Algorithm,
        runner: Runner,
        writer: RunWriter,
        states: KeptStates,
        manifest: Manifest,
        max_retries: int,
        observer: Observer,
        deadline: Deadline = NEVER,
        interrupts: Interrupts | None = None,
        laid_out: int | None = None,
    ) -> None:
        super().__init__(runner, writer, manifest, max_retries, observer, deadline, interrupts)
        self._seed, self._horizon = manifest.seed, manifest.max_epochs
        self._laid_out = laid_out or manifest.max_epochs
        self._algorithm = algorithm
        self._oracle = algorithm.oracle
        self._oracle_file = OracleFile(writer, self._oracle)
        self._states = states
        self._unfinished: deque[Any] = deque()

    @override
    def run(self, plan: Plan, unfinished: Iterable[Any] = ()) -> None:
        """Trains the baseline and the search, until the oracle has no more trials.

        A worker that would have to wait for the baseline's next task gets a trial of the search.

        Args:
            plan: of the baseline.
            unfinished: trials of the oracle that were interrupted and start again.

        Raises:
            SearchError: every trial failed; the message is the last one's. Or worker after worker
                dies.
            KeyboardInterrupt: Ctrl-C or SIGTERM; every task that ended is recorded.
        """
        self._unfinished.extend(unfinished)
        with self._oracle_file:
            super().run(plan)
        self._states.prune((), set())
        last = self._last_failure()
        if last is not None:
            trial_id, message = last
            raise SearchError(
                f"every trial failed, the last one with: {summary_of(message) or 'no message'}. "
                f"`lrtune show {shlex.quote(str(self._writer.folder))} {trial_id} --as error` "
                "prints the whole traceback"
            )

    @override
    def _next(self) -> TrialTask | None:
        while True:
            if self._unfinished:
                trial = self._unfinished.popleft()
            elif (task := self._plan.take()) is not None:
                return task
            elif self._deadline.is_past:
                self._held_back = True
                return None
            else:
                trial = self._algorithm.ask(self._seed)
                if trial is None:
                    return None
                self._writer.trial(trial.trial_id, trial.get_state())
                self._oracle_file.changed()
            task = self._task(trial)
            if task is not None:
                return task

    @override
    def _has_more(self) -> bool:
        # A trial that is asked for here is neither recorded nor trained, so no file may name it.
        self._oracle_file.save()
        return self._algorithm.ask(self._seed) is not None

    def _task(self, trial: Any) -> TrialTask | None:
        """The task of a trial; None if nothing needs training and the trial is already recorded."""
        values = dict(trial.hyperparameters.values)
        first, last, parent = rung_of(values, self._horizon)
        seed = trial_seed(self._seed, self._root(trial.trial_id))
        if self._algorithm.rescaled:
            # From the start, of what its parent's schedule is with more time.
            steering = steering_of(values, max(1.0, self._laid_out / last))
            recipe = Recipe.from_values({**values, **steering})
            return TrialTask(trial.trial_id, recipe, seed, 0, last, steering=steering)
        state = self._states.read(parent) if parent is not None else None
        recipe = Recipe.from_values(values)
        task = TrialTask(trial.trial_id, recipe, seed, first, last, state, steering_of(values))
        # A score with a message belongs to a trial that diverged: it is the untrained model's.
        if parent is None or self._oracle.get_trial(parent).message is None:
            return task
        self._promote_diverged(task, parent)
        return None

    def _promote_diverged(self, task: TrialTask, parent: str) -> None:
        """Records the promotion of a trial that diverged, for which nothing is left to train."""
        self._begin_record(task)
        before = self._oracle.get_trial(parent)
        untrained = {self._manifest.objective: float(before.score)}
        message = f"continues trial {parent}, which diverged"
        self._finish(TrialOutcome(task, "diverged", untrained=untrained, message=message))

    def _root(self, trial_id: str) -> str:
        """The first trial of the chain of promotions that this one belongs to."""
        values = self._oracle.get_trial(trial_id).hyperparameters.values
        parent = values.get("tuner/trial_id")
        return trial_id if parent is None else self._root(parent)

    @override
    def _finish(self, outcome: TrialOutcome) -> None:
        """Records a trial that ended, then tells the oracle.

        The order matters: an outcome finishes a trial for good, so its state must be written first.
        Everything in Keras Tuner's files follows from the outcomes.
        """
        if parse_id(outcome.task.trial_id).arm:  # of the baseline
            super()._finish(outcome)
            return
        recorded = self._recorded(outcome)
        self._states.keep(recorded, outcome.state, self._algorithm.promotable())
        self._writer.outcome(recorded)
        self._tell(recorded, outcome)
        self._observer.trial_ended(recorded)

    def _tell(self, recorded: Outcome, outcome: TrialOutcome) -> None:
        trial = self._oracle.get_trial(recorded.trial_id)
        metrics = metrics_of(outcome.epochs[-1]) if outcome.epochs else {}
        tell(self._oracle, trial, recorded, metrics)
        self._writer.trial(recorded.trial_id, trial.get_state())
        self._oracle_file.changed()
        self._states.prune([recorded], self._algorithm.promotable())

    def _last_failure(self) -> tuple[str, str] | None:
        """The last trial's id and message if no trial has a score, else None."""
        ended = [self._oracle.get_trial(trial_id) for trial_id in self._oracle.end_order]
        if not ended or any(trial.score is not None for trial in ended):
            return None
        return ended[-1].trial_id, ended[-1].message or ""
