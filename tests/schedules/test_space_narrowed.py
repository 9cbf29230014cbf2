"""A search space that a user narrows by ranges and fixed values."""

from __future__ import annotations

import pytest

from lrtune.errors import ArgumentError
from lrtune.schedules.optimizers import OPTIMIZERS, OWN
from lrtune.schedules.recipe import Recipe
from lrtune.schedules.space import Space, sampling_of

keras_tuner = pytest.importorskip("keras_tuner")

EPOCHS = 50


def declared(*arguments, **named):
    hp = keras_tuner.HyperParameters()
    Space(*arguments, **named).declare(hp)
    return hp


def the(hp, name):
    """The hyperparameter of that name."""
    (found,) = [own for own in hp.space if own.name == name]
    return found


def sample(hp, count):
    oracle = keras_tuner.oracles.RandomSearchOracle(
        objective="val_loss", max_trials=count, seed=1, hyperparameters=hp
    )
    return [oracle.populate_space(str(number))["values"] for number in range(count)]


def test_a_range_of_the_users_takes_the_place_of_the_usual_one():
    hp = declared("step", EPOCHS, ranges={"lr0": (0.2, 0.4), "step.epochs_drop": [3, 5]})
    lr0, epochs_drop = the(hp, "lr0"), the(hp, "step.epochs_drop")
    assert (lr0.min_value, lr0.max_value, lr0.sampling, lr0.default) == (0.2, 0.4, "log", 0.2)
    assert (epochs_drop.min_value, epochs_drop.max_value, epochs_drop.default) == (3, 5, 5)
    for values in sample(hp, 20):
        assert 0.2 <= values["lr0"] <= 0.4
        assert values["step.epochs_drop"] in (3, 4, 5)


def test_a_range_of_one_value_is_that_value():
    hp = declared("step", EPOCHS, ranges={"lr0": (0.2, 0.2), "step.epochs_drop": (7, 7)})
    assert type(the(hp, "lr0")) is type(the(hp, "step.epochs_drop"))
    assert isinstance(the(hp, "lr0"), keras_tuner.engine.hyperparameters.Fixed)
    assert (hp.values["lr0"], hp.values["step.epochs_drop"]) == (0.2, 7)


def test_a_fixed_value_is_in_every_trial():
    fixed = {"lr0": 0.05, "momentum": 0.9, "cosine.end": 0.02}
    hp = declared("cosine,step", EPOCHS, fixed=fixed)
    found = sample(hp, 20)
    for values in found:
        own = {name: one for name, one in fixed.items() if name in values}
        assert {name: values[name] for name in own} == own
        assert ("cosine.end" in values) == (values["schedule"] == "cosine")
    assert {values["schedule"] for values in found} == {"cosine", "step"}


def test_the_horizon_of_a_family_is_a_parameter_like_any_other():
    assert the(declared("cosine", EPOCHS), "cosine.epochs").value == 50
    hp = declared("cosine", EPOCHS, ranges={"cosine.epochs": (20, 100)})
    assert min(values["cosine.epochs"] for values in sample(hp, 20)) >= 20
    assert Recipe.from_values(hp.values).schedule.epochs == 50


def test_a_choice_can_be_narrowed():
    hp = declared("triangular", EPOCHS, ranges={"triangular.mode": ("halving", "even")})
    assert the(hp, "triangular.mode").values == ["halving", "even"]
    found = sample(hp, 20)
    assert {values["triangular.mode"] for values in found} == {"halving", "even"}
    assert not any("triangular.gamma" in values for values in found)


@pytest.mark.parametrize("narrowed", [
    {"ranges": {"sine.mode": ["exponential"]}}, {"fixed": {"sine.mode": "exponential"}}
])  # fmt: skip
def test_a_parameter_exists_where_its_condition_is_fixed(narrowed):
    hp = declared("sine", EPOCHS, **narrowed)
    for values in sample(hp, 10):
        assert values["sine.mode"] == "exponential"
        assert 0.9 < Recipe.from_values(values).schedule.gamma <= 1


