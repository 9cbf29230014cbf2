"""How the process ends."""

from __future__ import annotations

import errno
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
import typer

from lrtune.cli import app

if TYPE_CHECKING:
    from pathlib import Path

SCRIPT = """
import sys
from lrtune.cli import app


def command() -> None:
    exec("raise KeyboardInterrupt")  # as importing a module that makes a dataclass does


app.main(app.make_app(command), "lrtune", [], last=True)
"""


def test_an_interrupt_while_a_dataclass_is_made_exits_with_130_too(tmp_path: Path):
    (tmp_path / "interrupted.py").write_text(SCRIPT)
    ended = subprocess.run(
        [sys.executable, "-m", "interrupted"], cwd=tmp_path, capture_output=True, text=True
    )
    assert (ended.returncode, ended.stdout) == (130, "")


WITH_A_BUSY_THREAD = """
import atexit, threading
from lrtune.cli import app

atexit.register(print, "cleaned up")
threading.Thread(target=threading.Event().wait).start()


def command() -> None:
    print("begun")
    raise KeyboardInterrupt


app.main(app.make_app(command), "lrtune", [], last=True)
"""


def test_an_interrupted_command_cleans_up_and_waits_for_no_thread(tmp_path: Path):
    # As of TensorFlow, which Python's own end would wait for, or crash.
    script = tmp_path / "busy.py"
    script.write_text(WITH_A_BUSY_THREAD)
    ended = subprocess.run(
        [sys.executable, script], capture_output=True, text=True, check=False, timeout=100
    )
    assert (ended.returncode, ended.stdout) == (130, "begun\ncleaned up\n")


IN_A_FINALIZER = """
import os, signal, sys
from lrtune.cli import app

class Freed:
    def __del__(self):
        os.kill(os.getpid(), signal.SIGTERM)

class Broken:
    def __del__(self):
        raise ValueError("broken")

def command():
    Freed()
    Broken()

app.main(app.make_app(command), "lrtune", [], last=True)
"""


def test_an_interrupt_in_a_finalizer_prints_no_traceback_and_other_errors_do(tmp_path: Path):
    # Seen: the second of two signals came while a TensorFlow function was freed.
    script = tmp_path / "finalizer.py"
    script.write_text(IN_A_FINALIZER)
    ended = subprocess.run([sys.executable, script], capture_output=True, text=True, check=False)
    assert "KeyboardInterrupt" not in ended.stderr
    assert "ValueError: broken" in ended.stderr


@pytest.mark.parametrize(
    ("error", "lacks"),
    [
        (MemoryError(), "memory"),
        (
            OSError(errno.EMFILE, "Too many open files", "/dev/null"),
            "open files, as `ulimit -n` limits them (Too many open files: /dev/null)",
        ),
        (OSError(errno.ENOSPC, "No space left on device"), "disk space (No space left on device)"),
        (
            BlockingIOError(errno.EAGAIN, "Resource temporarily unavailable"),
            "processes, as `ulimit -u` limits them (Resource temporarily unavailable)",
        ),
        (RuntimeError("can't start new thread"), "processes, as `ulimit -u` limits them"),
    ],
)
def test_what_the_machine_lacks_is_one_line(error: Exception, lacks: str, capsys):
    def command() -> None:
        raise error

    with pytest.raises(SystemExit) as ended:
        app.main(app.make_app(command), "lrtune search", [], last=False)
    assert ended.value.code == 2
    assert capsys.readouterr().err == (
        f"lrtune search: this machine is short of {lacks}. Everything saved so far is intact\n"
    )


@pytest.mark.parametrize("error", [RuntimeError("a fault"), FileNotFoundError(2, "No such file")])
def test_a_fault_of_lrtunes_keeps_its_traceback(error: Exception):
    def command() -> None:
        raise error

    with pytest.raises(type(error)):
        app.main(app.make_app(command), "lrtune search", [], last=False)


@pytest.mark.parametrize("interrupt", [typer.Abort(), KeyboardInterrupt()])
def test_an_interrupt_that_a_command_does_not_handle_exits_with_130(interrupt: BaseException):
    def command() -> None:
        raise interrupt

    with pytest.raises(SystemExit) as ended:
        app.main(app.make_app(command), "lrtune search", [], last=False)
    assert ended.value.code == 130
