"""One search through lrtune's own loop, answered from a table, and what its best trial was when."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from typing_extensions import override

from lrtune.display.observer import Observer
from lrtune.records.schema import DataRecord, Manifest
from lrtune.search.deadline import Deadline
from lrtune.search.kept_states import KeptStates
from lrtune.search.loop import SearchLoop
from lrtune.search.oracle import keras_tuner_seed, steering_of
from lrtune.search.plan import NoPlan

from .answers import OBJECTIVE
from .deck import Cube, Deck
from .runner import TabularRunner

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lrtune.records.schema import Outcome
    from lrtune.records.task import State
    from lrtune.search.algorithm import Algorithm

    from .answers import Answers


@dataclass(frozen=True)
class Incumbent:
    """The best trial so far: the model that a search would hand over if it ended then.

    It is the trial with the best score of those trained to the horizon. Before there is one, it is
    the best of those with the largest budget.

    Attributes:
        epochs: of all tasks that had ended when it became the best.
        seconds: simulated, since the search began.
        schedule, seed: the training.
        budget: epochs of the trial.
        score: of the trial.
        unused: seeds of the schedule that the search had not used by then.
    """

    epochs: int
    seconds: float
    schedule: int
    seed: int
    budget: int
    score: float
    unused: tuple[int, ...]


@dataclass(frozen=True)
class Trace:
    """A whole search.

    Attributes:
        incumbents: in the order of time.
        trials: how many ended.
        epochs: of them all.
        seconds: simulated, until the last one ended.
        misfits: proposals that got a schedule of another family.
    """

    incumbents: tuple[Incumbent, ...]
    trials: int
    epochs: int
    seconds: float
    misfits: int


class NullWriter:
    """Writes nothing: what the loop needs of a `RunWriter`."""

    folder = Path("nowhere")

    def _nothing(self, *_: Any) -> None:
        pass

    begin_trial = epoch = outcome = trial = oracle = _nothing


class NullStates(KeptStates):
    """Has a state of every trial: the table knows how each training goes on."""

    def __init__(self) -> None:
        pass

    @override
    def read(self, trial_id: str) -> State | None:
        return {}

    @override
    def keep(self, outcome: Outcome, state: State | None, promotable: set[str]) -> None:
        pass

    @override
    def prune(self, outcomes: Iterable[Outcome], promotable: set[str]) -> None:
        pass


class Snapped:
    """An algorithm whose proposals become the nearest trainings of the table.

    The oracle gets the values of these in place of its own, so that its model is of what was
    trained.

    Args:
        algorithm: that proposes.
        deck: deals the trainings.
        rescaled: whether each rung trains from its start a schedule compressed to its epochs.
    """

    def __init__(self, algorithm: Algorithm, deck: Deck, *, rescaled: bool) -> None:
        self.oracle = algorithm.oracle
        self._algorithm = algorithm
        self._deck = deck
        self.rescaled = rescaled

    def ask(self, seed: int) -> Any | None:
        """The next trial."""
        trial = self._algorithm.ask(seed)
        if trial is None:
            return None
        trial.get_state = dict  # which nobody writes
        values = trial.hyperparameters.values
        parent = values.get("tuner/trial_id")
        if parent is None:
            dealt = self._deck.deal(trial.trial_id, values)
            trial.hyperparameters.values = {**dealt, **steering_of(values)}
        else:
            self._deck.promote(trial.trial_id, parent)
        return trial

    def promotable(self) -> set[str]:
        """None: `NullStates` keeps nothing."""
        return set()


class _Watcher(Observer):
    """Notes the incumbents."""

    def __init__(self, runner: TabularRunner, deck: Deck) -> None:
        self._runner = runner
        self._deck = deck
        self.incumbents: list[Incumbent] = []
        self.trials = 0

    @override
    def trial_ended(self, outcome: Outcome) -> None:
        self.trials += 1
        if outcome.score is None:
            return
        found = (outcome.epochs.planned, outcome.score)
        if self.incumbents and found <= (self.incumbents[-1].budget, self.incumbents[-1].score):
            return
        pair = self._deck.pair(outcome.trial_id)
        unused = tuple(self._deck.unused(pair.schedule))
        self.incumbents.append(
            Incumbent(
                self._runner.ended, self._runner.clock, pair.schedule, pair.seed, *found, unused
            )
        )


def search(
    answers: Answers,
    prototype: Algorithm,
    epochs: int,
    seed: int,
    slots: int = 1,
    *,
    rescaled: bool = False,
) -> Trace:
    """Runs one search.

    Args:
        answers: the trainings.
        prototype: an algorithm that has asked for nothing yet; a copy of it is used.
        epochs: once so many have begun, no new trial does.
        seed: of the search, and of the order in which seeds of the table are used.
        slots: int >= 1, simulated workers.
        rescaled: as for `Snapped`.
    """
    algorithm = copy.deepcopy(prototype)
    # Some oracles draw by their own seed, others by the one that the loop sets for each proposal.
    algorithm.oracle.seed = keras_tuner_seed(seed)
    # Much of a search's time would go into states that nobody writes.
    algorithm.oracle.get_state = dict
    space = algorithm.oracle.hyperparameters.space
    deck = Deck(Cube(space, answers.schedules), answers.seeds, np.random.default_rng([seed, 0]))
    runner = TabularRunner(answers, deck, slots)
    watcher = _Watcher(runner, deck)
    loop = SearchLoop(
        Snapped(algorithm, deck, rescaled=rescaled),  # type: ignore[arg-type] # what the loop needs
        runner,
        NullWriter(),  # type: ignore[arg-type]
        NullStates(),
        _manifest(answers.horizon, seed),
        max_retries=0,
        observer=watcher,
        deadline=Deadline(epochs, lambda: runner.begun),
    )
    loop.run(NoPlan())
    return Trace(
        tuple(watcher.incumbents), watcher.trials, runner.ended, runner.clock, deck.misfits
    )


def _manifest(horizon: int, seed: int) -> Manifest:
    return Manifest(
        algo="", objective=OBJECTIVE, direction="max", score="last", max_epochs=horizon,
        factor=None, max_trials=None, seed=seed, batch_size=None, families=(), space=(),
        baseline_budget=0.0, baseline_arms={}, baseline_seeds=(),
        data=DataRecord("table", "", {}), versions={}, created="",
    )  # fmt: skip
