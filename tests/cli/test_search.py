"""A search from the command line: what it prints, keeps, resumes and refuses to mix."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
import typer
from rich.console import Console

import lrtune
from lrtune.cli import options as search_options
from lrtune.cli import search
from lrtune.cli.app import show_result
from lrtune.errors import DataError, OtherSearchError, RunFolderError
from tests.cli.command import called
from tests.runs import build_run

if TYPE_CHECKING:
    from pathlib import Path

COMMAND = [sys.executable, "-m", "lrtune.search"]


def run(*arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*COMMAND, *map(str, arguments)], capture_output=True, text=True)


def test_a_search_from_the_command_line_ends_with_the_ranking(tmp_path: Path, tiny_images: Path):
    folder = tmp_path / "run"
    ended = run(
        *("--algo", "hyperband", "--max-epochs", 2, "--data", tiny_images, "--batch-size", 16),
        *("--workers", 1, "--seed", 0, "--run-dir", folder),
    )
    assert ended.returncode == 0, ended.stderr
    assert ended.stderr == ""
    assert "[1/" in ended.stdout, "plain progress lines where there is no terminal"
    assert "\nTrials of 2 epochs\n" in ended.stdout
    opens, commands = ended.stdout.splitlines()[-2:]
    assert opens.startswith(f"Open {folder}/report.html for the report with pictures")
    assert f"`lrtune confirm {folder}` checks whether the result holds up." in commands
    assert ">What to use<" in (folder / "report.html").read_text()
    table = lrtune.load_run(folder).ranking()
    assert set(table["status"]) == {"completed"}
    assert table["rank"].dropna().tolist()[0] == 1
    manifest = json.loads((folder / "run.json").read_text())
    assert manifest["seed"] == 0
    assert manifest["data"]["sizes"] == {"train": 48, "validation": 12, "test": 20}
    seeds = sorted(path.name for path in (folder / "baseline" / "constant-0.1").iterdir())
    assert seeds == ["seed-0", "seed-1", "seed-2"]


@pytest.mark.parametrize("algo", ["bayesian", "shape", "random"])
def test_max_trials_is_exactly_the_number_of_trials_trained(
    algo: str, tmp_path: Path, tiny_images: Path, capsys: pytest.CaptureFixture[str]
):
    options = search_options.Options(
        algo=algo,
        data=str(tiny_images),
        max_epochs=2,
        max_trials=4,
        families="step,exponential",
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


def test_a_run_of_the_command_gives_its_cnns_without_a_hypermodel(
    tmp_path: Path, tiny_images: Path, capsys: pytest.CaptureFixture[str]
):
    ended = called(
        capsys, "search", "--algo", "random", "--max-epochs", 2, "--max-trials", 3,
        "--data", tiny_images, "--objective", "val_loss", "--batch-size", 16, "--in-process",
        "--keep-models", 2, "--run-dir", tmp_path / "run", "--quiet",
    )  # fmt: skip
    assert ended.returncode == 0, ended.stderr
    run = lrtune.load_run(tmp_path / "run")
    held = lrtune.load_data(str(tiny_images)).validation
    ranking = run.ranking()
    for trial, score in zip(ranking["trial_id"][:2], ranking["score"][:2], strict=True):
        model = run.best_model(trial=trial)
        assert model.input_shape == (None, 8, 8, 3)
        assert model.output_shape == (None, 2)
        loss, _ = model.evaluate(held.x, held.y, batch_size=16, verbose=0)
        assert loss == pytest.approx(score, rel=1e-6)
    with pytest.raises(RunFolderError, match="keep_models"):
        run.best_model(trial=ranking["trial_id"][2])
    tuned = run.best_model(trial="constant-tuned").optimizer
    arm = run.recipe("constant-tuned")
    assert (float(tuned.learning_rate), tuned.momentum) == pytest.approx((arm.lr0, arm.momentum))


def options_of(**changes: object) -> search_options.Options:
    return search_options.Options(**{"algo": "random", **changes})  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory, tiny_images: Path) -> search_options.Options:
    folder = tmp_path_factory.mktemp("finished") / "run"
    options = options_of(
        data=str(tiny_images),
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
        ({"algo": "bayesian"}, "--algo random, now bayesian"),
        ({"seed": 2}, "--seed 1, now 2"),
        (
            {"objective": "val_loss"},
            "--objective val_accuracy, now val_loss",
        ),
        ({"max_epochs": 2}, "--max-epochs 1, now 2"),
        ({"families": "step"}, "--families constant,time,step,exponential, now step"),
        ({"batch_size": 8}, "--batch-size 16, now 8"),
        ({"data": "synthetic"}, "the data are others (fingerprint "),
        (
            {"baseline_budget": 0.5},
            "--baseline-budget 0.0, now 0.5",
        ),
    ],
)
def test_another_search_in_the_same_folder_is_refused_with_both_values(
    finished: search_options.Options, changes: dict[str, object], message: str
):
    with pytest.raises(OtherSearchError) as error:
        search.search(replace(finished, **changes))  # type: ignore[arg-type]
    assert error.value.typed.startswith(
        f"run folder {finished.run_dir} holds another search: {message}"
    )


def test_a_finished_search_is_continued_for_more_trials(
    finished: search_options.Options, capsys: pytest.CaptureFixture[str]
):
    search.search(replace(finished, max_trials=3))
    out = capsys.readouterr().out
    assert "[9/9] trial 2" in out, "the six seeds of the baseline and two trials were there"
    assert len(lrtune.load_run(finished.run_dir).ranking()) == 3


def test_a_damaged_run_is_named_repaired_and_its_ranking_printed(
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
    assert f"The page {page} could not be written: " in out[out.index("\nMore:") :]
    page.with_name(page.name + ".tmp").rmdir()
    search.search(finished)
    assert "</html>" in page.read_text()


def test_a_search_writes_for_tensorboard_while_it_runs(tmp_path: Path, tiny_images: Path):
    options = options_of(
        data=str(tiny_images),
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


def test_a_quiet_search_prints_the_report_alone(
    tmp_path: Path, tiny_images: Path, capsys: pytest.CaptureFixture[str]
):
    arguments = ("--algo", "random", "--max-trials", 1, "--max-epochs", 1, "--data", tiny_images)
    folder = tmp_path / "run"
    ended = called(
        capsys,
        "search",
        *arguments,
        "--baseline-budget",
        0,
        "--workers",
        1,
        "--run-dir",
        folder,
        "--quiet",
    )
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


def test_a_new_search_starts_the_server_of_its_workers_before_it_loads_the_data(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    begun: list[str] = []

    def load(*_: object, **__: object) -> None:
        begun.append("data")
        raise DataError("no data")

    monkeypatch.setattr("lrtune.runner.forkserver.start_server", lambda: begun.append("server"))
    monkeypatch.setattr(search, "load_given", load)
    (tmp_path / "there").mkdir()
    for arguments, expected in (
        (["--run-dir", tmp_path / "new"], ["server", "data"]),
        (["--run-dir", tmp_path / "new", "--in-process"], ["data"]),
        (["--run-dir", tmp_path / "there"], ["data"]),  # it may be finished
    ):
        assert called(capsys, "search", *arguments).returncode == 2
        assert begun == expected
        begun.clear()
