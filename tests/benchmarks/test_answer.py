"""The simulation of `benchmarks/answer.py`, and that its stock side runs and continues."""

from __future__ import annotations

import importlib.util
import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import ttest_ind, ttest_rel
from statsmodels.stats.multitest import multipletests

from lrtune.stats.sequential import evidence

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


def answer(*arguments):
    return subprocess.run(
        [sys.executable, BENCHMARKS / "answer.py", *map(str, arguments)],
        capture_output=True,
        text=True,
    )


@pytest.fixture(scope="module")
def power():
    spec = importlib.util.spec_from_file_location("answer_power", BENCHMARKS / "answer_power.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def scores():
    return np.random.default_rng(1).normal([[0.02], [0], [0.01], [0]], 0.01, (50, 4, 8))


def test_the_t_tests_are_scipys(power, scores):
    arms, reference = scores[:, :3], scores[:, 3:]

    np.testing.assert_allclose(
        power.paired_t(arms, reference), ttest_rel(arms, reference, axis=-1).pvalue
    )
    np.testing.assert_allclose(
        power.welch_t(arms, reference), ttest_ind(arms, reference, axis=-1, equal_var=False).pvalue
    )


def test_holms_correction_is_that_of_statsmodels(power):
    rows = np.random.default_rng(2).random((50, 3)) / 20

    expected = [multipletests(row, method="holm")[1] for row in rows]
    np.testing.assert_allclose(power.holm(rows), expected)


@pytest.mark.parametrize("gain", [0.0, 0.01])
def test_the_verdicts_are_those_of_the_sequential_test(power, gain):
    rows = gain + 0.014 * np.random.default_rng(3).standard_normal((200, 20))
    scales = np.random.default_rng(4).uniform(0.005, 0.02, 200)
    better, pairs = power.verdicts(rows, scales)

    expected = [evidence(row, scale) for row, scale in zip(rows, scales, strict=True)]
    assert list(better) == [one.verdict == "better" for one in expected]
    assert list(pairs) == [one.n for one in expected]


def test_the_power_alone_takes_seconds_and_is_that_of_readme():
    ended = answer("--power-only")
    assert ended.returncode == 0, ended.stderr
    *_, line = ended.stdout.splitlines()
    rows = {row["way"]: row for row in json.loads(line)["power"]}

    readme = (BENCHMARKS / "README.md").read_text(encoding="utf-8")
    for way, row in rows.items():
        shown = re.search(rf"^\| {way} \| (.*) % \| (.*) % \| (.*) % \|", readme, re.MULTILINE)
        assert list(map(float, shown.groups())) == pytest.approx(
            [100 * share for share in row["better"]], abs=0.3
        )


def test_an_unknown_side_is_named():
    ended = answer("--sides", "stock,optuna")

    assert ended.returncode == 2
    assert "--sides must be stock, lrtune or both. Received: stock,optuna." in ended.stderr


@pytest.mark.long
def test_a_quick_stock_side_runs_and_continues(tmp_path):
    command = ("--quick", "--sides", "stock", "--work-dir", tmp_path)
    ended = answer(*command)
    assert ended.returncode == 0, ended.stderr
    first = json.loads(ended.stdout.splitlines()[-1])["medians"]["stock"]

    # Two trials each of 2 epochs, which are 2 schedules and 2 constants; 2 seeds each.
    assert {name: stage["epochs"] for name, stage in first.items()} == {
        "start": 0, "search": 4, "constants": 4, "retrain": 16, "compare": 0, "all": 24
    }  # fmt: skip
    assert all(stage["seconds"] > 0 for name, stage in first.items() if name != "compare")

    kept = json.loads((tmp_path / "stock-1.json").read_text())
    last = "retrain 4 of 4, seed 2"
    before = kept["stages"].pop(last)
    del kept["stages"]["compare"]
    (tmp_path / "stock-1.json").write_text(json.dumps(kept))
    again = answer(*command)
    trained = [line.split(":")[0].strip() for line in again.stdout.splitlines() if " s, " in line]
    after = json.loads((tmp_path / "stock-1.json").read_text())["stages"]

    assert trained == [last, "compare"]
    assert {name: after[name] for name in kept["stages"]} == kept["stages"]
    assert after[last]["epochs"] == before["epochs"]

    refused = answer(*command, "--max-epochs", 3)
    assert refused.returncode == 1
    assert "Use another --work-dir." in refused.stderr
