"""`lrtune show`: the code of the recommended choice, or of any other."""

from __future__ import annotations

import json

import pytest

from tests.cli import command
from tests.runs import build_run


@pytest.fixture
def folder(tmp_path):
    """A run whose best trial is within the noise of its constant rate."""
    return build_run.tuned_run(tmp_path / "run", (0.71, 0.70, 0.72))


def test_where_nothing_beats_it_the_constant_rate_is_shown(folder, capsys):
    shown = command.called(capsys, "show", folder)
    assert shown.returncode == 0
    found: dict[str, object] = {}
    exec(shown.stdout, found)  # noqa: S102 - what a person would paste
    assert float(found["optimizer"].learning_rate) == pytest.approx(0.0275)
    assert found["optimizer"].momentum == 0.91


def test_a_schedule_beyond_the_noise_is_shown(tmp_path, capsys):
    folder = build_run.tuned_run(tmp_path / "run", (0.651, 0.65, 0.652))
    shown = command.called(capsys, "show", folder, "--as", "json")
    assert json.loads(shown.stdout)["schedule"]["name"] == "exponential"


def test_any_trial_or_arm_can_be_shown(folder, capsys):
    shown = command.called(capsys, "show", folder, "constant-0.1", "--as", "json")
    assert json.loads(shown.stdout)["schedule"] == {"name": "constant", "lr0": 0.1}


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--as", "torch"], "--as must be one of keras, lrtune, json, error. Received: torch."),
        (["nobody"], "name must be the id of a trial that ended, or one of the arms: "),
    ],
)
def test_bad_input_is_one_line_and_code_2(folder, capsys, words, message):
    shown = command.called(capsys, "show", folder, *words)
    assert (shown.returncode, shown.stdout) == (2, "")
    assert shown.stderr.startswith(f"lrtune show: {message}")
    assert shown.stderr.count("\n") == 1


def test_the_traceback_of_a_failed_trial_is_shown_and_its_number_is_enough(tmp_path, capsys):
    folder = build_run.write_manifest(tmp_path / "run")
    message = "ValueError: boom (mine.py, line 3)\n\nTraceback (most recent call last):\n  File ..."
    build_run.write_trial(folder, "0007", None, status="failed", message=message)
    build_run.write_trial(folder, "0008", 0.7)
    shown = command.called(capsys, "show", folder, 7, "--as", "error")
    assert (shown.returncode, shown.stdout) == (0, f"{message}\n")
    assert command.called(capsys, "show", folder, 8, "--as", "json").returncode == 0
    for name in ("8", "9"):
        refused = command.called(capsys, "show", folder, name, "--as", "error")
        assert (refused.returncode, refused.stderr) == (
            2,
            (
                "lrtune show: trial must be one that failed, diverged or was lost. "
                f"Received: '{name}'.\n"
            ),
        )
    report = command.called(capsys, "report", folder, "--details").stdout
    assert "0007: ValueError: boom (mine.py, line 3)" in report
    assert f"lrtune show {folder} 0007 --as error" in " ".join(report.split())
