"""What `lrtune search` makes of what is typed: bad input, help, the command that continues."""

from __future__ import annotations

import shlex
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import pytest

from lrtune.cli import options as search_options
from lrtune.cli import search
from lrtune.schedules import names
from tests.cli.command import called, options_of
from tests.cli.test_search import options_of as asked

COMMAND = [sys.executable, "-m", "lrtune.search"]


def run(*arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*COMMAND, *map(str, arguments)], capture_output=True, text=True)


BAD = {
    "unknown algorithm": (
        ["--algo", "foo"],
        "--algo must be one of hyperband, bayesian, shape, random. Received: foo",
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
    "a batch size that is none": (
        ["--batch-size", "32,many"],
        (
            "--batch-size must be an integer >= 1, or several, separated by commas, to search "
            "them. Received: 32,many"
        ),
    ),
    "a try of a batch size that is not searched": (
        ["--batch-size", "32,64", "--try", "step batch_size=16"],
        (
            "--try batch_size must be one of the batch sizes that are searched (32, 64). "
            "Received: 16."
        ),
    ),
    "no worker": (["--workers", "0"], "--workers must be an integer >= 1. Received: 0"),
    "an engine that there is not": (
        ["--engine", "slurm"],
        "--engine must be one of local, ray. Received: slurm",
    ),
    "the address of a cluster that is not used": (
        ["--ray-address", "auto"],
        "--ray-address goes with --engine ray only. Received: auto",
    ),
    "GPUs of a cluster that is not used": (
        ["--gpus-per-trial", "0.5"],
        "--gpus-per-trial goes with --engine ray only. Received: 0.5",
    ),
    "an address without a port": (
        ["--engine", "ray", "--ray-address", "10.0.0.1"],
        "--ray-address must be HOST:PORT or auto. Received: 10.0.0.1",
    ),
    "one GPU and a half": (
        ["--engine", "ray", "--gpus-per-trial", "1.5"],
        "--gpus-per-trial must be at most 1 or a whole number. Received: ",
    ),
    "a cluster and this process": (
        ["--engine", "ray", "--in-process"],
        "--in-process and --engine ray exclude each other: leave one out.",
    ),
    "no worker on a GPU": (
        ["--workers-per-gpu", "0"],
        "--workers-per-gpu must be an integer >= 1. Received: 0",
    ),
    "negative seed": (
        ["--seed", "-1"],
        "--seed must be an integer from 0 to 2147483647. Received: -1.",
    ),
    "unknown family": (
        ["--families", "constant,stepp"],
        (
            f"Unknown schedule family 'stepp': it must be one of {', '.join(names())}. "
            "Did you mean 'step'?"
        ),
    ),
    "no family": (["--families", ","], "--families must name at least one schedule family"),
    "unknown optimizer": (
        ["--optimizer", "sgdd"],
        "--optimizer must be one of sgd, adam, adamw, rmsprop, lion. Received: sgdd",
    ),
    "a range that is none": (["--range", "lr0"], "--range must be NAME=VALUE. Received: lr0"),
    "half a range": (["--range", "lr0=1"], "--range lr0 must be (low, high). Received: (1,)."),
    "a range upside down": (
        ["--range", "lr0=1:0.1"],
        "--range lr0 must be (low, high) with low <= high. Received: (1, 0.1).",
    ),
    "a range of nothing": (
        ["--range", "step.dorp=0.1:0.2"],
        (
            "--range must name hyperparameters of this search: lr0, momentum, weight_decay, "
            "time.k, step.drop, step.epochs_drop, exponential.k. Received: 'step.dorp'."
            " Did you mean 'step.drop'?"
        ),
    ),
    "a value outside its domain": (
        ["--fix", "momentum=1"],
        "--fix momentum must be a number >= 0 and < 1. Received: 1.",
    ),
    "both": (
        ["--fix", "lr0=0.1", "--range", "lr0=0.1:1"],
        "--fix and --range must not name the same hyperparameter. Received: 'lr0' in both.",
    ),
    "a try of another family": (
        ["--try", "cosine lr0=0.1"],
        (
            "a schedule to try must begin with a family of the search (constant, time, step, "
            "exponential). Received: 'cosine lr0=0.1'."
        ),
    ),
    "a try outside its domain": (
        ["--try", "step drop=2"],
        "--try step.drop must be a number > 0 and <= 1. Received: 2.",
    ),
    "more tries than trials": (
        ["--algo", "random", "--max-trials", "1", "--try", "step", "--try", "time"],
        "--try may be given at most --max-trials times, 1. Received: 2 times.",
    ),
    "unknown objective": (
        ["--objective", "val_f1"],
        "--objective must be one of val_accuracy, val_loss, accuracy, loss. Received: val_f1",
    ),
    "unknown score": (
        ["--score", "mean"],
        "--score must be one of last, tail, best. Received: mean",
    ),
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
    "negative models": (
        ["--keep-models", "-1"],
        "--keep-models must be an integer >= 0. Received: -1",
    ),
    "negative retries": (
        ["--max-retries", "-1"],
        "--max-retries must be an integer >= 0. Received: -1",
    ),
    "no trials": (
        ["--algo", "random", "--max-trials", "0"],
        "--max-trials must be an integer >= 1. Received: 0",
    ),
    "pairs of no confirmation": (
        ["--max-seeds", "9"],
        "--max-seeds goes with --confirm only. Received: 9",
    ),
    "no pairs": (
        ["--confirm", "--max-seeds", "0"],
        "--max-seeds must be an integer >= 1. Received: 0.",
    ),
    "no time": (
        ["--time-limit", "soon"],
        (
            "--time-limit must be a time > 0 such as 30m, 90s, 2h or 1h30m, or seconds as a plain "
            "number. Received: soon"
        ),
    ),
    "unknown option": (["--epochs", "3"], "No such option"),
    "missing data": (["--data", "nowhere/cats.npz"], "cats.npz: no such file"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_one_line_and_exit_code_2_and_leaves_nothing(
    case: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    arguments, message = BAD[case]
    folder = tmp_path / "run"
    ended = called(capsys, "search", *arguments, "--run-dir", folder)
    assert ended.returncode == 2
    assert ended.stdout == ""
    assert ended.stderr.count("\n") == 1
    assert ended.stderr.startswith("lrtune search: ")
    assert message in ended.stderr
    assert not folder.exists()


def test_bad_input_ends_a_process_with_exit_code_2_and_one_line():
    ended = run("--max-epochs", 0)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr == "lrtune search: --max-epochs must be an integer >= 1. Received: 0.\n"


def test_a_damaged_run_without_finished_trials_is_refused_and_kept(
    tmp_path: Path, tiny_images: Path, capsys: pytest.CaptureFixture[str]
):
    folder = tmp_path / "run"
    (folder / "trial_0000").mkdir(parents=True)
    (folder / "run.json").write_text("precious")
    ended = called(capsys, "search", "--run-dir", folder, "--data", tiny_images)
    assert ended.returncode == 2
    assert ended.stderr == (
        f"lrtune search: run folder {folder} holds a search, but no run.json that can be read and "
        "no trial of lrtune's that ended; choose another run folder, or delete the folder\n"
    )
    assert (folder / "run.json").read_text() == "precious"


def test_overwrite_never_erases_a_folder_without_a_run(
    tmp_path: Path, tiny_images: Path, capsys: pytest.CaptureFixture[str]
):
    (tmp_path / "thesis.txt").write_text("precious")
    ended = called(capsys, "search", "--run-dir", tmp_path, "--data", tiny_images, "--overwrite")
    assert ended.returncode == 2
    assert ended.stderr == (
        f"lrtune search: run folder {tmp_path} is not empty and holds no run. Choose another "
        "run folder\n"
    )
    assert (tmp_path / "thesis.txt").read_text() == "precious"


def test_overwrite_erases_nothing_when_the_data_are_missing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    (tmp_path / "run.json").write_text("precious")
    ended = called(capsys, "search", "--run-dir", tmp_path, "--data", "nowhere.npz", "--overwrite")
    assert ended.returncode == 2
    assert (tmp_path / "run.json").read_text() == "precious"


def test_a_folder_that_cannot_be_written_to_is_one_line(
    tmp_path: Path, tiny_images: Path, capsys: pytest.CaptureFixture[str]
):
    (tmp_path / "file").write_text("")
    folder = tmp_path / "file" / "run"
    ended = called(capsys, "search", "--run-dir", folder, "--data", tiny_images)
    assert ended.returncode == 2
    assert ended.stderr == (
        f"lrtune search: cannot write to run folder {folder}: Not a directory; choose another "
        "run folder\n"
    )


def test_the_tensorboard_folder_must_not_be_the_run_folder(
    tmp_path: Path, tiny_images: Path, capsys: pytest.CaptureFixture[str]
):
    folder = tmp_path / "run"
    arguments = ("--run-dir", folder, "--data", tiny_images, "--tensorboard", folder)
    ended = called(capsys, "search", *arguments)
    assert ended.returncode == 2
    assert ended.stderr.count("\n") == 1
    assert not (tmp_path / "run").exists()


def test_help_names_every_option_of_the_search(capsys: pytest.CaptureFixture[str]):
    ended = called(capsys, "search", "--help")
    assert ended.returncode == 0
    options = options_of(search.command)
    assert {"--algo", "--max-retries", "--quiet"} <= set(options)
    for option in options:
        assert f"{option} " in ended.stdout


def test_help_says_what_lrtune_and_each_of_its_commands_are_for(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("COLUMNS", "80")
    ended = called(capsys, None, "--help")
    assert ended.returncode == 0
    assert "Search learning-rate schedules for Keras models" in ended.stdout
    assert "..." not in ended.stdout.split("Commands:")[1]  # no description is cut off


def test_the_default_folder_identifies_the_search():
    name = search_options.default_run_dir(asked())
    assert name == Path("runs/random-50-epochs-seed-1")
    one_command = {"confirm": True, "max_seeds": 9, "time_limit": "30m"}
    numbers = {"workers": 4, "workers_per_gpu": 2, "max_trials": 99, "keep_models": 9}
    for same in (one_command, numbers, {"overwrite": True}):
        assert search_options.default_run_dir(asked(**same)) == name
    others = [
        {"algo": "bayesian"},
        {"max_epochs": 9},
        {"seed": 2},
        {"quick": True},
        {"data": "synthetic"},
        {"families": "step"},
        {"objective": "val_loss"},
        {"batch_size": "32"},
        {"batch_size": "32,64"},
        {"optimizer": "adam"},
        {"ranges": ["lr0=0.1:1"]},
        {"fixed": ["lr0=0.1"]},
        {"tries": ["step"]},
        {"score": "best"},
        {"score": "tail"},
        {"baseline_budget": 0.0},
        {"horizon": "rescaled"},
        {"horizon": "truncated"},
        {"min_epochs": 1},
        {"min_epochs": 2},
    ]
    assert len({search_options.default_run_dir(asked(**one)) for one in [{}, *others]}) == 21


def test_the_resume_command_leaves_out_defaults():
    assert search_options.command_line(asked(run_dir=Path("my runs/a"), overwrite=True)) == (
        "python -m lrtune.search --algo random --run-dir 'my runs/a'"
    )
    assert search_options.command_line(
        asked(run_dir=Path("a"), families="step,time", max_epochs=9, quick=True, seed=0)
    ) == (
        "python -m lrtune.search --algo random --max-epochs 9 --families step,time --seed 0 "
        "--quick --run-dir a"
    )


def test_the_resume_command_has_every_changed_option(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    changed = search_options.Options(
        algo="bayesian", data="some pets.npz", max_epochs=7, max_trials=9, families="step",
        objective="val_loss", batch_size="8,16", workers=3, seed=5, score="best",
        workers_per_gpu=2,
        baseline_budget=0.25, keep_models=2, trial_timeout=60.0, max_retries=1,
        tensorboard=Path("my events"),
        run_dir=Path("my runs"),
        quick=True, quiet=True, optimizer="adam", ranges=["lr0=0.1:1", "step.drop=0.1:0.5"],
        fixed=["beta_1=0.9"], tries=["step lr0=0.2", "step lr0=0.3"],
        loss="categorical_crossentropy", metrics="accuracy,mae", confirm=True, max_seeds=9,
        time_limit="1h30m", engine="ray", ray_address="10.0.0.1:6379", gpus_per_trial=0.5,
    )  # fmt: skip
    every = [field.name for field in fields(changed)]
    singular = {"ranges": "range", "fixed": "fix", "tries": "try"}
    options = [f"--{singular.get(name, name).replace('_', '-')}" for name in every]
    assert sorted(options) == sorted(options_of(search.command))
    same = [name for name in every if getattr(changed, name) == getattr(asked(), name)]
    # A model would be looked for; rungs are Hyperband's, which takes no --max-trials; with three
    # workers nothing trains in this process; --overwrite must not be typed again.
    assert same == ["model", "horizon", "min_epochs", "in_process", "overwrite"]
    others = search_options.Options(in_process=True, horizon="rescaled", min_epochs=2)
    words = " ".join(shlex.split(search_options.command_line(others)))
    assert "--in-process" in words
    assert "--horizon rescaled --min-epochs 2" in words

    parsed: list[search_options.Options] = []
    monkeypatch.setattr(search, "search", parsed.append)
    python, module, name, *words = shlex.split(search_options.command_line(changed))
    assert (python, module, name) == ("python", "-m", "lrtune.search")
    assert called(capsys, "search", *words).returncode == 0
    assert parsed == [changed]
