"""The search space: the hyperparameters that a schedule search tries.

They are `schedule`, `lr0`, `momentum` and `family.parameter` for a family's own parameters
(`step.drop`), which exist only in the trials of that family. `Recipe.from_values` reads them back.
"""

from __future__ import annotations

from inspect import signature
from typing import TYPE_CHECKING, Any

from lrtune._util import checks
from lrtune.errors import ArgumentError
from lrtune.schedules import Range, Schedule, get

if TYPE_CHECKING:
    from collections.abc import Sequence

# For SGD on small CNNs. Momentum m multiplies the steady-state step by 1 / (1 - m), so larger rates
# are stable without it.
LR0_LOW, LR0_HIGH, LR0_HIGH_WITHOUT_MOMENTUM, LR0_DEFAULT = 1e-3, 0.3, 0.5, 0.1
MOMENTUM_LOW, MOMENTUM_HIGH, MOMENTUM_DEFAULT = 0.01, 0.99, 0.5


def declare(hp: Any, families: Sequence[str], epochs: int, momentum: float | None = None) -> None:
    """Declares all hyperparameters of a schedule search.

    Args:
        hp: keras_tuner.HyperParameters, which is changed.
        families: names of schedule families, at least one, each once; the first is the default.
        epochs: int >= 1, the horizon: ranges of parameters that count epochs scale with it.
        momentum: float >= 0 and < 1 for a fixed momentum; None to search 0.01 to 0.99, evenly in
            the logarithm of 1 - momentum.
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
        # uniform. Here low + high = 1, so 1 - momentum is exactly log-uniform.
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


def _declare_own(hp: Any, classes: list[type[Schedule]], epochs: int) -> None:
    known = len(hp.inactive_scopes)
    for family in classes:
        if not family.ranges:
            continue  # Keras Tuner would build a model to explore an empty scope
        with hp.conditional_scope("schedule", [family.name]):
            for own in family.ranges:
                _declare_range(hp, f"{family.name}.{own.parameter}", own, epochs)
    # NOTE: a tuner takes the parameters of an inactive scope for unknown and builds models until
    # each scope was active: n (n - 1) / 2 builds for n families with parameters (Keras Tuner 1.4.8
    # lists a scope again with every build). All of ours are declared by now.
    del hp.inactive_scopes[known:]


def _declare_range(hp: Any, name: str, own: Range, epochs: int) -> None:
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
    parameters = signature(family).parameters.values()
    needed = [one.name for one in parameters if one.default is one.empty]
    if without := [own for own in needed if own not in ranged]:
        raise ArgumentError(
            f"The schedule family {name!r} cannot be searched: its class must declare a Range for "
            f"each parameter in `ranges`. Missing: {', '.join(without)}."
        )
    return family
