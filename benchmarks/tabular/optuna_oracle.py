"""Optuna's samplers as oracles of Keras Tuner, so that they run in the same loop."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import keras_tuner
import optuna
from typing_extensions import override

if TYPE_CHECKING:
    from collections.abc import Mapping

_REVERSED = " reversed"


class OptunaOracle(keras_tuner.Oracle):  # type: ignore[misc] # Keras Tuner has no types
    """Asks an Optuna study, which defines its space by run: each family has its own parameters.

    Optuna has no scale for a momentum, on which 1 - momentum is logarithmic, so it gets
    low + high - momentum on a logarithmic scale.

    Args:
        objective: `keras_tuner.Objective`.
        sampler: function of a seed.
        **kwargs: as `keras_tuner.Oracle` takes them.
    """

    def __init__(self, objective: Any, sampler: Any, **kwargs: Any) -> None:
        super().__init__(objective=objective, **kwargs)
        self._sampler = sampler
        self._study: optuna.Study | None = None
        self._asked: dict[str, optuna.Trial] = {}

    @override
    def populate_space(self, trial_id: str) -> dict[str, Any]:
        """What the sampler suggests, given the trials that ended and those that are running."""
        if self._study is None:
            # The loop sets the seed of each proposal; the first one depends on the search alone.
            self._study = optuna.create_study(
                direction="maximize" if self.objective.direction == "max" else "minimize",
                sampler=self._sampler(self._seed_state),
            )
        for running in self.ongoing_trials.values():
            self._register(running)
        trial = self._study.ask()
        values = self._suggest(trial)
        # The trial to be trained may get other values: see `_register`.
        self._study.tell(trial, state=optuna.trial.TrialState.FAIL)
        return {"status": "RUNNING", "values": values}

    @override
    def end_trial(self, trial: Any) -> None:
        """Tells the study the score, besides what Keras Tuner does."""
        super().end_trial(trial)
        self._register(trial)
        if self._study is not None and trial.status == "COMPLETED":
            self._study.tell(self._asked[trial.trial_id], self.get_trial(trial.trial_id).score)

    def _register(self, trial: Any) -> None:
        """Adds a trial with the values that it is trained with to the study, as a running one."""
        if self._study is None or trial.trial_id in self._asked:
            return
        self._study.enqueue_trial(self._named(trial.hyperparameters.values))
        asked = self._study.ask()
        self._suggest(asked)
        self._asked[trial.trial_id] = asked

    def _suggest(self, trial: optuna.Trial) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for hp in self.hyperparameters.space:
            if all(one.is_active(values) for one in hp.conditions):
                values[hp.name] = _suggested(trial, hp)
        return values

    def _named(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """The values as the study names them."""
        space = {hp.name: hp for hp in self.hyperparameters.space}
        named = {}
        for name, value in values.items():
            hp = space.get(name)
            if hp is not None and _is_reversed(hp):
                named[name + _REVERSED] = hp.min_value + hp.max_value - value
            elif hp is not None and type(hp).__name__ != "Fixed":
                named[name] = value
        return named


def _suggested(trial: optuna.Trial, hp: Any) -> Any:
    kind = type(hp).__name__
    if kind == "Fixed":
        return hp.value
    if kind == "Choice":
        return trial.suggest_categorical(hp.name, list(hp.values))
    low, high, log = hp.min_value, hp.max_value, hp.sampling == "log"
    if kind == "Int":
        return trial.suggest_int(hp.name, low, high, log=log)
    if _is_reversed(hp):
        return low + high - trial.suggest_float(hp.name + _REVERSED, low, high, log=True)
    return trial.suggest_float(hp.name, low, high, log=log)


def _is_reversed(hp: Any) -> bool:
    return bool(getattr(hp, "sampling", None) == "reverse_log")