def test_a_choice_names_each_value_once():
    hp = declared("cosine_restarts", EPOCHS, ranges={"cosine_restarts.multiplier": (2, 3, 2.0)})
    assert the(hp, "cosine_restarts.multiplier").values == [2.0, 3.0]


def test_what_an_optimizer_adds_is_in_the_space():
    settings = {name: Space("constant", EPOCHS, kind).settings for name, kind in OPTIMIZERS.items()}
    assert settings == {
        "sgd": ("momentum",), "adam": ("beta_1",), "adamw": ("beta_1",), "rmsprop": (),
        "lion": ("beta_1",),
    }  # fmt: skip
    assert Space("constant", EPOCHS, OWN).settings == ()
    asked = Space("constant", EPOCHS, OPTIMIZERS["adamw"], ranges={"weight_decay": (1e-4, 1e-2)})
    assert asked.settings == ("beta_1", "weight_decay")
    hp = keras_tuner.HyperParameters()
    asked.declare(hp)
    for values in sample(hp, 10):
        assert set(values) == {"schedule", "lr0", "beta_1", "weight_decay"}
        assert 1e-4 <= values["weight_decay"] <= 1e-2
        Recipe.from_values(values).check("beta_1", "weight_decay")


def test_other_families_keep_the_ranges_that_they_have():
    space = Space("step,cosine", EPOCHS, ranges={"step.drop": (0.1, 0.2), "lr0": (0.1, 0.2)},
                  fixed={"cosine.end": 0.5, "momentum": 0.5})  # fmt: skip
    other = space.with_families(["constant", "cosine"])
    assert other == Space("constant,cosine", EPOCHS, ranges={"lr0": (0.1, 0.2)},
                          fixed={"cosine.end": 0.5, "momentum": 0.5})  # fmt: skip


def test_the_names_that_a_users_model_cannot_have():
    space = Space("step,warmup+cosine", EPOCHS)
    for name in ("schedule", "lr0", "momentum", "beta_1", "step.drop", "warmup.epochs"):
        assert space.reserves(name)
    assert not space.reserves("width")
    assert not space.reserves("time.k")


def test_the_scale_of_every_hyperparameter_is_known():
    scales = {name: sampling_of(name) for name in (
        "lr0", "momentum", "weight_decay", "step.drop", "exponential.k", "triangular.gamma",
        "cosine_restarts.multiplier", "warmup.epochs", "width", "unknown.k",
    )}  # fmt: skip
    assert scales == {
        "lr0": "log", "momentum": "reverse_log", "weight_decay": "log", "step.drop": "log",
        "exponential.k": "linear", "triangular.gamma": "log",
        "cosine_restarts.multiplier": "linear", "warmup.epochs": "linear", "width": "linear",
        "unknown.k": "linear",
    }  # fmt: skip


def test_a_value_is_checked_by_the_domain_not_by_the_range():
    space = Space("step", EPOCHS, ranges={"step.drop": (0.1, 0.2)})
    assert space.check_value("first", "step.drop", 1) == 1.0
    with pytest.raises(ArgumentError) as error:
        space.check_value("first", "step.drop", 2)
    assert str(error.value) == (
        "first['step.drop'] must be a number > 0 and <= 1. Received: first['step.drop']=2."
    )


KNOWN = "lr0, momentum, weight_decay, step.drop, step.epochs_drop"


