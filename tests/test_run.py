from __future__ import annotations

import re
import subprocess
import sys

import pytest

import lrtune
from lrtune.errors import ArgumentError, RunFolderError
from lrtune.run import Run, load_run
from lrtune.schedules import Constant, ExponentialDecay, StepDecay
from tests.runs import build_run


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


@pytest.mark.parametrize(
    ("make", "also"),
    # What compares arms takes SciPy's tests, by way of statsmodels: .5 s.
    [(build_run.small_run, ["scipy.stats"]), (build_run.confirmed_run, [])],
)
def test_neither_loading_nor_reporting_imports_tensorflow(make, also, tmp_path):
    folder = make(tmp_path / "run")
    code = (
        "import sys, lrtune\n"
        f"run = lrtune.load_run({str(folder)!r})\n"
        "run.ranking(), run.baseline(), run.epochs('0'), run.best_schedule(), repr(run)\n"
        "from lrtune.__main__ import main\n"
        "try:\n"
        f"    main('report', [{str(folder)!r}])\n"
        "except SystemExit as end:\n"
        "    assert not end.code\n"
        f"heavy = {{'tensorflow', 'keras', 'keras_tuner', 'matplotlib', 'sklearn', *{also}}}\n"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)\n"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)

    assert (done.returncode, done.stderr) == (0, "")


def test_the_help_needs_no_pandas():
    code = (
        "import sys\n"
        "from lrtune.__main__ import main\n"
        "try:\n"
        "    main('report', ['--help'])\n"
        "except SystemExit as end:\n"
        "    assert not end.code\n"
        "assert not {'numpy', 'pandas', 'scipy'} & set(sys.modules)\n"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)

    assert (done.returncode, done.stderr) == (0, "")


def documented(method):
    """The columns that a docstring's list names, in its order."""
    listed = method.__doc__[method.__doc__.index("olumns:") :].partition("Raises:")[0]
    # A name, or several, stands where a line or a sentence begins and ends with a colon.
    starts = re.findall(
        r"(?:\n +|\. )([a-z_0-9]+(?:(?: \(n - 1\))?, [a-z_0-9]+(?: \(n - 1\))?)*):", listed
    )
    return [name.removesuffix(" (n - 1)") for start in starts for name in start.split(", ")]


@pytest.mark.parametrize(
    "name",
    [
        "baseline",
        "comparison",
        "tuning_curve",
        "best_so_far",
        "cost",
        "time_to_target",
        "importance",
    ],
)
def test_a_frame_has_the_columns_that_its_docstring_lists(tmp_path, name):
    run = load_run(build_run.confirmed_run(tmp_path))

    assert list(getattr(run, name)().columns) == documented(getattr(Run, name))


def test_a_comparison_says_what_each_arm_is_and_comes_from(tmp_path):
    frame = load_run(build_run.confirmed_run(tmp_path)).comparison()

    assert frame["arm"].tolist() == ["trial-1", "trial-0", "constant-tuned", "constant-0.1"]
    assert frame["schedule"].tolist() == ["exponential", "step", "constant", "constant"]
    assert frame["lr0"].tolist() == [0.12, 0.1, 0.0275, 0.1]
    assert frame["momentum"].tolist() == [0.83, 0.5, 0.91, 0]
    assert frame["parameters"].tolist() == ["k=0.08", "drop=0.5, epochs_drop=10", "", ""]
    assert frame["trial_id"].tolist()[:2] == ["1", "0"]
    assert frame["trial_id"].isna().tolist() == [False, False, True, True]
    # Every one of 8 seeds is better: 2/256, and times 3 arms.
    assert frame["p"][0] == 2 / 256
    assert frame["p_holm"][0] == 6 / 256
    assert frame["difference"][0] == pytest.approx(0.0155)
    assert frame["verdict"].tolist()[:2] == ["better", "none"]


def test_without_a_confirmation_there_is_no_comparison(run, folder):
    with pytest.raises(RunFolderError) as caught:
        run.comparison()

    assert str(caught.value) == (
        f"The run '{folder}' has no confirmation: `lrtune confirm {folder}` trains its best "
        "trials and the constant rate with fresh seeds and compares them on the test data."
    )


def test_arms_with_too_few_seeds_are_untested(tmp_path):
    scores = {arm: (*row[:2], *[None] * 6) for arm, row in build_run.CONFIRMED.items()}

    frame = load_run(build_run.confirmed_run(tmp_path, scores)).comparison()

    assert frame["n"].tolist() == [2] * 4
    assert frame["verdict"].tolist()[:2] == ["untested", "untested"]


def test_the_tuned_rate_is_the_reference(tmp_path):
    frame = load_run(build_run.tuned_run(tmp_path)).baseline()

    assert frame["arm"].tolist() == ["constant-tuned", "constant-0.1", "constant-0.01"]
    assert frame["lr0"].tolist() == [0.0275, 0.1, 0.01]
    assert frame["is_reference"].tolist() == [True, False, False]


def test_a_tuning_curve_of_one_family(run):
    frame = run.tuning_curve("exponential")

    # .712 and the diverged one's .5.
    assert set(frame["schedule"]) == {"exponential"}
    assert frame["expected"].tolist() == pytest.approx([0.606, 0.659])
    with pytest.raises(ArgumentError) as caught:
        run.tuning_curve("cosine")
    assert str(caught.value) == (
        "family must be one of 'constant', 'time', 'step', 'exponential'. Received: "
        "family='cosine'."
    )


