"""Learning-rate schedules: pure functions of epoch time, without TensorFlow or Keras."""

from __future__ import annotations

from lrtune.schedules.base import Schedule
from lrtune.schedules.constant import Constant
from lrtune.schedules.exponential import ExponentialDecay
from lrtune.schedules.ranges import Range
from lrtune.schedules.registry import get, names, register
from lrtune.schedules.step import StepDecay
from lrtune.schedules.time import TimeDecay

__all__ = [
    "Constant",
    "ExponentialDecay",
    "Range",
    "Schedule",
    "StepDecay",
    "TimeDecay",
    "get",
    "names",
    "register",
]
