"""Text from a run folder cannot control a terminal, a spreadsheet or a page."""

from __future__ import annotations

import ast
import csv
import io
import os
import subprocess
import sys

import pandas as pd
import pytest
from rich.console import Console

from lrtune.errors import ArgumentError
from lrtune.records.reader import read_run
from lrtune.report.build import build_report, build_sections
from lrtune.report.tables import write_csv
from lrtune.report.terminal import print_report
from lrtune.run import load_run
from tests.runs import build_run

EVIL = "\x1b[2J\u202e\x9b1m\x07\r[red]:smile:"
SHOWN = "\\x1b[2J\\u202e\\x9b1m\\x07 [red]:smile:"


def hostile_run(folder):
    """Every string that a run may say holds what steers a terminal."""
    data = {**build_run.MANIFEST["data"], "source": EVIL}
    arms = {EVIL: build_run.CONSTANT}
    build_run.write_manifest(folder, algo=EVIL, objective=EVIL, data=data, baseline_arms=arms)
    values = {"schedule": EVIL, "lr0": 0.1, "momentum": 0.5, f"{EVIL}.{EVIL}": EVIL}
    build_run.write_trial(folder, "0", 0.7, values=values, rows=0)
    build_run.write_trial(folder, "1", 0.7, values=values, epochs=(1, 17, 17), rows=0)
    build_run.write_trial(folder, "2", None, status="failed", message=EVIL, rows=0)
    return folder


def test_no_text_of_a_run_reaches_the_terminal_as_control_characters(tmp_path):
    out = io.StringIO()
    print_report(read_run(hostile_run(tmp_path)), Console(file=out, width=100), details=True)
    text = out.getvalue()

    assert all(line.isprintable() for line in text.split("\n"))
    # A message is shown as far as its first line goes, which ends at the carriage return.
    assert f"\n  failed     2: {SHOWN.split(maxsplit=1)[0]}\n" in text
    assert " ".join(text.split()).count(SHOWN) >= 6


def test_verdict_code_and_table_are_printable_before_layout(tmp_path):
    report = build_report(read_run(hostile_run(tmp_path)))

    assert report.verdict.isprintable()
    assert SHOWN in report.verdict
    assert all(line.isprintable() for line in report.usage)
    schedules = build_sections(report)["trials"].columns[2]
    assert schedules.texts == (f"{SHOWN}({SHOWN}={SHOWN})",)


def test_the_repr_of_a_run_is_printable(tmp_path):
    run = load_run(hostile_run(tmp_path))

    assert repr(run).isprintable()
    assert f": {SHOWN}, {SHOWN}, 50 epochs;" in repr(run)


def test_a_run_in_a_notebook_is_text_not_a_page_nor_a_formula(tmp_path):
    folder = tmp_path / "<b>'\"&"
    script = "<script>alert(1)</script>\"'&$\\href{javascript:1}{x}$\x1b"
    build_run.write_manifest(folder, algo=script)
    values = {**build_run.STEP, "schedule": script, f"{script}.a": script}
    build_run.write_trial(folder, "0", 0.7, values=values, rows=0)

    page = load_run(folder)._repr_html_()

    assert "<script" not in page
    assert "<b>" not in page
    assert "&lt;b&gt;" in page
    assert page.count("&lt;script&gt;") == 3  # in the title, the family and its parameters
    assert all(char.isprintable() or char == "\n" for char in page)
    # MathJax leaves what is within these classes alone.
    assert page.startswith('<div class="tex2jax_ignore mathjax_ignore"><p>lrtune run ')
    assert page.endswith("</div>")


@pytest.mark.parametrize("name", ["it's", 'say "so"', "a\nb", "a\\b", "a\x1b[2J", "'''", "a;b"])
def test_the_line_that_loads_a_run_works_with_any_folder_name(tmp_path, name):
    build_run.write_manifest(tmp_path / name)
    build_run.write_trial(tmp_path / name, "0", 0.7, rows=0)

    line = build_report(read_run(tmp_path / name)).usage[2]

    (statement,) = ast.parse(line).body
    (argument,) = statement.value.func.value.args
    assert ast.literal_eval(argument) == str(tmp_path / name)


