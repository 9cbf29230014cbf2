"""`lrtune range-test`, and `--range lr0=auto` in a search, from the start to a resumed run."""

from __future__ import annotations

import dataclasses
import json
import re
import subprocess
import sys
from typing import TYPE_CHECKING

import numpy as np
import pytest

import lrtune
from lrtune.cli import search
from lrtune.cli.option_checks import check
from lrtune.errors import ArgumentError
from tests.cli.command import called
from tests.cli.test_search import options_of as asked

if TYPE_CHECKING:
    from pathlib import Path

    from lrtune.cli.options import Options


def test_it_prints_the_range_and_the_search_that_uses_it(tmp_path: Path, tiny_images: Path):
    typed = ["range-test", "--data", tiny_images, "--batch-size", "16", "--seeds", "2"]
    ended = subprocess.run(
        [sys.executable, "-m", "lrtune", *typed, "--figure", tmp_path / "range.png"],
        capture_output=True,
        text=True,
    )
    assert (ended.returncode, ended.stderr) == (0, "")
    images, said, picture, _, use = ended.stdout.splitlines()
    assert images.startswith("Images: tiny.npz, 48 to train, ")
    low, high = re.match(r"Suggested range for lr0: (\S+) to (\S+)\.", said).groups()
    assert picture == f"Picture: {tmp_path / 'range.png'}"
    assert (tmp_path / "range.png").read_bytes().startswith(b"\x89PNG")
    assert use.split() == [
        *("lrtune", "search", "--data", str(tiny_images), "--batch-size", "16"),
        *("--range", f"lr0={low}:{high}"),
    ]


