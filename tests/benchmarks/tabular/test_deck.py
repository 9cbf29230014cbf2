"""Snapping: a proposal trains the nearest schedule of the table that is left."""

from __future__ import annotations

import numpy as np
import pytest
from tabular.deck import Cube, Deck, Pair

from tests.benchmarks.tabular.small_table import constant, space, step


def test_the_nearest_rate_is_so_on_the_logarithmic_scale(deck):
    # .04 lies .03 from .01 and .06 from .1, but their ratios are 4 and 2.5.
    assert deck.deal("0", constant(0.04))["lr0"] == 0.1


def test_the_nearest_schedule_counts_all_hyperparameters_of_its_family():
    schedules = {
        0: constant(0.1),
        # lr0 from .001 to .3 on a logarithmic scale: .1 is at .807, .03 at .596;
        1: step(0.03, 0.2),
        # drop from .1 to .8 on a logarithmic scale: .2 is at 1/3, .4 at 2/3.
        2: step(0.1, 0.4),
    }
    cube = Cube(space("constant", "step").space, schedules)

    # .211 from schedule 1, .333 from schedule 2; the constant is of another family.
    assert list(cube.nearest(step(0.1, 0.2))) == [1, 2, 0]
    assert cube.distance(step(0.1, 0.2), schedules[2], ["step.drop"]) == pytest.approx(1 / 3)


def test_two_values_of_a_choice_are_one_apart():
    cube = Cube(space("warmup_stable_decay").space, {})
    a, b = ({"warmup_stable_decay.shape": one} for one in ("linear", "cosine"))

    assert cube.distance(a, b, list(a)) == 1
    assert cube.distance(a, a, list(a)) == 0


def test_each_seed_of_a_schedule_is_dealt_once_then_the_next_schedule(deck):
    proposals = [constant(0.1)] * 6
    rates = [deck.deal(str(n), one)["lr0"] for n, one in enumerate(proposals)]

    # From .1, on the logarithmic scale: .1, then .2 (ratio 2), then .01 (ratio 10).
    assert rates == [0.1, 0.1, 0.2, 0.2, 0.01, 0.01]
    assert {deck.pair("0"), deck.pair("1")} == {Pair(2, 1), Pair(2, 2)}
    assert deck.unused(2) == []
    assert deck.unused(0) == [1, 2]


def test_a_family_that_is_used_up_lends_from_others_and_says_so():
    schedules = {0: constant(0.1), 1: step(0.1, 0.2), 2: step(0.001, 0.2)}
    deck = Deck(Cube(space("constant", "step").space, schedules), (1,), np.random.default_rng(0))

    dealt = [deck.deal(str(n), constant(0.1)) for n in range(3)]
    assert [one["lr0"] for one in dealt] == [0.1, 0.1, 0.001]
    assert deck.misfits == 2
    with pytest.raises(LookupError, match="every training of the table is used up"):
        deck.deal("3", constant(0.1))
