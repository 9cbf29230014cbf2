"""The examples run as they stand, in a process of their own, and print what they promise."""

from __future__ import annotations

import itertools
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import lrtune

EXAMPLES = Path(__file__).parents[2] / "examples"

pytestmark = pytest.mark.long


def run(example: str, *arguments: object) -> str:
    ended = subprocess.run(
        [sys.executable, str(EXAMPLES / example), *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


def test_the_reading_prints_its_rates_and_those_really_used(images: Path):
    lines = run("reading.py", "--data", images, "--epochs", 10, "--seeds", 1).splitlines()
    rates = {}
    for first, second in itertools.pairwise(lines):
        if first[12:30].strip() == "as the table says":
            rates[first.split()[0]] = [float(one) for one in second.split()[3:]]
    # 240 images are 4 updates an epoch. At epoch 10, the last rate that was used, of update 39.
    assert rates == {
        "constant": [0.1, 0.1],
        "time": [0.1, round(0.1 / (1 + 0.002 * 39), 5)],
        "step": [0.1, 0.1],
        "exponential": [0.1, round(0.1 * np.exp(-0.9), 5)],
    }


@pytest.mark.parametrize("algo", ["hyperband", "bayesian", "random"])
def test_the_hypermodel_runs_in_each_stock_tuner(algo: str, images: Path):
    arguments = ("--algo", algo, "--data", images, "--epochs", 3, "--trials", 3)
    printed = run("stock_keras_tuner.py", *arguments)
    assert printed.splitlines()[-1].startswith("best ")


def test_a_family_of_ones_own_is_searched(images: Path, tmp_path: Path):
    code = f"import own_family; own_family.main({str(images)!r}, 2, {str(tmp_path)!r})"
    ended = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=EXAMPLES, check=False
    )
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.startswith("[0.   0.05 0.1 ]")
    assert ended.stdout.count(" hill ") == 2
    assert "failed" not in ended.stdout


def test_what_a_run_recommends_trains_a_model_that_is_saved(images: Path, tmp_path: Path):
    folder = tmp_path / "run"
    search = [sys.executable, "-m", "lrtune.search", "--data", str(images), "--max-epochs", "2"]
    subprocess.run([*search, "--run-dir", str(folder), "--workers", "1"], check=True)
    model = tmp_path / "trained.keras"
    printed = run("use_the_winner.py", folder, "--data", images, "--save", model)
    assert printed.startswith(f"{lrtune.load_run(folder).verdict()}\n")
    assert model.exists()


def test_a_model_and_data_in_a_file_are_searched_from_the_command_line(tmp_path: Path):
    mine = EXAMPLES / "my_model.py"
    command = [sys.executable, "-m", "lrtune.search", "--algo", "random", "--max-trials", "2"]
    command += ["--model", f"{mine}:build_model", "--data", f"{mine}:load", "--max-epochs", "2"]
    ended = subprocess.run(
        [*command, "--run-dir", str(tmp_path / "run")], capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stderr
    assert "constant-0.001" in ended.stdout  # the rate that the model was compiled with
    assert "\nUse " in ended.stdout


def test_the_regression_on_a_table_ends_with_a_verdict(tmp_path: Path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    printed = run("tabular_regression.py", 2)
    assert "constant-0.003" in printed  # the rate that the model was compiled with
    assert re.search(r"^Use .*\.$", printed, re.MULTILINE)
    assert "optimizer = keras.optimizers.AdamW(" in printed


def test_a_cnn_of_ones_own_ends_with_code_for_its_own_optimizer(images: Path, tmp_path: Path):
    arguments = ("--data", images, "--epochs", 2, "--images", 80, "--folder", tmp_path)
    assert re.search(r"^(Use|Nothing) .*\.$", run("own_cnn.py", *arguments), re.MULTILINE)
    found = lrtune.load_run(tmp_path / "own-cnn")
    code = found.code(found.best_trial_id)
    assert "optimizer = keras.optimizers.Adam(" in code
    assert "# The model's own hyperparameters: filters=" in code


def test_the_reviews_are_told_apart(tmp_path: Path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    printed = run("text.py", 2)
    best = re.search(r"best val_loss ([\d.]+) after 2 epochs", printed)
    # Without the words it cannot fall below .69; one label in ten is wrong, so .33 is perfect.
    assert 0.3 < float(best[1]) < 0.6
    assert "optimizer = keras.optimizers.Adam(" in printed


def test_every_trial_of_the_transfer_starts_from_the_same_base(tmp_path: Path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    printed = run("transfer_learning.py", 3)
    reached = re.search(r"an accuracy of ([\d.]+) on images it never saw", printed)
    assert float(reached[1]) > 0.5  # a head on a base that is not trained stays near .2
    kept = np.load(next((tmp_path / "runs" / "transfer").rglob("state.npz")))
    monkeypatch.syspath_prepend(EXAMPLES)
    import transfer_learning
    from sklearn.datasets import load_digits

    digits = load_digits()
    first = digits.target < 5
    x = digits.images[first][..., None].astype("float32") / 16
    base = transfer_learning.trained_base(x, digits.target[first], epochs=9)
    for number, weights in enumerate(base):
        np.testing.assert_allclose(kept[f"model/{number}"], weights, atol=1e-3)


def test_functions_that_make_datasets_reach_the_workers_and_a_verdict(tmp_path: Path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    printed = run("tf_data.py", 2)
    assert "This process trains instead" not in printed
    assert re.search(r"^(Use|Nothing) .*\.$", printed, re.MULTILINE)
    assert "optimizer = keras.optimizers.SGD(" in printed
