"""The curve of a schedule as numbers."""

from __future__ import annotations

import math

import numpy as np
import pytest

from lrtune.errors import ArgumentError
from lrtune.schedules import names
from lrtune.schedules.features import (
    FLOOR,
    FRACTIONS,
    curve_features,
    effective_rates,
    summary_features,
)
from lrtune.schedules.recipe import Recipe
from lrtune.schedules.space import Space

EPOCHS = 20


def recipe(family, lr0=0.1, momentum=0.0, **parameters):
    own = {f"{family.removeprefix('warmup+')}.{name}": one for name, one in parameters.items()}
    return Recipe.from_values({"schedule": family, "lr0": lr0, "momentum": momentum, **own})


def with_warmup(family, length, **parameters):
    more = recipe(f"warmup+{family}", **parameters).values
    return Recipe.from_values({**more, "warmup.epochs": length, "warmup.start": 0.0})


def summary(one, horizon=EPOCHS):
    return summary_features(effective_rates([one], horizon))[0]


def curve(one, horizon=EPOCHS):
    return curve_features(effective_rates([one], horizon))[0]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (recipe("step", drop=1.0, epochs_drop=3), recipe("constant")),
        (recipe("exponential", k=1e-12), recipe("constant")),
        (recipe("time", k=0.0), recipe("constant")),
        (with_warmup("constant", 0.0), recipe("constant")),
        (with_warmup("cosine", 0.0, epochs=20.0, end=0.0), recipe("cosine", epochs=20.0, end=0.0)),
        (
            recipe("linear", epochs=20.0, end=0.0),
            recipe("polynomial", epochs=20.0, power=1.0, end=0.0),
        ),
        (recipe("constant", 0.01, 0.9), recipe("constant", 0.05, 0.5)),  # .01 / .1 = .05 / .5
    ],
    ids=["step", "exponential", "time", "warmup", "warmup of cosine", "polynomial", "momentum"],
)
def test_schedules_with_the_same_rates_have_the_same_features(one, other):
    np.testing.assert_allclose(curve(one), curve(other), atol=1e-9)
    np.testing.assert_allclose(summary(one), summary(other), atol=1e-9)


def test_the_features_of_a_linear_decay_are_those_of_the_integrals():
    mean, fall = summary(recipe("linear", 0.1, 0.5, epochs=20.0, end=0.0))
    # .2 (1 - u): mean .1, mean of the last tenth .05 of the peak
    assert mean == pytest.approx(math.log10(0.1), abs=1e-3)
    assert fall == pytest.approx(math.log10(0.05), abs=0.03)


def test_the_curve_is_the_rate_at_the_fractions():
    expected = [math.log10(0.1 * 10**-u) for u in FRACTIONS]
    found = curve(recipe("exponential", k=math.log(10) / EPOCHS))
    assert found == pytest.approx(expected, abs=0.051)  # held over each epoch: 1/20 of a decade


@pytest.mark.parametrize("horizon", [1, 3, 20, 64, 100])
def test_the_mean_of_a_rate_that_is_held_over_each_epoch_is_exact(horizon):
    one = recipe("step", drop=0.5, epochs_drop=2)
    expected = np.mean([0.1 * 0.5 ** (epoch // 2) for epoch in range(horizon)])
    assert effective_rates([one], horizon).mean() == pytest.approx(expected, rel=1e-12)


def test_the_momentum_of_adam_does_not_lengthen_a_step():
    values = {"schedule": "constant", "lr0": 0.1}
    plain, adam = (Recipe.from_values(values | more) for more in ({}, {"beta_1": 0.9}))
    np.testing.assert_array_equal(effective_rates([plain], 3), effective_rates([adam], 3))


def test_a_momentum_that_moves_makes_the_effective_rate_move_along():
    dipped = recipe("one_cycle", 0.1, 0.9, epochs=20.0, peak=0.5, div=10.0, final=1000.0)
    highest = effective_rates([dipped], EPOCHS).max()
    assert highest == pytest.approx(0.1 / (1 - 0.9 * 0.85 / 0.95), rel=0.01)


def test_rates_that_fall_to_nothing_count_as_the_floor():
    one = recipe("exponential", 0.1, k=50.0)
    assert curve(one)[-1] == pytest.approx(math.log10(0.1 * FLOOR))
    assert summary(one)[1] == pytest.approx(math.log10(FLOOR))


def test_every_family_of_the_space_has_finite_features():
    families = (*names(), *(f"warmup+{name}" for name in names()))
    for horizon in (1, 2, 27):
        space = Space(families, horizon)
        recipes = [Recipe.from_values(space.default(family)) for family in families]
        rates = effective_rates(recipes, horizon)
        assert rates.shape[0] == len(families)
        assert (rates > 0).all()
        assert np.isfinite(curve_features(rates)).all()
        assert np.isfinite(summary_features(rates)).all()


def test_the_largest_and_the_smallest_rates_have_finite_features():
    recipes = [recipe("constant", 3.4e38, 0.999), recipe("exponential", 1.2e-38, k=1e300)]
    rates = effective_rates(recipes, EPOCHS)
    assert np.isfinite(curve_features(rates)).all()
    assert np.isfinite(summary_features(rates)).all()


def test_a_schedule_without_its_parameters_is_refused():
    with pytest.raises(ArgumentError, match=r"^values must hold the hyperparameters of a schedule"):
        effective_rates([recipe("step")], EPOCHS)
