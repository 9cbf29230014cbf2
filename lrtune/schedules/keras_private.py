"""All private names of Keras that lrtune uses; a test looks for each of them in Keras."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    import keras

SEEN_IN = "3.15"
"""The latest version of Keras in which these private names were seen."""

PRIVATE = ("_iterations", "_learning_rate")
"""Of `keras.optimizers.Optimizer`."""

OF_MODELS = ("_compile_config", "_compile_loss")
"""Of a compiled `keras.Model`."""

OF_METRICS = ("_fn", "_fn_kwargs")
"""Of `keras.metrics.MeanMetricWrapper`."""

OF_LOSSES = ("_flat_losses",)
"""Of a compiled model's `_compile_loss`, once it is built."""


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


def averaged_by(metric: Any) -> Callable[..., Any] | None:
    """The function of labels and predictions that a metric averages; None for any other metric."""
    function = getattr(metric, "_fn", None)
    return None if function is None else partial(function, **metric._fn_kwargs)


def compiled_loss(model: keras.Model) -> Any:
    """The `keras.losses.Loss` that a model was compiled with; None if there is not exactly one.

    Args:
        model: keras.Model that was trained or evaluated.
    """
    found: list[Any] = getattr(getattr(model, "_compile_loss", None), "_flat_losses", None) or []
    return found[0].loss if len(found) == 1 else None
