from __future__ import annotations

import io
import subprocess
import sys

import pandas as pd
import pytest

from lrtune.__main__ import main
from tests.runs import build_run


@pytest.fixture
def folder(tmp_path):
    return build_run.small_run(tmp_path / "run")


def called(capsys, *argv):
    """Exit code, output and errors of the command."""
    with pytest.raises(SystemExit) as end:
        main("report", [str(word) for word in argv])
    out, err = capsys.readouterr()
    return end.value.code, out, err


def test_a_report_is_printed(folder, capsys):
    code, out, err = called(capsys, folder)

    assert (code, err) == (0, "")
    assert out.startswith("random search of 50 epochs")
    assert "outside  17 s" in out


def test_top_limits_the_rows(folder, capsys):
    _, out, _ = called(capsys, folder, "--top", 1)

    assert "\n  and 3 more trials\n" in out


def test_csv_has_the_whole_ranking_next_to_the_report(folder, capsys, tmp_path):
    code, out, err = called(capsys, folder, "--csv", tmp_path / "out.csv", "--top", 1)

    frame = pd.read_csv(tmp_path / "out.csv", dtype={"trial_id": str})
    assert (code, err) == (0, "")
    assert out.startswith("random search")
    assert frame["trial_id"].tolist() == ["1", "0", "2", "3", "5", "4", "6", "7", "8"]
    assert frame["score"][0] == 0.712
    assert frame["rank"].isna().sum() == 5
    assert frame["parameters"][1] == "drop=0.5, epochs_drop=10"


def test_csv_to_the_output_prints_nothing_else(folder, capsys):
    code, out, err = called(capsys, folder, "--csv", "-")

    assert (code, err) == (0, "")
    assert len(pd.read_csv(io.StringIO(out))) == 9
    assert out.startswith("rank,trial_id,schedule,lr0,momentum,parameters,own,epochs,score,")


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["--top", "0"], "--top must be >= 1. Received: 0."),
        (
            ["--csv", "{tmp}/no/out.csv"],
            (
                "--csv must be a file that can be written, or - for standard output. Received: "
                "'{tmp}/no/out.csv' (No such file or directory)."
            ),
        ),
        (
            ["--csv", "{tmp}"],
            (
                "--csv must be a file that can be written, or - for standard output. Received: "
                "'{tmp}' (Is a directory)."
            ),
        ),
    ],
)
def test_bad_options_end_with_one_line_and_code_2(folder, capsys, tmp_path, argv, message):
    argv = [word.format(tmp=tmp_path) for word in argv]

    assert called(capsys, folder, *argv) == (
        2,
        "",
        f"lrtune report: {message.format(tmp=tmp_path)}\n",
    )


def test_a_folder_without_a_run_ends_with_one_line_and_code_2(capsys, tmp_path):
    assert called(capsys, tmp_path / "no") == (
        2,
        "",
        (
            f"lrtune report: There is no folder '{tmp_path}/no'. Give the folder that a search "
            "wrote (its --run-dir).\n"
        ),
    )


def test_a_reader_that_stops_early_is_not_an_error(tmp_path):
    build_run.large_run(tmp_path, 1000, epochs=1)
    command = [sys.executable, "-m", "lrtune.report", str(tmp_path), "--csv", "-"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        process.stdout.readline()
        process.stdout.close()
        errors = process.stderr.read()

    assert errors == b""
    assert process.returncode == 0


def test_figures_are_written_in_addition_to_the_report(folder, capsys, tmp_path):
    ended = called(capsys, folder, "--figures", tmp_path / "figs")
    assert "Use exponential" in "".join(map(str, ended))
    names = {path.name for path in (tmp_path / "figs").iterdir()}
    assert {"schedules.svg", "schedules.png", "family-scores.svg"} <= names
