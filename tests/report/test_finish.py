"""The lines at the end of a search or confirmation."""

from __future__ import annotations

import io
import re
import shlex

import pytest
from rich.console import Console

from lrtune.display.observer import Observer
from lrtune.errors import RunFolderError
from lrtune.export.live import TensorBoardObserver
from lrtune.report import finish
from lrtune.run import load_run
from tests.runs import build_run
from tests.tasks import task_of

NAMES = ["plain", "with blank", "it's", "a;b", "$(x)", "-x"]


def commands_in(text):
    return [shlex.split(command) for command in re.findall("`(lrtune .*?)`", text)]


@pytest.mark.parametrize("name", NAMES)
def test_a_shell_reads_the_folder_of_a_printed_command_as_one_word(tmp_path, name):
    folder = tmp_path / name

    assert commands_in(finish.next_commands(folder)) == [
        ["lrtune", "report", str(folder)],
        ["lrtune", "confirm", str(folder)],
    ]


@pytest.mark.parametrize("name", NAMES)
def test_a_shell_reads_the_path_of_the_page_as_one_word(tmp_path, name):
    folder = build_run.write_manifest(tmp_path / name)
    (folder / "report.html").write_text("kept")
    out = io.StringIO()

    finish.keep_page(folder, Console(file=out), overwrite=False)

    path = re.fullmatch("Open (.*) for the report with pictures .*", out.getvalue().strip())[1]
    assert shlex.split(path) == [str(folder / "report.html")]
    assert (folder / "report.html").read_text() == "kept"


@pytest.mark.parametrize("name", NAMES)
def test_a_shell_reads_the_folder_in_the_error_without_a_confirmation_as_one_word(tmp_path, name):
    folder = build_run.write_manifest(tmp_path / name)

    with pytest.raises(RunFolderError) as error:
        load_run(folder).comparison()

    assert commands_in(str(error.value)) == [["lrtune", "confirm", str(folder)]]


@pytest.mark.parametrize("name", NAMES)
def test_a_shell_reads_the_folder_in_tensorboards_notice_as_one_word(tmp_path, name, monkeypatch):
    def full(*_, **__):
        raise OSError(28, "No space left on device")

    notices = []
    display = Observer()
    monkeypatch.setattr(display, "noticed", notices.append)
    with TensorBoardObserver(tmp_path / "events", tmp_path / name, display) as observer:
        monkeypatch.setattr("lrtune.export.event_files.TrialEvents._write", full)
        observer.trial_began(task_of("0007", build_run.STEP, 1, 0, 3))

    (notice,) = notices
    assert commands_in(notice) == [
        ["lrtune", "export", str(tmp_path / name), "--to", "tensorboard"]
    ]
