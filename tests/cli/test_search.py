"""The front door: what bad input says, and what a search leaves behind."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import typer
from rich.console import Console

import lrtune
from lrtune.cli import options as search_options
from lrtune.cli import search
from lrtune.cli.app import show_result
from lrtune.errors import RunFolderError
from tests.records import build_run

COMMAND = [sys.executable, "-m", "lrtune.search"]


@pytest.fixture(scope="session")
def images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An .npz of 60 + 20 images, 8x8, whose classes differ in brightness."""
    rng = np.random.default_rng(0)

    def part(count: int) -> tuple[np.ndarray, np.ndarray]:
        y = np.arange(count) % 2
        x = rng.integers(0, 120, (count, 8, 8, 3)) + 100 * y[:, None, None, None]
        return x.astype(np.uint8), y.astype(np.uint8)

    x_train, y_train = part(60)
    x_test, y_test = part(20)
    path = tmp_path_factory.mktemp("data") / "tiny.npz"
    np.savez(path, x_train=x_train, y_train=y_train, x_test=x_test, y_test=y_test)
    return path


def run(*arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*COMMAND, *map(str, arguments)], capture_output=True, text=True)


BAD = {
    "unknown algorithm": (
        ["--algo", "foo"],
        "--algo must be one of hyperband, bayesian, random. Received: foo",
    ),
    "zero epochs": (["--max-epochs", "0"], "--max-epochs must be an integer >= 1. Received: 0"),
    "no number": (
        ["--max-epochs", "many"],
        "Invalid value for '--max-epochs': ",
    ),
    "negative batch size": (
        ["--batch-size", "-64"],
        "--batch-size must be an integer >= 1. Received: -64",
    ),
    "no worker": (["--workers", "0"], "--workers must be an integer >= 1. Received: 0"),
    "negative seed": (
        ["--seed", "-1"],
        "--seed must be an integer from 0 to 2147483647. Received: -1.",
    ),
    "unknown family": (
        ["--families", "constant,stepp"],
        (
            "Unknown schedule family 'stepp': it must be one of constant, exponential, step, time. "
            "Did you mean 'step'?"
        ),
    ),
    "no family": (["--families", ","], "--families must name at least one schedule family"),
    "unknown objective": (
        ["--objective", "val_f1"],
        "--objective must be one of val_accuracy, val_loss, accuracy, loss. Received: val_f1",
    ),
    "unknown score": (["--score", "mean"], "--score must be one of last, best. Received: mean"),
    "trials for hyperband": (
        ["--max-trials", "5"],
        (
            "--max-trials does not go with --algo hyperband, which plans its own number of trials "
            "from --max-epochs. Received: 5"
        ),
    ),
    "negative budget": (
        ["--baseline-budget", "-1"],
        "--baseline-budget must be a finite number >= 0. Received: -1",
    ),
    "no patience": (
        ["--trial-timeout", "0"],
        "--trial-timeout must be a finite number > 0. Received: 0",
    ),
    "negative retries": (
        ["--max-retries", "-1"],
        "--max-retries must be an integer >= 0. Received: -1",
    ),
    "no trials": (
        ["--algo", "random", "--max-trials", "0"],
        "--max-trials must be an integer >= 1. Received: 0",
    ),
    "unknown option": (["--epochs", "3"], "No such option"),
    "missing data": (["--data", "nowhere/cats.npz"], "cats.npz: no such file"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_one_line_and_exit_code_2_and_leaves_nothing(case: str, tmp_path: Path):
    arguments, message = BAD[case]
    folder = tmp_path / "run"
    ended = run(*arguments, "--run-dir", folder)
    assert ended.returncode == 2
    assert ended.stdout == ""
    assert ended.stderr.count("\n") == 1
    assert ended.stderr.startswith("lrtune search: ")
    assert message in ended.stderr
    assert not folder.exists()


def test_a_run_that_cannot_be_known_is_refused_and_kept(tmp_path: Path, images: Path):
    folder = tmp_path / "run"
    (folder / "trial_0000").mkdir(parents=True)
    (folder / "run.json").write_text("precious")
    ended = run("--run-dir", folder, "--data", images)
    assert ended.returncode == 2
    assert ended.stderr == (
        f"lrtune search: run folder {folder} holds a search, but no run.json that can be read and "
        "no trial of lrtune's that ended; choose another --run-dir, or pass --overwrite to erase "
        "it\n"
    )
    assert (folder / "run.json").read_text() == "precious"


def test_overwrite_erases_no_folder_that_holds_no_run(tmp_path: Path, images: Path):
    (tmp_path / "thesis.txt").write_text("precious")
    ended = run("--run-dir", tmp_path, "--data", images, "--overwrite")
    assert ended.returncode == 2
    assert ended.stderr == (
        f"lrtune search: run folder {tmp_path} is not empty and holds no run. Choose another "
        "--run-dir\n"
    )
    assert (tmp_path / "thesis.txt").read_text() == "precious"


def test_overwrite_erases_nothing_when_the_data_are_missing(tmp_path: Path):
    (tmp_path / "run.json").write_text("precious")
    ended = run("--run-dir", tmp_path, "--data", "nowhere.npz", "--overwrite")
    assert ended.returncode == 2
    assert (tmp_path / "run.json").read_text() == "precious"


def test_a_folder_that_cannot_be_written_to_is_one_line(tmp_path: Path, images: Path):
    (tmp_path / "file").write_text("")
    folder = tmp_path / "file" / "run"
    ended = run("--run-dir", folder, "--data", images)
    assert ended.returncode == 2
    assert ended.stderr == (
        f"lrtune search: cannot write to run folder {folder}: Not a directory; choose another "
        "--run-dir\n"
    )


def test_a_search_from_the_command_line_ends_with_the_ranking(tmp_path: Path, images: Path):
    folder = tmp_path / "run"
    ended = run(
        *("--algo", "hyperband", "--max-epochs", 2, "--data", images, "--batch-size", 16),
        *("--workers", 2, "--seed", 0, "--run-dir", folder),
    )
    assert ended.returncode == 0, ended.stderr
    assert ended.stderr == ""
    assert "[1/" in ended.stdout, "plain progress lines where there is no terminal"
    assert "Winner: " in ended.stdout
    opens, commands = ended.stdout.splitlines()[-2:]
    assert opens.startswith(f"Open {folder}/report.html for the report with pictures")
    assert f"`lrtune confirm {folder}` checks whether the result holds up." in commands
    assert "Winner: " in (folder / "report.html").read_text()
    table = lrtune.load_run(folder).ranking()
    assert set(table["status"]) == {"completed"}
    assert table["rank"].dropna().tolist()[0] == 1
    manifest = json.loads((folder / "run.json").read_text())
    assert manifest["seed"] == 0
    assert manifest["data"]["sizes"] == {"train": 48, "validation": 12, "test": 20}
    seeds = sorted(path.name for path in (folder / "baseline" / "constant-0.1").iterdir())
    assert seeds == ["seed-0", "seed-1", "seed-2"]


@pytest.mark.parametrize("algo", ["bayesian", "random"])
def test_a_search_of_a_number_of_trials_trains_just_these(
    algo: str, tmp_path: Path, images: Path, capsys: pytest.CaptureFixture[str]
):
    options = search_options.Options(
        algo=algo,
        data=str(images),
        max_epochs=2,
        max_trials=4,
        families=("step", "exponential"),
        objective="val_loss",
        batch_size=16,
        workers=1,
        seed=1,
        score="best",
        baseline_budget=0.0,
        trial_timeout=600.0,
        max_retries=2,
        tensorboard=None,
        run_dir=tmp_path / "run",
        overwrite=False,
        quick=False,
    )
    search.search(options)
    assert "val_loss" in capsys.readouterr().out
    search.search(options)
    assert "is finished; --overwrite starts a new one." in capsys.readouterr().out
    run = lrtune.load_run(tmp_path / "run")
    table = run.ranking()
    assert len(table) == 4
    assert set(table["schedule"]) <= {"step", "exponential"}
    for trial, score in zip(table["trial_id"], table["score"], strict=True):
        assert score == run.epochs(trial)["val_loss"].min()
    assert table["score"].is_monotonic_increasing, "a smaller loss ranks higher"


def test_help_names_every_option_of_the_search():
    ended = run("--help")
    assert ended.returncode == 0
    options = ("algo", "data", "max-epochs", "max-trials", "families", "objective", "batch-size")
    for option in (
        *(
            *options,
            "workers",
            "seed",
            "score",
            "baseline-budget",
            "trial-timeout",
            "max-retries",
            "tensorboard",
        ),
        *("run-dir", "overwrite", "quick"),
    ):
        assert f"--{option}" in ended.stdout


def options_of(**changes: object) -> search_options.Options:
    return search_options.Options(**{"algo": "random", **changes})  # type: ignore[arg-type]


def test_the_default_folder_is_the_same_for_the_same_search_and_another_for_another():
    name = search_options.default_run_dir(options_of())
    assert name == Path("runs/random-50-epochs-seed-1")
    for same in ({"workers": 4}, {"max_trials": 99}, {"max_retries": 0}, {"overwrite": True}):
        assert search_options.default_run_dir(options_of(**same)) == name
    others = [
        {"algo": "bayesian"},
        {"max_epochs": 9},
        {"seed": 2},
        {"quick": True},
        {"data": "synthetic"},
        {"families": ("step",)},
        {"objective": "val_loss"},
        {"batch_size": 32},
        {"score": "best"},
        {"baseline_budget": 0.0},
    ]
    assert len({search_options.default_run_dir(options_of(**one)) for one in [{}, *others]}) == 11


def test_the_command_that_continues_names_what_is_not_as_by_default():
    assert search_options.command_line(options_of(run_dir=Path("my runs/a"), overwrite=True)) == (
        "python -m lrtune.search --algo random --run-dir 'my runs/a'"
    )
    assert search_options.command_line(
        options_of(run_dir=Path("a"), families=("step", "time"), max_epochs=9, quick=True, seed=0)
    ) == (
        "python -m lrtune.search --algo random --max-epochs 9 --families step,time --seed 0 "
        "--quick --run-dir a"
    )


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory, images: Path) -> search_options.Options:
    folder = tmp_path_factory.mktemp("finished") / "run"
    options = options_of(
        data=str(images),
        max_epochs=1,
        max_trials=2,
        batch_size=16,
        workers=1,
        baseline_budget=0.0,
        run_dir=folder,
    )
    search.search(options)
    return options


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"algo": "bayesian"}, "another algorithm: the folder has random, you asked for bayesian"),
        ({"seed": 2}, "another seed: the folder has 1, you asked for 2"),
        (
            {"objective": "val_loss"},
            "another objective: the folder has val_accuracy, you asked for val_loss",
        ),
        ({"max_epochs": 2}, "another horizon in epochs: the folder has 1, you asked for 2"),
        ({"families": ("step",)}, "constant,time,step,exponential, you asked for step"),
        ({"batch_size": 8}, "another batch size: the folder has 16, you asked for 8"),
        ({"data": "synthetic"}, "another dataset fingerprint: "),
        (
            {"baseline_budget": 0.5},
            "another baseline budget: the folder has 0.0, you asked for 0.5",
        ),
    ],
)
def test_another_search_in_the_same_folder_is_refused_with_both_values(
    finished: search_options.Options, changes: dict[str, object], message: str
):
    with pytest.raises(RunFolderError) as error:
        search.search(replace(finished, **changes))  # type: ignore[arg-type]
    assert message in str(error.value)


