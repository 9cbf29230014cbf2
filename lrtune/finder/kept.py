"""Keeps what the user's function returns as it is: a model may be theirs, not a new one."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import keras
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


class KeptModels:
    """A `build_model` that remembers its models, to restore them after they were trained.

    A function that builds a new model each time needs none of this. But it may also return a model
    that the user has trained before, or put one into the new model as its first layers.

    Args:
        build_model: the user's function of hp.
    """

    def __init__(self, build_model: Callable[[Any], Any]) -> None:
        self._build_model = build_model
        self._undo: list[Callable[[], None]] = []
        self._known: set[int] = set()

    def __call__(self, hp: Any) -> Any:
        """The user's model, remembered as it is now."""
        model = self._build_model(hp)
        if isinstance(model, keras.Model):
            self._remember(model)
        return model

    def note_variables(self, model: keras.Model) -> None:
        """Remembers variables that were not there before, with their initial values."""
        self._note(model.variables)
        self._note(model.optimizer.variables)

    def restore(self) -> None:
        """Restores everything, the latest change first."""
        while self._undo:
            self._undo.pop()()
        self._known.clear()

    def _remember(self, model: keras.Model) -> None:
        self._note(model.variables)
        compiled, optimizer = model.compiled, getattr(model, "optimizer", None)
        at_once = model.steps_per_execution
        if optimizer is not None:
            self._note(optimizer.variables)
            model.optimizer = _another(optimizer)

        def undo() -> None:
            model.compiled, model.optimizer = compiled, optimizer
            model.steps_per_execution = at_once
            model.train_function = None  # it contains the rates of the test

        self._undo.append(undo)

    def _note(self, variables: Iterable[Any]) -> None:
        for variable in variables:
            if id(variable) not in self._known:
                self._known.add(id(variable))
                # A copy: the array may be the variable's own memory.
                value = np.array(keras.ops.convert_to_numpy(variable.value))
                self._undo.append(partial(variable.assign, value))


def _another(optimizer: Any) -> Any:
    """An optimizer like this one, which keeps its own rate and state.

    An optimizer of the user's that cannot be made from its configuration is used itself.
    """
    try:
        return type(optimizer).from_config(optimizer.get_config())
    except (TypeError, ValueError, KeyError, AttributeError, NotImplementedError):
        return optimizer
