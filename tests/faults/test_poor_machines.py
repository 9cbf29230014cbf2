"""Machines that lack something: one line says what, nothing is lost, and nothing is left behind."""

from __future__ import annotations

import shlex
import signal
import subprocess
import threading
from typing import TYPE_CHECKING

import psutil
import pytest

from tests.faults import result, searches
from tests.faults.harness import Tries, finish, left_behind, until

if TYPE_CHECKING:
    from pathlib import Path

    from tests.faults.harness import Child, Harness

pytestmark = pytest.mark.long

BAD_INPUT = 2

MOUNTS = subprocess.run(["unshare", "--mount", "true"], capture_output=True).returncode == 0  # noqa: S607
"""Whether these tests may mount: root may, except in some containers."""


def start_in_shell(harness: Harness, first: str, folder: Path, *more: object) -> Child:
    """Starts the real command in a shell, after another command that makes something scarce."""
    words = searches.command(harness.images, folder, "--workers", 2, *more)
    return harness.start_command(*words, before=first)


@pytest.mark.skipif(not MOUNTS, reason="it may not mount")
def test_shared_memory_is_not_needed(harness: Harness, tmp_path: Path):
    whole = harness.undisturbed("command", lambda run: searches.cli(harness.images, run))

    def attempt(option: str) -> list[str]:
        folder = tmp_path / option
        child = start_in_shell(harness, f"mount -t tmpfs -o {option} none /dev/shm", folder)
        assert child.wait() == 0, child.text()
        return left_behind(child, folder) + result.differences(result.result(folder), whole)

    Tries("shared memory that is read-only, or full").assert_none_is_lost(
        (option, lambda option=option: attempt(option)) for option in ("ro", "size=4k,nr_inodes=1")
    )


@pytest.mark.skipif(not MOUNTS, reason="it may not mount")
def test_a_full_temporary_folder_is_one_line(harness: Harness, tmp_path: Path):
    whole = harness.undisturbed("command", lambda run: searches.cli(harness.images, run))

    def attempt(size: str) -> list[str]:
        folder, tiny = tmp_path / f"run {size}", tmp_path / size
        tiny.mkdir()
        where = shlex.quote(str(tiny))
        before = f"mount -t tmpfs -o {size} none {where}; export TMPDIR={where}"
        child = start_in_shell(harness, before, folder)
        assert child.wait() == BAD_INPUT, child.text()
        assert "Traceback" not in child.text()
        last = child.text().splitlines()[-1]
        assert "No space left on device" in last or "requested and" in last, child.text()
        assert "Everything saved so far is intact" in last
        job = searches.cli(harness.images, folder)
        return left_behind(child, folder) + finish(harness, job, folder, whole)

    Tries("a small temporary folder").assert_none_is_lost(
        (size, lambda size=size: attempt(size)) for size in ("size=16k", "size=64k,nr_inodes=2")
    )


def test_too_few_open_files_are_one_line(harness: Harness, tmp_path: Path):
    whole = harness.undisturbed("command", lambda run: searches.cli(harness.images, run))

    def attempt(files: int) -> list[str]:
        folder = tmp_path / str(files)
        child = start_in_shell(harness, f"ulimit -n {files}", folder)
        code, text = child.wait(), child.text()
        assert "Traceback" not in text, text
        if code:
            assert code == BAD_INPUT
            assert "Too many open files" in text.splitlines()[-1], text
        job = searches.cli(harness.images, folder)
        return left_behind(child, folder) + finish(harness, job, folder, whole)

    Tries("few open files").assert_none_is_lost(
        ((f"{files}", lambda files=files: attempt(files)) for files in (12, 14, 20)), at=3
    )


def test_a_search_that_is_suspended_as_a_whole_loses_no_worker(harness: Harness, tmp_path: Path):
    whole = harness.undisturbed("command", lambda run: searches.cli(harness.images, run))
    folder = tmp_path / "run"

    def attempt() -> list[str]:
        words = searches.command(harness.images, folder, "--workers", 2, "--trial-timeout", 6)
        child = harness.start_command(*words)
        until(lambda: result.finished_trials(folder) or child.ended, "a training")
        try:
            child.signal(signal.SIGSTOP, group=True)
            stopped = psutil.Process(child.process)
            until(lambda: stopped.status() == psutil.STATUS_STOPPED, "stopping")
            threading.Event().wait(13)  # longer than the time limit
        finally:
            child.signal(signal.SIGCONT, group=True)
        assert child.wait() == 0, child.text()
        assert "finished no epoch" not in child.text()
        return left_behind(child, folder) + result.differences(result.result(folder), whole)

    _alone("a search suspended for longer than its time limit", attempt)


def test_what_a_kill_of_all_processes_leaves_is_removed_by_the_next_search(
    harness: Harness, tmp_path: Path
):
    whole = harness.undisturbed("command", lambda run: searches.cli(harness.images, run))
    folder, temporary = tmp_path / "run", tmp_path / "tmp"
    (temporary / "lrtune-of-somebody").mkdir(parents=True)

    def attempt() -> list[str]:
        words = searches.command(harness.images, folder, "--workers", 2)
        before = f"export TMPDIR={shlex.quote(str(temporary))}"
        child = harness.start_command(*words, before=before)
        until(lambda: result.finished_trials(folder) or child.ended, "a training")
        child.signal(signal.SIGKILL, group=True)
        child.wait()
        until(lambda: not child.descendants(), "ending all processes")
        assert len(list(temporary.iterdir())) > 1, f"it was to leave something: {child.text()}"
        again = harness.start_command(*words, before=before)
        assert again.wait() == 0, again.text()
        until(lambda: not again.descendants(), "ending all processes")
        assert [one.name for one in temporary.iterdir()] == ["lrtune-of-somebody"]
        return result.differences(result.result(folder), whole)

    _alone("SIGKILL of a search and all its processes", attempt)


def _alone(name: str, attempt: object) -> None:
    tries = Tries(name)
    tries.one(name, attempt)
    assert not tries.losses, tries.losses
