"""All private names of Keras that lrtune uses; a test looks for each of them in Keras."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import keras

SEEN_IN = "3.15"
"""The latest version of Keras in which these private names were seen."""

PRIVATE = ("_iterations", "_learning_rate")
"""Of `keras.optimizers.Optimizer`."""

OF_MODELS = ("_compile_config",)
"""Of a compiled `keras.Model`."""


def update_count(optimizer: Any) -> keras.Variable:
    """The variable that counts weight updates, with which Keras calls a schedule.

    NOTE: `optimizer.iterations` differs with gradient_accumulation_steps=n: it is a tensor,
    count // n.
    """
    return optimizer._iterations


def rate_of(optimizer: Any) -> Any:
    """What an optimizer was given as its learning rate: `learning_rate` is the present value."""
    return optimizer._learning_rate


def compile_arguments(model: keras.Model) -> dict[str, Any]:
    """The arguments that a model was compiled with: `get_compile_config` has only their names."""
    return dict(model._compile_config.config)


def momentum_slots(optimizer: Any) -> list[keras.Variable]:
    """The variables that SGD and RMSprop have only if their momentum is not 0."""
    slots: list[keras.Variable] = getattr(optimizer, "momentums", None) or optimizer._momentums
    return list(slots)
