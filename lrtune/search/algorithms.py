"""The search algorithms by name; each is imported when it is used."""

from __future__ import annotations

import pkgutil
from typing import Any, NamedTuple

from lrtune._util import checks


class Entry(NamedTuple):
    """A search algorithm.

    Attributes:
        tuner: module and class of its tuner.
        takes_max_trials: whether the user sets the number of trials; Hyperband plans its own.
    """

    tuner: str
    takes_max_trials: bool = True


ALGORITHMS = {
    "hyperband": Entry("lrtune.search.hyperband:Hyperband", takes_max_trials=False),
    "bayesian": Entry("lrtune.search.bayesian:BayesianOptimization"),
    "shape": Entry("lrtune.search.shape:ShapeSearch"),
    "random": Entry("lrtune.search.random:RandomSearch"),
}


def tuner_of(name: str) -> Any:
    """The tuner class of an algorithm, a `LoopTuner`.

    Raises:
        ArgumentError: no algorithm has this name.
    """
    known = checks.one_of("algo", name, tuple(ALGORITHMS))
    return pkgutil.resolve_name(ALGORITHMS[known].tuner)
