"""Compiled models that are reused for one trial after another.

Tracing and optimizing a training function takes about a second, as long as an epoch of the
reading's CNN. The trials of a schedule search differ only in numbers: rates, momentum, initial
weights. These are kept in variables, and a model is compiled once for each architecture.
"""

from __future__ import annotations

import warnings
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import keras

from lrtune.model.describe import without_counters
from lrtune.model.settings import Settings, tables, unused_slots
from lrtune.model.state import optimizer_variables
from lrtune.schedules.keras import TableSchedule, inner_optimizer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lrtune.model.hypermodel import ScheduleHyperModel
    from lrtune.schedules.recipe import Recipe

_OF_THE_USERS = (
    '"registered_name": "',
    '"class_name": "function"',
    '"class_name": "__lambda__"',
    '"activation": {',  # a lambda; Keras' own activations are written as their names
)
"""Text in a configuration that marks a class or function of the user."""

_ADAPTED = tuple(
    f'"class_name": "{name}"'
    for name in (
        "Discretization", "IntegerLookup", "Normalization", "StringLookup", "TextVectorization",
    )
)  # fmt: skip
"""Layers that may hold what they learned from data outside of their configuration and variables."""

_MODELS = 4
"""How many architectures stay compiled; a search over a model's width repeats its values. Each
batch size that is searched has a model of its own, too."""


@dataclass
class _Compiled:
    """A compiled model, and what of its optimizer differs from trial to trial."""

    model: keras.Model
    rates: TableSchedule
    settings: Settings

    def load(self, fresh: keras.Model, table: Any, settings: Mapping[str, Any]) -> None:
        """Becomes `fresh`, with these rates and settings."""
        self.rates.assign(table)
        self.settings.load(settings)
        for slot in unused_slots(inner_optimizer(self.model.optimizer)):
            slot.assign(keras.ops.zeros_like(slot))
        mine = (*self.model.variables, *optimizer_variables(self.model))
        its = (*fresh.variables, *fresh.optimizer.variables)
        for variable, value in zip(mine, its, strict=True):
            variable.assign(value)


class CompiledModels:
    """The last few compiled models, by architecture.

    Args:
        hypermodel: compiles them.
    """

    def __init__(self, hypermodel: ScheduleHyperModel) -> None:
        self._hypermodel = hypermodel
        self._models: OrderedDict[str, _Compiled] = OrderedDict()
        self._most = max(_MODELS, len(hypermodel.space.batch_sizes))

    def load(
        self, fresh: keras.Model, name: str, recipe: Recipe, epochs: int, steps: int
    ) -> keras.Model:
        """A compiled model with the weights of `fresh`, at step 0 of a schedule.

        Args:
            fresh: a model that the hypermodel has just built and compiled, with the trial's initial
                weights and random states.
            name: its `architecture`.
            recipe: its schedule and its optimizer's settings.
            epochs: int >= 1, how many the schedule is laid out over.
            steps: int >= 1, weight updates an epoch.

        Returns:
            The model, the trial's own until the next call.
        """
        table = recipe.schedule.table(epochs, steps)
        settings = tables(recipe, epochs, steps)
        key = f"{steps} {len(table)} {name}"  # the graph runs `steps` steps at a time
        one = self._models.pop(key, None)
        if one is None:
            rates = TableSchedule(table)
            optimizer = self._hypermodel.optimizer_for(fresh, rates, recipe.settings)
            one = _Compiled(fresh, rates, Settings(optimizer, settings))
            self._hypermodel.compile(fresh, optimizer)
        else:
            one.load(fresh, table, settings)
        self._models[key] = one
        while len(self._models) > self._most:
            self._models.popitem(last=False)
        return one.model


def architecture(model: keras.Model, *, compiled_by_user: bool = False) -> str | None:
    """A text that is different for different models; None if it might miss a difference.

    Only models made of Keras' own layers have one. A layer or function of the user may contain or
    draw numbers that are not in its configuration, and so may a layer that is adapted to data. How
    the user compiled the model, except for the rate, is part of the text.
    """
    if not (model.built and type(model).__module__.startswith("keras.")):
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about lambdas: nothing is loaded from this
            config = {**model.get_config(), "name": None}
            if compiled_by_user:
                config |= _compiling(model)
            text = without_counters(config)
    except (NotImplementedError, TypeError):
        return None
    return None if any(mark in text for mark in (*_OF_THE_USERS, *_ADAPTED)) else text


def _compiling(model: keras.Model) -> dict[str, Any]:
    """Loss, metrics and optimizer as configurations, without the rate."""
    compiled = {**model.get_compile_config(), "optimizer": None}
    optimizer = inner_optimizer(model.optimizer)
    settings = {k: v for k, v in optimizer.get_config().items() if k != "learning_rate"}
    return {"compiled": compiled, "optimizer": [type(optimizer).__name__, settings]}
