"""What users see of lrtune: names, signatures, types."""

from __future__ import annotations

import inspect
import pkgutil
import re
import subprocess
import sys
from pathlib import Path

import pytest

import lrtune

ROOT = Path(__file__).parents[1]

SCRIPT = """
from pathlib import Path

import keras
import numpy as np

import lrtune
from lrtune.schedules import StepDecay


def build_model(hp: object) -> keras.Model:
    return keras.Sequential([keras.Input((4,)), keras.layers.Dense(2, activation="softmax")])


x, y = np.zeros((8, 4)), np.zeros(8)
hypermodel = lrtune.ScheduleHyperModel(build_model, epochs=27, families=["step", "exponential"])
for kind in (lrtune.BayesianOptimization, lrtune.RandomSearch, lrtune.ShapeSearch):
    tuner = kind(hypermodel, objective="val_accuracy", max_trials=20, directory="runs", seed=1)
stock = lrtune.ShapeOracle("val_accuracy", max_trials=20, epochs=27, seed=1)
cluster = lrtune.RayRunner(address="auto", gpus_per_trial=0.5)
best = lrtune.Hyperband(
    hypermodel, objective="val_accuracy", max_epochs=27, workers=2, runner=cluster
)
trials, epochs = best.plan()
print(trials + epochs)
best.search(x, y, validation_data=(x, y), batch_size=64, verbose=0)

found = lrtune.range_test(hypermodel, x, y, seeds=2, batch_size=64)
print(found, found.suggested, found.steepest, found.diverged, found.curves(), found.plot())
found.save("range.png")

run: lrtune.Run = lrtune.load_run(Path("runs") / "mine")
run = lrtune.confirm("runs/mine", x, y, test_data=(x, y), hypermodel=hypermodel, seeds=8)
for frame in (run.ranking(), run.baseline(), run.comparison(), run.cost(), run.importance()):
    print(frame)
print(run.epochs("0007"), run.verdict(), run.usage(), run.best_trial_id)
recipe: lrtune.Recipe = run.recipe("0007")
schedule = run.best_schedule()
rate: float = schedule(2.5)
print(f"{recipe} {schedule} {rate} {run.best_momentum() + recipe.momentum}")
print(StepDecay(lr0=0.1, drop=0.5, epochs_drop=10)([0, 9.99]), lrtune.schedules.names())
print(schedule.table(50, 125).dtype, schedule.get_config())
optimizer = keras.optimizers.SGD(schedule.to_keras(steps_per_epoch=125), momentum=0.5)
lrtune.start_tensorflow(threads=1)
model = lrtune.cats_vs_dogs_cnn((32, 32, 3), num_classes=2)
dataset = lrtune.load_data("synthetic")
print(dataset.train.x.shape, dataset.test.y.shape, dataset.source)
print(lrtune.KerasSchedule(schedule, 125), lrtune.__version__)
print(lrtune.CatsVsDogsHyperModel(epochs=3))
choice: lrtune.Recommendation | None = run.recommendation()
assert choice is not None
print(choice, choice.name, choice.shown, choice.text, choice.schedule(2.5), choice.momentum + 1)
print(choice.settings, choice.hyperparameters, choice.recipe, choice.code("lrtune"))
print(run.code("0007", "json"), run.settings("0007"), lrtune.Feedback(schedule))
lrtune.move_momentum(optimizer, schedule, 0.5, epochs=50, steps_per_epoch=125)
run.write_page("report.html")
run.best_model(hypermodel, trial="0007").save("best.keras")
"""


def test_a_users_script_is_clean_to_a_strict_type_checker(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    command = [sys.executable, "-m", "mypy", "--strict", "--config-file", "", str(script)]
    command += ["--cache-dir", str(tmp_path), "--ignore-missing-imports"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    assert done.stdout.strip() == "Success: no issues found in 1 source file", done.stdout


def test_the_script_uses_every_public_name():
    used = set(re.findall(r"lrtune\.(\w+)", SCRIPT))
    assert set(lrtune.__all__) <= used


@pytest.mark.parametrize("name", lrtune.__all__)
def test_a_public_name_has_help_and_a_signature(name):
    value = getattr(lrtune, name)
    if name in ("__version__", "schedules"):
        return
    assert inspect.getdoc(value)
    assert inspect.signature(value)


def test_no_module_has_a_public_functions_name():
    modules = {info.name for info in pkgutil.iter_modules(lrtune.__path__)}
    functions = {name for name in lrtune.__all__ if inspect.isfunction(getattr(lrtune, name))}
    assert "confirm" in functions
    assert modules.isdisjoint(functions)