BAD = {
    "unknown optimizer": (
        ["--optimizer", "sgdd"],
        "--optimizer must be one of sgd, adam, adamw, rmsprop, lion. Received: sgdd",
    ),
    "no seeds": (["--seeds", "0"], "--seeds must be an integer >= 1. Received: 0"),
    "no epochs": (["--epochs", "0"], "--epochs must be an integer >= 1. Received: 0"),
    "no images": (["--batch-size", "0"], "--batch-size must be an integer >= 1. Received: 0"),
    "a rate of 0": (["--low", "0"], "--low must be a number > 0 that float32 can hold"),
    "upside down": (
        ["--low", "1", "--high", "0.1"],
        "--high must be greater than --low, 1. Received: 0.1",
    ),
    "another kind of picture": (
        ["--figure", "range.gif"],
        "--figure must end in .png, .svg or .pdf. Received: range.gif",
    ),
    "a folder that is not there": (
        ["--figure", "nowhere/range.png"],
        "--figure must be in a folder that exists. Received: nowhere/range.png",
    ),
    "missing data": (["--data", "nowhere/cats.npz"], "cats.npz: no such file"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_one_line_and_exit_code_2(
    case: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    monkeypatch.chdir(tmp_path)
    arguments, message = BAD[case]
    ended = called(capsys, "range-test", *arguments)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr.count("\n") == 1
    assert ended.stderr.startswith("lrtune range-test: ")
    assert message in ended.stderr


def test_a_rate_below_which_the_test_cannot_rise_is_one_line(
    tiny_images: Path, capsys: pytest.CaptureFixture[str]
):
    ended = called(capsys, "range-test", "--data", tiny_images, "--low", 100)
    assert ended.returncode == 2
    assert ended.stderr == (
        "lrtune range-test: high must be greater than low, 100. Received: high=9.\n"
    )


# --range lr0=auto


def automatic(folder: Path, data: Path, **changes: object) -> Options:
    options = {
        "data": str(data),
        "max_epochs": 2,
        "max_trials": 2,
        "batch_size": "16",
        "workers": 1,
        "families": "step",
        "baseline_budget": 0.0,
        "ranges": ["lr0=auto", "momentum=0.1:0.9"],
        "run_dir": folder,
    }
    return asked(**{**options, **changes})


def scores(folder: Path) -> list[float]:
    return list(lrtune.load_run(folder).ranking()["score"])


def manifest(folder: Path) -> dict[str, object]:
    return json.loads((folder / "run.json").read_text())  # type: ignore[no-any-return]


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory, tiny_images: Path) -> Options:
    """A finished search with a range that it found."""
    options = automatic(tmp_path_factory.mktemp("auto") / "run", tiny_images)
    check(options)
    search.search(options)
    return options


def test_a_search_finds_its_range_and_records_it(found: Options, tiny_images: Path):
    ranges = manifest(found.folder)["ranges"]
    dataset = lrtune.load_data(str(tiny_images))
    hypermodel = lrtune.CatsVsDogsHyperModel(
        input_shape=dataset.input_shape, ranges={"momentum": (0.1, 0.9)}
    )
    tested = lrtune.range_test(hypermodel, dataset.train.x, dataset.train.y, batch_size=16)
    assert ranges == {"lr0": list(tested.suggested), "momentum": [0.1, 0.9]}
    low, high = tested.suggested
    assert lrtune.load_run(found.folder).ranking()["lr0"].between(low, high).all()


def test_it_is_the_search_with_that_range_typed(found: Options, tmp_path: Path, tiny_images: Path):
    low, high = manifest(found.folder)["ranges"]["lr0"]
    typed = automatic(
        tmp_path / "run", tiny_images, ranges=["momentum=0.1:0.9", f"lr0={low!r}:{high!r}"]
    )
    search.search(typed)
    assert scores(typed.folder) == scores(found.folder)


@pytest.fixture
def no_test(monkeypatch: pytest.MonkeyPatch):
    def fails(*args, **kwargs):
        raise AssertionError("tested again")

    monkeypatch.setattr("lrtune.finder.api.range_test", fails)


@pytest.mark.usefixtures("no_test")
def test_a_finished_search_is_recognized_without_another_test(
    found: Options, capsys: pytest.CaptureFixture[str]
):
    search.search(found)
    assert "is finished; --overwrite starts a new one." in capsys.readouterr().out


@pytest.mark.usefixtures("no_test")
def test_a_resumed_search_has_the_recorded_range(found: Options):
    before = manifest(found.folder)["ranges"]
    search.search(dataclasses.replace(found, max_trials=3))
    assert manifest(found.folder)["ranges"] == before
    assert len(scores(found.folder)) == 3


def test_overwrite_tests_again(
    tmp_path: Path, tiny_images: Path, capsys: pytest.CaptureFixture[str]
):
    options = automatic(tmp_path / "run", tiny_images, ranges=["lr0=0.01:0.02"])
    search.search(options)
    search.search(dataclasses.replace(options, ranges=["lr0=auto"], overwrite=True))
    assert "Suggested range for lr0: " in capsys.readouterr().out
    assert manifest(options.folder)["ranges"]["lr0"] != [0.01, 0.02]


def test_without_a_suggestion_the_usual_range_is_searched(
    tmp_path: Path,
    tiny_images: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
):
    from lrtune.finder.result import RangeTest
    from lrtune.stats.range_test import read

    rates, losses = np.geomspace(1e-5, 1, 100), np.full((1, 100), 0.7)
    nothing = RangeTest((1,), rates, losses, read(rates, losses, 0.1))
    monkeypatch.setattr("lrtune.finder.api.range_test", lambda *args, **kwargs: nothing)
    options = automatic(tmp_path / "run", tiny_images)
    search.search(options)
    said = " ".join(capsys.readouterr().out.split())
    assert "No range for lr0 can be suggested." in said
    assert "The usual range is searched: 0.001 to 0.3." in said
    assert manifest(options.folder)["ranges"]["lr0"] == [0.001, 0.3]


def test_the_default_folder_is_named_after_what_was_typed(tiny_images: Path):
    options = asked(data=str(tiny_images), ranges=["lr0=auto"])
    assert options.with_lr0(0.01, 0.1).folder == options.folder


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"fixed": ["lr0=0.1"]}, "--fix and --range must not name the same hyperparameter"),
        ({"ranges": ["momentum=auto"]}, "--range momentum must be (low, high)."),
    ],
)
def test_auto_goes_only_where_it_makes_sense(
    changes: dict[str, object], message: str, tmp_path: Path, tiny_images: Path
):
    options = automatic(tmp_path / "run", tiny_images, **changes)
    with pytest.raises(ArgumentError, match=re.escape(message)):
        check(options)
