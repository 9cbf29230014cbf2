"""The notebooks as stored are whole and clean, and they run, quickly, from an empty folder."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from textwrap import fill
from typing import Any

import pytest

import lrtune
from lrtune.plots.gallery import Plots

ROOT = Path(__file__).parents[2]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
QUICK = {"EPOCHS": "3", "TRIALS": "6"}
EXECUTE = "from nbclient.cli import main; main()"

every_notebook = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


def read(path: Path) -> dict[str, Any]:
    return json.loads(path.read_text(encoding="utf-8"))


def code_cells(path: Path) -> list[dict[str, Any]]:
    return [cell for cell in read(path)["cells"] if cell["cell_type"] == "code"]


def source(cell: dict[str, Any]) -> str:
    return "".join(cell["source"])


def outputs(path: Path) -> list[dict[str, Any]]:
    return [output for cell in code_cells(path) for output in cell["outputs"]]


def printed(path: Path) -> str:
    """All text of all outputs, whatever its type, but no pictures."""
    found = []
    for output in outputs(path):
        found += output.get("text", [])
        for kind, content in output.get("data", {}).items():
            found += [] if kind.startswith("image/") else content
    return "".join(found)


def pictures(path: Path, name: str) -> list[str]:
    """The pictures below the cell that draws `plot.NAME`."""
    (cell,) = [cell for cell in code_cells(path) if f".plot.{name}(" in source(cell)]
    data = [output.get("data", {}) for output in cell["outputs"]]
    return [one["image/png"] for one in data if "image/png" in one]


PLOTS = list(vars(Plots(None)))
SEARCH = ROOT / "notebooks" / "search_and_report.ipynb"


def test_there_are_notebooks_and_pictures():
    named = {"reading", "search_and_report", "short_runs", "your_own_model"}
    assert named <= {one.stem for one in NOTEBOOKS}
    assert {"schedules", "forest"} <= set(PLOTS)


@every_notebook
def test_a_stored_notebook_was_executed_from_top_to_bottom(path: Path):
    cells = code_cells(path)
    assert [cell["execution_count"] for cell in cells] == list(range(1, len(cells) + 1))
    assert [one for one in outputs(path) if one["output_type"] == "error"] == []
    assert [one["text"] for one in outputs(path) if one.get("name") == "stderr"] == []


@every_notebook
def test_a_stored_notebook_names_no_place_of_the_machine_it_ran_on(path: Path):
    everything = printed(path) + "".join("".join(cell["source"]) for cell in read(path)["cells"])
    assert re.findall(r"(?<![\w.:/<])/[A-Za-z]\w*/\S*", everything) == []
    assert re.findall(r"[A-Z]:\\\S*", everything) == []


@every_notebook
def test_a_stored_notebook_is_small_and_plain(path: Path):
    notebook = read(path)
    assert (notebook["nbformat"], notebook["nbformat_minor"]) == (4, 5)
    assert notebook["metadata"]["kernelspec"]["name"] == "python3"
    assert "widgets" not in notebook["metadata"]
    kinds = {kind for output in outputs(path) for kind in output.get("data", {})}
    assert kinds <= {"text/plain", "text/html", "image/png"}
    assert path.stat().st_size < 1_000_000


@every_notebook
def test_a_stored_notebook_that_loads_images_had_the_real_ones(path: Path):
    if any("load_data(" in source(cell) for cell in code_cells(path)):
        assert re.search(r"^cifar10 \(\w+\): ", printed(path), re.MULTILINE)


@pytest.mark.parametrize("name", PLOTS)
def test_the_search_shows_every_picture_that_there_is(name: str):
    shown = len(pictures(SEARCH, name))
    if name == "importance":  # of 24 trials it would be noise, which the notebook says
        assert shown == 0
        assert "with fewer than 50, chance often" in printed(SEARCH)
    else:
        assert shown == 1


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, images: Path) -> Path:
    """A folder beside the examples and benchmarks, as `notebooks` is, and the quick setting."""
    for name in ("examples", "benchmarks"):
        (tmp_path / name).symlink_to(ROOT / name)
    for name, value in {**QUICK, "DATA": str(images), "TABLE": "stand-in"}.items():
        monkeypatch.setenv(name, value)
    (tmp_path / "notebooks").mkdir()
    return tmp_path / "notebooks"


def execute(path: Path, folder: Path) -> Path:
    """Runs a copy of a notebook in a process of its own, and returns the executed one."""
    copy = folder / path.name
    copy.write_bytes(path.read_bytes())
    command = [sys.executable, "-c", EXECUTE, "--inplace", str(copy)]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr[-5000:]
    assert [one["text"] for one in outputs(copy) if one.get("name") == "stderr"] == []
    return copy


def ends(folder: Path) -> dict[str, int]:
    """When each training below `folder` was recorded; those of stock Keras Tuner are not."""
    return {str(one): one.stat().st_mtime_ns for one in folder.rglob("outcome.json")}


@pytest.mark.long
def test_the_reading_runs(folder: Path):
    executed = execute(ROOT / "notebooks" / "reading.ipynb", folder)
    assert "pets.npz: 240 training and 40 test images" in printed(executed)


@pytest.mark.long
def test_the_study_of_short_trainings_runs_on_a_table_drawn_by_chance(folder: Path):
    executed = execute(ROOT / "notebooks" / "short_runs.ipynb", folder)
    said = printed(executed)
    assert re.search(
        r"^second: trainings that keep more than 9 of 10 of the true best: ", said, re.M
    )
    pictures = [one for one in outputs(executed) if "image/png" in one.get("data", {})]
    assert len(pictures) == 4


@pytest.mark.long
def test_the_search_draws_what_a_small_run_has_and_continues_when_run_again(folder: Path):
    executed = execute(SEARCH, folder)
    assert [name for name in PLOTS if not pictures(executed, name)] == [
        "parallel_coordinates", "tuning_curves", "importance",
    ]  # fmt: skip
    assert "with fewer than 50, chance often" in printed(executed)
    (page,) = (folder / "runs").glob("random-*.html")
    assert "constant-tuned" in page.read_text(encoding="utf-8")
    found = lrtune.load_run(page.with_suffix(""))
    comparison = found.comparison()
    assert comparison["is_baseline"].tolist() == [False, True]
    assert comparison["n"].min() >= 4  # pairs, before which it does not give up
    assert fill(found.verdict(), 100) in printed(executed)

    trained = ends(folder)
    assert len(trained) > 40
    execute(SEARCH, folder)
    assert ends(folder) == trained


@pytest.mark.long
def test_a_model_of_ones_own_is_searched_confirmed_and_trained(folder: Path):
    path = ROOT / "notebooks" / "your_own_model.ipynb"
    executed = execute(path, folder)
    said = printed(executed)
    assert re.search(r"^shown to beat the constant rate: (yes|no)$", said, re.M)
    # Ten digits: guessing is right once in ten.
    assert float(re.search(r"test accuracy (0\.\d+)", said)[1]) > 0.2
    run = lrtune.load_run(folder / "runs" / "digits-3-epochs")
    widths = {run.hyperparameters(one)["width"] for one in ("constant-tuned", run.best_trial_id)}
    assert widths <= {32, 64, 96, 128}

    trained = ends(folder)
    execute(path, folder)
    assert ends(folder) == trained
