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
    from lrtune.confirmation.api import confirm
    from lrtune.data.load import load as load_data
    from lrtune.finder.api import range_test
    from lrtune.model.cnn import cats_vs_dogs_cnn
    from lrtune.model.feedback import Feedback
    from lrtune.model.hypermodel import CatsVsDogsHyperModel, ScheduleHyperModel
    from lrtune.model.settings import move_momentum
    from lrtune.model.start import start_tensorflow
    from lrtune.report.recommendation import Recommendation
    from lrtune.run import Run, load_run
    from lrtune.runner.ray import RayRunner
    from lrtune.schedules.keras import KerasSchedule
    from lrtune.schedules.recipe import Recipe
    from lrtune.search.bayesian import BayesianOptimization
    from lrtune.search.hyperband import Hyperband
    from lrtune.search.random import RandomSearch
    from lrtune.search.shape import ShapeOracle, ShapeSearch

_LAZY = {
    "BayesianOptimization": "lrtune.search.bayesian",
    "CatsVsDogsHyperModel": "lrtune.model.hypermodel",
    "Feedback": "lrtune.model.feedback",
    "Hyperband": "lrtune.search.hyperband",
    "KerasSchedule": "lrtune.schedules.keras",
    "RandomSearch": "lrtune.search.random",
    "RayRunner": "lrtune.runner.ray",
    "Recipe": "lrtune.schedules.recipe",
    "Recommendation": "lrtune.report.recommendation",
    "Run": "lrtune.run",
    "ScheduleHyperModel": "lrtune.model.hypermodel",
    "ShapeOracle": "lrtune.search.shape",
    "ShapeSearch": "lrtune.search.shape",
    "cats_vs_dogs_cnn": "lrtune.model.cnn",
    "confirm": "lrtune.confirmation.api",
    "load_data": "lrtune.data.load",
    "load_run": "lrtune.run",
    "move_momentum": "lrtune.model.settings",
    "range_test": "lrtune.finder.api",
    "start_tensorflow": "lrtune.model.start",
}

__all__ = [
    "BayesianOptimization",
    "CatsVsDogsHyperModel",
    "Feedback",
    "Hyperband",
    "KerasSchedule",
    "RandomSearch",
    "RayRunner",
    "Recipe",
    "Recommendation",
    "Run",
    "ScheduleHyperModel",
    "ShapeOracle",
    "ShapeSearch",
    "__version__",
    "cats_vs_dogs_cnn",
    "confirm",
    "load_data",
    "load_run",
    "move_momentum",
    "range_test",
    "schedules",
    "start_tensorflow",
]


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        module = importlib.import_module(_LAZY[name])
        return getattr(module, "load" if name == "load_data" else name)
    if name == "schedules":
        return importlib.import_module("lrtune.schedules")
    raise AttributeError(f"module 'lrtune' has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
