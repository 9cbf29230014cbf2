"""The best trials so far, and the constant rates they are compared with."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from lrtune.display.words import what
from lrtune.records.ids import BASELINE_SEARCH, parse_id
from lrtune.records.schema import TUNED
from lrtune.report.words import DIGITS, count, decimals, fixed, mean_and_std
from lrtune.stats.baseline import Arm, choose_reference
from lrtune.stats.winner import Direction, ordered

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lrtune.records.schema import Outcome

TOP = 5
"""How many trials a display lists."""


class Leaderboard:
    """The best trials of the longest budget so far, and every arm trained with several seeds.

    Args:
        objective: name of the metric.
        direction: "max" or "min".
        horizon: the full budget in epochs; a shorter trial's score is no match for the baseline's.
        arms: names of the arms in the order to show them in, the first being the one that others
            are compared with; empty for those of a search: the tuned one first.
    """

    def __init__(
        self, objective: str, direction: str, horizon: int, *, arms: Sequence[str] = ()
    ) -> None:
        self.objective = objective
        self.direction = Direction(direction)
        self.horizon = horizon
        self.names = tuple(arms)
        self._seeds: dict[str, dict[str, Outcome]] = {}
        self._trials: dict[int, dict[str, Outcome]] = {}
        self._constants: dict[str, Outcome] = {}
        self._best: list[Outcome] | None = None

    def add(self, outcome: Outcome) -> None:
        """Takes a trial of the search, of the baseline or of a confirmation into account."""
        score = outcome.score
        if score is None or not math.isfinite(score) or outcome.status == "failed":
            return
        full = outcome.epochs.planned == self.horizon
        trial = parse_id(outcome.trial_id)
        if trial.kind == BASELINE_SEARCH:
            if outcome.status == "completed":
                self._constants[outcome.trial_id] = outcome
        elif trial.arm:
            # A diverged seed counts with its score, as in the report; one cut short does not.
            if full:
                self._seeds.setdefault(trial.arm, {})[outcome.trial_id] = outcome
        elif outcome.status == "completed":
            self._trials.setdefault(outcome.epochs.planned, {})[outcome.trial_id] = outcome
            self._best = None

    @property
    def budget(self) -> int | None:
        """The full budget once a trial has completed it, else the longest so far; None: none."""
        if self.horizon in self._trials:
            return self.horizon
        return max(self._trials, default=None)

    @property
    def best(self) -> list[Outcome]:
        """The best trials of that budget, `TOP` at most; of equal ones the earlier first."""
        if self._best is None:
            budget = self.budget
            trials = [] if budget is None else list(self._trials[budget].values())
            self._best = ordered(trials, self.direction)[:TOP]
        return self._best

    @property
    def arms(self) -> list[Arm]:
        """The arms of which a seed has a score."""
        first = [name for name in (self.names or (TUNED,)) if name in self._seeds]
        names = [*first, *(name for name in self._seeds if name not in first)]
        return [_arm(name, list(self._seeds[name].values())) for name in names]

    @property
    def reference(self) -> Arm | None:
        """The arm that trials are compared with: the tuned one, else the best; None if none."""
        arms = self.arms
        if self.names:
            return next((arm for arm in arms if arm.name == self.names[0]), None)
        return choose_reference(arms, self.direction) if arms else None

    @property
    def places(self) -> int:
        """Decimals to show all these scores with."""
        scores = [outcome.score for outcome in self.best if outcome.score is not None]
        return decimals([*scores, *(arm.mean for arm in self.arms)])

    def delta(self, score: float, reference: Arm | None) -> float:
        """How much better than the reference, so that above 0 is always better; NaN if unknown.

        Unknown, too, as long as no trial has completed the budget the reference was trained for.
        """
        if reference is None or (not self.names and self.budget != self.horizon):
            return math.nan
        return self.direction.gain(score, reference.mean)

    def searched_constant(self) -> str | None:
        """What the search for the best constant rate has found so far, in words; None: nothing."""
        if not self._constants or TUNED in self._seeds:
            return None
        best = ordered(self._constants.values(), self.direction)[0]
        score = fixed(best.score if best.score is not None else math.nan, DIGITS)
        after = count(best.epochs.planned, "epoch")
        return f"{score} after {after}, best of {len(self._constants)} tried so far"

    def summary(self) -> str:
        """One line: the best trial at the longest budget so far, and the constant rate."""
        parts = []
        places, reference = self.places, self.reference
        if self.best:
            first = self.best[0]
            score = fixed(first.score if first.score is not None else math.nan, places)
            parts.append(
                f"best {self.objective} {score} after {count(first.epochs.last, 'epoch')}: "
                f"{what(first.trial_id, first.recipe)}"
            )
        if reference is not None:
            parts.append(f"{reference.name} {mean_and_std(reference, places)}")
        return "; ".join(parts) or "no trial has finished yet"


def _arm(name: str, seeds: Sequence[Outcome]) -> Arm:
    scores = tuple(one.score for one in seeds if one.score is not None)
    return Arm.of_scores(name, seeds[0].recipe, scores)
