"""Families by name, configs that name them, and families of others."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
import pytest

from lrtune import schedules
from lrtune._util import checks
from lrtune.errors import ArgumentError
from lrtune.schedules import (
    Compressed,
    Constant,
    Range,
    Schedule,
    StepDecay,
    TimeDecay,
    Warmup,
    registry,
)

NAMES = (
    "constant", "cosine", "cosine_restarts", "exponential", "hyperbolic", "inverse_sqrt", "linear",
    "multi_step", "one_cycle", "piecewise_linear", "plateau", "polynomial", "rex", "sigmoid",
    "sine", "step", "tanh", "time", "triangular", "warmup_stable_decay",
)  # fmt: skip


@pytest.fixture
def empty_corner(monkeypatch):
    """A registry whose additions end with the test."""
    monkeypatch.setattr(registry, "_families", dict(registry._families))


def test_names_and_get():
    assert schedules.names() == NAMES
    for name in schedules.names():
        assert schedules.get(name).name == name
    assert schedules.get("step") is StepDecay
    # It goes before another schedule, and saved models must find it.
    assert schedules.get("warmup") is Warmup


@pytest.mark.parametrize(
    ("name", "hint"),
    [("stpe", " Did you mean 'step'?"), ("Exponential", " Did you mean 'exponential'?"),
     ("one_cylce", " Did you mean 'one_cycle'?"), ("qqq", ""), (None, ""), (["step"], "")],
)  # fmt: skip
def test_an_unknown_name_lists_the_choices(name, hint):
    with pytest.raises(ArgumentError) as error:
        schedules.get(name)
    assert str(error.value) == (
        f"Unknown schedule family {name!r}: it must be one of {', '.join(NAMES)}." + hint
    )


@pytest.mark.parametrize(
    ("family", "config", "message"),
    [
        (
            Schedule,
            {"lr0": 0.1},
            (
                "config must name its schedule family under the key 'name': one of "
                f"{', '.join(NAMES)}. Received: config={{'lr0': 0.1}}."
            ),
        ),
        (
            TimeDecay,
            {"name": "step", "lr0": 0.1, "drop": 0.5, "epochs_drop": 10},
            "config must be one of family 'time'. Received: name='step'.",
        ),
        (
            Schedule,
            {"name": "step", "lr0": 0.1, "drop": 0.5},
            (
                "config must hold the parameters of a schedule 'step' (lr0, drop, epochs_drop, "
                "per_step): missing a required argument: 'epochs_drop'. Received: config={'name': "
                "'step', 'lr0': 0.1, 'drop': 0.5}."
            ),
        ),
        (
            Schedule,
            {"name": "constant", "lr0": 0.1, "k": 3},
            (
                "config must hold the parameters of a schedule 'constant' (lr0): got an unexpected "
                "keyword argument 'k'. Received: config={'name': 'constant', 'lr0': 0.1, 'k': 3}."
            ),
        ),
    ],
)
def test_a_config_that_does_not_fit_is_refused(family, config, message):
    with pytest.raises(ArgumentError) as error:
        family.from_config(config)
    assert str(error.value) == message


def test_from_config_does_not_change_the_config():
    config = {"name": "constant", "lr0": 0.1}
    assert Schedule.from_config(config) == Constant(0.1)
    assert config == {"name": "constant", "lr0": 0.1}


def test_a_family_of_the_users_own(empty_corner):
    @schedules.register
    @dataclass(frozen=True)
    class Halving(Schedule):
        name: ClassVar[str] = "halving"
        ranges: ClassVar[tuple[Range, ...]] = (Range("n", lambda e: 1, lambda e: e, lambda e: 2),)
        domains: ClassVar = {"n": checks.positive}
        n: float
        per_step: bool = field(default=False, kw_only=True)

        def formula(self, t, xp):
            return self.lr0 * xp.power(0.5, t * self.n)

    assert "halving" in schedules.names()
    schedule = schedules.get("halving")(lr0=1.0, n=1.0)
    assert Schedule.from_config(schedule.get_config()) == schedule
    for wrong, right in [
        ({"lr0": 0, "n": 1}, "lr0 must be a number > 0 that float32 can hold"),
        ({"lr0": 1, "n": -1}, "n must be a finite number > 0"),
        ({"lr0": 1, "n": 1, "per_step": 2}, "per_step must be True or False"),
    ]:
        with pytest.raises(ArgumentError, match=f"^{right}"):
            Halving(**wrong)
    assert schedule.table(3, 2) == pytest.approx(np.array([1, 1, 0.5, 0.5, 0.25, 0.25]))


def refused(family):
    with pytest.raises(ArgumentError) as error:
        schedules.register(family)
    return str(error.value)


def test_anything_but_a_named_frozen_family_is_refused(empty_corner):
    @dataclass(frozen=True)
    class Other(Constant):
        name: ClassVar[str] = "step"

    assert refused(Other) == (
        "Other.name must not be the name of another family. "
        "Received: name='step', the name of lrtune.schedules.step.StepDecay."
    )
    Other.name = "a.b"
    assert refused(Other) == (
        "Other.name must be lower-case letters, digits and underscores, a letter first. "
        "Received: name='a.b'."
    )
    assert refused(dict) == (
        "family must be a subclass of Schedule. Received: family=<class 'dict'>."
    )

    class Plain(Constant):
        name: ClassVar[str] = "plain"

    assert refused(Plain) == (
        "family must be a frozen dataclass: put @register above @dataclass(frozen=True). "
        f"Received: family={Plain!r}."
    )
    assert schedules.names() == NAMES


def test_the_same_family_may_be_registered_twice(empty_corner):
    assert schedules.register(StepDecay) is StepDecay


def test_every_public_class_of_a_family_is_registered():
    public = {getattr(schedules, name) for name in schedules.__all__}
    families = {one for one in public if isinstance(one, type) and issubclass(one, Schedule)}
    assert families - {Schedule} == {*map(schedules.get, schedules.names()), Warmup, Compressed}
