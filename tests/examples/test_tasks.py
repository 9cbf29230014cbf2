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
RUNS = ROOT / "examples" / "tasks" / "runs"
TASKS = sorted(one.name for one in RUNS.iterdir() if (one / "run.json").exists())
README = (ROOT / "README.md").read_text(encoding="utf-8")

every_task = pytest.mark.parametrize("task", TASKS)


def told(task: str) -> str:
    """What `lrtune report` prints."""
    ended = CliRunner().invoke(app.make_app(report), [str(RUNS / task)])
    assert ended.exit_code == 0, ended.output
    return ended.stdout


def test_there_are_three_tasks_and_a_twin():
    assert TASKS == ["next_character", "reading", "residual_cnn", "residual_cnn-seed-2"]


@every_task
def test_its_row_in_readme_is_what_its_run_says(task: str):
    (line,) = re.findall(rf"^\| \[?{re.escape(task)}\b.*$", README, re.MULTILINE)
    run = lrtune.load_run(RUNS / task)
    arms = run.comparison()
    (arm,) = arms[~arms.is_baseline].itertuples()
    assert f"`{arm.schedule}" in line
    assert f"{arm.difference:+.4f}" in line
    assert f"{arm.difference_lower:+.4f} to {arm.difference_upper:+.4f}" in line
    total = run.cost().set_index("of").loc["total"]
    assert f"| {total.trials:,.0f} | {total.epochs:,.0f} |" in line


@pytest.mark.parametrize("block", re.findall(r"```text\n\$ lrtune report (\S+)\n(.*?)```", README, re.S))
def test_readme_shows_what_report_prints(block: tuple[str, str]):
    folder, shown = block
    printed = told(Path(folder).name)
    assert shown.strip() in printed


def test_they_are_small_and_hold_neither_states_nor_images():
    files = [one for one in RUNS.rglob("*") if one.is_file()]
    assert sum(one.stat().st_size for one in files) < 5 * 2**20
    assert {one.suffix for one in files} <= {".json", ".jsonl", ".html", ".md"}


@every_task
def test_they_name_no_place_of_the_machine_they_ran_on(task: str):
    for path in (RUNS / task).rglob("*.json*"):
        text = path.read_text(encoding="utf-8")
        assert re.findall(r'"/[A-Za-z]\w*/[^"]*"', text) == [], path
