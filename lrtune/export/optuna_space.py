"""A run's search space in Optuna's terms."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

from lrtune.export.space import configs, plain_value

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from lrtune.export.space import Value

Distribution = CategoricalDistribution | FloatDistribution | IntDistribution


def distributions(
    space: Iterable[Mapping[str, Any]], trials: Iterable[Mapping[str, Value]]
) -> dict[str, Distribution]:
    """The parameters of a study by name, in the order of the space.

    Args:
        space: `Manifest.space`; what cannot be understood is left out.
        trials: the values of each. A range is widened to hold them: a run folder can be edited,
            and drawing on log scale may round a bound's last digit up.
    """
    known: dict[str, Distribution] = {}
    for name, class_name, config in configs(space):
        try:
            new = _distribution(class_name, config)
        except (LookupError, TypeError, ValueError, OverflowError):
            continue
        # Keras Tuner allows a name once in every scope, Optuna once in a study.
        before = known.setdefault(name, new)
        if type(before) is type(new):
            known[name] = _covering(
                before,
                new.choices if isinstance(new, CategoricalDistribution) else (new.low, new.high),
            )
    for values in trials:
        for name, value in values.items():
            if name in known and fits(known[name], value):
                known[name] = _covering(known[name], [value])
    return known


def fits(distribution: Distribution, value: Value) -> bool:
    """Whether a value is of the type that a distribution draws."""
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
    # A step on log scale multiplies, which Optuna does not know.
    step = int(config.get("step") or 1) if config.get("sampling") == "linear" else 1
    return IntDistribution(low, high, log=log, step=step if (high - low) % step == 0 else 1)


def _covering(known: Distribution, values: Sequence[Any]) -> Distribution:
    """The distribution, made wide enough for these values."""
    if isinstance(known, CategoricalDistribution):
        return CategoricalDistribution(list(dict.fromkeys((*known.choices, *values))))
    low, high = min(known.low, *values), max(known.high, *values)
    log = known.log and low > 0
    if isinstance(known, FloatDistribution):
        return FloatDistribution(low, high, log=log)
    whole = all((value - low) % known.step == 0 for value in (known.low, known.high, *values))
    return IntDistribution(int(low), int(high), log=log, step=known.step if whole else 1)
