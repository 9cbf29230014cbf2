"""A search whose process is killed, at any moment, goes on as if nothing had been.

At every write boundary: SIGKILL changes no file, so what it leaves is the run folder as it is at
that moment. One search copies its folder at each of its boundaries, and every copy is continued; of
copies that are alike byte for byte (what is between two writes) one stands for all.
That the copies are what a kill leaves is shown by killing for real, at boundaries drawn at random,
and holding the two folders together. To kill for real at all 440 would take as long again.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import shutil
import signal
import time
from typing import TYPE_CHECKING, Any

import pytest

from tests.faults import result, searches
from tests.faults.harness import Tries, dice, finish, sleep_or_end, until

if TYPE_CHECKING:
    from pathlib import Path

    from tests.faults.harness import Harness

pytestmark = pytest.mark.long

ALGORITHMS = ["hyperband", "bayesian", "shape", "random"]

KILLED = -signal.SIGKILL


def expected(harness: Harness, algo: str) -> dict[str, Any]:
    return harness.undisturbed(algo, lambda folder: searches.job(algo, folder))


@pytest.fixture(scope="module")
def boundaries(harness: Harness, tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Path]]:
    """The run folder at each write boundary of each algorithm's search, in their order."""
    found = {}
    for algo in ALGORITHMS:
        folder = tmp_path_factory.mktemp(algo)
        copies = folder / "copies"
        ended = harness.run(searches.job(algo, folder / "run"), copies=str(copies))
        assert ended.wait() == 0, ended.text()
        found[algo] = sorted(copies.iterdir(), key=lambda path: int(path.name))
    return found


@pytest.mark.parametrize("algo", ALGORITHMS)
def test_a_search_killed_at_any_write_boundary_continues(
    algo: str, harness: Harness, boundaries: dict[str, list[Path]], tmp_path: Path
):
    whole = expected(harness, algo)

    def attempt(copy: Path) -> list[str]:
        folder = tmp_path / copy.name
        shutil.copytree(copy, folder)
        return finish(harness, searches.job(algo, folder), folder, whole)

    assert len(boundaries[algo]) > 100
    Tries(f"SIGKILL at a write boundary, {algo}").assert_none_is_lost(
        (f"boundary {same[0].name}", lambda copy=same[0]: attempt(copy), len(same))
        for same in _alike(boundaries[algo])
    )


@pytest.mark.parametrize("algo", ALGORITHMS)
def test_what_a_kill_leaves_is_the_folder_as_it_was_at_that_boundary(
    algo: str, harness: Harness, boundaries: dict[str, list[Path]], tmp_path: Path
):
    whole = expected(harness, algo)

    def attempt(number: int) -> list[str]:
        folder = tmp_path / str(number)
        job = searches.job(algo, folder)
        code = harness.run(job, kill_at=number).wait()
        assert code == KILLED, f"it was to be killed, and ended with {code}"
        left, copied = _shape(folder), _shape(boundaries[algo][number - 1])
        return result.differences(left, copied) + finish(harness, job, folder, whole)

    numbers = dice("boundaries", algo).sample(range(1, len(boundaries[algo]) + 1), 8)
    Tries(f"SIGKILL for real at a write boundary, {algo}").assert_none_is_lost(
        (f"boundary {number}", lambda number=number: attempt(number)) for number in numbers
    )


def _alike(copies: list[Path]) -> list[list[Path]]:
    """Copies in groups of the same content."""
    groups: dict[str, list[Path]] = {}
    for copy in copies:
        digest = hashlib.sha256()
        for path in sorted(copy.rglob("*")):
            if not path.name.startswith(".lock"):
                content = path.read_bytes() if path.is_file() else b"folder"
                digest.update(f"{path.relative_to(copy)} {len(content)} ".encode() + content)
        groups.setdefault(digest.hexdigest(), []).append(copy)
    return list(groups.values())


def _shape(folder: Path) -> dict[str, Any]:
    """A run folder's files and what they hold, but for times and who wrote them."""
    shape = {}
    for path in sorted(folder.rglob("*")):
        name = str(path.relative_to(folder))
        if path.is_dir() or path.name.startswith(".lock"):
            continue
        shape[name] = _timeless(path.read_bytes()) if path.suffix != ".npz" else "arrays"
    return shape


def _timeless(content: bytes) -> Any:
    """JSON, or lines of it, without times; anything else as it is."""
    for parts in ([content], content.splitlines()):
        with contextlib.suppress(ValueError):
            values = [json.loads(part) for part in parts]
            for value in values:
                for name in ("seconds", "created", "finished", "run_times"):
                    value.pop(name, None)
            return values
    return content.decode()


