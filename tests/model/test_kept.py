"""The models that a search keeps: trained as recorded, ready to go on, free of lrtune."""

from __future__ import annotations

import dataclasses
import subprocess
import sys

import keras
import numpy as np
import pytest

import lrtune
from lrtune.errors import ArgumentError, RunFolderError
from lrtune.records.schema import TUNED
from lrtune.stats.winner import ranked_trials
from tests.model import test_compiled_by_user as by_user
from tests.runner import tiny

EPOCHS = 3

# What a person does with a saved model where lrtune is not installed.
ELSEWHERE = """
import sys

sys.modules["lrtune"] = None
import keras
import numpy as np

data = np.load(sys.argv[2])
x, y = data["x"], [data[name] for name in data if name != "x"]
y = y[0] if len(y) == 1 else y
model = keras.saving.load_model(sys.argv[1])
before = model.evaluate(x, y, verbose=0)
print(repr(float(np.ravel(before)[0])), int(model.optimizer.iterations))
model.fit(x, y, epochs=1, batch_size=16, verbose=0)
print(float(model.optimizer.learning_rate), int(model.optimizer.iterations))
"""


def loads_elsewhere(model, data, folder):
    """What the script prints: loss and steps, then the rate and the steps after one more epoch."""
    x, y = data
    model.save(folder / "m.keras")
    labels = y if isinstance(y, list) else [y]
    np.savez(folder / "data.npz", x=x, **{f"y{i}": one for i, one in enumerate(labels)})
    child = subprocess.run(
        [sys.executable, "-c", ELSEWHERE, folder / "m.keras", folder / "data.npz"],
        capture_output=True,
        text=True,
    )
    assert child.returncode == 0, child.stderr
    return [tuple(map(float, line.split())) for line in child.stdout.splitlines()]


def search(folder, hypermodel, data=None, validation=None, **arguments):
    settings = {"max_trials": 4, "seed": 1, "baseline_seeds": 0, "workers": 1, **arguments}
    tuner = lrtune.RandomSearch(
        hypermodel, directory=folder, project_name="run", **{"objective": "val_loss", **settings}
    )
    x, y = data or tiny.points()
    validation = validation or tiny.points(20, seed=1)
    tuner.search(x, y, validation_data=validation, batch_size=tiny.BATCH, epochs=EPOCHS, verbose=0)
    return tuner


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    """A search that keeps the two best of four, and its run."""
    folder = tmp_path_factory.mktemp("kept")
    hypermodel = lrtune.ScheduleHyperModel(
        tiny.build, epochs=EPOCHS, families=["exponential", "cosine"], optimizer="adam"
    )
    tuner = search(folder, hypermodel, keep_models=2, baseline_seeds=1)
    return tuner, lrtune.load_run(folder / "run")


def test_each_kept_model_scores_what_its_trial_scored(kept):
    tuner, run = kept
    models = tuner.get_best_models(2)
    x, y = tiny.points(20, seed=1)
    found = [model.evaluate(x, y, batch_size=tiny.BATCH, verbose=0) for model in models]
    best = ranked_trials(run.records)[:2]
    assert [loss for loss, _ in found] == pytest.approx([one.score for one in best], rel=1e-6)
    accuracies = [run.epochs(one.trial_id)["val_accuracy"].iloc[-1] for one in best]
    assert [accuracy for _, accuracy in found] == pytest.approx(accuracies)


def test_the_states_of_all_others_are_deleted(kept):
    _, run = kept
    states = {path.parent.name for path in run.records.folder.glob("trial_*/state.npz")}
    assert states == {f"trial_{one.trial_id}" for one in ranked_trials(run.records)[:2]}


def test_a_kept_model_goes_on_where_the_trial_ended(kept):
    # The same epoch, with the same batches, at the last rate, from the trial's own state.
    tuner, run = kept
    (model,) = tuner.get_best_models()
    best = ranked_trials(run.records)[0]
    steps = EPOCHS * tiny.STEPS
    assert int(model.optimizer.iterations) == steps
    last = run.epochs(best.trial_id)["lr_last"].iloc[-1]
    assert float(model.optimizer.learning_rate) == last
    slots = [np.asarray(one) for one in model.optimizer.variables[2:]]
    assert len(slots) == 2 * 2
    assert all(np.abs(slot).max() > 0 for slot in slots)

    model.fit(*tiny.points(), batch_size=tiny.BATCH, epochs=1, verbose=0)
    assert int(model.optimizer.iterations) == steps + tiny.STEPS
    assert float(model.optimizer.learning_rate) == last
    model.optimizer.learning_rate = 0.25
    assert float(model.optimizer.learning_rate) == 0.25


