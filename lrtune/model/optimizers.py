"""Makes the optimizer of a training: one of Keras' by name, or what the user's function returns."""

from __future__ import annotations

import inspect
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import keras

from lrtune.errors import ArgumentError
from lrtune.schedules.keras_private import rate_of
from lrtune.schedules.optimizers import OPTIMIZERS, OWN, OptimizerKind

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


@dataclass(frozen=True)
class OptimizerMaker:
    """Makes optimizers: `maker(learning_rate, settings)`.

    Attributes:
        kind: what a search knows of the optimizer.
        make: a function of a learning rate (and of options) that returns a Keras optimizer.
        options: keyword arguments for `make`.
    """

    kind: OptimizerKind
    make: Callable[..., Any]
    options: Mapping[str, Any] = field(default_factory=dict)

    def __call__(self, learning_rate: Any, settings: Mapping[str, Any]) -> Any:
        """An optimizer, unbuilt.

        Args:
            learning_rate: float or keras LearningRateSchedule.
            settings: `momentum`, `beta_1`, `weight_decay`, as far as the search has them.

        Raises:
            ArgumentError: the user's function does not return an optimizer with this rate.
        """
        optimizer = self.make(learning_rate, **self.options, **settings)
        if not isinstance(optimizer, keras.optimizers.Optimizer):
            raise ArgumentError(
                "optimizer must be a function of a learning rate that returns a Keras optimizer. "
                f"It returned {optimizer!r}."
            )
        if rate_of(optimizer) is not learning_rate:
            raise ArgumentError(
                "optimizer must be a function that gives the learning rate that it is called with "
                f"to its optimizer, a new one each time. The rate of {optimizer!r} is another."
            )
        return optimizer


def optimizer_maker(
    optimizer: str | Callable[[Any], Any], options: Mapping[str, Any] | None = None
) -> OptimizerMaker:
    """The maker for an optimizer that a person named or wrote.

    Args:
        optimizer: one of `lrtune.schedules.optimizers.OPTIMIZERS`, or a function of a rate.
        options: more arguments of the named optimizer.

    Raises:
        ArgumentError: an unknown name, or options that the optimizer does not take.
    """
    options = dict(options or {})
    if not isinstance(optimizer, str):
        if not callable(optimizer) or isinstance(optimizer, keras.optimizers.Optimizer):
            raise ArgumentError(
                f"optimizer must be one of {', '.join(OPTIMIZERS)}, or a function that takes a "
                f"learning rate and returns a new Keras optimizer. Received: {optimizer!r}."
            )
        if options:
            raise ArgumentError(
                "optimizer_options are for an optimizer named in text: give them in your function. "
                f"Received: {options!r}."
            )
        return OptimizerMaker(OWN, optimizer)
    if optimizer not in OPTIMIZERS:
        raise ArgumentError(
            f"optimizer must be one of {', '.join(OPTIMIZERS)}, or a function that takes a "
            f"learning rate and returns a Keras optimizer. Received: optimizer={optimizer!r}."
        )
    kind = OPTIMIZERS[optimizer]
    make = getattr(keras.optimizers, str(kind.keras_name))
    known = inspect.signature(make).parameters
    ours = ("learning_rate", "kwargs", *(own.parameter for own in kind.searched))
    for name in options:
        if name not in known or name in ours:
            others = ", ".join(one for one in known if one not in ours)
            instead = f"the options of {kind.keras_name} are {others}"
            if name in ours[2:]:
                instead = "give it in fixed= instead"
            raise ArgumentError(
                f"optimizer_options cannot hold {name!r}: {instead}. Received: {options!r}."
            )
    return OptimizerMaker(kind, make, options)


def name_of(maker: OptimizerMaker) -> tuple[str, dict[str, Any]]:
    """An optimizer as a run records it.

    Returns:
        Its name, or that of the user's function; and its options, as values that JSON can hold.
    """
    if maker.kind is OWN:
        named = (getattr(maker.make, name, "") for name in ("__module__", "__qualname__"))
        return ".".join(filter(None, named)) or type(maker.make).__qualname__, {}
    plain = (bool, int, float, str, type(None))
    options = {k: v if isinstance(v, plain) else repr(v) for k, v in maker.options.items()}
    return maker.kind.name, options
