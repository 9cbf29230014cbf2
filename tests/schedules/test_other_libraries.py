"""Ours against the schedules of torch, timm and Transformers, point by point.

Their rates were written by `tests/data/schedules/make.py`.
"""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest

from lrtune.schedules import (
    Constant,
    CosineDecay,
    CosineRestarts,
    ExponentialDecay,
    InverseSquareRoot,
    LinearDecay,
    MultiStepDecay,
    OneCycle,
    PolynomialDecay,
    ReduceOnPlateau,
    StepDecay,
    TanhDecay,
    TriangularCycles,
    Warmup,
    WarmupStableDecay,
)

STORED = {
    name: json.loads((Path(__file__).parents[1] / "data/schedules" / f"{name}.json").read_text())
    for name in ("torch", "timm", "transformers")
}
PER_EPOCH = 5  # theirs count steps or epochs, as the user likes; here a step is a fifth of an epoch


def theirs(library, case):
    return np.array(STORED[library]["cases"][case]["rates"])


def ours(schedule, steps=60):
    return schedule(np.arange(steps) / PER_EPOCH)


SAME = {
    "torch": {
        "step": StepDecay(0.1, 0.5, 7 / 5, per_step=True),
        "multi_step": MultiStepDecay(0.1, (2, 5, 8), 0.3),
        "exponential": ExponentialDecay(0.1, -5 * math.log(0.9), per_step=True),
        "polynomial": PolynomialDecay(0.1, 10, power=2),
        "linear": LinearDecay(0.1, 10, end=0.1),
        # Within its T_max; afterwards torch's rate rises again.
        "cosine": CosineDecay(0.1, 59 / 5, end=0.1),
        "restarts": CosineRestarts(0.1, 2, 2, end=0.1),
        "even restarts": CosineRestarts(0.1, 7 / 5),
        "triangular": TriangularCycles(0.1, 8 / 5, ratio=5),
        "triangular2": TriangularCycles(0.1, 8 / 5, ratio=5, mode="halving"),
        "exp_range": TriangularCycles(0.1, 8 / 5, ratio=5, mode="exponential", gamma=0.97**5),
        "warmup": Warmup(CosineDecay(0.1, 10), 2, start=0.1),
    },
    "timm": {
        "cosine": CosineDecay(0.1, 10, end=0.1),
        "cosine warmup": Warmup(CosineDecay(0.1, 10), 2, start=0.1),
        "restarts": CosineRestarts(0.1, 8 / 5, 2, peak_decay=0.5),
        "step": StepDecay(0.1, 0.5, 7 / 5, per_step=True),
        "polynomial": PolynomialDecay(0.1, 10, power=0.5, end=0.1),
        "wsd": WarmupStableDecay(0.1, 11, warmup=10 / 55, decay=15 / 55, shape="sqrt"),
    },
    "transformers": {
        "constant": Warmup(Constant(0.1), 2),
        "linear": Warmup(LinearDecay(0.1, 8), 2),
        "polynomial": Warmup(PolynomialDecay(0.1, 8, power=2, end=0.1), 2),
        "inverse_sqrt": InverseSquareRoot(0.1, 2),
        "wsd linear": WarmupStableDecay(0.1, 10, warmup=0.2, decay=0.3, shape="linear"),
        "wsd cosine": WarmupStableDecay(0.1, 10, warmup=0.2, decay=0.3, shape="cosine"),
        "wsd 1-sqrt": WarmupStableDecay(0.1, 10, warmup=0.2, decay=0.3, shape="sqrt"),
    },
}
DIFFERENT = {  # each has a test below, which shows where and says why
    "torch": {"one_cycle", "one_cycle linear", "plateau", "plateau absolute"},
    "timm": {"tanh", "multi_step", "plateau"},
    "transformers": {
        "cosine", "cosine to a minimum", "restarts", "inverse_sqrt timescale"
    },
}  # fmt: skip


@pytest.mark.parametrize("library", STORED)
def test_every_stored_schedule_is_compared(library):
    assert {*SAME[library], *DIFFERENT[library]} == set(STORED[library]["cases"])
    assert STORED[library]["version"][0].isdigit()


@pytest.mark.parametrize(
    ("library", "case"), [(library, case) for library in SAME for case in SAME[library]]
)
def test_ours_has_their_rates(library, case):
    assert ours(SAME[library][case]) == pytest.approx(theirs(library, case), rel=1e-9, abs=1e-15)