@pytest.mark.parametrize("labels", ["indices", "one-hot"])
def test_a_saved_model_loads_where_lrtune_is_not_installed(labels, tmp_path):
    def encoded(data):
        x, y = data
        return x, np.eye(2, dtype="float32")[y] if labels == "one-hot" else y

    hypermodel = lrtune.ScheduleHyperModel(
        tiny.build, epochs=EPOCHS, families=["cosine"], fixed={"momentum": 0.9}
    )
    held = encoded(tiny.points(20, seed=1))
    tuner = search(tmp_path, hypermodel, encoded(tiny.points()), held, max_trials=1)
    (model,) = tuner.get_best_models()
    (loss, steps), (rate, more) = loads_elsewhere(model, held, tmp_path)
    assert loss == pytest.approx(tuner.oracle.get_best_trials()[0].score, rel=1e-6)
    assert steps == EPOCHS * tiny.STEPS
    assert more == steps + 2
    assert rate == float(model.optimizer.learning_rate)


def test_a_model_that_the_user_compiled_keeps_its_losses_and_metrics(tmp_path):
    hypermodel = lrtune.ScheduleHyperModel(by_user.build, epochs=EPOCHS, families=["step"])
    tuner = search(
        tmp_path, hypermodel, by_user.data(), by_user.data(), max_trials=1,
        objective="val_total_mae",
    )  # fmt: skip
    (model,) = tuner.get_best_models()
    x, y = by_user.data()
    found = model.evaluate(x, y, batch_size=tiny.BATCH, verbose=0, return_dict=True)
    (trial,) = tuner.oracle.get_best_trials()
    recorded = lrtune.load_run(tmp_path / "run").epochs(trial.trial_id).iloc[-1]
    for name, value in found.items():
        assert value == pytest.approx(recorded[f"val_{name}"], rel=1e-5), name
    assert type(model.optimizer) is keras.optimizers.AdamW
    assert (model.optimizer.weight_decay, model.optimizer.clipnorm) == (0.1, 0.5)
    (loss, steps), _ = loads_elsewhere(model, by_user.data(), tmp_path)
    assert loss == pytest.approx(found["loss"], rel=1e-6)
    assert steps == EPOCHS * tiny.STEPS


def test_a_model_without_schedules_is_what_its_function_returns(tmp_path):
    tuner = search(tmp_path, tiny.adam, max_trials=2, keep_models=2)
    x, y = tiny.points(20, seed=1)
    scores = [model.evaluate(x, y, verbose=0)[0] for model in tuner.get_best_models(2)]
    trials = tuner.oracle.get_best_trials(2)
    assert scores == pytest.approx([one.score for one in trials], rel=1e-6)
    run = lrtune.load_run(tmp_path / "run")
    assert run.best_model(tiny.adam).evaluate(x, y, verbose=0)[0] == pytest.approx(scores[0])


def test_scaled_losses_and_a_schedule_of_the_users_give_way_to_the_rate(tmp_path):
    def build(hp):
        model = tiny.build(hp)
        inner = keras.optimizers.SGD(keras.optimizers.schedules.CosineDecay(0.1, 9), momentum=0.9)
        optimizer = keras.optimizers.LossScaleOptimizer(inner, initial_scale=64.0)
        model.compile(optimizer, "sparse_categorical_crossentropy")
        return model

    hypermodel = lrtune.ScheduleHyperModel(build, epochs=EPOCHS, families=["step"])
    tuner = search(tmp_path, hypermodel, max_trials=1)
    (model,) = tuner.get_best_models()
    optimizer = model.optimizer
    assert type(optimizer) is keras.optimizers.LossScaleOptimizer
    assert int(optimizer.inner_optimizer.iterations) == EPOCHS * tiny.STEPS
    run = lrtune.load_run(tmp_path / "run")
    last = run.epochs(run.best_trial_id)["lr_last"].iloc[-1]
    assert float(optimizer.inner_optimizer.learning_rate) == last
    assert optimizer.initial_scale == 64.0


