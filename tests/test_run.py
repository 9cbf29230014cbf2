from __future__ import annotations

import subprocess
import sys

import pytest

import lrtune
from lrtune.errors import ArgumentError, RunFolderError
from lrtune.run import load_run
from lrtune.schedules import ExponentialDecay, StepDecay
from tests.records import build_run


@pytest.fixture
def folder(tmp_path):
    return build_run.small_run(tmp_path / "run")


@pytest.fixture
def run(folder):
    return load_run(folder)


def test_load_run_is_public(folder):
    assert lrtune.load_run(str(folder)).manifest.objective == "val_accuracy"


def test_a_path_of_another_type_is_refused():
    message = r"^path must be a string or a path\. Received: path=None\.$"
    with pytest.raises(ArgumentError, match=message):
        load_run(None)


def test_the_best_trial_is_rank_1_of_the_full_budget(run):
    assert run.best_trial_id == "1"
    assert run.ranking()["trial_id"][0] == "1"
    assert run.best_schedule() == ExponentialDecay(lr0=0.12, k=0.08)
    assert run.best_momentum() == 0.83


def test_the_best_of_a_loss_is_the_lowest(tmp_path):
    build_run.write_manifest(tmp_path, direction="min", objective="val_loss")
    build_run.write_trial(tmp_path, "0", 0.5, rows=0)
    build_run.write_trial(tmp_path, "1", 0.0, values=build_run.STEP, rows=0)
    build_run.write_trial(tmp_path, "2", 0.0, rows=0)

    run = load_run(tmp_path)

    assert run.best_trial_id == "1"
    assert run.best_schedule() == StepDecay(lr0=0.1, drop=0.5, epochs_drop=10)


@pytest.mark.parametrize(("direction", "best"), [("max", "1"), ("min", "0")])
def test_negative_scores_are_compared_like_others(tmp_path, direction, best):
    build_run.write_manifest(tmp_path, direction=direction)
    build_run.write_trial(tmp_path, "0", -0.5, rows=0)
    build_run.write_trial(tmp_path, "1", -0.1, rows=0)

    run = load_run(tmp_path)

    assert run.best_trial_id == best == run.ranking()["trial_id"][0]


def test_without_a_full_trial_there_is_no_best(tmp_path):
    build_run.write_manifest(tmp_path)
    build_run.write_trial(tmp_path, "0", 0.7, epochs=(1, 17, 17), rows=0)
    build_run.write_trial(tmp_path, "1", 0.7, status="diverged", rows=0)
    (tmp_path / "trial_2").mkdir()

    with pytest.raises(RunFolderError) as caught:
        load_run(tmp_path).best_schedule()

    assert str(caught.value) == (
        f"The run '{tmp_path}' has no best trial: none completed 50 epochs. It has 1 completed, "
        "1 diverged, 1 running."
    )


def test_baseline_has_a_row_an_arm(run):
    frame = run.baseline()

    assert frame["arm"].tolist() == ["constant-0.1", "constant-0.01"]
    assert frame["lr0"].tolist() == [0.1, 0.01]
    assert frame["momentum"].tolist() == [0, 0]
    assert frame["mean"].tolist() == pytest.approx([0.681, 0.652])
    assert frame["std"].tolist() == pytest.approx([0.0026458, 0.0121655], rel=1e-4)
    assert frame["n"].tolist() == [3, 3]
    assert frame["scores"][0] == (0.679, 0.68, 0.684)


def test_a_run_without_baseline_has_an_empty_frame_of_it(tmp_path):
    frame = load_run(build_run.write_manifest(tmp_path, baseline_arms={})).baseline()

    assert frame.empty
    assert frame.columns[0] == "arm"


def test_epochs_are_a_frame(run):
    frame = run.epochs("4")

    assert list(frame.columns) == [
        "epoch",
        "lr",
        "loss",
        "accuracy",
        "val_loss",
        "val_accuracy",
        "seconds",
    ]
    assert frame["epoch"].tolist() == list(range(1, 18))
    assert frame["val_loss"][3] == 0.2


def test_epochs_know_any_recorded_metric_and_only_those(folder):
    (folder / "trial_0" / "epochs.jsonl").write_text('{"auc": 0.5, "epoch": 1, "loss": null}\n')

    frame = load_run(folder).epochs("0")

    assert list(frame.columns) == ["epoch", "loss", "auc"]
    assert frame["loss"].isna().all()


def test_a_lineage_begins_with_epoch_1(run):
    assert run.epochs("1")["epoch"].tolist() == list(range(18, 51))
    assert run.epochs("1", lineage=True)["epoch"].tolist() == list(range(1, 51))
    assert run.epochs("0", lineage=True).equals(run.epochs("0"))


def test_epochs_of_a_baseline_seed_and_of_an_unfinished_trial(run):
    assert len(run.epochs("baseline/constant-0.1/seed-1")) == 50
    assert run.epochs("8", lineage=True).empty
    assert list(run.epochs("8").columns)[:2] == ["epoch", "lr"]


def test_an_unknown_trial_is_refused_and_some_known_ones_named(run):
    with pytest.raises(ArgumentError) as caught:
        run.epochs("0001")

    assert str(caught.value) == (
        "trial_id must be one of the run's: '0', '1', '2', '3', '4' and 10 more. Received: '0001'."
    )


def test_a_run_shows_itself_in_one_line_and_in_a_notebook_as_a_table(run, folder):
    assert repr(run) == (
        f"<lrtune run '{folder}': random, val_accuracy, 50 epochs; 6 completed, 1 diverged, "
        "1 failed, 1 running>"
    )
    page = run._repr_html_()
    assert page.startswith('<div class="tex2jax_ignore mathjax_ignore"><p>lrtune run &#x27;')
    assert page.count("<tr") == 6


def test_neither_loading_nor_reporting_imports_tensorflow(folder):
    code = (
        "import sys, lrtune\n"
        f"run = lrtune.load_run({str(folder)!r})\n"
        "run.ranking(), run.baseline(), run.epochs('0'), run.best_schedule(), repr(run)\n"
        "from lrtune.report.command import main\n"
        "try:\n"
        f"    main([{str(folder)!r}])\n"
        "except SystemExit as end:\n"
        "    assert not end.code\n"
        "heavy = {'tensorflow', 'keras', 'keras_tuner', 'matplotlib', 'scipy.stats'}\n"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)\n"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)

    assert (done.returncode, done.stderr) == (0, "")


def test_the_help_needs_no_pandas():
    code = (
        "import sys\n"
        "from lrtune.report.command import main\n"
        "try:\n"
        "    main(['--help'])\n"
        "except SystemExit as end:\n"
        "    assert not end.code\n"
        "assert not {'numpy', 'pandas', 'scipy'} & set(sys.modules)\n"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)

    assert (done.returncode, done.stderr) == (0, "")
