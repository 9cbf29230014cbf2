"""All private names of Keras that lrtune uses; a test looks for each of them in Keras."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import keras

SEEN_IN = "3.15"
"""The latest version of Keras in which these private names were seen."""

PRIVATE = ("_get_variable_index", "_iterations")
"""Of `keras.optimizers.Optimizer`."""


def update_count(optimizer: Any) -> keras.Variable:
    """The variable that counts weight updates, with which Keras calls a schedule.

    NOTE: `optimizer.iterations` differs with gradient_accumulation_steps=n: it is a tensor,
    count // n.
    """
    return optimizer._iterations


def slot_of(optimizer: Any, variable: Any) -> Any:
    """The variable in which an SGD optimizer keeps a trainable variable's velocity."""
    return optimizer.momentums[optimizer._get_variable_index(variable)]