def test_a_model_of_a_mixed_precision_search_has_its_policy_and_its_loss_scale(tmp_path):
    hypermodel = lrtune.ScheduleHyperModel(tiny.build, epochs=EPOCHS, families=["step"])
    keras.config.set_dtype_policy("mixed_float16")
    try:
        tuner = search(tmp_path, hypermodel, max_trials=1)
    finally:
        keras.config.set_dtype_policy("float32")
    model = lrtune.load_run(tmp_path / "run").best_model(hypermodel)
    assert model.layers[-1].compute_dtype == "float16"
    assert type(model.optimizer) is keras.optimizers.LossScaleOptimizer
    assert int(model.optimizer.inner_optimizer.iterations) > 0
    assert keras.config.dtype_policy().name == "float32"
    loss, _ = model.evaluate(*tiny.points(20, seed=1), batch_size=tiny.BATCH, verbose=0)
    assert loss == pytest.approx(tuner.oracle.get_best_trials()[0].score, rel=1e-6)


def test_a_run_gives_the_models_of_its_trials_and_of_the_best_constant_rate(kept):
    tuner, run = kept
    model = tuner.hypermodel
    first, second = tuner.get_best_models(2)
    ids = [one.trial_id for one in ranked_trials(run.records)]
    for found, expected in (
        (run.best_model(model), first),
        (run.best_model(model, ids[1]), second),
    ):
        for one, other in zip(found.get_weights(), expected.get_weights(), strict=True):
            np.testing.assert_array_equal(one, other)
    constant = run.best_model(model, TUNED)
    tuned = run.records.manifest.baseline_arms[TUNED]
    assert float(constant.optimizer.learning_rate) == pytest.approx(tuned["lr0"])


def test_a_model_that_was_not_kept_is_an_error_that_names_keep_models(kept):
    tuner, run = kept
    ids = [one.trial_id for one in ranked_trials(run.records)]
    with pytest.raises(RunFolderError) as error:
        run.best_model(tuner.hypermodel, ids[2])
    assert str(error.value) == (
        f"the model of trial {ids[2]} was not kept: a search keeps those of its best trials, as "
        "many as keep_models says (1 by default). Give a new search a larger one; run.code(trial) "
        "is the code that trains the model again"
    )
    with pytest.raises(RunFolderError, match="as many as keep_models says"):
        tuner.get_best_models(3)


def test_another_hypermodel_than_the_searchs_is_refused(kept):
    _, run = kept
    wide = lrtune.ScheduleHyperModel(by_user.build, epochs=EPOCHS, families=["cosine"])
    with pytest.raises(ArgumentError, match="hypermodel changed since the trial was trained"):
        run.best_model(wide)

    def three_classes(hp):
        return keras.Sequential(
            [
                keras.Input((4,)),
                keras.layers.Dropout(0.2),
                keras.layers.Dense(3, activation="softmax"),
            ]
        )

    other = lrtune.ScheduleHyperModel(three_classes, epochs=EPOCHS, optimizer="adam")
    with pytest.raises(ArgumentError) as error:
        run.best_model(other)
    assert "kernel has the shape (4, 2), the model's has (4, 3)" in str(error.value)
    with pytest.raises(ArgumentError, match="hypermodel must be the ScheduleHyperModel of the"):
        run.best_model(tiny.build)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "hypermodel must be given, as the search was run by a script: "),
        ((None, "7000"), "trial must be the id of a trial of the search that ended, or "),
    ],
)
def test_what_is_missing_is_named(kept, arguments, message):
    with pytest.raises(ArgumentError) as error:
        kept[1].best_model(*arguments)
    assert str(error.value).startswith(message)


def test_a_damaged_state_is_told_from_one_that_was_not_kept(kept, tmp_path):
    tuner, run = kept
    path = run.records.folder / f"trial_{run.best_trial_id}" / "state.npz"
    whole = path.read_bytes()
    path.write_bytes(whole[:100])
    try:
        with pytest.raises(RunFolderError, match=f"the model of trial {run.best_trial_id} is dam"):
            run.best_model(tuner.hypermodel)
    finally:
        path.write_bytes(whole)


def test_where_the_epochs_are_lost_the_schedule_gives_the_last_rate(kept):
    tuner, run = kept
    path = run.records.folder / f"trial_{run.best_trial_id}" / "epochs.jsonl"
    whole = path.read_bytes()
    path.write_bytes(b"")
    try:
        rate = float(run.best_model(tuner.hypermodel).optimizer.learning_rate)
    finally:
        path.write_bytes(whole)
    assert rate == pytest.approx(run.best_schedule()(EPOCHS - 1.0))


def test_without_a_trial_of_the_full_budget_there_is_no_model(kept):
    _, run = kept
    none = lrtune.run.Run(dataclasses.replace(run.records, outcomes=()))
    with pytest.raises(RunFolderError, match="has no best model: no trial completed 3 epochs"):
        none.best_model()
