"""The definitions of all families again, at an exact time, to compare ours with.

By hand, in rational numbers as far as they go, and otherwise with Python's own functions.
"""

from __future__ import annotations

import math
from fractions import Fraction


def exactly(number):
    """The decimal number that a float stands for."""
    return Fraction(repr(float(number)))


def definition(schedule, t):
    """The rate of a schedule at an exact time.

    Args:
        schedule: of any family.
        t: Fraction >= 0, in epochs.
    """
    if schedule.name == "compressed":
        return definition(schedule.then, t * exactly(schedule.factor))
    if schedule.name == "warmup":
        warmup = exactly(schedule.epochs)
        if t >= warmup:
            return definition(schedule.then, t - warmup)
        start = exactly(schedule.start)
        return definition(schedule.then, Fraction(0)) * float(start + (1 - start) * t / warmup)
    return _DEFINITIONS[schedule.name](
        schedule, t if schedule.per_step else Fraction(math.floor(t))
    )


def _passed(schedule, t):
    """The share of the horizon that has passed, at most 1."""
    return min(t / exactly(schedule.epochs), Fraction(1))


def _between(schedule, height):
    """From lr0, at height 1, to `lr0 end`, at height 0."""
    return schedule.lr0 * (schedule.end + (1 - schedule.end) * height)


def _half_cosine(x):
    """From 1 at 0 to 0 at 1."""
    return (1 + math.cos(math.pi * x)) / 2


def _rex(s, t):
    left = 1 - _passed(s, t)
    return s.lr0 * float(left / (Fraction(1, 2) + left / 2))


def _cosine_restarts(s, t):
    start, length, peak = Fraction(0), exactly(s.first_cycle), 1.0
    while t >= start + length:
        start, length, peak = start + length, length * exactly(s.multiplier), peak * s.peak_decay
    return peak * _between(s, _half_cosine((t - start) / length))


def _hyperbolic(s, t):
    horizon = exactly(s.epochs)
    upper = exactly(s.stretch) * horizon

    def height(n):
        return math.sqrt((horizon - n) / upper * (2 - (horizon + n) / upper))

    fallen = height(Fraction(0)) - height(min(t, horizon))
    return s.lr0 + (s.lr0 - s.lr0 * s.end) * -fallen


def _cycles(s, t, wave):
    number = 1 + t // (2 * exactly(s.half_cycle))
    height = {"even": 1.0, "halving": 2.0 ** (1 - number), "exponential": s.gamma ** float(t)}
    lowest = s.lr0 / s.ratio
    return lowest + (s.lr0 - lowest) * height[s.mode] * wave(t / exactly(s.half_cycle), number)


def _one_cycle(s, t):
    u, peak = _passed(s, t), exactly(s.peak)
    x = float(u / peak if u < peak else (u - peak) / (1 - peak))
    begin, end = (1 / s.div, 1.0) if u < peak else (1.0, 1 / s.final)
    moved = x if s.annealing == "linear" else 1 - _half_cosine(x)
    return s.lr0 * (begin + (end - begin) * moved)


def _warmup_stable_decay(s, t):
    u, warmup = _passed(s, t), exactly(s.warmup)
    begin = max(warmup, 1 - exactly(s.decay))
    if u < warmup:
        return s.lr0 * float(u / warmup)
    if u <= begin:
        return s.lr0
    x = float((u - begin) / (1 - begin))
    return s.lr0 * {"linear": 1 - x, "sqrt": 1 - math.sqrt(x), "cosine": _half_cosine(x)}[s.shape]


def _piecewise_linear(s, t):
    place = _passed(s, t) * (len(s.knots) - 1)
    left = min(math.floor(place), len(s.knots) - 2)
    weight = float(place - left)
    return s.lr0 * s.knots[left] ** (1 - weight) * s.knots[left + 1] ** weight


_DEFINITIONS = {
    "constant": lambda s, t: s.lr0,
    "time": lambda s, t: s.lr0 / float(1 + exactly(s.k) * t) ** s.power,
    "step": lambda s, t: s.lr0 * s.drop ** (t // exactly(s.epochs_drop)),
    "exponential": lambda s, t: s.lr0 * math.exp(-exactly(s.k) * t),
    "multi_step": lambda s, t: s.lr0 * s.gamma ** sum(exactly(b) <= t for b in s.boundaries),
    "polynomial": lambda s, t: _between(s, float(1 - _passed(s, t)) ** s.power),
    "linear": lambda s, t: _between(s, float(1 - _passed(s, t))),
    "rex": _rex,
    "cosine": lambda s, t: _between(s, _half_cosine(_passed(s, t))),
    "cosine_restarts": _cosine_restarts,
    "tanh": lambda s, t: s.lr0 / 2 * (
        1 - math.tanh(exactly(s.lower) * (1 - _passed(s, t)) + exactly(s.upper) * _passed(s, t))
    ),
    "sigmoid": lambda s, t: s.lr0 / (
        1 + math.exp(exactly(s.steepness) * (_passed(s, t) - exactly(s.center)))
    ),
    "triangular": lambda s, t: _cycles(s, t, lambda n, c: float(1 - abs(n - 2 * c + 1))),
    "sine": lambda s, t: _cycles(s, t, lambda n, c: abs(math.sin(math.pi * n / 2))),
    "one_cycle": _one_cycle,
    "inverse_sqrt": lambda s, t: s.lr0 * (
        float(t / exactly(s.warmup)) if t < exactly(s.warmup)
        else math.sqrt(exactly(s.warmup) / t)
    ),
    "warmup_stable_decay": _warmup_stable_decay,
    "piecewise_linear": _piecewise_linear,
    "hyperbolic": _hyperbolic,
    "plateau": lambda s, t: s.lr0,
}  # fmt: skip
