"""The search space: declares on an `hp` what a schedule search tries.

The hyperparameters are `schedule`, `lr0`, `momentum`, and `family.parameter` for what a family has
of its own (`step.drop`), which exist only in the trials of that family. `Recipe.from_values` is the
way back.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from lrtune._util import checks
from lrtune.errors import ArgumentError
from lrtune.schedules import Range, Schedule, get
from lrtune.schedules.base import required

if TYPE_CHECKING:
    from collections.abc import Sequence
    from contextlib import AbstractContextManager

# For SGD on small CNNs. Momentum m multiplies the steady-state step by 1 / (1 - m), so that without
# momentum a larger rate is still stable.
LR0_LOW, LR0_HIGH, LR0_HIGH_WITHOUT_MOMENTUM, LR0_DEFAULT = 1e-3, 0.3, 0.5, 0.1
MOMENTUM_LOW, MOMENTUM_HIGH, MOMENTUM_DEFAULT = 0.01, 0.99, 0.5


class HyperParameters(Protocol):
    """What `declare` uses of keras_tuner.HyperParameters, which this module must not import."""

    inactive_scopes: list[Any]

    def Choice(self, name: str, values: list[str]) -> Any:  # noqa: N802 - Keras Tuner's name
        """Declare one of several values; return the current one."""

    def Fixed(self, name: str, value: float) -> Any:  # noqa: N802 - Keras Tuner's name
        """Declare a value that is not searched."""

    def Int(  # noqa: N802 - Keras Tuner's name
        self, name: str, min_value: int, max_value: int, *, sampling: str, default: int
    ) -> Any:
        """Declare a whole number, both bounds included."""

    def Float(  # noqa: N802 - Keras Tuner's name
        self, name: str, min_value: float, max_value: float, *, sampling: str, default: float
    ) -> Any:
        """Declare a float, both bounds included."""

    def conditional_scope(
        self, parent_name: str, parent_values: list[str]
    ) -> AbstractContextManager[None]:
        """Bind what is declared within to values of another hyperparameter."""
        ...


def declare(
    hp: HyperParameters, families: Sequence[str], epochs: int, momentum: float | None = None
) -> None:
    """Declare everything a schedule search tries on `hp`, in one call.

    Args:
        hp: keras_tuner.HyperParameters, which is changed.
        families: names of schedule families, at least one, each once; the first is the default.
        epochs: int >= 1, the horizon: ranges of what counts epochs scale with it.
        momentum: float >= 0 and < 1 to fix it; None to search 0.01 to 0.99, with 1 - momentum
            spread evenly over log scale.
    """
    classes = [_searchable(name) for name in _checked(families)]
    epochs = checks.integer("epochs", epochs, at_least=1)
    if momentum is not None:
        momentum = checks.below_one("momentum", momentum)

    hp.Choice("schedule", [family.name for family in classes])
    highest = LR0_HIGH_WITHOUT_MOMENTUM if momentum == 0 else LR0_HIGH
    hp.Float("lr0", LR0_LOW, highest, sampling="log", default=LR0_DEFAULT)
    if momentum is None:
        # NOTE: Keras Tuner's reverse_log value is low + high - low * (high / low)**(1 - p), p
        # uniform; low + high = 1 here, which makes exactly 1 - momentum log-uniform.
        hp.Float(
            "momentum",
            MOMENTUM_LOW,
            MOMENTUM_HIGH,
            sampling="reverse_log",
            default=MOMENTUM_DEFAULT,
        )
    else:
        hp.Fixed("momentum", momentum)
    _declare_own(hp, classes, epochs)


def _declare_own(hp: HyperParameters, classes: list[type[Schedule]], epochs: int) -> None:
    known = len(hp.inactive_scopes)
    for family in classes:
        if not family.ranges:
            continue  # an empty scope would have Keras Tuner build a model to look into it
        with hp.conditional_scope("schedule", [family.name]):
            for own in family.ranges:
                _declare_range(hp, f"{family.name}.{own.parameter}", own, epochs)
    # NOTE: to a tuner an inactive scope is one whose parameters it has not seen yet, and it builds
    # models until each was active: n (n - 1) / 2 builds for n families with parameters (Keras
    # Tuner 1.4.8 lists a scope again with every build). Ours are all declared by now.
    del hp.inactive_scopes[known:]


def _declare_range(hp: HyperParameters, name: str, own: Range, epochs: int) -> None:
    low, high, default = own.bounds(epochs)
    if own.kind == "int":
        hp.Int(name, int(low), int(high), sampling=own.sampling, default=int(default))
    else:
        hp.Float(name, low, high, sampling=own.sampling, default=default)


def _checked(families: Sequence[str]) -> list[str]:
    names = [] if isinstance(families, str) else list(families)
    if not names or len(set(names)) < len(names):
        raise ArgumentError(
            "families must be a list of at least one schedule family, each once. "
            f"Received: families={families!r}."
        )
    return names


def _searchable(name: str) -> type[Schedule]:
    family = get(name)
    ranged = {"lr0"} | {own.parameter for own in family.ranges}
    if without := [parameter for parameter in required(family) if parameter not in ranged]:
        raise ArgumentError(
            f"The schedule family {name!r} cannot be searched: its class must declare a Range for "
            f"each parameter in `ranges`. Missing: {', '.join(without)}."
        )
    return family
