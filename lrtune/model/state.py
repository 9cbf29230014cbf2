"""A training's state: everything that continuing it depends on, as arrays by name."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import keras
import numpy as np

from lrtune.errors import ArgumentError
from lrtune.model.cnn import CrossEntropy
from lrtune.model.compiling import build_optimizer
from lrtune.model.settings import unused_slots
from lrtune.schedules.keras import inner_optimizer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lrtune.records.task import State

UNTRAINED = "untrained/"
LOSSES = "losses"
_BUILD = "build"
_ONE_HOT = "one_hot"


def snapshot(model: keras.Model, untrained: Mapping[str, float]) -> dict[str, Any]:
    """The state of a training, for `restore`.

    `model/N` are the model's variables in Keras' order (weights, then random-generator states),
    `optimizer/N` the optimizer's (step count, momentum), `untrained/METRIC` scalars; `build` is the
    JSON of the input's shape, for models that learn it from their first batch. `one_hot` is whether
    the labels were one-hot, where lrtune chose the loss. The trainer adds `losses`, one an epoch,
    for a schedule that depends on them.
    """
    state: dict[str, Any] = {f"{UNTRAINED}{name}": np.float64(v) for name, v in untrained.items()}
    for group, variables in _groups(model):
        for index, variable in enumerate(variables):
            state[f"{group}/{index}"] = keras.ops.convert_to_numpy(variable.value)
    state[_BUILD] = np.array(json.dumps(model.get_build_config()))
    if isinstance(model.loss, CrossEntropy) and model.loss.one_hot is not None:
        state[_ONE_HOT] = np.array(model.loss.one_hot)
    return state


def restore(model: keras.Model, state: State | None) -> None:
    """Restores a `snapshot` in a freshly built model; None leaves the model unchanged.

    Raises:
        ArgumentError: the state belongs to a model with other variables.
    """
    if state is None:
        return
    if not model.built:
        model.build_from_config(json.loads(str(state[_BUILD])))
    build_optimizer(model)
    groups = _groups(model)
    for group, variables in groups:
        _check(group, variables, state)
    for group, variables in groups:
        for index, variable in enumerate(variables):
            variable.assign(state[f"{group}/{index}"])


def input_shape(state: State) -> tuple[int, ...]:
    """The shape of one input of the model that a state belongs to, the batch left out.

    Raises:
        ValueError: the model has several inputs, or the state is not whole.
    """
    built = json.loads(str(state[_BUILD])) if _BUILD in state else None
    shape = built.get("input_shape") if isinstance(built, dict) else None
    if not isinstance(shape, list) or not all(isinstance(one, int) for one in shape[1:]):
        raise ValueError("it does not hold the shape of one input")
    return tuple(shape[1:])


def output_units(state: State) -> int:
    """How many units the last layer of the model has that a state belongs to: its last biases.

    Raises:
        ValueError: there are no biases in the state.
    """
    biases = [
        array
        for name, array in state.items()
        if name.startswith("model/") and array.dtype.kind == "f" and array.ndim == 1
    ]
    if not biases:
        raise ValueError("it does not hold the biases of a last layer")
    return len(biases[-1])


def one_hot(state: State) -> bool:
    """Whether the labels were one-hot rows; False for class indices, and where nobody noted it."""
    return bool(state[_ONE_HOT]) if _ONE_HOT in state else False


def optimizer_variables(model: keras.Model) -> list[Any]:
    """The variables that a continued training needs of the optimizer, as Keras' own would have."""
    if model.optimizer is None:
        return []
    unused = {id(slot) for slot in unused_slots(inner_optimizer(model.optimizer))}
    return [one for one in model.optimizer.variables if id(one) not in unused]


def _groups(model: keras.Model) -> list[tuple[str, list[Any]]]:
    return [("model", list(model.variables)), ("optimizer", optimizer_variables(model))]


def _check(group: str, variables: list[Any], state: State) -> None:
    saved = [name for name in state if name.startswith(f"{group}/")]
    changed = "the hypermodel changed since the trial was trained."
    if len(saved) != len(variables):
        raise ArgumentError(
            f"the saved state has {len(saved)} {group} variables, the model has "
            f"{len(variables)}: {changed}"
        )
    for index, variable in enumerate(variables):
        before, now = state[f"{group}/{index}"].shape, tuple(variable.shape)
        if before != now:
            raise ArgumentError(
                f"the saved {variable.path} has the shape {before}, the model's has {now}: "
                f"{changed}"
            )