@pytest.mark.parametrize("algo", ALGORITHMS)
def test_a_search_killed_several_times_in_a_row_continues(
    algo: str, harness: Harness, boundaries: dict[str, list[Path]], tmp_path: Path
):
    whole = expected(harness, algo)

    def attempt(number: int) -> list[str]:
        folder = tmp_path / str(number)
        job = searches.job(algo, folder)
        drawn = dice("in a row", algo, number)
        wrong = []
        for _ in range(drawn.choice([2, 3])):
            before = result.finished_trials(folder)
            # About half of what is left each time: a resumed search writes all trials once more.
            at = drawn.randrange(1, len(boundaries[algo]) // 2)
            assert harness.run(job, kill_at=at).wait() in (KILLED, 0)
            wrong += result.run_twice(folder, before)
        return wrong + finish(harness, job, folder, whole)

    Tries(f"SIGKILL two or three times in a row, {algo}").assert_none_is_lost(
        (f"try {number}", lambda number=number: attempt(number)) for number in range(4)
    )


def test_a_search_that_promotes_diverged_trials_continues(harness: Harness, tmp_path: Path):
    def job(folder: Path) -> dict[str, Any]:
        return searches.job("hyperband", folder, diverging=True)

    whole = harness.undisturbed("diverging", job)
    statuses = {one["outcome"]["status"] for name, one in whole.items() if "trial_" in name}
    assert statuses == {"diverged"}
    copies = tmp_path / "copies"
    ended = harness.run(job(tmp_path / "run"), copies=str(copies))
    assert ended.wait() == 0, ended.text()

    def attempt(copy: Path) -> list[str]:
        folder = tmp_path / copy.name
        shutil.copytree(copy, folder)
        return finish(harness, job(folder), folder, whole)

    found = sorted(copies.iterdir(), key=lambda path: int(path.name))
    Tries("SIGKILL at a write boundary, all trials diverge").assert_none_is_lost(
        (f"boundary {same[0].name}", lambda copy=same[0]: attempt(copy), len(same))
        for same in _alike(found)[::4]
    )


def test_a_search_killed_at_any_moment_continues(harness: Harness, tmp_path: Path):
    def attempt(algo: str, number: int) -> list[str]:
        whole = expected(harness, algo)
        folder = tmp_path / f"{algo}-{number}"
        job = searches.job(algo, folder)
        drawn = dice("moments", algo, number)
        wrong = []
        for _ in range(drawn.choice([1, 1, 2, 3])):
            before = result.finished_trials(folder)
            child = harness.start(job)
            sleep_or_end(child, drawn.random() * harness.duration(algo))
            child.signal(signal.SIGKILL)
            assert child.wait() in (KILLED, 0)
            wrong += result.run_twice(folder, before)
        return wrong + finish(harness, job, folder, whole)

    for algo in ALGORITHMS:
        expected(harness, algo)
    Tries("SIGKILL at a random moment").assert_none_is_lost(
        (f"{algo} {number}", lambda algo=algo, number=number: attempt(algo, number))
        for algo, count in (("hyperband", 7), ("bayesian", 6), ("shape", 6), ("random", 7))
        for number in range(count)
    )


def test_the_command_killed_at_any_moment_continues(harness: Harness, tmp_path: Path):
    """The real command line, two workers; which of them trained the winner does not matter."""
    whole = harness.undisturbed("command", lambda folder: searches.cli(harness.images, folder))
    folder = tmp_path / "undisturbed"
    began = time.monotonic()
    first = harness.run(searches.cli(harness.images, folder, "--workers", 2))
    assert first.wait() == 0, first.text()
    seconds = time.monotonic() - began
    assert not result.differences(result.result(folder), whole)

    def attempt(number: int) -> list[str]:
        folder = tmp_path / str(number)
        drawn = dice("command", number)
        job = searches.cli(harness.images, folder, "--workers", 2)
        child = harness.start(job) if number else harness.start_command(*job["argv"])
        if not number:  # its imports, which a forked search does not need
            until(folder.exists, "reading the images")
        sleep_or_end(child, drawn.random() * seconds)
        child.signal(signal.SIGKILL)
        assert child.wait() in (KILLED, 0)
        if number:  # one process goes on where two were: the numbers do not depend on it
            return finish(harness, searches.cli(harness.images, folder), folder, whole)
        before = result.finished_trials(folder)
        again = harness.start_command(*job["argv"])
        assert again.wait() == 0, again.text()
        wrong = result.run_twice(folder, before)
        return wrong + result.differences(result.result(folder), whole)

    tries = Tries("SIGKILL of the command with two workers, at a random moment")
    tries.assert_none_is_lost(
        (f"try {number}", lambda number=number: attempt(number)) for number in range(5)
    )