def test_a_tuning_curve_needs_a_random_search_and_best_so_far_none(tmp_path):
    run = load_run(build_run.small_run(tmp_path, algo="hyperband"))

    with pytest.raises(ArgumentError, match=r"Use best_so_far\(\) to see"):
        run.tuning_curve()
    assert run.best_so_far()["best"].tolist()[:2] == [0.705, 0.712]


def test_cost_adds_up(tmp_path):
    frame = load_run(build_run.confirmed_run(tmp_path)).cost().set_index("of")["epochs"]

    parts = ["search", "baseline search", "baseline", "confirm"]
    assert frame[parts].tolist() == [220, 69, 450, 1600]
    assert frame["total"] == sum(frame[parts])


def test_time_to_target_of_the_best(run):
    assert run.time_to_target(top=2)["epoch"].tolist() == [2, 2]


def test_importance_of_few_trials_is_empty(run):
    assert run.importance().empty


def test_the_lines_to_paste_train_with_the_recommendation(tmp_path):
    run = load_run(build_run.confirmed_run(tmp_path / "run"))

    assert run.verdict().startswith("Use exponential(lr0=0.12, k=0.08) with momentum 0.83. Conf")
    names = {}
    exec(run.usage(), names)  # noqa: S102 - what a person would paste
    assert names["choice"] == run.recommendation()
    assert names["schedule"].schedule == ExponentialDecay(0.12, 0.08)
    assert names["optimizer"].momentum == 0.83
    assert load_run(build_run.write_manifest(tmp_path / "none")).usage() == ""


def test_a_recommendation_holds_all_that_is_needed_to_train_with_it(tmp_path):
    run = load_run(build_run.tuned_run(tmp_path / "run"))

    choice = run.recommendation()
    assert (choice.name, choice.shown) == ("constant-tuned", False)
    assert choice.schedule == Constant(0.0275)
    assert (choice.momentum, choice.settings) == (0.91, {"momentum": 0.91})
    assert choice.hyperparameters == {}
    assert choice.code() == run.code() == run.code("constant-tuned")
    assert choice.text == (
        "Use a constant rate of 0.0275 with momentum 0.91. No schedule was shown to beat it: the "
        "best trial leads by 0.0170 in the search, and chance alone can give the best of 4 trials "
        "as much as 0.0176."
    )
    assert str(choice) == choice.text
    assert run.verdict().startswith(choice.text)
    # The search's winner is another one.
    assert run.best_schedule() == ExponentialDecay(0.12, 0.08)


def test_a_run_without_a_choice_says_why(tmp_path):
    run = load_run(build_run.write_manifest(tmp_path / "run"))

    assert run.recommendation() is None
    assert run.verdict() == "No answer yet: no trial has completed 50 epochs."
    with pytest.raises(ArgumentError) as caught:
        run.code()
    assert str(caught.value) == (
        "name must be given, because this run recommends nothing. No answer yet: no trial has "
        "completed 50 epochs."
    )


def test_a_schedule_by_its_trial_or_arm(tmp_path):
    run = load_run(build_run.confirmed_run(tmp_path))

    assert run.schedule("0") == run.schedule("trial-0") == StepDecay(0.1, 0.5, 10)
    assert run.schedule("constant-tuned").lr0 == 0.0275
    assert run.momentum("constant-tuned") == 0.91
    with pytest.raises(ArgumentError) as caught:
        run.schedule("x")
    assert str(caught.value) == (
        "name must be the id of a trial that ended, or one of the arms: 'constant-tuned', "
        "'constant-0.1', 'constant-0.01', 'trial-1', 'trial-0'. Received: name='x'."
    )


def test_hyperparameters_are_all_that_a_trial_or_arm_was_built_with(tmp_path):
    folder = build_run.confirmed_run(tmp_path)
    values = {**build_run.STEP, "width": 64, "tuner/epochs": 50}
    build_run.write_trial(folder, "7", 0.6, values=values, rows=0)
    run = load_run(folder)

    assert run.hyperparameters("7") == {**build_run.STEP, "width": 64}
    assert run.hyperparameters("trial-0") == build_run.STEP
    assert run.hyperparameters("constant-tuned")["lr0"] == 0.0275
    with pytest.raises(ArgumentError, match=r"^name must be the id of a trial that ended, or one"):
        run.hyperparameters("x")


def test_frames_of_a_hostile_run_are_printable(tmp_path):
    evil = "\x1b[2J\u202e"
    build_run.write_manifest(tmp_path, families=[evil])
    build_run.write_baseline(tmp_path)
    build_run.write_trial(tmp_path, "0", 0.7, values={"schedule": evil})
    run = load_run(tmp_path)

    for frame in (run.cost(), run.time_to_target(), run.tuning_curve()):
        text = [cell for cell in frame.to_numpy().ravel() if isinstance(cell, str)]
        assert "\\x1b[2J\\u202e" in text
        assert all(map(str.isprintable, text))


def test_a_runs_pictures_are_those_of_its_records(run):
    figure = run.plot.schedules()
    assert figure.axes
