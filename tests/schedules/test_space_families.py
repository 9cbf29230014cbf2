"""The families of a search: by name and by preset, lrtune's and those of users."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import pytest

from lrtune import schedules
from lrtune.errors import ArgumentError
from lrtune.schedules import Choice, Range, Schedule
from lrtune.schedules.recipe import Recipe
from lrtune.schedules.space import MODERN, READING, Space, families_of, own_ranges

keras_tuner = pytest.importorskip("keras_tuner")

EPOCHS = 50


def declared(*arguments, **named):
    hp = keras_tuner.HyperParameters()
    Space(*arguments, **named).declare(hp)
    return hp


def sample(hp, count):
    oracle = keras_tuner.oracles.RandomSearchOracle(
        objective="val_loss", max_trials=count, seed=1, hyperparameters=hp
    )
    return [oracle.populate_space(str(number))["values"] for number in range(count)]


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("step", ("step",)),
        (["step"], ("step",)),
        ("step, time", ("step", "time")),
        (("step", "time", "step"), ("step", "time")),
        ("reading", READING),
        ("modern", MODERN),
        ("all", schedules.names()),
        ("reading,cosine", (*READING, "cosine")),
        (["cosine", "modern"], ("cosine", *(name for name in MODERN if name != "cosine"))),
        ("warmup+step,,", ("warmup+step",)),
        ({"cosine": 1}, ("cosine",)),
    ],
)
def test_families_are_names_and_presets_each_once(asked, found):
    assert families_of(asked) == found


def test_every_family_of_every_preset_can_be_searched():
    for preset in ("reading", "modern", "all"):
        assert set(declared(preset, EPOCHS).values) >= {"schedule", "lr0", "momentum"}


UNKNOWN = f"it must be one of {', '.join(schedules.names())}."


@pytest.mark.parametrize(
    ("families", "message"),
    [
        (["step", "cosin"], f"Unknown schedule family 'cosin': {UNKNOWN} Did you mean 'cosine'?"),
        ("warmup+cosin", f"Unknown schedule family 'cosin': {UNKNOWN} Did you mean 'cosine'?"),
        (
            "warmup+warmup+step",
            (
                f"Unknown schedule family 'warmup+step': {UNKNOWN} "
                "Did you mean 'warmup_stable_decay'?"
            ),
        ),
        ([3], f"Unknown schedule family 3: {UNKNOWN}"),
        ([["step"]], f"Unknown schedule family ['step']: {UNKNOWN}"),
        ([None], f"Unknown schedule family None: {UNKNOWN}"),
        *(
            (
                nothing,
                (
                    "families must name at least one schedule family or one of the presets "
                    f"reading, modern, all. Received: families={nothing!r}."
                ),
            )
            for nothing in ([], (), "", " , ", None, 3)
        ),
        (
            "warmup",
            (
                "families must name schedules, and 'warmup' is made of another one: write 'cosine' "
                "or 'warmup+cosine'. Received: 'warmup'."
            ),
        ),
    ],
)
def test_other_families_are_refused(families, message):
    with pytest.raises(ArgumentError) as error:
        Space(families, EPOCHS)
    assert str(error.value) == message


@pytest.mark.parametrize("family", [*schedules.names(), "warmup"])
def test_what_a_search_samples_is_in_the_domains_of_its_family(family):
    domains = schedules.get(family).domains
    for own in schedules.get(family).ranges:
        values = own.values if isinstance(own, Choice) else own.bounds(EPOCHS)
        assert [domains[own.parameter](own.parameter, value) for value in values] == list(values)


@pytest.fixture
def others(monkeypatch):
    monkeypatch.setattr(schedules.registry, "_families", dict(schedules.registry._families))

    @schedules.register
    @dataclass(frozen=True)
    class Power(Schedule):
        name: ClassVar[str] = "power"
        ranges: ClassVar[tuple[Range, ...]] = (
            Range("p", lambda e: 0.5, lambda e: 3, lambda e: 99),
        )
        lr0: float
        p: float
        scale: float = 1.0

        def formula(self, t, xp):
            return self.lr0 * xp.power(1.0 + t / self.scale, -self.p)

    @schedules.register
    @dataclass(frozen=True)
    class Mute(Power):
        name: ClassVar[str] = "mute"
        ranges: ClassVar[tuple[Range, ...]] = ()


def test_a_registered_family_is_searched_over_its_ranges(others):
    for values in sample(declared(["constant", "power", "warmup+power"], EPOCHS), 30):
        if "power.p" in values:
            schedule = Recipe.from_values(values).schedule
            assert 0.5 <= values["power.p"] <= 3
            assert getattr(schedule, "then", schedule).p == values["power.p"]
    # A default outside is brought into the range.
    assert declared(["power"], EPOCHS).values["power.p"] == 3
    assert "power" in families_of("all")


def test_a_family_whose_ranges_lack_a_parameter_cannot_be_searched(others):
    for families in ("mute", "warmup+mute"):
        with pytest.raises(ArgumentError) as error:
            Space(families, EPOCHS)
        assert str(error.value) == (
            f"The schedule family {families!r} cannot be searched: its class must declare a Range "
            "for each parameter in `ranges`. Missing: p."
        )


def test_own_ranges_are_named_after_their_family():
    assert list(own_ranges("warmup+step")) == [
        "warmup.epochs", "warmup.start", "step.drop", "step.epochs_drop"
    ]  # fmt: skip
    assert own_ranges("constant") == {}