@pytest.mark.parametrize(
    ("case", "peak", "annealing"),
    [("one_cycle", 0.3, "cosine"), ("one_cycle linear", 0.4, "linear")],
)
def test_torchs_one_cycle_peaks_and_ends_a_step_earlier(case, peak, annealing):
    # It counts from 0 to total_steps - 1, and its phases end one step before their shares.
    shape = {"div": 10, "final": 10 * 50, "dip": 0.6 / 0.9, "annealing": annealing}
    top, last = round(60 * peak) - 1, 59
    schedule = OneCycle(0.1, last / 5, top / last, **shape)
    assert ours(schedule) == pytest.approx(theirs("torch", case), rel=1e-9)
    assert theirs("torch", case).argmax() == top
    assert ours(OneCycle(0.1, 12, peak, **shape)).argmax() == top + 1
    # Its momentum runs the other way as ours does.
    momentum = STORED["torch"]["cases"][case]["momentum"]
    assert schedule.momentum_table(0.9, 12, 5) == pytest.approx(momentum, rel=1e-6)


def after_each_epoch(schedule, losses):
    return [0.1 * schedule.feedback(losses[:epochs]) for epochs in range(len(losses) + 1)]


def test_torchs_plateau_waits_an_epoch_longer():
    case = STORED["torch"]["cases"]["plateau absolute"]
    assert case["arguments"]["patience"] == 2
    found = after_each_epoch(ReduceOnPlateau(0.1, 0.5, patience=3, min_delta=1e-4), case["losses"])
    assert found == pytest.approx(case["rates"], rel=1e-12)
    assert len(set(found)) > 3
    same_patience = ReduceOnPlateau(0.1, 0.5, patience=2, min_delta=1e-4)
    assert after_each_epoch(same_patience, case["losses"]) != pytest.approx(case["rates"])


@pytest.mark.parametrize("library", ["torch", "timm"])
def test_torchs_and_timms_thresholds_are_shares_of_the_best_loss_by_default(library):
    case = STORED[library]["cases"]["plateau"]
    ours = ReduceOnPlateau(0.1, 0.5, patience=3, min_delta=1e-4)
    # Losses about 20 must fall by .002 and not by .0001, which some of them do not.
    assert after_each_epoch(ours, case["losses"]) != pytest.approx(case["rates"], rel=1e-12)
    scaled = STORED["torch"]["cases"]["plateau"]
    assert case["rates"] == scaled["rates"]


def test_timms_multi_step_drops_an_epoch_early():
    assert ours(MultiStepDecay(0.1, (9 / 5, 24 / 5, 39 / 5), 0.3)) == pytest.approx(
        theirs("timm", "multi_step"), rel=1e-9
    )
    at_its_own_boundaries = ours(MultiStepDecay(0.1, (10 / 5, 25 / 5, 40 / 5), 0.3))
    early = np.flatnonzero(~np.isclose(at_its_own_boundaries, theirs("timm", "multi_step")))
    assert early.tolist() == [9, 24, 39]


def test_timm_leaves_the_first_rate_to_the_optimizer():
    # Until its first call, for epoch 1. Its tanh would begin a little lower, as ours does.
    found, stored = ours(TanhDecay(0.1, 12, lower=-6, upper=3)), theirs("timm", "tanh")
    assert found[1:] == pytest.approx(stored[1:], rel=1e-9)
    assert found[0] < stored[0] == 0.1


@pytest.mark.parametrize(("case", "end"), [("cosine", 0), ("cosine to a minimum", 0.1)])
def test_transformers_cosine_rises_again_after_its_end(case, end):
    found, stored = ours(Warmup(CosineDecay(0.1, 8, end), 2)), theirs("transformers", case)
    assert found[:51] == pytest.approx(stored[:51], rel=1e-9, abs=1e-15)
    assert found[51:] == pytest.approx([0.1 * end] * 9)
    assert (np.diff(stored[50:]) > 0).all()


def test_transformers_restarts_stop_at_the_end():
    # Its number of cycles in the training is fixed; ours goes on.
    found = ours(Warmup(CosineRestarts(0.1, 2), 2))
    stored = theirs("transformers", "restarts")
    assert found[:50] == pytest.approx(stored[:50], rel=1e-9, abs=1e-15)
    assert (found[50], stored[50]) == (0.1, 0)


def test_transformers_inverse_square_root_has_a_timescale_of_its_own():
    # lr0 is its rate after the warmup for any timescale, but it falls more slowly for a long one.
    stored = theirs("transformers", "inverse_sqrt timescale")
    assert ours(InverseSquareRoot(0.1, 2))[:11] == pytest.approx(stored[:11], rel=1e-9)
    falls = [0.1 * math.sqrt(30 / (30 + step)) for step in range(50)]
    assert stored[10:] == pytest.approx(falls, rel=1e-9)
