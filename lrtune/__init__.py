"""Which learning-rate schedule should this Keras model train with, and does it beat a constant one?

The names below load on first use (PEP 562), so that `import lrtune`, the schedules and the reports
never wait the 4 to 7 seconds that importing TensorFlow takes.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from lrtune._version import __version__

if TYPE_CHECKING:
    from lrtune import schedules
    from lrtune.cli.confirm import confirm
    from lrtune.model.hypermodel import CatsVsDogsHyperModel, ScheduleHyperModel
    from lrtune.run import load_run
    from lrtune.search.tuners import BayesianOptimization, Hyperband, RandomSearch

_LAZY = {
    "BayesianOptimization": "lrtune.search.tuners",
    "CatsVsDogsHyperModel": "lrtune.model.hypermodel",
    "Hyperband": "lrtune.search.tuners",
    "RandomSearch": "lrtune.search.tuners",
    "ScheduleHyperModel": "lrtune.model.hypermodel",
    "confirm": "lrtune.cli.confirm",
    "load_run": "lrtune.run",
}

__all__ = [
    "BayesianOptimization",
    "CatsVsDogsHyperModel",
    "Hyperband",
    "RandomSearch",
    "ScheduleHyperModel",
    "__version__",
    "confirm",
    "load_run",
    "schedules",
]


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        return getattr(importlib.import_module(_LAZY[name]), name)
    if name == "schedules":
        return importlib.import_module("lrtune.schedules")
    raise AttributeError(f"module 'lrtune' has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