@pytest.mark.parametrize(
    ("narrowed", "message"),
    [
        (
            {"fixed": {"step.dorp": 1}},
            (
                f"fixed must name hyperparameters of this search: {KNOWN}. "
                "Received: 'step.dorp'. Did you mean 'step.drop'?"
            ),
        ),
        (
            {"ranges": {"qqq": (1, 2)}},
            f"ranges must name hyperparameters of this search: {KNOWN}. Received: 'qqq'.",
        ),
        (
            {"fixed": {3: 1}},
            f"fixed must name hyperparameters of this search: {KNOWN}. Received: 3.",
        ),
        (
            {"fixed": {"lr0": 0.1}, "ranges": {"lr0": (0.1, 0.2)}},
            ("fixed and ranges must not name the same hyperparameter. Received: 'lr0' in both."),
        ),
        (
            {"fixed": {"momentum": 1}},
            ("fixed['momentum'] must be a number >= 0 and < 1. Received: fixed['momentum']=1."),
        ),
        (
            {"fixed": {"step.epochs_drop": 2.5}},
            (
                "fixed['step.epochs_drop'] must be an integer >= 1. "
                "Received: fixed['step.epochs_drop']=2.5."
            ),
        ),
        (
            {"ranges": {"lr0": (0, 1)}},
            (
                "ranges['lr0'] must be a number > 0 that float32 can hold (1.2e-38 to 3.4e38). "
                "Received: ranges['lr0']=0."
            ),
        ),
        (
            {"ranges": {"momentum": (0, 0.9)}},
            (
                "ranges['momentum'] must be (low, high) with low > 0, as it is sampled on a log "
                "scale. Received: (0, 0.9)."
            ),
        ),
        (
            {"ranges": {"lr0": (0.2, 0.1)}},
            "ranges['lr0'] must be (low, high) with low <= high. Received: (0.2, 0.1).",
        ),
        ({"ranges": {"lr0": 0.1}}, "ranges['lr0'] must be (low, high). Received: 0.1."),
        ({"ranges": {"lr0": (1,)}}, "ranges['lr0'] must be (low, high). Received: (1,)."),
        ({"ranges": {"lr0": "ab"}}, "ranges['lr0'] must be (low, high). Received: 'ab'."),
        (
            {"ranges": [("lr0", 1)]},
            (
                "ranges must map hyperparameters to what to try for them. "
                "Received: ranges=[('lr0', 1)]."
            ),
        ),
        (
            {"fixed": None},
            "fixed must map hyperparameters to what to try for them. Received: fixed=None.",
        ),
    ],
)
def test_a_space_that_cannot_be_searched_is_refused(narrowed, message):
    with pytest.raises(ArgumentError) as error:
        Space("step", EPOCHS, **narrowed)
    assert str(error.value) == message


@pytest.mark.parametrize(
    ("families", "name", "given", "right"),
    [
        ("triangular", "triangular.mode", "odd", "one of even, halving, exponential"),
        ("cosine_restarts", "cosine_restarts.multiplier", 0.5, "a finite number >= 1"),
        ("multi_step", "multi_step.first", -1, "a finite number > 0"),
        ("multi_step", "multi_step.gap_3", 0, "a finite number > 0"),
        ("piecewise_linear", "piecewise_linear.knot_5", 1.5, "a number > 0 and <= 1"),
        ("plateau", "plateau.patience", 0, "an integer >= 1"),
        ("warmup+cosine", "warmup.start", 2, "a number from 0 to 1"),
        ("warmup+cosine", "warmup.epochs", 50, "fewer epochs than the horizon, 50"),
        ("warmup+step", "warmup.epochs", -1, "a finite number >= 0"),
    ],
)
def test_a_bad_value_of_a_familys_parameter_fails_before_the_search(families, name, given, right):
    for what, argument in (("fixed", given), ("ranges", (given, given))):
        with pytest.raises(ArgumentError) as error:
            Space(families, EPOCHS, **{what: {name: argument}})
        called = f"{what}[{name!r}]"
        assert str(error.value) == f"{called} must be {right}. Received: {called}={given!r}."


@pytest.mark.parametrize("values", [(), "even", None, 3])
def test_choices_are_a_tuple_of_values(values):
    with pytest.raises(ArgumentError) as error:
        Space("sine", EPOCHS, ranges={"sine.mode": values})
    assert str(error.value) == (
        f"ranges['sine.mode'] must be a tuple of values. Received: {values!r}."
    )


@pytest.mark.parametrize("epochs", [0, 50.0, True, None])
def test_a_horizon_is_a_whole_number_of_epochs(epochs):
    with pytest.raises(ArgumentError) as error:
        Space("step", epochs)
    assert str(error.value) == f"epochs must be an integer >= 1. Received: epochs={epochs!r}."
