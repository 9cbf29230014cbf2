"""The three tasks as stored: whole, small, and what README and the notebook say about them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

import lrtune
from lrtune.cli import app
from lrtune.cli.report import report

ROOT = Path(__file__).parents[2]
FOLDER = "examples/tasks/runs"
RUNS = ROOT / FOLDER
SHOWN = ("reading", "residual_cnn")
TASKS = sorted(one.name for one in RUNS.iterdir() if (one / "run.json").exists())
README = (ROOT / "README.md").read_text(encoding="utf-8")

every_task = pytest.mark.parametrize("task", TASKS)


def told(folder: str) -> str:
    """What `lrtune report` prints."""
    ended = CliRunner().invoke(app.make_app(report), [folder])
    assert ended.exit_code == 0, ended.output
    return ended.stdout


def test_there_are_three_tasks_and_one_of_them_twice():
    assert TASKS == ["next_character", "reading", "residual_cnn", "residual_cnn-seed-2"]


@every_task
def test_its_row_in_readme_is_what_its_run_says(task: str):
    (line,) = re.findall(rf"^\| {task}: .*$", README, re.MULTILINE)
    run = lrtune.load_run(RUNS / task)
    arms = run.comparison()
    (arm,) = arms[~arms.is_baseline].itertuples()
    total = run.cost().set_index("of").loc["total"]
    (interval,) = re.findall(r"the difference is \S+ \[(\S+), (\S+)\]", run.verdict())
    assert line.split(" | ")[1:] == [
        f"`{arm.schedule}`",
        f"{arm.difference:+.4f}",
        " to ".join(interval),
        "yes" if run.recommendation().shown else "no",
        f"{total.trials:,.0f}",
        f"{total.epochs:,.0f}",
        f"{total.seconds / 60:.0f} |",
    ]


def test_readme_shows_what_report_prints_of_a_no_and_a_yes(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(ROOT)
    monkeypatch.setenv("COLUMNS", "80")
    shown = re.findall(r"^\$ lrtune report (\S+)\n(.*?)```", README, re.MULTILINE | re.DOTALL)
    assert [folder for folder, _ in shown] == [f"{FOLDER}/{name}" for name in SHOWN]
    for folder, text in shown:
        assert text.strip() in told(folder)


def test_they_are_small_and_hold_neither_states_nor_images():
    files = [one for one in RUNS.rglob("*") if one.is_file()]
    assert sum(one.stat().st_size for one in files) < 5 * 2**20
    assert {one.suffix for one in files} <= {".json", ".jsonl", ".csv"}


@every_task
def test_they_name_no_place_of_the_machine_they_ran_on(task: str):
    for path in (RUNS / task).rglob("*.json*"):
        if path.name == "samples.json":  # numbers in base64
            continue
        text = path.read_text(encoding="utf-8")
        assert re.findall(r'"/[A-Za-z]\w*/[^"]*"', text) == [], path
