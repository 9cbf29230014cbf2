"""The private names of Keras that lrtune uses, all in this file; a test looks for each of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import keras

SEEN_IN = "3.15"
"""The Keras that these private names were last seen in."""

PRIVATE = ("_get_variable_index", "_iterations")
"""Of `keras.optimizers.Optimizer`."""


def update_count(optimizer: Any) -> keras.Variable:
    """The variable that counts weight updates and that Keras calls a schedule with.

    NOTE: not `optimizer.iterations`, which with gradient_accumulation_steps=n is a tensor, the
    count // n.
    """
    return optimizer._iterations


def slot_of(optimizer: Any, variable: Any) -> Any:
    """Where an SGD optimizer keeps the velocity of a trainable variable."""
    return optimizer.momentums[optimizer._get_variable_index(variable)]
