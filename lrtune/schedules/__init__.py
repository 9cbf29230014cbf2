"""Learning-rate schedules: pure functions of epoch time, without TensorFlow or Keras."""

from __future__ import annotations

from lrtune.schedules.base import Schedule
from lrtune.schedules.compressed import Compressed
from lrtune.schedules.constant import Constant
from lrtune.schedules.cosine import CosineDecay
from lrtune.schedules.cosine_restarts import CosineRestarts
from lrtune.schedules.exponential import ExponentialDecay
from lrtune.schedules.hyperbolic import HyperbolicDecay
from lrtune.schedules.inverse_sqrt import InverseSquareRoot
from lrtune.schedules.linear import LinearDecay
from lrtune.schedules.multi_step import MultiStepDecay
from lrtune.schedules.one_cycle import OneCycle
from lrtune.schedules.piecewise_linear import PiecewiseLinear
from lrtune.schedules.plateau import ReduceOnPlateau
from lrtune.schedules.polynomial import PolynomialDecay
from lrtune.schedules.ranges import Choice, Range
from lrtune.schedules.registry import get, names, register
from lrtune.schedules.rex import RexDecay
from lrtune.schedules.sigmoid import SigmoidDecay
from lrtune.schedules.sine import SineCycles
from lrtune.schedules.step import StepDecay
from lrtune.schedules.tanh import TanhDecay
from lrtune.schedules.time import TimeDecay
from lrtune.schedules.triangular import TriangularCycles
from lrtune.schedules.warmup import Warmup
from lrtune.schedules.warmup_stable_decay import WarmupStableDecay

__all__ = [
    "Choice",
    "Compressed",
    "Constant",
    "CosineDecay",
    "CosineRestarts",
    "ExponentialDecay",
    "HyperbolicDecay",
    "InverseSquareRoot",
    "LinearDecay",
    "MultiStepDecay",
    "OneCycle",
    "PiecewiseLinear",
    "PolynomialDecay",
    "Range",
    "ReduceOnPlateau",
    "RexDecay",
    "Schedule",
    "SigmoidDecay",
    "SineCycles",
    "StepDecay",
    "TanhDecay",
    "TimeDecay",
    "TriangularCycles",
    "Warmup",
    "WarmupStableDecay",
    "get",
    "names",
    "register",
]
