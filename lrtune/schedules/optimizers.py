"""The optimizers that a search knows by name: their rates, and what they add to the space.

Nothing here imports Keras; `lrtune.model.optimizers` makes the optimizers.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from lrtune._util import checks
from lrtune.schedules.ranges import Range

if TYPE_CHECKING:
    from collections.abc import Mapping

# NOTE: Keras Tuner's reverse_log value is low + high - low * (high / low)**(1 - p), p uniform. Here
# low + high = 1, so 1 - momentum is exactly log-uniform.
_MOMENTUM = Range("momentum", lambda _: 0.01, lambda _: 0.99, lambda _: 0.5, "reverse_log")
_BETA_1 = Range("beta_1", lambda _: 0.01, lambda _: 0.99, lambda _: 0.9, "reverse_log")
_WEIGHT_DECAY = Range("weight_decay", lambda _: 1e-5, lambda _: 0.1, lambda _: 4e-3, "log")

DOMAINS = {
    "momentum": checks.below_one,
    "beta_1": checks.below_one,
    "weight_decay": checks.non_negative,
}
"""Which values an optimizer's settings may have."""


MOMENTUM = ("momentum", "beta_1")
"""Settings that a schedule moves whose momentum runs against its rate."""


@dataclass(frozen=True)
class OptimizerKind:
    """An optimizer as far as a search is concerned.

    Attributes:
        name: as `optimizer=` takes it.
        keras_name: of its class in `keras.optimizers`; None for the user's own.
        lr0: what a search tries for the initial rate, low and high.
        first_rate: the initial rate of a search's first trial.
        searched: settings that are always in the space.
        on_request: settings that are in the space if a range or a value is given for them.
        plain_rates: constant rates that people start with, for the baseline.
        plain: settings of the baseline, where its own are not those of a search's first trial.
    """

    name: str
    keras_name: str | None
    lr0: tuple[float, float]
    first_rate: float
    searched: tuple[Range, ...] = ()
    on_request: tuple[Range, ...] = ()
    plain_rates: tuple[float, ...] = ()
    plain: Mapping[str, float] = field(default_factory=dict)


# SGD's range is for small CNNs; see `lrtune.schedules.space` for that without momentum. A step of
# Adam is about as long as its rate, whatever the gradient, and a step of Lion exactly as long:
# Lion's rates are 3 to 10 times smaller (Chen et al., 2023, arXiv 2302.06675).
_ADAM = (1e-5, 3e-2)
OPTIMIZERS: Mapping[str, OptimizerKind] = {
    one.name: one
    for one in (
        OptimizerKind(
            "sgd",
            "SGD",
            (1e-3, 0.3),
            0.1,
            (_MOMENTUM,),
            (_WEIGHT_DECAY,),
            (0.1, 0.01),
            {"momentum": 0.0},
        ),
        OptimizerKind("adam", "Adam", _ADAM, 1e-3, (_BETA_1,), (_WEIGHT_DECAY,), (1e-3, 1e-4)),
        OptimizerKind("adamw", "AdamW", _ADAM, 1e-3, (_BETA_1,), (_WEIGHT_DECAY,), (1e-3, 1e-4)),
        OptimizerKind(
            "rmsprop", "RMSprop", _ADAM, 1e-3, (), (_MOMENTUM, _WEIGHT_DECAY), (1e-3, 1e-4)
        ),
        OptimizerKind(
            "lion", "Lion", (3e-6, 1e-2), 3e-4, (_BETA_1,), (_WEIGHT_DECAY,), (3e-4, 3e-5)
        ),
    )
}

OWN = OptimizerKind("own", None, (1e-5, 1.0), 1e-2)
"""An optimizer that the user's function makes: nothing is known of it but that it has a rate."""
