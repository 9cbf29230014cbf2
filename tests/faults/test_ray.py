"""A search that trains on a Ray of its own: interrupts and kills, of workers and of the search."""

from __future__ import annotations

import contextlib
import signal
from typing import TYPE_CHECKING, Any

import psutil
import pytest

from tests.faults import result, searches
from tests.faults.harness import Tries, left_behind, until

if TYPE_CHECKING:
    from pathlib import Path

    from tests.faults.harness import Child, Harness

pytestmark = pytest.mark.long

RAY = ("--engine", "ray", "--workers", 2)
INTERRUPTED = 130


@pytest.fixture
def whole(harness: Harness) -> dict[str, Any]:
    return harness.undisturbed("command", lambda run: searches.cli(harness.images, run))


def begin(harness: Harness, folder: Path) -> Child:
    """Starts the search and waits until some training has ended."""
    child = harness.start_command(*searches.command(harness.images, folder, *RAY))
    until(lambda: child.ended or result.finished_trials(folder), "a first training")
    return child


def finished(harness: Harness, folder: Path, whole: dict[str, Any]) -> list[str]:
    """Gives the command again, to the end; what was lost or run twice."""
    before = result.finished_trials(folder)
    child = harness.start_command(*searches.command(harness.images, folder, *RAY))
    assert child.wait() == 0, child.text()
    lost = result.run_twice(folder, before) + result.differences(result.result(folder), whole)
    return lost + left_behind(child, folder)


def workers(child: Child) -> list[psutil.Process]:
    found = []
    for one in child.descendants():
        with contextlib.suppress(psutil.Error):
            if "ray::TrainingActor" in " ".join(one.cmdline()):
                found.append(one)
    return found


def test_an_interrupted_search_leaves_no_ray_and_continues(
    harness: Harness, whole: dict[str, Any], tmp_path: Path
):
    def attempt(number: int) -> list[str]:
        folder = tmp_path / str(number)
        child = begin(harness, folder)
        # To all as a terminal does with Ctrl-C; SIGTERM to the search alone.
        child.signal(number, group=number == signal.SIGINT)
        assert child.wait() == INTERRUPTED, child.text()
        assert "Traceback" not in child.text()
        assert "Interrupted. To resume the search:" in child.text()
        return left_behind(child, folder) + finished(harness, folder, whole)

    Tries("SIGINT and SIGTERM, on Ray").assert_none_is_lost(
        ((str(one), lambda one=one: attempt(one)) for one in (signal.SIGINT, signal.SIGTERM)), at=1
    )


def test_a_killed_search_leaves_no_ray_and_continues(
    harness: Harness, whole: dict[str, Any], tmp_path: Path
):
    def attempt() -> list[str]:
        child = begin(harness, tmp_path / "run")
        child.signal(signal.SIGKILL)
        child.wait()
        until(lambda: not child.descendants(), "the end of Ray's processes", 60)
        return finished(harness, tmp_path / "run", whole)

    Tries("SIGKILL of a search on Ray").assert_none_is_lost([("killed", attempt)])


def test_a_killed_worker_costs_nothing(harness: Harness, whole: dict[str, Any], tmp_path: Path):
    def attempt() -> list[str]:
        child = begin(harness, tmp_path / "run")
        for one in workers(child)[:1]:
            one.kill()
        assert child.wait() == 0, child.text()
        lost = result.differences(result.result(tmp_path / "run"), whole)
        return lost + left_behind(child, tmp_path / "run")

    Tries("SIGKILL of a worker on Ray").assert_none_is_lost([("killed", attempt)])