def test_a_finished_search_is_continued_for_more_trials(
    finished: search_options.Options, capsys: pytest.CaptureFixture[str]
):
    search.search(replace(finished, max_trials=3))
    out = capsys.readouterr().out
    assert "[9/9] trial 2" in out, "the six seeds of the baseline and two trials were there"
    assert len(lrtune.load_run(finished.run_dir).ranking()) == 3


def test_a_damaged_run_is_named_mended_and_its_ranking_printed(
    finished: search_options.Options, capsys: pytest.CaptureFixture[str]
):
    before = lrtune.load_run(finished.run_dir).ranking()
    for name in ("run.json", "oracle.json", "trial_0/trial.json"):
        (finished.run_dir / name).write_text("{")
    search.search(replace(finished, max_trials=len(before)))
    out = capsys.readouterr().out
    for name in ("run.json", "oracle.json", "trial_0/trial.json"):
        assert f"{name} cannot be read (it is not complete JSON)" in out
    after = lrtune.load_run(finished.run_dir)
    assert after.records.notices == ()
    assert after.ranking().equals(before)


def test_a_finished_search_writes_its_page_only_where_it_is_gone(
    finished: search_options.Options, capsys: pytest.CaptureFixture[str]
):
    page = finished.run_dir / "report.html"
    page.write_text("kept")
    search.search(finished)
    assert page.read_text() == "kept"
    page.unlink()
    page.with_name(page.name + ".tmp").mkdir()  # nothing can be written under the temporary name
    capsys.readouterr()
    search.search(finished)
    out = capsys.readouterr().out
    assert f"The page {page} could not be written: " in out[out.index("Verdict") :]
    page.with_name(page.name + ".tmp").rmdir()
    search.search(finished)
    assert "</html>" in page.read_text()


