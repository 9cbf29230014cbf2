"""Compiled models that are reused for one trial after another.

Tracing and optimizing a training function takes about a second, as long as an epoch of the
reading's CNN. The trials of a schedule search differ only in numbers: rates, momentum, initial
weights. These are kept in variables, and a model is compiled once for each architecture.
"""

from __future__ import annotations

import json
import re
import warnings
from collections import OrderedDict
from typing import TYPE_CHECKING, Any

import keras
from typing_extensions import override

from lrtune.schedules.keras import TableSchedule
from lrtune.schedules.keras_private import slot_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np

    from lrtune.model.hypermodel import ScheduleHyperModel

_OF_THE_USERS = (
    '"registered_name": "',
    '"class_name": "function"',
    '"class_name": "__lambda__"',
    '"activation": {',  # a lambda; Keras' own activations are written as their names
)
"""Text in a configuration that marks a class or function of the user."""

_MODELS = 4
"""How many architectures stay compiled; a search over a model's width repeats its values."""


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
        velocity = slot_of(self, variable)
        self.assign(velocity, velocity * momentum - gradient * learning_rate)
        self.assign_add(variable, velocity)


class CompiledModels:
    """The last few compiled models, by architecture.

    Args:
        hypermodel: compiles them.
    """

    def __init__(self, hypermodel: ScheduleHyperModel) -> None:
        self._hypermodel = hypermodel
        self._models: OrderedDict[str, keras.Model] = OrderedDict()

    def load(
        self, fresh: keras.Model, name: str, table: np.ndarray[Any, Any], momentum: float
    ) -> keras.Model:
        """A compiled model with the weights of `fresh`, at step 0 of a schedule.

        Args:
            fresh: a model just built, with the trial's initial weights and random states.
            name: its `architecture`.
            table: float32 [steps], the learning rate of every step.
            momentum: float in [0, 1).

        Returns:
            The model, the trial's own until the next call.
        """
        key = f"{len(table)} {name}"
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


def architecture(model: keras.Model) -> str | None:
    """A text that is different for different models; None if it might miss a difference.

    Only models made of Keras' own layers have one. A layer or function of the user may contain or
    draw numbers that are not in its configuration.
    """
    if not (model.built and type(model).__module__.startswith("keras.")):
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about lambdas: nothing is loaded from this
            config = {**model.get_config(), "name": None}
            text = json.dumps(config)
    except (NotImplementedError, TypeError):
        return None
    if any(mark in text for mark in _OF_THE_USERS):
        return None
    # Keras keeps counting in its own names: dense_7 in one trial is dense_9 in the next.
    order = {f'"{name}"': f'"{number}"' for number, name in enumerate(_keras_names(config))}
    return re.sub(r'"[^"]*"', lambda match: order.get(match[0], match[0]), text)


def _keras_names(config: Any) -> Iterator[str]:
    """Names in a configuration that Keras derived from a layer's class, in their order."""
    if isinstance(config, dict):
        name = config["config"].get("name") if isinstance(config.get("config"), dict) else None
        kind = str(config.get("class_name", "")).lower()
        if isinstance(name, str) and re.sub(r"_\d+$", "", name).replace("_", "") == kind:
            yield name
        config = list(config.values())
    if isinstance(config, list | tuple):
        for one in config:
            yield from _keras_names(one)
