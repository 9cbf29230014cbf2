"""Asynchronous successive halving, ASHA (Li et al., 2020): https://arxiv.org/abs/1810.05934."""

from __future__ import annotations

import math
from typing import Any

import keras_tuner
from typing_extensions import override


class AshaOracle(keras_tuner.Oracle):  # type: ignore[misc] # Keras Tuner has no types
    """Promotes a trial as soon as it is among the best of its rung, and never waits for others.

    Args:
        objective: `keras_tuner.Objective`.
        min_epochs: float >= 1, epochs of the first rung are at least so many.
        max_epochs: int >= 1, of the last rung.
        factor: int >= 2: a rung has so many times the epochs of the one before, and this part of a
            rung's trials is promoted.
        **kwargs: as `keras_tuner.Oracle` takes them.
    """

    def __init__(
        self, objective: Any, min_epochs: float, max_epochs: int, factor: int = 3, **kwargs: Any
    ) -> None:
        super().__init__(objective=objective, **kwargs)
        self.factor = factor
        count = 1
        while max_epochs / factor**count >= min_epochs:
            count += 1
        self.rungs = [math.ceil(max_epochs / factor**one) for one in reversed(range(count))]

    @override
    def populate_space(self, trial_id: str) -> dict[str, Any]:
        """A promotion from the highest rung that has one, else a new trial."""
        promoted = {one.hyperparameters.values.get("tuner/trial_id") for one in self._all()}
        for rung in reversed(range(len(self.rungs) - 1)):
            for one in self._best(rung):
                if one.trial_id not in promoted:
                    parent = {**one.hyperparameters.values, "tuner/trial_id": one.trial_id}
                    return self._running(parent, rung + 1)
        values = self._random_values()
        return {"status": "STOPPED"} if values is None else self._running(values, 0)

    def _best(self, rung: int) -> list[Any]:
        """The trials of a rung that may be promoted, the best first."""
        ended = [
            one
            for one in self._all()
            if one.hyperparameters.values["tuner/round"] == rung and one.status == "COMPLETED"
        ]
        sign = -1 if self.objective.direction == "max" else 1
        ended.sort(key=lambda one: sign * one.score)
        return ended[: len(ended) // self.factor]

    def _running(self, values: dict[str, Any], rung: int) -> dict[str, Any]:
        steering = {
            "tuner/epochs": self.rungs[rung],
            "tuner/initial_epoch": self.rungs[rung - 1] if rung else 0,
            "tuner/round": rung,
        }
        return {"status": "RUNNING", "values": {**values, **steering}}

    def _all(self) -> list[Any]:
        return list(self.trials.values())
