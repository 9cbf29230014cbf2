"""Schedules of every family to test with: odd ones, sane ones and one fixed one."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from lrtune.schedules import (
    Compressed,
    Constant,
    CosineDecay,
    CosineRestarts,
    ExponentialDecay,
    HyperbolicDecay,
    InverseSquareRoot,
    LinearDecay,
    MultiStepDecay,
    OneCycle,
    PiecewiseLinear,
    PolynomialDecay,
    ReduceOnPlateau,
    RexDecay,
    SigmoidDecay,
    SineCycles,
    StepDecay,
    TanhDecay,
    TimeDecay,
    TriangularCycles,
    Warmup,
    WarmupStableDecay,
)

TINY = float(np.finfo(np.float32).tiny)
HUGE = float(np.finfo(np.float32).max)


def _with_others(families, warmups, starts, factors):
    """The strategies of all families, one of any of them after a warmup, and one compressed."""
    warmup = st.builds(Warmup, st.one_of(*families.values()), warmups, starts)
    whole = st.one_of(*families.values(), warmup)
    return families | {"warmup": warmup, "compressed": st.builds(Compressed, whole, factors)}


# Every value of the domains, however odd.
_rates = st.floats(TINY, HUGE)
_shares = st.floats(0, 1)
_fractions = st.floats(0, 1, exclude_min=True)
_proper = st.floats(0, 1, exclude_min=True, exclude_max=True)
_non_negative = st.floats(0, allow_infinity=False)
_positive = st.floats(0, exclude_min=True, allow_infinity=False)
_at_least_one = st.floats(1, allow_infinity=False)
_multiples = st.floats(1, 1e4)
_modes = st.sampled_from(["even", "halving", "exponential"])
_shapes = st.sampled_from(["linear", "sqrt", "cosine"])
_annealing = st.sampled_from(["cosine", "linear"])
_rising = st.lists(_positive, min_size=1, max_size=4, unique=True).map(lambda n: tuple(sorted(n)))
_knots = st.lists(_fractions, min_size=2, max_size=6).map(tuple)
_any_cycle = (_rates, _positive, _at_least_one, _modes, _fractions)

ANY = _with_others(
    {
        "constant": st.builds(Constant, _rates),
        "time": st.builds(
            TimeDecay, _rates, _non_negative, power=_positive, per_step=st.booleans()
        ),
        "step": st.builds(StepDecay, _rates, _fractions, _positive, per_step=st.booleans()),
        "exponential": st.builds(
            ExponentialDecay, _rates, _non_negative, per_step=st.booleans()
        ),
        "multi_step": st.builds(MultiStepDecay, _rates, _rising, _fractions),
        "polynomial": st.builds(PolynomialDecay, _rates, _positive, _positive, _shares),
        "linear": st.builds(LinearDecay, _rates, _positive, _shares),
        "rex": st.builds(RexDecay, _rates, _positive),
        "cosine": st.builds(CosineDecay, _rates, _positive, _shares),
        "cosine_restarts": st.builds(
            CosineRestarts, _rates, _positive, _at_least_one, _fractions, _shares
        ),
        "tanh": st.builds(TanhDecay, _rates, _positive, _positive.map(lambda n: -n), _positive),
        "sigmoid": st.builds(SigmoidDecay, _rates, _positive, _positive, _shares),
        "triangular": st.builds(TriangularCycles, *_any_cycle),
        "sine": st.builds(SineCycles, *_any_cycle),
        "one_cycle": st.builds(
            OneCycle, _rates, _positive, _proper, _at_least_one, _at_least_one, _shares, _annealing
        ),
        "inverse_sqrt": st.builds(InverseSquareRoot, _rates, _positive),
        "warmup_stable_decay": st.builds(
            WarmupStableDecay, _rates, _positive, _shares, _shares, _shapes
        ),
        "piecewise_linear": st.builds(PiecewiseLinear, _rates, _positive, _knots),
        "hyperbolic": st.builds(HyperbolicDecay, _rates, _positive, _at_least_one, _shares),
        "plateau": st.builds(
            ReduceOnPlateau, _rates, _fractions, st.integers(1), _non_negative
        ),
    },
    _non_negative,
    _shares,
    _multiples,
)  # fmt: skip

# Values somebody may train with. Those that decide where a rate jumps are written in decimals, as
# people write them.
_sane_rates = st.floats(1e-4, 1)
_sane_decays = st.floats(0, 3)
_decimals = st.integers(1, 5_000).map(lambda n: n / 100)
_cents = st.integers(0, 100).map(lambda n: n / 100)
_horizons = st.integers(1, 60).map(float)
_sane_boundaries = st.lists(_decimals, min_size=1, max_size=4, unique=True).map(
    lambda n: tuple(sorted(n))
)
_sane_cycle = (
    _sane_rates, _decimals.filter(lambda n: n >= 0.1), st.floats(1, 30), _modes, st.floats(0.5, 1)
)  # fmt: skip

SANE = _with_others(
    {
        "constant": st.builds(Constant, _sane_rates),
        "time": st.builds(
            TimeDecay, _sane_rates, _sane_decays, power=st.sampled_from([1.0, 0.5, 0.7]),
            per_step=st.booleans(),
        ),
        "step": st.builds(
            StepDecay, _sane_rates, st.floats(0.05, 1), _decimals, per_step=st.booleans()
        ),
        "exponential": st.builds(
            ExponentialDecay, _sane_rates, _sane_decays, per_step=st.booleans()
        ),
        "multi_step": st.builds(
            MultiStepDecay, _sane_rates, _sane_boundaries, st.floats(0.03, 1)
        ),
        "polynomial": st.builds(
            PolynomialDecay, _sane_rates, _horizons, st.floats(0.3, 5), _cents
        ),
        "linear": st.builds(LinearDecay, _sane_rates, _horizons, _cents),
        "rex": st.builds(RexDecay, _sane_rates, _horizons),
        "cosine": st.builds(CosineDecay, _sane_rates, _horizons, _cents),
        "cosine_restarts": st.builds(
            CosineRestarts, _sane_rates, _decimals, st.sampled_from([1.0, 1.1, 1.5, 2.0, 3.0]),
            st.floats(0.3, 1), _cents,
        ),
        "tanh": st.builds(
            TanhDecay, _sane_rates, _horizons, st.floats(-8, -1), st.floats(1, 6)
        ),
        "sigmoid": st.builds(SigmoidDecay, _sane_rates, _horizons, st.floats(3, 30), _cents),
        "triangular": st.builds(TriangularCycles, *_sane_cycle),
        "sine": st.builds(SineCycles, *_sane_cycle),
        "one_cycle": st.builds(
            OneCycle, _sane_rates, _horizons, st.integers(1, 99).map(lambda n: n / 100),
            st.floats(1, 30), st.floats(1, 1e4), _cents, _annealing,
        ),
        "inverse_sqrt": st.builds(InverseSquareRoot, _sane_rates, _decimals),
        "warmup_stable_decay": st.builds(
            WarmupStableDecay, _sane_rates, _horizons, _cents, _cents, _shapes
        ),
        "piecewise_linear": st.builds(
            PiecewiseLinear, _sane_rates, _horizons,
            st.lists(st.floats(0.01, 1), min_size=2, max_size=6).map(tuple),
        ),
        "hyperbolic": st.builds(
            HyperbolicDecay, _sane_rates, _horizons, st.floats(1, 9), _cents
        ),
        "plateau": st.builds(ReduceOnPlateau, _sane_rates, st.floats(0.1, 1), st.integers(1, 9)),
    },
    st.integers(0, 500).map(lambda n: n / 100),
    _cents,
    st.sampled_from([1.0, 27 / 17, 3.0, 9.0]),
)  # fmt: skip

SAMPLE = {
    "constant": Constant(0.1),
    "time": TimeDecay(0.1, 0.3),
    "step": StepDecay(0.1, 0.5, 10),
    "exponential": ExponentialDecay(0.1, 0.1),
    "multi_step": MultiStepDecay(0.1, (25, 37.5), 0.1),
    "polynomial": PolynomialDecay(0.1, 50, 2.0, 0.01),
    "linear": LinearDecay(0.1, 50),
    "rex": RexDecay(0.1, 50),
    "cosine": CosineDecay(0.1, 50),
    "cosine_restarts": CosineRestarts(0.1, 7, 2.0, 0.7),
    "tanh": TanhDecay(0.1, 50),
    "sigmoid": SigmoidDecay(0.1, 50),
    "triangular": TriangularCycles(0.1, 4, mode="exponential", gamma=0.95),
    "sine": SineCycles(0.1, 4, mode="halving"),
    "one_cycle": OneCycle(0.1, 50),
    "inverse_sqrt": InverseSquareRoot(0.1, 2.5),
    "warmup_stable_decay": WarmupStableDecay(0.1, 50, shape="sqrt"),
    "piecewise_linear": PiecewiseLinear(0.1, 50, (0.1, 1.0, 0.5, 0.01)),
    "hyperbolic": HyperbolicDecay(0.1, 50),
    "plateau": ReduceOnPlateau(0.1, 0.3, 5),
    "warmup": Warmup(CosineDecay(0.1, 45), 5, 0.1),
    "compressed": Compressed(OneCycle(0.1, 50), 3),
}
"""Warmup and compression included, which are no families of their own."""
