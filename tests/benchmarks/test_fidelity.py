"""The study of short trainings: its measures by hand on small tables, and its quick run."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.stats import spearmanr

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


@pytest.fixture(scope="module")
def fidelity():
    spec = importlib.util.spec_from_file_location("fidelity", BENCHMARKS / "fidelity.py")
    module = importlib.util.module_from_spec(spec)
    before = list(sys.path)
    spec.loader.exec_module(module)
    sys.path[:] = before
    return module


@pytest.fixture(scope="module")
def measures(fidelity):
    return sys.modules["fidelity_measures"]


@pytest.fixture(scope="module")
def task(fidelity, measures):
    return measures.trained(fidelity.stand_in("first"))


@pytest.fixture(scope="module")
def frame(measures, task):
    return measures.measure(task, resamples=60)


def one(frame, **where):
    for name, value in where.items():
        frame = frame[frame[name] == value]
    (row,) = frame.itertuples()
    return row


def of(measures, end, families=None, common=(0, 1), horizon=1):
    """A task with these accuracies after its last epoch, shaped (seeds, schedules)."""
    end = np.asarray(end, float)[..., None]
    curves = {horizon: {"val_accuracy": end, "val_loss": end}}
    names = np.array(families or ["a"] * end.shape[1])
    return measures.Trained("t", horizon, names, tuple(range(len(end))), common, curves)


def test_the_arrays_are_the_tables(fidelity, measures):
    table = fidelity.stand_in("first")
    task = measures.trained(table)
    assert (task.seeds, task.common) == ((1, 2, 3, 4), (0, 1))
    assert (~np.isnan(task.end)).sum(axis=1).tolist() == [44, 44, 3, 3]
    for schedule, seed in ((0, 1), (7, 2)):
        curve = table.curve(schedule, 9, seed)
        np.testing.assert_array_equal(
            task.curves[9]["val_accuracy"][seed - 1, schedule], curve.val_accuracy
        )
        np.testing.assert_array_equal(
            task.curves[9]["val_loss"][seed - 1, schedule], -curve.val_loss
        )


def test_a_diverged_training_has_the_untrained_score_from_then_on(fidelity, measures):
    table = fidelity.stand_in("first")
    (schedule,) = table.trainings[table.trainings.status == "diverged"].schedule.unique()
    curves = measures.trained(table).curves[9]
    assert curves["val_accuracy"][0, schedule, 1:].tolist() == [0.5] * 8
    assert curves["val_loss"][0, schedule, 1:].tolist() == [-np.inf] * 8
    assert np.isfinite(curves["val_loss"][0, schedule, 0])


def test_a_schedule_that_failed_with_a_common_seed_is_left_out(fidelity, measures):
    table = fidelity.stand_in("first")
    failed = (table.trainings.schedule == 5) & (table.trainings.seed == 2)
    table.trainings.loc[failed, ["status", "score"]] = ["failed", np.nan]
    assert len(measures.trained(table).families) == 43


def test_spearmans_correlation_is_scipys_row_by_row(measures):
    left, right = np.random.default_rng(1).integers(0, 5, (2, 6, 20)).astype(float)
    expected = [spearmanr(a, b).statistic for a, b in zip(left, right, strict=True)]
    np.testing.assert_allclose(measures.spearman(left, right), expected)


@pytest.mark.parametrize(
    ("rule", "expected"),
    [("last", 0.9), ("tail", 0.75), ("tail-3", 0.6), ("best", 0.9), ("val_loss", -0.1)],
)
def test_scores_by_hand(measures, rule, expected):
    curve = np.array([0.1] * 9 + [0.3, 0.6, 0.9])[None, None]
    curves = {12: {"val_accuracy": curve, "val_loss": curve - 1}}
    task = measures.Trained("t", 12, np.array(["a"]), (1,), (0,), curves)
    assert task.score(rule, 12).item() == pytest.approx(expected)


def test_a_short_training_is_judged_by_other_seeds_and_by_its_own(measures):
    end = [[1, 2, 3, 4, 5], [1, 3, 2, 4, 5]]
    task = of(measures, end)
    early = np.array([[1.0, 2, 3, 4, 5], [1, 3, 2, 4, 5]])
    found = measures.agreements(task, early, np.arange(5)[None])
    assert found["same training"].tolist() == [1.0]
    assert found["other seeds"].tolist() == [pytest.approx(0.9)]  # 1 - 6 * 2 / (5 * 24)


def test_the_best_quarter_is_chosen_by_a_seed_that_is_not_correlated(measures):
    draw = np.random.default_rng(2)
    # Nothing but noise: a quarter chosen by a seed that is correlated would agree or disagree.
    task = of(measures, draw.normal(size=(3, 4000)), common=(0, 1, 2))
    found = measures.agreements(task, draw.normal(size=(3, 4000)), np.arange(4000)[None])
    assert all(abs(value.item()) < 0.06 for value in found.values())


def test_the_pick_of_noise_is_judged_without_its_luck(measures):
    draw = np.random.default_rng(3)
    task = of(measures, draw.normal(size=(2, 500)))
    brackets = draw.integers(0, 500, (50, 40, 27))
    noise = draw.normal(size=(2, 500))
    assert abs(measures.regret(task, noise, task.end, brackets)[0]) < 0.15
    assert measures.regret(task, task.end, task.end, brackets)[0] == 0


def test_the_true_best_three_survive_a_perfect_rung_and_no_reversed_one(measures):
    end = np.tile(np.arange(30.0), (2, 1))
    task, index = of(measures, end), np.arange(30)[None]
    assert measures.survival(task, end, index).tolist() == [1.0]
    assert measures.survival(task, -end, index).tolist() == [0.0]
    half = end.copy()
    half[:, 29] = -1  # one of the three comes last
    assert measures.survival(task, half, index).tolist() == [pytest.approx(2 / 3)]


def test_extra_seeds_choose_and_judge_the_schedules_that_have_them(measures):
    nan = np.nan
    end = [[1, 2, 3], [2, 3, 4], [nan, 10, 20], [nan, 30, 40]]
    (choose, truth, may), (again, other, _) = of(measures, end).draws()
    assert choose(np.array(end)).tolist() == [1, 10, 20]
    assert truth.tolist() == [2, 30, 40]
    assert may.tolist() == [False, True, True]
    assert again(np.array(end)).tolist() == [2, 30, 40]
    assert other.tolist() == [1, 10, 20]


def test_a_family_that_climbs_is_wronged(measures):
    end = np.tile([1.0, 2, 3, 4], (2, 1))
    task = of(measures, end, ["a", "a", "b", "b"])
    early = np.tile([3.0, 4, 1, 2], (2, 1))
    found = measures.changes(task, early, np.arange(4)[None])
    assert {name: value.item() for name, value in found.items()} == {"a": -0.5, "b": 0.5}


def test_late_bloomers_are_wronged_by_cutting_and_not_by_rescaling(frame):
    cut = one(frame, measure="family", share="1/3", kind="truncated", subset="late")
    rescaled = one(frame, measure="family", share="1/3", kind="rescaled", subset="late")
    assert cut.lower > 0.1
    assert rescaled.lower < 0.1 < cut.value


def test_a_whole_training_agrees_with_itself_and_noise_is_a_share_of_lasts(frame):
    whole = one(frame, measure="agreement", share="1", subset="same training")
    assert (whole.value, whole.lower, whole.upper) == (1, 1, 1)
    assert one(frame, measure="noise", kind="last").value == 1
    assert one(frame, measure="noise", kind="tail-5").value < 1


def test_the_one_epoch_control_comes_first(task, frame):
    assert task.budgets == {"1 epoch": 1, "1/3": 3, "1/2": 4, "2/3": 6, "1": 9}
    assert frame.iloc[0]["share"] == "1 epoch"


def test_the_quick_study_prints_writes_and_draws(tmp_path):
    ended = subprocess.run(
        [sys.executable, "-W", "error", BENCHMARKS / "fidelity.py", "--quick",
         "--csv", tmp_path / "numbers.csv", "--pictures", tmp_path / "pictures"],
        capture_output=True, text=True,
    )  # fmt: skip
    assert ended.returncode == 0, ended.stderr
    assert "same training" in ended.stdout
    assert "val_loss-tail" in ended.stdout
    numbers = pd.read_csv(tmp_path / "numbers.csv")
    assert set(numbers.measure) == {
        "agreement", "survival", "regret", "family", "reliability", "truth", "gain", "noise",
    }  # fmt: skip
    assert numbers[["value", "lower", "upper"]].notna().all(axis=None)
    assert sorted(path.name for path in (tmp_path / "pictures").iterdir()) == [
        "agreement.png", "families.png", "scores.png",
    ]  # fmt: skip
