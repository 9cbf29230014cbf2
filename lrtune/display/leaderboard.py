"""The best trials so far, and the constant rates they are compared with."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from lrtune.display.words import what
from lrtune.records.ids import BASELINE_SEARCH, CHOICE, parse_id
from lrtune.records.schema import TUNED, ConfirmManifest
from lrtune.report.words import DIGITS, count, decimals, fixed, mean_and_std
from lrtune.stats.baseline import Arm, in_order
from lrtune.stats.trials import score_of
from lrtune.stats.winner import Direction, ordered

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lrtune.records.schema import Manifest, Outcome

TOP = 5
"""How many trials a display lists."""


class Leaderboard:
    """The best trials of the longest budget so far, and every arm trained with several seeds.

    Args:
        objective: name of the metric.
        direction: "max" or "min".
        horizon: the full budget in epochs; a shorter trial's score is no match for the baseline's.
        arms: names of the arms in the order to show them in, the first being the one that others
            are compared with; empty for those of a search, the best of which comes first.
        candidates: which of them race on the validation data before one is tested.
    """

    def __init__(
        self,
        objective: str,
        direction: str,
        horizon: int,
        *,
        arms: Sequence[str] = (),
        candidates: Sequence[str] = (),
    ) -> None:
        self.objective = objective
        self.direction = Direction(direction)
        self.horizon = horizon
        self._names = tuple(arms)
        self._candidates = tuple(candidates)
        self._choice: dict[str, list[Outcome]] = {}
        self.best: list[Outcome] = []
        self._seeds: dict[str, list[Outcome]] = {}
        self._constants: list[Outcome] = []

    @classmethod
    def of(cls, manifest: Manifest | ConfirmManifest) -> Leaderboard:
        """The leaderboard of a search or of a confirmation, still empty."""
        if isinstance(manifest, ConfirmManifest):
            arms = tuple(dict.fromkeys((manifest.baseline, *manifest.arms)))
            candidates = manifest.candidates if manifest.choice_seeds else ()
            return cls(
                manifest.objective,
                manifest.direction,
                manifest.epochs,
                arms=arms,
                candidates=tuple(candidates),
            )
        return cls(manifest.objective, manifest.direction, manifest.max_epochs)

    def add(self, outcome: Outcome) -> None:
        """Counts a trial of the search, of the baseline or of a confirmation."""
        if math.isnan(score_of(outcome)):
            return
        trial = parse_id(outcome.trial_id)
        if trial.arm:
            # A diverged seed counts with its score, as in the report; one cut short does not.
            if outcome.epochs.planned == self.horizon:
                seeds = self._choice if trial.kind == CHOICE else self._seeds
                seeds.setdefault(trial.arm, []).append(outcome)
        elif outcome.status != "completed":
            return
        elif trial.kind == BASELINE_SEARCH:
            self._constants.append(outcome)
        else:
            best = ordered([*self.best, outcome], self.direction)
            budget = best[0].epochs.planned
            self.best = [one for one in best if one.epochs.planned == budget][:TOP]

    @property
    def chooses(self) -> bool:
        """Whether candidates race on the validation data; nothing has been tested yet."""
        return bool(self._candidates) and not self._seeds

    @property
    def names(self) -> tuple[str, ...]:
        """The arms of a confirmation to show now, the one that others are compared with first."""
        if self.chooses:
            return self._candidates
        tested = [arm for arm in self._candidates if arm in self._seeds]
        return (self._names[0], *tested) if self._candidates else self._names

    @property
    def budget(self) -> int | None:
        """The longest budget that a trial has completed; None before the first."""
        return self.best[0].epochs.planned if self.best else None

    @property
    def arms(self) -> list[Arm]:
        """The arms of which a seed has a score, the one that others are compared with first."""
        arms = [
            Arm(
                name,
                seeds[0].recipe,
                tuple(map(score_of, seeds)),
                collapsed=sum(one.status == "diverged" for one in seeds),
            )
            for name, seeds in (self._choice if self.chooses else self._seeds).items()
        ]
        if not self.names:
            return in_order(arms, self.direction)
        return sorted(arms, key=lambda arm: self.names.index(arm.name))

    @property
    def reference(self) -> Arm | None:
        """The arm that trials are compared with so far; None if none."""
        arms = self.arms
        known = arms and (not self.names or arms[0].name == self.names[0])
        return arms[0] if known and not self.chooses else None

    @property
    def places(self) -> int:
        """Decimals to show all these scores with."""
        return decimals([*map(score_of, self.best), *(arm.mean for arm in self.arms)])

    def delta(self, score: float) -> float:
        """How much better than the reference, so that above 0 is always better; NaN if unknown.

        It is also unknown until a trial has completed the budget the reference was trained for.
        """
        reference = self.reference
        if reference is None or (not self.names and self.budget != self.horizon):
            return math.nan
        return self.direction.gain(score, reference.mean)

    def searched_constant(self) -> str | None:
        """What the search for the best constant rate has found so far; None if nothing."""
        if not self._constants or TUNED in self._seeds:
            return None
        best = ordered(self._constants, self.direction)[0]
        after, tried = count(best.epochs.planned, "epoch"), len(self._constants)
        return f"{fixed(score_of(best), DIGITS)} after {after}, best of {tried} tried so far"

    def summary(self) -> str:
        """One line: the best trial at the longest budget so far, and the constant rate."""
        parts = []
        places, reference = self.places, self.reference
        if self.best:
            first = self.best[0]
            score, after = fixed(score_of(first), places), count(first.epochs.last, "epoch")
            trial = what(first.trial_id, first.recipe)
            parts.append(f"best {self.objective} {score} after {after}: {trial}")
        if reference is not None:
            parts.append(f"{reference.name} {mean_and_std(reference, places)}")
        return "; ".join(parts) or "no trial has finished yet"
