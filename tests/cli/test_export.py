from __future__ import annotations

import subprocess
import sys

import pytest

from lrtune.__main__ import main
from lrtune.cli.export import FORMATS
from tests.runs import build_run


@pytest.fixture
def folder(tmp_path):
    return build_run.hyperband(tmp_path / "run")


def called(capsys, *argv):
    """Exit code, output and errors of the command."""
    with pytest.raises(SystemExit) as end:
        main("export", [str(word) for word in argv])
    out, err = capsys.readouterr()
    return end.value.code, out, err


def child(*argv, code="from lrtune.__main__ import main; main('export')"):
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", code, *map(str, argv)], capture_output=True, text=True
    )


def test_the_default_is_next_to_the_run_folder_and_printed(folder, capsys, tmp_path):
    code, out, err = called(capsys, folder, "--to", "csv")
    assert (code, err) == (0, "")
    assert out == f"Wrote trials.csv (12 rows) and epochs.csv (70 rows) to {tmp_path}/run-csv.\n"
    assert (tmp_path / "run-csv" / "trials.csv").exists()


@pytest.mark.parametrize("to", FORMATS)
def test_every_format_is_written_without_tensorflow_and_replaced_on_demand(
    folder, to, tmp_path, capsys
):
    if FORMATS[to].needs is not None:
        pytest.importorskip(FORMATS[to].needs)
    done = child(
        *(folder, "--to", to, "--out", tmp_path / "out"),
        code="import sys\n"
        "from lrtune.__main__ import main\n"
        "try:\n"
        "    main('export')\n"
        "finally:\n"
        "    found = [name for name in ('tensorflow', 'keras') if name in sys.modules]\n"
        "    print('imported', *found)\n",
    )
    assert (done.returncode, done.stderr) == (0, "")
    first, *opened, last = done.stdout.splitlines()
    assert first.startswith("Wrote ")
    assert first.endswith(f" to {tmp_path}/out.")
    assert bool(opened) == (FORMATS[to].opened_by is not None)
    assert last == "imported"
    code, out, err = called(capsys, folder, "--to", to, "--out", tmp_path / "out")
    assert (code, out) == (2, "")
    assert err == (
        f"lrtune export: --out '{tmp_path}/out' exists already: --overwrite replaces it.\n"
    )
    code, _, err = called(capsys, folder, "--to", to, "--out", tmp_path / "out", "--overwrite")
    assert (code, err) == (0, "")


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["{run}"], "Missing option '--to'."),
        (["--to", "csv"], "Missing argument 'RUN'."),
        (
            ["{run}", "--to", "x\x1b[2Jls"],
            "--to must be one of csv, parquet, optuna, tensorboard. Received: 'x\\x1b[2Jls'.",
        ),
        (["{run}", "--to", "csv", "--out", ""], "--out must be a path. Received: ''."),
        (
            ["{run}", "--to", "csv", "--out", "{run}"],
            (
                "--out must be an empty folder, an earlier export, or not exist yet. Received: "
                "'{run}', which holds "
            ),
        ),
        (
            ["{run}", "--to", "csv", "--out", "{run}/run.json/out"],
            "--out must be a path that can be written. Received: '{run}/run.json/out' (",
        ),
        (["{run}/nothing", "--to", "csv"], "'{run}/nothing'"),
        (["{run}/trial_0", "--to", "csv"], "'{run}/trial_0' is not a run folder"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(folder, argv, message):
    done = child(*(word.format(run=folder) for word in argv))
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.count("\n") == 1
    assert "\x1b" not in done.stderr
    assert message.format(run=folder).lower() in done.stderr.lower()


@pytest.mark.parametrize("to", [name for name, form in FORMATS.items() if form.needs])
def test_a_missing_package_is_one_line_with_the_command_that_installs_it(
    folder, to, capsys, monkeypatch, tmp_path
):
    package = FORMATS[to].needs
    monkeypatch.setitem(sys.modules, package, None)
    code, out, err = called(capsys, folder, "--to", to)
    assert (code, out) == (2, "")
    assert err.startswith(f"lrtune export: --to {to} needs the package {package}, which cannot be ")
    assert err.endswith(f"Install it: python -m pip install {package}\n")
    assert err.count("\n") == 1
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


def test_damaged_files_are_left_out_with_a_notice(folder, capsys):
    (folder / "trial_0" / "outcome.json").write_text("{")
    code, _, err = called(capsys, folder, "--to", "csv")
    assert code == 0
    assert err.startswith("lrtune export: trial_0/outcome.json cannot be read")


def test_text_from_a_run_cannot_control_the_terminal(tmp_path, capsys):
    pytest.importorskip("optuna")
    folder = build_run.write_manifest(tmp_path / "r\x1b[2Jn", objective="a\x1bb")
    code, out, err = called(capsys, folder, "--to", "optuna")
    assert (code, err) == (0, "")
    assert "\x1b" not in out
    assert "study 'r\\x1b[2Jn' (0 trials)" in out


def test_help_imports_no_heavy_package():
    done = child(
        "--help",
        code="import sys\n"
        "from lrtune.__main__ import main\n"
        "try:\n"
        "    main('export')\n"
        "finally:\n"
        "    heavy = ('tensorflow', 'pandas', 'numpy', 'optuna', 'tensorboard')\n"
        "    print('imported', *[name for name in heavy if name in sys.modules])\n",
    )
    assert done.returncode == 0
    assert "tensorboard" in done.stdout
    assert done.stdout.splitlines()[-1] == "imported"


def test_export_is_a_subcommand():
    done = subprocess.run(
        [sys.executable, "-m", "lrtune", "export", "--help"], capture_output=True, text=True
    )
    assert done.stdout.startswith("Usage: lrtune export [OPTIONS]")