def csv_of(folder, **values):
    build_run.write_manifest(folder)
    for number, message in enumerate(values.pop("messages", [None])):
        status = "completed" if message is None else "failed"
        build_run.write_trial(
            folder,
            f"{number}",
            -0.5 if message is None else None,
            values={**build_run.STEP, **values},
            status=status,
            message=message,
            rows=0,
        )
    write_csv(read_run(folder), str(folder / "out.csv"))
    return folder / "out.csv"


FORMULAS = [
    "=cmd|'/C calc'!A0",
    "+1+1",
    "-2+3",
    "@SUM(1)",
    "\t=1",
    "\r\n=1",
    "\uff1d1",
    "\uff0b1",
    "\uff0d1",
    "\uff201",
]


def test_a_spreadsheet_gets_no_formula(tmp_path):
    path = csv_of(tmp_path, schedule="=1+1", messages=FORMULAS)

    frame = pd.read_csv(path)

    assert frame["message"].tolist() == [f"'{formula.strip()}" for formula in FORMULAS]
    assert set(frame["schedule"]) == {"'=1+1"}


def test_numbers_and_usual_text_are_written_as_they_are(tmp_path):
    path = csv_of(tmp_path, lr0=-0.25, messages=[None, 'loss = 3, quoted "so", isn\'t it'])

    frame = pd.read_csv(path)

    assert frame["score"][0] == -0.5
    assert frame["lr0"].tolist() == [-0.25, -0.25]
    assert frame["parameters"][0] == "drop=0.5, epochs_drop=10"
    assert frame["message"][1] == 'loss = 3, quoted "so", isn\'t it'


def test_a_trial_is_one_line_of_the_file_without_control_characters(tmp_path):
    path = csv_of(tmp_path, messages=["OOM\r\nat x\n=1", EVIL, None])

    lines = path.read_text().split("\n")

    assert len(lines) == 5
    assert all(line.isprintable() for line in lines)
    assert sorted(pd.read_csv(path)["message"].dropna()) == sorted(["OOM at x =1", SHOWN])


def test_an_impossible_file_name_is_an_lrtune_error(tmp_path):
    build_run.write_manifest(tmp_path)

    with pytest.raises(ArgumentError) as caught:
        write_csv(read_run(tmp_path), "a\0b")

    assert str(caught.value) == (
        "--csv must be a file that can be written, or - for standard output. "
        "Received: 'a\\x00b' (embedded null byte)."
    )


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs a device that is full")  # noqa: PTH110
def test_a_full_output_ends_with_one_line(tmp_path):
    build_run.small_run(tmp_path)
    command = [sys.executable, "-m", "lrtune.report", str(tmp_path)]
    with open("/dev/full", "w") as full:  # noqa: PTH123
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True)

    assert (done.returncode, done.stderr) == (
        2,
        (
            "lrtune report: The report cannot be written to standard output "
            "(No space left on device).\n"
        ),
    )


def test_text_starts_no_formula_where_semicolons_separate_cells(tmp_path):
    path = csv_of(tmp_path, messages=["a;=1+1", 'a; "=cmd()"', "x;@SUM(A1);-2", "a;b;c = d"])

    # Read as a spreadsheet does in a locale whose separator is the semicolon.
    found = [
        cell for line in csv.reader(path.read_text().splitlines(), delimiter=";") for cell in line
    ]
    assert [cell for cell in found if cell.strip(' "').startswith(tuple("=+-@"))] == []
    frame = pd.read_csv(path)
    assert frame["message"].tolist() == [
        "a;'=1+1", "a; \"'=cmd()\"", "x;'@SUM(A1);'-2", "a;b;c = d",
    ]  # fmt: skip
