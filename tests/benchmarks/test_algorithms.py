"""`benchmarks/algorithms.py`: searches answered from a table, and what they are worth."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from tabular.summary import curves, reached

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


@pytest.fixture
def incumbents():
    rows = [(0, 3, 0.02), (0, 9, 0.0), (1, 5, 0.01)]
    return pd.DataFrame(rows, columns=["repetition", "epochs", "regret"])


def test_curves_are_steps_from_the_value_without_a_search(incumbents):
    found = curves(incumbents, "epochs", np.array([0.0, 3, 4, 5, 9]), 0.1)

    assert found.tolist() == [[0.1, 0.02, 0.02, 0.02, 0.0], [0.1, 0.1, 0.1, 0.01, 0.01]]


def test_a_target_is_reached_when_the_mean_is_below_it_for_good(incumbents):
    grid = np.arange(10.0)
    found = curves(incumbents, "epochs", grid, 0.1)  # means: .1, .06 from 3, .015 from 5, .005

    assert reached(found, grid, 0.061)["at"] == 3
    assert reached(found, grid, 0.016)["at"] == 5
    assert reached(found, grid, 0.006)["at"] == 9
    assert reached(found, grid, 0.001)["at"] is None


def test_a_quick_comparison_runs_and_is_drawn(tmp_path):
    command = [sys.executable, BENCHMARKS / "algorithms.py", "--quick", "--results", tmp_path]
    names = ["random", "hyperband rescaled from 1/3", "optuna tpe"]
    chosen = [word for name in names for word in ("--algorithm", name)]
    ended = subprocess.run([*command, *chosen], capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr

    found = json.loads((tmp_path / "algorithms.json").read_text())["reading"]
    assert list(found["algorithms"]) == names
    for one in found["algorithms"].values():
        assert one["repetitions"] == 3
        assert len(one["regret"]["mean"]) == 6
        assert set(one["seconds_to"]) == {"1", "2"}
    assert {path.name for path in tmp_path.iterdir()} == {
        "algorithms.json", "incumbents.parquet", "regret-reading.png", "wall-time-reading.png"
    }  # fmt: skip