def test_a_search_writes_for_tensorboard_while_it_runs(tmp_path: Path, images: Path):
    options = options_of(
        data=str(images),
        max_epochs=2,
        max_trials=1,
        batch_size=16,
        workers=1,
        baseline_budget=0.0,
        tensorboard=tmp_path / "events",
        run_dir=tmp_path / "run",
    )
    search.search(options)
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    (folder,) = (tmp_path / "events" / "run").glob("trial_0")
    events = EventAccumulator(str(folder)).Reload()
    told = [event.value for event in events.Scalars("val_accuracy")]
    rows = lrtune.load_run(tmp_path / "run").epochs("0")["val_accuracy"]
    assert told == pytest.approx(rows.tolist())


def test_tensorboards_folder_must_not_be_the_runs(tmp_path: Path, images: Path):
    ended = run("--run-dir", tmp_path / "run", "--data", images, "--tensorboard", tmp_path / "run")
    assert ended.returncode == 2
    assert ended.stderr.count("\n") == 1
    assert not (tmp_path / "run").exists()


def test_a_quiet_search_prints_the_report_alone(tmp_path: Path, images: Path):
    arguments = ("--algo", "random", "--max-trials", 1, "--max-epochs", 1, "--data", images)
    folder = tmp_path / "run"
    ended = run(*arguments, "--baseline-budget", 0, "--workers", 1, "--run-dir", folder, "--quiet")
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.startswith("random search of 1 epoch for val_accuracy")
    assert "[1/" not in ended.stdout


@pytest.mark.parametrize("what", ["search", "confirmation"])
def test_a_ctrl_c_while_the_page_is_written_says_that_nothing_is_left_to_do(
    tmp_path, monkeypatch, capsys, what
):
    folder = build_run.small_run(tmp_path / "a run")
    monkeypatch.setattr("lrtune.report.finish.keep_page", interrupted)
    console = Console(width=300)
    with pytest.raises(typer.Exit) as end:
        show_result(folder, console, what)
    assert end.value.exit_code == 130
    said = capsys.readouterr().out.splitlines()[-1]
    assert said == (
        f"Interrupted. The {what} is finished and saved: `lrtune report '{folder}'` prints its "
        "report."
    )


def interrupted(*_, **__):
    raise KeyboardInterrupt
