"""How a model is compiled: by the hypermodel, or by the user, whose optimizer is then kept."""

from __future__ import annotations

import inspect
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import keras

from lrtune.errors import ArgumentError
from lrtune.model.cnn import CrossEntropy, loss_name
from lrtune.schedules.keras import inner_optimizer
from lrtune.schedules.keras_private import rate_of
from lrtune.schedules.optimizers import OPTIMIZERS, OWN, OptimizerKind

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


@dataclass(frozen=True)
class Compilation:
    """What `keras.Model.compile` gets besides the optimizer.

    Attributes:
        loss: as `compile` takes it. None means cross-entropy, for one-hot labels or class indices,
            or no loss for a model with a `train_step` or `compute_loss` of its own.
        metrics: as `compile` takes them. None means the accuracy where the loss is a cross-entropy,
            else none.
        loss_weights, weighted_metrics: as `compile` takes them.
    """

    loss: Any = None
    metrics: Any = None
    loss_weights: Any = None
    weighted_metrics: Any = None

    def __post_init__(self) -> None:
        _check_names("loss", self.loss, keras.losses.get, "mse")
        for name in ("metrics", "weighted_metrics"):
            _check_names(name, getattr(self, name), _metric, "mae")

    def loss_of(self, model: keras.Model) -> Any:
        """The loss for a model."""
        return CrossEntropy() if self.loss is None and not _has_own_loss(model) else self.loss

    def in_keras(self, model: keras.Model, *, one_hot: bool) -> Compilation:
        """The same without a class of lrtune's: Keras' own cross-entropy for such labels."""
        ours = isinstance(self.loss_of(model), CrossEntropy)
        return replace(self, loss=loss_name(one_hot=one_hot)) if ours else self

    def apply(self, model: keras.Model, optimizer: Any) -> None:
        """Compiles a model."""
        loss = self.loss_of(model)
        metrics = ["accuracy"] if self.metrics is None and _is_crossentropy(loss) else self.metrics
        model.compile(
            optimizer=optimizer,
            loss=loss,
            metrics=metrics,
            loss_weights=self.loss_weights,
            weighted_metrics=self.weighted_metrics,
            # "auto" chooses XLA on accelerators only, and runs on different machines would not be
            # comparable. On a CPU XLA makes a small CNN several times slower.
            jit_compile=False,
        )


def _check_names(argument: str, value: Any, get: Callable[[str], Any], example: str) -> None:
    """Raises ArgumentError if a text in a nest is not the name of something in Keras."""
    for name in keras.tree.flatten(value):
        if isinstance(name, str):
            try:
                get(name)
            except ValueError as error:
                raise ArgumentError(
                    f"{argument} must be known to Keras, like {example!r}. Received: {name!r}."
                ) from error


def _metric(name: str) -> Any:
    # These are not names of their own: which function they mean depends on the labels.
    return name in ("accuracy", "acc", "crossentropy", "ce") or keras.metrics.get(name)


def _has_own_loss(model: keras.Model) -> bool:
    kind = type(model)
    return any(
        getattr(kind, name, None) is not getattr(keras.Model, name)
        for name in ("train_step", "compute_loss")
    )


def _is_crossentropy(loss: Any) -> bool:
    name = loss if isinstance(loss, str) else getattr(loss, "name", getattr(loss, "__name__", ""))
    return str(name).replace("_", "").lower().endswith("crossentropy")


def optimizer_of(model: keras.Model) -> Any:
    """The optimizer of a compiled model, the one that has the rate.

    Raises:
        ArgumentError: it has none.
    """
    optimizer = getattr(model, "optimizer", None)
    if optimizer is None:
        raise ArgumentError(
            "build_model must return a keras.Model that is uncompiled, or compiled with an "
            f"optimizer. Received: {model!r}, compiled without one."
        )
    return inner_optimizer(optimizer)


def build_optimizer(model: keras.Model) -> None:
    """Makes the variables of a built model's optimizer, if it has one and they are not there yet.

    NOTE: Keras' LossScaleOptimizer makes its own again each time that its `build` is called.
    """
    optimizer = model.optimizer
    if optimizer is not None and not optimizer.built:
        optimizer.build(model.trainable_variables)


def kind_of(optimizer: Any) -> OptimizerKind:
    """What a search knows of an optimizer that the user compiled a model with.

    Its settings are the user's, so only the rate is searched; the rate that the user gave it is an
    arm of the baseline.
    """
    known = {one.keras_name: one for one in OPTIMIZERS.values()}
    kind = known.get(type(optimizer).__name__, replace(OWN, name=type(optimizer).__name__))
    rate = rate_of(optimizer)
    rates = () if callable(rate) else (float(f"{float(rate):.6g}"),)
    own = replace(kind, searched=(), on_request=(), plain_rates=rates, plain={})
    return replace(own, first_rate=rates[0]) if rates and _within(rates[0], own.lr0) else own


def _within(rate: float, bounds: tuple[float, float]) -> bool:
    return bounds[0] <= rate <= bounds[1]


def settings_of(optimizer: Any) -> dict[str, Any]:
    """An optimizer's arguments that are not its defaults, as values that JSON can hold.

    The rate and the name are left out.
    """
    config: Mapping[str, Any] = optimizer.get_config()
    parameters = inspect.signature(type(optimizer)).parameters
    usual = {name: one.default for name, one in parameters.items()}
    plain = (bool, int, float, str, type(None))
    return {
        name: value if isinstance(value, plain) else repr(value)
        for name, value in config.items()
        if name not in ("name", "learning_rate") and value != usual.get(name)
    }
