"""A disk that is full, read-only or gone ends a search with one line; given back, it continues."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

import lrtune
from lrtune.errors import RunFolderError
from tests.faults import result, searches
from tests.faults.harness import Child, Tries, finish, left_behind, until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.faults.harness import Harness

pytestmark = pytest.mark.long

FULL = "No space left on device"

SIZES = [16, 32, 48, 80, 112]
"""KiB, where an undisturbed run takes some 300: too small for anything, and for the n-th trial."""


@contextlib.contextmanager
def mounted(folder: Path, *arguments: str) -> Iterator[Path]:
    """A small disk at a folder; skips the test where this user may not mount one."""
    folder.mkdir(exist_ok=True)
    done = _mount(*arguments, str(folder))
    if done.returncode != 0:
        pytest.skip(f"mount does not work here: {done.stderr.strip()}")
    try:
        yield folder
    finally:
        if subprocess.run(["umount", str(folder)], check=False).returncode != 0:  # noqa: S607
            subprocess.run(["umount", "-l", str(folder)], check=True)  # noqa: S607


def _mount(*arguments: str) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(["mount", *arguments], capture_output=True, text=True)  # noqa: S607
    except FileNotFoundError:
        pytest.skip("there is no mount command here")


def remount(folder: Path, options: str) -> None:
    done = _mount("-o", f"remount,{options}", str(folder))
    assert done.returncode == 0, done.stderr


def ends_in_one_line(child: Child, *words: str) -> list[str]:
    """What is wrong with the end of a search whose disk failed."""
    code = child.wait()
    text = child.text()
    line = text.strip().splitlines()[-1] if text.strip() else ""
    missing = [word for word in words if word not in line]
    if code != 2 or missing or "Traceback" in text or not line.startswith("lrtune search: "):
        return [f"exit code {code}, without {missing}: {text[-1500:]}"]
    return []


def told_or_loadable(folder: Path) -> list[str]:
    """What was written can be loaded, or lrtune says what is wrong with the folder."""
    try:
        lrtune.load_run(folder).ranking()
    except RunFolderError as error:
        if str(folder) not in str(error) or "\n" in str(error):
            return [f"it must name the folder in one line: {error}"]
    return []


def test_a_search_on_a_disk_that_is_full_continues_when_there_is_space(
    harness: Harness, tmp_path: Path
):
    whole = harness.undisturbed("command", lambda run: searches.cli(harness.images, run))

    def attempt(size: int) -> list[str]:
        with mounted(tmp_path / str(size), "-t", "tmpfs", "-o", f"size={size}k", "none") as disk:
            job = searches.cli(harness.images, disk / "run")
            wrong = ends_in_one_line(harness.run(job), str(disk / "run"), FULL)
            wrong += told_or_loadable(disk / "run")
            wrong += ends_in_one_line(harness.run(job), str(disk / "run"), FULL)
            remount(disk, "size=16m")
            return wrong + finish(harness, job, disk / "run", whole)

    with mounted(tmp_path / "try", "-t", "tmpfs", "none"):
        pass
    Tries("a full disk (tmpfs)").assert_none_is_lost(
        (f"{size} KiB", lambda size=size: attempt(size)) for size in SIZES
    )


def test_a_search_on_a_full_file_system_continues_when_there_is_space(
    harness: Harness, tmp_path: Path
):
    whole = harness.undisturbed("command", lambda run: searches.cli(harness.images, run))
    image = tmp_path / "disk.img"
    with image.open("wb") as file:
        file.truncate(1 << 20)
    mkfs = shutil.which("mkfs.ext4", path=f"{os.environ['PATH']}:/sbin:/usr/sbin")
    if mkfs is None:
        pytest.skip("there is no mkfs.ext4 here")
    made = subprocess.run([mkfs, "-q", "-O", "^has_journal", str(image)], capture_output=True)
    assert made.returncode == 0, made.stderr

    def attempt(disk: Path) -> list[str]:
        ballast = disk / "ballast"
        _fill(ballast, leave=40 << 10)
        job = searches.cli(harness.images, disk / "run")
        wrong = ends_in_one_line(harness.run(job), str(disk / "run"), FULL)
        wrong += told_or_loadable(disk / "run")
        ballast.unlink()
        return wrong + finish(harness, job, disk / "run", whole)

    with mounted(tmp_path / "disk", "-o", "loop", str(image)) as disk:
        Tries("a full disk (ext4)").assert_none_is_lost([("1 MiB", lambda: attempt(disk))])


def _fill(path: Path, leave: int) -> None:
    room = os.statvfs(path.parent)
    with path.open("wb") as file:
        # Root may write into what is reserved, too.
        file.write(bytes(max(0, room.f_bfree * room.f_frsize - leave)))
        file.flush()
        os.fsync(file.fileno())


def test_a_disk_that_becomes_read_only_ends_the_search_in_one_line(
    harness: Harness, tmp_path: Path
):
    whole = harness.undisturbed("command", lambda run: searches.cli(harness.images, run))

    def attempt(trials: int) -> list[str]:
        with mounted(tmp_path / str(trials), "-t", "tmpfs", "none") as disk:
            folder = disk / "run"
            job = searches.cli(harness.images, folder)
            child = harness.start(job)
            until(lambda: len(result.finished_trials(folder)) >= trials, f"{trials} trials")
            # The lock is open for writing, so that the disk itself cannot become read-only: a
            # read-only view of it takes its place.
            with mounted(disk, "--bind", str(disk)):
                # Refused while a file is open for writing, which it is now and then.
                until(
                    lambda: _mount("-o", "remount,bind,ro", str(disk)).returncode == 0,
                    "making the disk read-only",
                )
                wrong = ends_in_one_line(child, str(folder), "Read-only file system")
                wrong += ends_in_one_line(harness.run(job), str(folder), "Read-only file system")
                wrong += told_or_loadable(folder)
            return wrong + finish(harness, job, folder, whole)

    with mounted(tmp_path / "try", "-t", "tmpfs", "none"):
        pass
    Tries("a disk that becomes read-only").assert_none_is_lost(
        (f"after {trials} trials", lambda trials=trials: attempt(trials)) for trials in (1, 4)
    )


GONE = ["was moved, removed or replaced", "is not a run folder: it has no run.json"]


def test_a_folder_that_is_removed_ends_the_search_in_one_line(harness: Harness, tmp_path: Path):
    whole = harness.undisturbed("command", lambda run: searches.cli(harness.images, run))

    def attempt(trials: int, more: tuple[Any, ...]) -> list[str]:
        folder = tmp_path / f"{trials}-{len(more)}"
        job = searches.cli(harness.images, folder, *more)
        child = harness.start(job)
        until(lambda: len(result.finished_trials(folder)) >= trials, f"{trials} trials")
        until(lambda: _gone(folder), "removing the folder")
        child.wait()
        # While the folder is being removed, its lock may still be there and its run.json not.
        said = [words for words in GONE if words in child.text()] or GONE
        wrong = ends_in_one_line(child, str(folder), said[0])
        assert not folder.exists(), f"a stump came back: {list(folder.rglob('*'))}"
        wrong += left_behind(child, folder)
        return wrong + finish(harness, searches.cli(harness.images, folder), folder, whole)

    Tries("a run folder that is removed").assert_none_is_lost(
        (f"after {trials} trials {more}", lambda trials=trials, more=more: attempt(trials, more))
        for trials, more in [(1, ()), (2, ()), (4, ()), (7, ()), (2, ("--workers", 2))]
    )


def _gone(folder: Path) -> bool:
    """Whether the folder is removed; a file that is written meanwhile takes another try."""
    shutil.rmtree(folder, ignore_errors=True)
    return not folder.exists()
