"""What a search and its confirmation will train, stage by stage, and how long that takes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from lrtune.display.words import in_words
from lrtune.records.ids import BASELINE, BASELINE_SEARCH, CHOICE, CONFIRM, parse_id
from lrtune.records.schema import total
from lrtune.report.words import count
from lrtune.stats.race import places_of_choice

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from lrtune.display.board import Board
    from lrtune.records.schema import Outcome, Rung

USUAL_PAIRS = 7
"""Pairs of a sequential test without a gain, on average (22 trainings with the choice's 8)."""

CANDIDATES = 3
"""Of a confirmation that nobody asks for others."""

_SHORT = 30.0
"""Seconds: of stages that take no longer in all, nobody needs the minutes."""

_NAMES = {
    BASELINE_SEARCH: "search of constant rates",
    BASELINE: "baseline",
    "search": "search of schedules",
    CONFIRM: "choice and test",
}


@dataclass(frozen=True)
class Speed:
    """How fast the workers of a search train.

    Attributes:
        epoch: seconds > 0 of an epoch of one training, while all workers train.
        workers: int >= 1, trainings at a time.
        start: seconds >= 0 that a training takes besides its epochs.
        warm_up: seconds >= 0 until new workers train.
    """

    epoch: float
    workers: int
    start: float = 0.0
    warm_up: float = 0.0


@dataclass(frozen=True)
class Stage:
    """One stage of a search with its confirmation.

    Attributes:
        kind: of its trainings, see `lrtune.records.ids`; "confirm" for choice and test together.
        trainings, epochs: ints >= 0, at most.
        usual: int >= 0, trainings that it usually takes.
        size: float > 0, samples that are trained on, as a multiple of the search's.
        in_turn: int >= 0, epochs that can only be trained one after another.
        warm_ups: int >= 0, how often workers start for it.
    """

    kind: str
    trainings: int
    epochs: int
    usual: int
    size: float = 1.0
    in_turn: int = 0
    warm_ups: int = 0

    @property
    def usual_epochs(self) -> int:
        """Epochs that it usually takes."""
        return self.epochs * self.usual // self.trainings if self.trainings else 0

    def seconds(self, speed: Speed, *, usually: bool) -> float:
        """How long it takes, usually or at most."""
        trainings = self.usual if usually else self.trainings
        epochs = self.usual_epochs if usually else self.epochs
        epoch = speed.epoch * self.size
        shared = (trainings * speed.start + epochs * epoch) / speed.workers
        trained = max(shared, min(self.in_turn, epochs) * epoch)
        return trained + (self.warm_ups * speed.warm_up if trainings else 0.0)

    def without(self, outcomes: Iterable[Outcome]) -> Stage:
        """What is left of it after trainings that have ended."""
        spans = [
            one.epochs.last - one.epochs.first + 1
            for one in outcomes
            if _stage_of(one.trial_id) == self.kind
        ]
        return replace(
            self,
            trainings=max(self.trainings - len(spans), 0),
            epochs=max(self.epochs - sum(spans), 0),
            usual=max(self.usual - len(spans), 0),
        )


def _stage_of(trial_id: str) -> str:
    kind = parse_id(trial_id).kind
    return CONFIRM if kind == CHOICE else kind


def stages_of_search(plan: Iterable[Rung]) -> tuple[Stage, ...]:
    """The stages of a search, without those of which nothing is planned."""
    rungs = list(plan)
    stages: list[Stage] = []
    for kind in (BASELINE_SEARCH, BASELINE, "search"):
        own = tuple(one for one in rungs if one.part == kind)
        trainings, epochs = total(own)
        if trainings:
            starts = int(not stages)  # the same workers train all of a search
            stages.append(
                Stage(kind, trainings, epochs, trainings, in_turn=_longest(own), warm_ups=starts)
            )
    return tuple(stages)


def _longest(rungs: Collection[Rung]) -> int:
    """The most epochs that a trial and its promotions train, one after another."""
    budgets = {one.last for one in rungs}
    # Where promotions continue, the last one ends a whole training; else all of them are whole.
    return max(budgets) if any(one.first for one in rungs) else sum(budgets)


def stage_of_confirmation(
    trials: int, max_seeds: int, epochs: int, *, chooses: bool = True, size: float = 1.0
) -> Stage:
    """The choice and the test of a sequential confirmation.

    Args:
        trials: int >= 0, how many trials of the full budget there may be to choose among.
        max_seeds: int >= 1, the most pairs of the test.
        epochs: int >= 1, the horizon.
        chooses: whether there are validation data to choose with.
        size: as of `Stage`, of the test.
    """
    places = places_of_choice(min(trials, CANDIDATES)) if chooses else ()
    choice = sum(places)
    most, usual = choice + 2 * max_seeds, choice + 2 * min(USUAL_PAIRS, max_seeds)
    parts = 2 if choice else 1  # with new workers each
    turns = epochs * (3 if choice else 1)
    return Stage(CONFIRM, most, most * epochs, usual, size, in_turn=turns, warm_ups=parts)


class Stages:
    """What a display says of the stages: at the start, and once an epoch is timed.

    Args:
        stages: what is planned.
        speed: of the workers, if it is known at the start.
    """

    def __init__(self, stages: Sequence[Stage], speed: Speed | None = None) -> None:
        self.stages = stages
        self._speed = speed
        self._said = self._timed = False
        self._found: list[Outcome] = []

    def found(self, outcome: Outcome) -> None:
        """A training ended before this session, so that it takes no more time."""
        self._found.append(outcome)

    def news(self, board: Board) -> list[str]:
        """The lines that have not been printed yet, if any."""
        if not self._said:
            self._said = True
            self._timed = self._speed is not None
            return ["Planned, at most:", *lines_of(self.stages, self._speed)]
        speed = None if self._timed else board.speed()
        if speed is None:
            return []
        self._timed = True
        left = [stage.without(self._found) for stage in self.stages]
        left = [stage for stage in left if stage.trainings]
        if sum(one.seconds(speed, usually=True) for one in left) <= _SHORT:
            return []
        return ["Left, at most:" if self._found else "Planned, at most:", *lines_of(left, speed)]


def lines_of(stages: Sequence[Stage], speed: Speed | None = None) -> list[str]:
    """Stages as a small table, one line each.

    Args:
        stages: what is to be trained, at least one.
        speed: with it, each line says how long.
    """
    rows = []
    for stage in stages:
        amounts = [count(stage.trainings, "training"), count(stage.epochs, "epoch")]
        # A singular is one letter shorter.
        row = [_NAMES[stage.kind], *(f"{one} " if one[:2] == "1 " else one for one in amounts)]
        usual = f"usually {count(stage.usual, 'training')}" if stage.usual < stage.trainings else ""
        if speed is not None:
            row.append(f"about {in_words(stage.seconds(speed, usually=False))}")
            usual += f", {in_words(stage.seconds(speed, usually=True))}" if usual else ""
        rows.append((row, usual))
    widths = [max(len(row[index]) for row, _ in rows) for index in range(len(rows[0][0]))]
    lines = []
    for row, usual in rows:
        cells = [
            cell.rjust(width) if index in (1, 2) else cell.ljust(width)
            for index, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        text = "  ".join(cells).rstrip()
        lines.append(f"  {text}; {usual}" if usual else f"  {text}")
    return lines
