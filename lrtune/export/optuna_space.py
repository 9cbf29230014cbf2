"""A run's search space in Optuna's terms."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

import msgspec
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

from lrtune.export.space import configs, plain_value

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from lrtune.export.space import Value

Distribution = CategoricalDistribution | FloatDistribution | IntDistribution


def distributions(
    space: Iterable[Mapping[str, Any]], trials: Sequence[Mapping[str, Value]]
) -> dict[str, Distribution]:
    """The parameters of a study by name, in the order of the space.

    Args:
        space: `Manifest.space`; entries that cannot be understood are left out.
        trials: the values of each trial. Ranges are widened to include them: a run folder can be
            edited, and drawing on a log scale may round the last digit of a bound up.
    """
    # Keras Tuner allows a name once in every scope, Optuna once in a study.
    found: dict[str, list[Distribution]] = {}
    for name, class_name, config in configs(space):
        with suppress(LookupError, TypeError, ValueError, OverflowError):
            new = _distribution(class_name, config)
            found.setdefault(name, []).append(new)
    known = {}
    for name, (first, *others) in found.items():
        alike = [value for one in others if type(one) is type(first) for value in _ends(one)]
        tried = [values[name] for values in trials if name in values]
        known[name] = _covering(first, [*alike, *(one for one in tried if fits(first, one))])
    return known


def fits(distribution: Distribution, value: Value) -> bool:
    """Whether a value has the type that a distribution draws."""
    kinds = {FloatDistribution: (int, float), IntDistribution: (int,)}
    return type(value) in kinds.get(type(distribution), (type(value),))


def _distribution(class_name: str, config: Mapping[str, Any]) -> Distribution:
    if class_name == "Fixed":
        return CategoricalDistribution([plain_value(config["value"])])
    if class_name in ("Boolean", "Choice"):
        choices = config["values"] if class_name == "Choice" else (True, False)
        return CategoricalDistribution(list(dict.fromkeys(map(plain_value, choices))))
    kind: Any = {"Float": float, "Int": int}[class_name]
    low, high = (msgspec.convert(config[bound], kind) for bound in ("min_value", "max_value"))
    log = config.get("sampling") == "log"
    if kind is float:
        return FloatDistribution(low, high, log=log)
    # On a log scale a step is a factor; Optuna has no such steps.
    step = int(config.get("step") or 1) if config.get("sampling") == "linear" else 1
    return IntDistribution(low, high, log=log, step=step if (high - low) % step == 0 else 1)


def _ends(known: Distribution) -> Sequence[Any]:
    return known.choices if isinstance(known, CategoricalDistribution) else (known.low, known.high)


def _covering(known: Distribution, values: Iterable[Any]) -> Distribution:
    """The distribution, made wide enough for these values."""
    values = list(dict.fromkeys((*_ends(known), *values)))
    if isinstance(known, CategoricalDistribution):
        return CategoricalDistribution(values)
    low, high = min(values), max(values)
    log = known.log and low > 0
    if isinstance(known, FloatDistribution):
        return FloatDistribution(low, high, log=log)
    whole = all((value - low) % known.step == 0 for value in values)
    return IntDistribution(int(low), int(high), log=log, step=known.step if whole else 1)
