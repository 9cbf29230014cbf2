"""Compiled models that serve trial after trial.

Tracing and optimising a training function takes about a second, as long as an epoch of the
reading's CNN. The trials of a schedule search differ in numbers alone: rates, momentum, initial
weights. So these live in variables, and a model is compiled once for each architecture.
"""

from __future__ import annotations

import json
import warnings
from collections import OrderedDict
from typing import TYPE_CHECKING, Any

import keras
from typing_extensions import override

from lrtune.adapter import TableSchedule

if TYPE_CHECKING:
    import numpy as np

    from lrtune.hypermodel import ScheduleHyperModel

_FUNCTIONS = ('"class_name": "function"', '"class_name": "__lambda__"')

_MODELS = 4
"""Architectures kept compiled at a time; a search over a model's width meets its values again."""


class VariableMomentumSGD(keras.optimizers.SGD):  # type: ignore[misc] # Keras has no types
    """Keras' SGD with its momentum in a variable, so that a traced step serves any momentum.

    With momentum 0 an update is w + (0 m - g lr), bit for bit the w - g lr of plain SGD.

    Args:
        schedule: the rate of every step; `assign` gives it another.
    """

    def __init__(self, schedule: TableSchedule) -> None:
        super().__init__(schedule, momentum=0.5)  # any but 0: Keras then makes the slots
        self.table = schedule
        self.momentum_value = keras.Variable(0.0, trainable=False, name="momentum_value")

    @override
    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        ops = keras.ops
        learning_rate = ops.cast(learning_rate, variable.dtype)
        gradient = ops.cast(gradient, variable.dtype)
        momentum = ops.cast(self.momentum_value, variable.dtype)
        velocity = self.momentums[self._get_variable_index(variable)]
        self.assign(velocity, velocity * momentum - gradient * learning_rate)
        self.assign_add(variable, velocity)


class CompiledModels:
    """Compiled models by architecture, the last few of them.

    Args:
        hypermodel: compiles them.
    """

    def __init__(self, hypermodel: ScheduleHyperModel) -> None:
        self._hypermodel = hypermodel
        self._models: OrderedDict[str, keras.Model] = OrderedDict()

    def load(
        self, fresh: keras.Model, table: np.ndarray[Any, Any], momentum: float
    ) -> keras.Model | None:
        """A compiled model with the weights of `fresh`, at step 0 of a schedule.

        Args:
            fresh: a model just built, with the trial's initial weights and random states.
            table: float32 [steps], the learning rate of every step.
            momentum: float in [0, 1).

        Returns:
            The model, until the next call; None for a model that cannot be told from another by
            its configuration.
        """
        architecture = _architecture(fresh)
        if architecture is None:
            return None
        key = f"{len(table)} {architecture}"
        model = self._models.pop(key, None)
        if model is None:
            model = fresh
            self._hypermodel.compile(model, VariableMomentumSGD(TableSchedule(table)))
        else:
            for mine, its in zip(model.variables, fresh.variables, strict=True):
                mine.assign(its)
            for variable in model.optimizer.variables:
                variable.assign(keras.ops.zeros_like(variable))
            model.optimizer.table.assign(table)
        model.optimizer.momentum_value.assign(momentum)
        self._models[key] = model
        while len(self._models) > _MODELS:
            self._models.popitem(last=False)
        return model


def optimizer_variables(model: keras.Model) -> list[Any]:
    """The variables that a continued training needs of the optimizer, as Keras' own would have."""
    optimizer = model.optimizer
    if optimizer is None:
        return []
    if not isinstance(optimizer, VariableMomentumSGD):
        return list(optimizer.variables)
    if float(optimizer.momentum_value) == 0:
        return [optimizer.iterations]  # plain SGD has no slots
    return [one for one in optimizer.variables if one is not optimizer.momentum_value]


def _architecture(model: keras.Model) -> str | None:
    """What tells two models apart, or None where their configuration may not say it all."""
    # A class of the user's may hold numbers, or a train_step, that its configuration leaves out.
    if not (model.built and type(model).__module__.startswith("keras.")):
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about lambdas: nothing is loaded from this
            config = json.dumps(model.get_config())
    except (NotImplementedError, TypeError):
        return None
    # A function of the user's is written down by its name, whatever it closes over.
    return None if any(kind in config for kind in _FUNCTIONS) else config
