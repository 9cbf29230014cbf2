"""The printed code trains with the very rates of the trial."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from typing import Any, ClassVar

import keras
import numpy as np
import pytest

import lrtune
from lrtune.errors import ArgumentError
from lrtune.records.reader import read_run
from lrtune.records.task import TrainingJob
from lrtune.report.code import code_for
from lrtune.runner.worker import Trainer
from lrtune.schedules import Schedule, names
from lrtune.schedules.recipe import Recipe
from lrtune.schedules.space import Space
from tests.runner import tiny
from tests.runs import build_run
from tests.tasks import task_of

EPOCHS, SAMPLES, BATCH, STEPS = 20, 155, 16, 10


@pytest.fixture(scope="module")
def manifest(tmp_path_factory):
    records = read_run(build_run.small_run(tmp_path_factory.mktemp("code") / "run"))
    data = dataclasses.replace(records.manifest.data, sizes={"train": SAMPLES, "validation": 40})
    return dataclasses.replace(
        records.manifest, data=data, batch_size=BATCH, max_epochs=EPOCHS, optimizer="sgd"
    )


def recipe_of(family: str, **more: object) -> Recipe:
    return Recipe.from_values({**Space((family,), EPOCHS).default(family), **more})


def rates(code: str, steps: int = STEPS) -> tuple[list[float], dict[str, object]]:
    """The rate of every step that the optimizer of the code uses, and all that it defines."""
    found: dict[str, object] = {}
    exec(code, found)  # noqa: S102 - what a person would paste
    optimizer = found["optimizer"]
    used = []
    for step in range(EPOCHS * steps):
        optimizer._iterations.assign(step)
        used.append(float(optimizer.learning_rate))
    return used, found


WARM = ["cosine", "step", "multi_step", "linear", "polynomial", "exponential", "one_cycle"]
FAMILIES = [*names(), *(f"warmup+{name}" for name in WARM)]
MORE = {
    "warmup+cosine": {"warmup.epochs": 1.234, "warmup.start": 0.1, "cosine.end": 0.07},
    "warmup+linear": {"warmup.epochs": 1.234, "warmup.start": 0.1, "linear.end": 0.07},
    "warmup+multi_step": {"warmup.epochs": 1.234, "multi_step.first": 7.33},
    "warmup+step": {"warmup.epochs": 1.234},
    "warmup+polynomial": {"warmup.epochs": 0.0},
    "time": {"time.k": 3.0},
    "multi_step": {"multi_step.first": 7.33},
    "cosine": {"cosine.end": 0.07},
    "cosine_restarts": {"cosine_restarts.multiplier": 2.0},
    "triangular": {"triangular.mode": "exponential", "triangular.gamma": 0.9},
    "sine": {"sine.mode": "halving"},
    "warmup_stable_decay": {"warmup_stable_decay.shape": "sqrt"},
    "piecewise_linear": {"piecewise_linear.knot_3": 0.02},
}


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("style", ["keras", "lrtune"])
def test_the_code_has_the_rate_of_every_step(family, style, manifest):
    recipe = recipe_of(family, **MORE.get(family, {}))
    code = code_for(recipe, manifest, style)

    used, _ = rates(code)
    expected = recipe.schedule.table(EPOCHS, STEPS)
    assert used == pytest.approx(expected, rel=1e-5, abs=1e-7 * recipe.lr0)
    assert ("import lrtune" in code) == (style == "lrtune" and family != "constant")


@pytest.mark.parametrize("family", [one for one in FAMILIES if one not in {"constant", "plateau"}])
@pytest.mark.parametrize("style", ["keras", "lrtune"])
def test_for_another_batch_size_only_the_number_of_steps_changes(family, style, manifest):
    recipe = recipe_of(family, **MORE.get(family, {}))
    code = code_for(recipe, manifest, style)
    assert code.count(f"steps_per_epoch = {STEPS} ") == 1

    used, _ = rates(code.replace(f"steps_per_epoch = {STEPS} ", "steps_per_epoch = 16 "), 16)
    assert used == pytest.approx(recipe.schedule.table(EPOCHS, 16), rel=1e-5, abs=1e-7 * recipe.lr0)


def test_a_saved_optimizer_keeps_the_class_of_a_warmup(manifest):
    used, found = rates(code_for(recipe_of("warmup+linear", **MORE["warmup+linear"]), manifest))
    config = json.loads(json.dumps(keras.optimizers.serialize(found["optimizer"])))
    loaded = keras.optimizers.deserialize(config, {"Warmup": found["Warmup"]})
    again = [float(loaded._learning_rate(step)) for step in range(EPOCHS * STEPS)]
    assert again == used
    assert len(set(used)) == len(used)


@pytest.mark.parametrize("family", ["step", "cosine", "one_cycle", "warmup+step"])
@pytest.mark.parametrize("style", ["keras", "lrtune", "json"])
def test_the_code_of_a_short_rescaled_trial_has_its_rates_too(family, style, manifest):
    recipe = dataclasses.replace(recipe_of(family), compression=4.0)
    code = code_for(recipe, manifest, style)

    expected = recipe.schedule.table(EPOCHS, STEPS)
    if style == "json":
        used = Schedule.from_config(json.loads(code)["schedule"]).table(EPOCHS, STEPS)
    else:
        used, _ = rates(code)
    assert used == pytest.approx(expected, rel=1e-5, abs=1e-7 * recipe.lr0)


def test_the_steps_that_fit_was_given_win_over_the_number_of_samples(manifest):
    given = dataclasses.replace(manifest, fit={"steps_per_epoch": STEPS + 2})
    streamed = dataclasses.replace(
        given, data=dataclasses.replace(given.data, sizes={}), batch_size=None
    )
    for one in (given, streamed):
        code = code_for(recipe_of("sine"), one)
        assert f"\nsteps_per_epoch = {STEPS + 2}  # as in the search\n" in code


@pytest.mark.parametrize(
    ("family", "kept"),
    [("cosine", "CosineDecay"), ("step", "Exponential"), ("warmup+cosine", "CosineDecay")],
)
def test_keras_own_class_is_used_where_there_is_one(family, kept, manifest):
    code = code_for(recipe_of(family), manifest)
    assert f"keras.optimizers.schedules.{kept}" in code
    assert "class " not in code


@pytest.mark.parametrize("then", ["linear", "polynomial"])
def test_a_warmup_goes_before_keras_own_class_where_the_rate_does_not_jump(then, manifest):
    code = code_for(recipe_of(f"warmup+{then}"), manifest)
    assert "then=keras.optimizers.schedules." in code
    assert len(code.splitlines()) < 40


def test_the_optimizer_has_all_settings_of_the_search(manifest):
    adamw = dataclasses.replace(
        manifest, optimizer="adamw", optimizer_options={"clipnorm": 1.0, "amsgrad": True}
    )
    recipe = Recipe.from_values(
        {"schedule": "constant", "lr0": 0.002, "beta_1": 0.7, "weight_decay": 0.03, "width": 32}
    )
    code = code_for(recipe, adamw)
    optimizer = rates(code)[1]["optimizer"]

    assert type(optimizer) is keras.optimizers.AdamW
    assert (optimizer.beta_1, optimizer.weight_decay, optimizer.clipnorm) == (0.7, 0.03, 1.0)
    assert optimizer.amsgrad
    assert code.endswith("# The model's own hyperparameters: width=32")


def test_one_cycle_with_lrtune_moves_the_momentum(manifest):
    recipe = recipe_of("one_cycle", momentum=0.9)
    optimizer = rates(code_for(recipe, manifest, "lrtune"))[1]["optimizer"]
    weight = keras.Variable([1.0])
    optimizer._iterations.assign(6 * STEPS)  # the peak, at .3 of 20 epochs
    optimizer.apply([keras.ops.array([0.0])], [weight])

    assert float(optimizer.momentum) == pytest.approx(0.9 * 0.85 / 0.95)
    code = code_for(recipe, manifest)
    assert "In the style lrtune (`lrtune show --as lrtune`) the code moves it." in " ".join(
        code.replace("#", "").split()
    )


def test_reduce_on_plateau_comes_with_keras_callback(manifest):
    recipe = recipe_of("plateau")
    callback = rates(code_for(recipe, manifest))[1]["callbacks"][0]

    assert type(callback) is keras.callbacks.ReduceLROnPlateau
    assert (callback.factor, callback.patience) == (0.3, 2)
    ours = rates(code_for(recipe, manifest, "lrtune"))[1]["callbacks"][0]
    assert type(ours) is lrtune.Feedback
    with pytest.raises(ArgumentError, match="style must be 'lrtune' or 'json'"):
        code_for(recipe_of("warmup+plateau"), manifest)


def test_json_holds_the_schedule_the_optimizer_and_all_values(manifest):
    recipe = recipe_of("warmup+cosine")
    found = json.loads(code_for(recipe, manifest, "json"))

    assert Schedule.from_config(found["schedule"]) == recipe.schedule
    assert found["optimizer"] == {"name": "sgd", "momentum": 0.5}
    assert Recipe.from_values(found["hyperparameters"]) == recipe


@pytest.mark.parametrize("style", ["keras", "lrtune"])
def test_a_family_of_the_users_own_has_code_as_well(style, manifest):
    @dataclass(frozen=True)
    class Halving(Schedule):
        name = "halving"

        def formula(self, t, xp):
            return self.lr0 * xp.power(0.5, xp.floor(t))

    recipe = recipe_of("constant")
    mine = dataclasses.replace(recipe, family="halving")
    lrtune.schedules.register(Halving)
    try:
        used, _ = rates(code_for(mine, manifest, style))
    finally:
        lrtune.schedules.registry._families.pop("halving")
    assert used == pytest.approx(0.1 * 0.5 ** np.arange(EPOCHS).repeat(STEPS), rel=1e-6)


def pasted(folder):
    """What the lines of a report make."""
    found: dict[str, Any] = {}
    exec(lrtune.load_run(folder).usage(), found)  # noqa: S102 - what a person would paste
    return found


@pytest.mark.parametrize(
    ("changes", "settings", "arguments"),
    [
        ({}, {}, "momentum=choice.momentum"),
        (
            {"optimizer_options": {"nesterov": True}},
            {},
            "momentum=choice.momentum, nesterov=True",
        ),
        ({}, {"weight_decay": 0.1}, "**choice.settings"),
    ],
)
def test_the_lines_of_a_report_leave_out_no_setting(changes, settings, arguments, tmp_path):
    folder = tmp_path / "run"
    values = {**build_run.CONSTANT, **settings}
    build_run.write_manifest(folder, **changes)
    build_run.write_trial(folder, "0", 0.7, values=values)

    assert lrtune.load_run(folder).usage().splitlines() == [
        "import keras",
        "import lrtune",
        f"choice = lrtune.load_run({str(folder)!r}).recommendation()",
        "rate = choice.schedule.lr0",
        f"optimizer = keras.optimizers.SGD(rate, {arguments})",
    ]
    optimizer = pasted(folder)["optimizer"]
    assert float(optimizer.learning_rate) == pytest.approx(0.05)
    assert optimizer.momentum == 0.9
    assert optimizer.nesterov is bool(changes)


@pytest.mark.parametrize(
    ("family", "last"),
    [
        (
            "one_cycle",
            (
                "lrtune.move_momentum(optimizer, choice.schedule, choice.momentum, epochs=50, "
                "steps_per_epoch=141)"
            ),
        ),
        ("plateau", "callbacks = [lrtune.Feedback(choice.schedule)]  # for model.fit"),
    ],
)
def test_the_lines_of_a_report_do_what_the_schedule_needs_besides_the_optimizer(
    family, last, tmp_path
):
    folder = build_run.write_manifest(tmp_path / "run")
    build_run.write_trial(folder, "0", 0.7, values=Space((family,), 50).default(family))

    assert lrtune.load_run(folder).usage().splitlines()[-1] == last
    assert isinstance(pasted(folder)["optimizer"], keras.optimizers.SGD)


def test_without_the_number_of_steps_the_code_leaves_a_gap(manifest):
    unknown = dataclasses.replace(manifest, batch_size=None)
    code = code_for(recipe_of("cosine"), unknown)
    assert "steps_per_epoch = ...  # training samples / batch size" in code


class Noted(keras.callbacks.Callback):
    """Notes the rate of every step; the trial trains with a copy of it."""

    rates: ClassVar[list[float]] = []

    def on_train_batch_begin(self, batch, logs=None):
        self.rates.append(float(self.model.optimizer.learning_rate))


def plain_model(_):
    return keras.Sequential([keras.Input((4,)), keras.layers.Dense(2, activation="softmax")])


SHORT = 8
FIT = {"validation_data": tiny.points(40, seed=1), "batch_size": BATCH, "shuffle": False}


@pytest.fixture(scope="module")
def trainer():
    """Trains trials as a search does, and notes their rates."""
    hypermodel = lrtune.ScheduleHyperModel(plain_model, epochs=SHORT, families=FAMILIES)
    return Trainer(TrainingJob(hypermodel, tiny.points(SAMPLES), {**FIT, "callbacks": [Noted()]}))


@pytest.mark.parametrize("family", FAMILIES)
def test_training_with_the_code_has_the_rate_of_every_step_of_the_trial(family, trainer, manifest):
    more = {"plateau.patience": 1, "plateau.factor": 0.1, "lr0": 8.0}
    own = more if family == "plateau" else MORE.get(family, {})
    recipe = Recipe.from_values({**Space((family,), SHORT).default(family), **own})
    Noted.rates.clear()
    outcome = trainer.run(task_of("0", recipe.values, 3, 0, SHORT), lambda *_: None)
    trial = list(Noted.rates)
    assert [one["lr"] for one in outcome.epochs] == trial[::STEPS]
    assert [one["lr_last"] for one in outcome.epochs] == trial[STEPS - 1 :: STEPS]
    assert len(set(trial)) > 1 or family == "constant"

    found: dict[str, Any] = {}
    exec(code_for(recipe, manifest), found)  # noqa: S102 - what a person would paste
    keras.utils.set_random_seed(3)  # the trial's weights, as a plateau depends on the losses
    model = plain_model(None)
    model.compile(found["optimizer"], "sparse_categorical_crossentropy")
    callbacks = [*found.get("callbacks", ()), Noted()]
    Noted.rates.clear()
    model.fit(*tiny.points(SAMPLES), **FIT, epochs=SHORT, verbose=0, callbacks=callbacks)
    assert Noted.rates == pytest.approx(trial, rel=1e-5, abs=1e-7 * recipe.lr0)
