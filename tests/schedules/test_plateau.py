"""Reduce on plateau: what the losses do to the rate."""

from __future__ import annotations

import math

import numpy as np
import pytest

from lrtune.schedules import Constant, ReduceOnPlateau


def factors(losses, **parameters):
    """The factor after each epoch."""
    schedule = ReduceOnPlateau(0.1, **{"factor": 0.5, "patience": 2, "min_delta": 0} | parameters)
    return [schedule.feedback(losses[:epochs]) for epochs in range(1, len(losses) + 1)]


def test_before_the_first_loss_the_rate_is_lr0():
    schedule = ReduceOnPlateau(0.1, 0.5, 2)
    assert schedule.feedback([]) == 1
    assert set(schedule.table(50, 7)) == {np.float32(0.1)}


def test_each_patience_without_a_lower_loss_reduces_the_rate_once():
    assert factors([1, 1, 1, 1, 1, 1]) == [1, 1, 0.5, 0.5, 0.25, 0.25]
    assert factors([1, 2, 3], patience=1) == [1, 0.5, 0.25]
    assert factors([1, 1, 1, 1], patience=10) == [1, 1, 1, 1]


def test_a_lower_loss_starts_the_patience_anew():
    assert factors([1, 1, 0.9, 0.9, 0.8, 0.8, 0.8]) == [1, 1, 1, 1, 1, 1, 0.5]
    # The best of all epochs counts, not the last one.
    assert factors([1, 3, 2, 1.5, 1.2]) == [1, 1, 0.5, 0.5, 0.25]


def test_a_loss_that_is_lower_by_min_delta_or_less_does_not_count():
    assert factors([1, 0.75, 0.5], min_delta=0.25, patience=1) == [1, 0.5, 0.5]
    assert factors([1, 0.7, 0.4], min_delta=0.25, patience=1) == [1, 1, 1]


@pytest.mark.parametrize("loss", [math.nan, math.inf])
def test_a_loss_that_is_no_number_is_no_progress(loss):
    assert factors([1, loss, loss, 0.5]) == [1, 1, 0.5, 0.5]
    assert factors([loss, loss, 1, 1]) == [1, 0.5, 0.5, 0.5]


def test_a_reduction_is_never_forgotten():
    falling = factors([1, 1, 1, *[1 / n for n in range(2, 20)]])
    assert set(falling[2:]) == {0.5}


def test_very_many_reductions_end_at_0():
    assert ReduceOnPlateau(0.1, 0.1, 1).feedback([1.0] * 400) == 0


def test_other_schedules_do_not_listen():
    assert Constant(0.1).feedback([1, 1, 1, 1]) == 1
    assert not Constant(0.1).closed_loop
